"""The Page at Meta: mentions, files, registration, credentials, against the simulated Page."""

import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError, RetryableError
from channelry.model import (
    Address,
    Announced,
    Kind,
    Media,
    MessageReceived,
    Request,
    SendMessage,
    Surface,
    Target,
    Thread,
    Unsupported,
)
from channelry.secrets import Secret
from channelry.services import Services
from channelry_facebook.capabilities import FIELDS
from channelry_facebook.plugin import Facebook
from channelry_facebook.simulator import FacebookSimulator
from channelry_testing import services
from channelry_testing.broken_http import Answering

from .conftest import ORIGIN, plugin_of

pytestmark = pytest.mark.anyio

CALLBACK = "https://care.example.com/hooks/facebook"


def announced(facebook: Facebook, webhook: Request) -> Announced:
    facebook.verify(webhook)
    (event,) = facebook.parse(webhook).events
    assert isinstance(event, Announced)
    return event


async def test_a_mention_is_read_where_it_was_written(
    facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    event = announced(facebook, simulator.mention("U9", "@Shop is fine"))
    (message,) = await facebook.expand(event, desk)
    assert isinstance(message, MessageReceived)
    assert (message.text, message.surface, message.sender.name) == ("@Shop is fine", Surface.MENTION, "Customer U9")
    assert message.sender.address == Address("facebook", "U9", "55")
    assert message.thread == Thread(
        root="77777_901",
        parent="77777_901",
        depth=1,
        permalink=f"https://www.facebook.com/{message.external_id}",
        private=False,
    )
    assert message.occurred_at == event.occurred_at
    assert message.key != event.key
    assert [message] == list(await facebook.expand(event, desk))
    (call,) = facebook.compose(_answer(message))
    assert call.body["path"] == f"{message.external_id}/comments"


def _answer(message: MessageReceived) -> SendMessage:
    return SendMessage(key="k", target=Target.answering(message), text="thanks")


async def test_a_mention_that_cannot_be_read_is_shown_by_its_page(
    facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    event = announced(facebook, simulator.mention("U9", "@Shop is fine"))
    simulator.comments.clear()
    (message,) = await facebook.expand(event, desk)
    assert isinstance(message, MessageReceived)
    assert (message.text, message.sender.address.value) == ("", "U9")
    assert isinstance(message.parts[0], Unsupported)
    with pytest.raises(RetryableError):
        await facebook.expand(event, services())


async def test_a_comments_picture_is_downloaded_by_its_link(
    facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    url = f"{ORIGIN}/files/{simulator.hold(b'a picture', 'image/jpeg')}"
    media = await facebook.fetch(Media(kind=Kind.IMAGE, url=url), save, desk)
    assert (b"".join(saved), media.media_type, media.size) == (b"a picture", "image/jpeg", 9)


async def test_setup_registers_the_callback_and_check_finds_it(
    facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    """Meta calls the new callback back at once; fields that another channel wants stay."""

    async def post(webhook: Request) -> int:
        facebook.verify(webhook)
        return 200 if facebook.parse(webhook).answer.body == b"1158201444" else 500

    simulator.post, simulator.fields = post, "messages"
    with pytest.raises(PermanentError, match="feed, mention"):
        await facebook.check(desk)
    await facebook.setup(CALLBACK, desk)
    assert (simulator.callback, set(simulator.fields.split(","))) == (CALLBACK, {"messages", *FIELDS})
    await facebook.check(desk)


async def test_check_tells_a_bad_token_and_an_unknown_page(simulator: FacebookSimulator, desk: Services) -> None:
    config = plugin_of(simulator).config
    with pytest.raises(AuthError) as raised:
        await Facebook(evolve(config, access_token=Secret("another-token"))).check(desk)
    assert raised.value.code == "190"
    with pytest.raises(PermanentError):
        await Facebook(evolve(config, page_id="56")).check(desk)


async def test_a_mention_waits_for_a_token_that_has_ended(facebook: Facebook, simulator: FacebookSimulator) -> None:
    event = announced(facebook, simulator.mention("U9", "@Shop is fine"))
    body = b'{"error":{"code":190,"error_subcode":463,"message":"Session has expired"}}'
    with pytest.raises(AuthError):
        await facebook.expand(event, services(http=Answering(400, body)))
    (kept,) = await facebook.expand(event, services(http=Answering(400, body.replace(b"190", b"200"))))
    assert isinstance(kept, MessageReceived)
