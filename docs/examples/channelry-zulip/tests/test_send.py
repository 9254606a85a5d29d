"""What the kit cannot know of Zulip: where its messages go, how files are shown, and how long a bot has to wait."""

from collections.abc import Mapping

import pytest

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import Address, Edit, Kind, Media, RateScope, Resend, SendMessage, Target, Thread
from channelry.services import HttpResponse, Services
from channelry_testing import AsgiHttp, MemoryFiles, connected, services
from channelry_zulip.api import refusal
from channelry_zulip.plugin import Zulip
from channelry_zulip.simulator import ZulipSimulator

pytestmark = pytest.mark.anyio

ADA = Target(to=Address("zulip", "7"))
STREAM = Address("zulip-stream", "5")
PNG = Media(kind=Kind.IMAGE, ref="photo", media_type="image/png", name="a [1].png", size=3)


@pytest.fixture
def simulator() -> ZulipSimulator:
    return ZulipSimulator()


@pytest.fixture
def plugin(simulator: ZulipSimulator) -> Zulip:
    return connected(Zulip, simulator)


@pytest.fixture
def ours(plugin: Zulip, simulator: ZulipSimulator) -> Services:
    return services(http=AsgiHttp({plugin.config.base_url: simulator.app}), files=MemoryFiles({"photo": b"PNG"}))


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        (ADA, {"type": "direct", "to": "[7]"}),
        (Target(to=Address("zulip-group", "7,9")), {"type": "direct", "to": "[7,9]"}),
        (Target(to=STREAM), {"type": "stream", "to": "5", "topic": "customer care"}),
        (Target(to=STREAM, thread=Thread(root="5/Parcels/May")), {"type": "stream", "to": "5", "topic": "Parcels/May"}),
    ],
)
async def test_a_message_goes_to_its_people_or_its_topic(
    plugin: Zulip, simulator: ZulipSimulator, ours: Services, target: Target, fields: Mapping[str, str]
) -> None:
    [call] = plugin.compose(SendMessage(key="k", target=target, text="On its way."))
    assert call.group == (target.to.scheme != "zulip")
    await plugin.send(call, ours)
    assert simulator.ledger.taken[0].body == {**fields, "content": "On its way."}


async def test_a_file_is_uploaded_and_shown_by_a_link_after_the_text(
    plugin: Zulip, simulator: ZulipSimulator, ours: Services
) -> None:
    for call in plugin.compose(SendMessage(key="k", target=ADA, text="Is it this one?", parts=(PNG,))):
        await plugin.send(call, ours)
    text, shown = (taken.text for taken in simulator.ledger.taken)
    assert text == "Is it this one?"
    assert shown.startswith("[a (1).png](/user_uploads/")
    assert b"PNG" in next(entry.body for entry in simulator.ledger.entries if entry.path == "/api/v1/user_uploads")


async def test_an_edit_names_its_message_and_may_be_repeated(
    plugin: Zulip, simulator: ZulipSimulator, ours: Services
) -> None:
    [call] = plugin.compose(Edit(key="k", target=ADA, external_id="1001", text="On its way!"))
    assert call.resend is Resend.SAFE
    assert (await plugin.send(call, ours)).external_ids == ("1001",)
    assert simulator.ledger.entries[-1].path == "/api/v1/messages/1001"


def test_an_edit_is_one_message_and_no_longer(plugin: Zulip) -> None:
    with pytest.raises(PermanentError):
        plugin.compose(Edit(key="k", target=ADA, external_id="1001", text="x" * 10_001))


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "wait", "scope"),
    [
        (429, b'{"code": "RATE_LIMIT_HIT", "retry-after": 28.7}', {}, RetryableError, 28.7, RateScope.CONNECTION),
        (429, b"<html>", {"retry-after": "7"}, RetryableError, 7.0, RateScope.CONNECTION),
        (429, b'{"retry-after": null}', {}, RetryableError, None, RateScope.CONNECTION),
        (502, b"<html>", {}, RetryableError, None, None),
        (401, b'{"code": "INVALID_API_KEY"}', {}, AuthError, None, None),
        (400, b'{"code": "STREAM_DOES_NOT_EXIST"}', {}, RecipientError, None, None),
        (400, b'{"code": "BAD_REQUEST"}', {}, PermanentError, None, None),
    ],
)
def test_a_refusal_says_what_to_do_and_how_long_to_wait(
    status: int, body: bytes, headers: dict[str, str], error: type[SendError], wait: float | None, scope: str | None
) -> None:
    found = refusal(HttpResponse(status, headers, body), services().clock.now())
    assert (type(found), getattr(found, "retry_after", None), getattr(found, "scope", None)) == (error, wait, scope)
