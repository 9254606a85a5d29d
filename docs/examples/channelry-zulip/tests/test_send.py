"""What the kit cannot know of Zulip: where its messages go, how files are shown, and how long a bot has to wait."""

from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import Address, Edit, Kind, Media, MessageReceived, RateScope, Request, Resend, SendMessage, Target
from channelry.services import HttpResponse, Services
from channelry_testing import AsgiHttp, MemoryFiles, connected, services
from channelry_zulip.api import refusal
from channelry_zulip.plugin import Zulip
from channelry_zulip.simulator import ZulipSimulator

pytestmark = pytest.mark.anyio

ADA = Target(to=Address("zulip", "7"))
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
    ("payload", "fields"),
    [
        ("direct", {"type": "direct", "to": "[7]"}),
        ("group", {"type": "direct", "to": "[7,9]"}),
        ("stream", {"type": "stream", "to": "5", "topic": "Parcels/May"}),
    ],
)
async def test_an_answer_goes_where_the_message_came_from(
    plugin: Zulip, simulator: ZulipSimulator, ours: Services, payload: str, fields: Mapping[str, str]
) -> None:
    recorded = orjson.loads((Path(__file__).parent / f"payloads/{payload}.json").read_bytes())
    [message] = plugin.parse(Request("POST", "/", (), orjson.dumps(recorded["json"]), ours.clock.now())).events
    assert isinstance(message, MessageReceived)
    [call] = plugin.compose(SendMessage(key="k", target=Target.answering(message), text="On its way."))
    assert call.group == (message.thread is not None)
    await plugin.send(call, ours)
    assert simulator.ledger.taken[0].body == {**fields, "content": "On its way."}


def test_a_message_that_answers_none_goes_to_the_configured_topic(plugin: Zulip) -> None:
    [call] = plugin.compose(SendMessage(key="k", target=Target(to=Address("zulip-stream", "5")), text="We are open."))
    assert call.body["topic"] == plugin.config.topic


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
