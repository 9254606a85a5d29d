"""The simulated Instagram: it signs as Meta does and refuses what Meta refuses."""

from typing import Any

import orjson
import pytest

from channelry.model import Kind, MessageReceived, Surface
from channelry.registry import examine
from channelry_instagram.capabilities import CAPABILITIES
from channelry_instagram.plugin import Instagram
from channelry_instagram.simulator import InstagramSimulator
from channelry_meta.simulator import UPLOADS
from channelry_testing import AsgiHttp, FakeClock

from .conftest import ORIGIN, plugin_of

pytestmark = pytest.mark.anyio

TEXT: dict[str, Any] = {"recipient": {"id": "IGSID2"}, "message": {"text": "hi"}}
MARK: dict[str, Any] = {"recipient": {"id": "IGSID2"}, "sender_action": "react"}


async def call(
    simulator: InstagramSimulator,
    body: Any,
    path: str = "1784/messages",
    token: str | None = None,
    method: str = "POST",
) -> tuple[int, Any]:
    """Call the simulated Graph API and give the status and the error's code."""
    headers = {"Authorization": f"Bearer {simulator.access_token if token is None else token}"}
    answer = await AsgiHttp({ORIGIN: simulator.app}).request(
        method, f"{ORIGIN}/v26.0/{path}", headers=headers, content=orjson.dumps(body)
    )
    return answer.status, answer.json().get("error", {}).get("code")


def test_the_plugin_fits_the_contract() -> None:
    examine("instagram", Instagram)


@pytest.mark.row("A3")
@pytest.mark.parametrize("page", ["", "55"])
def test_its_customers_write_and_comment(page: str, instagram: Instagram) -> None:
    simulator = InstagramSimulator(page_id=page)
    for request, surface in (
        (simulator.message("IGSID7", "γειά 😀"), Surface.DIRECT),
        (simulator.comment("IGSID7", "γειά 😀"), Surface.COMMENT),
    ):
        assert request.body.isascii()
        instagram.verify(request)
        (event,) = instagram.parse(request).events
        assert isinstance(event, MessageReceived)
        assert (event.text, event.sender.address.value, event.surface) == ("γειά 😀", "IGSID7", surface)


@pytest.mark.parametrize("token", ["", "another", "ü"])
async def test_it_refuses_who_does_not_show_the_token(token: str, simulator: InstagramSimulator) -> None:
    for path, method in (("1784/messages", "POST"), ("C1/replies", "POST"), ("1784/mentions", "POST"), ("1784", "GET")):
        assert await call(simulator, TEXT, path, token, method) == (401, 190)
    assert not simulator.ledger.taken


async def test_it_refuses_a_token_that_has_expired(simulator: InstagramSimulator, clock: FakeClock) -> None:
    await clock.advance(61 * 86400)
    assert await call(simulator, TEXT) == (401, 190)


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"message": {"text": "ä" * 501}},
        {"message": {"text": ""}},
        {"message": {"text": "hi", "metadata": "x"}},
        {"message": {"sticker_id": 1}},
        {"message": {"attachment": {"type": "image"}}},
        {"message": {"attachment": {"type": "hologram", "payload": {"url": "https://x.example"}}}},
        {"message": {"attachment": []}},
        {"message": {"text": "hi", "quick_replies": [{"content_type": "text", "title": "x" * 21, "payload": "y"}]}},
        {"recipient": {"id": "nobody"}},
        {"recipient": {"comment_id": "unknown"}},
        {"tag": "HUMAN_AGENT"},
    ],
)
async def test_it_refuses_unknown_fields_and_values_over_the_limits(
    change: dict[str, Any], simulator: InstagramSimulator
) -> None:
    assert await call(simulator, TEXT | change) == (400, 100)
    assert not simulator.ledger.taken


async def test_it_refuses_a_private_reply_after_seven_days(simulator: InstagramSimulator, clock: FakeClock) -> None:
    body = {"recipient": {"comment_id": simulator.write("IGSID7", "size L?", "M1784").id}, "message": {"text": "hi"}}
    await clock.advance(7 * 86400 + 1)
    assert await call(simulator, body) == (400, 10)


async def test_it_refuses_what_it_does_not_know(simulator: InstagramSimulator) -> None:
    for path, body in (
        ("1785/messages", TEXT),
        ("1785/mentions", {"media_id": "X1", "message": "hi"}),
        ("1784/mentions", {"media_id": "X1", "message": "hi"}),
        ("X1/replies", {"message": "hi"}),
        ("M1784/comments", {"message": "x" * 2201}),
        ("M1784/comments", {"text": "x"}),
        ("1784/messages", MARK | {"payload": {"message_id": "m_1", "reaction": "👍"}}),
    ):
        assert await call(simulator, body, path) == (400, 100)
    for query in ("mentioned_comment.comment_id(C9){id}", "mentioned_media.media_id(X9){id}"):
        assert await call(simulator, {}, f"1784?fields={query}", method="GET") == (400, 100)
    for query in ("grant_type=other", "grant_type=ig_refresh_token&access_token=other"):
        assert await call(simulator, {}, f"refresh_access_token?{query}", method="GET") == (400, 100)
    assert not simulator.ledger.taken


def test_it_takes_no_less_than_the_plugin_declares() -> None:
    """Limits stand on both sides, for neither imports the other: here they are compared."""
    kinds = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO, "file": Kind.DOCUMENT}
    assert {kind: CAPABILITIES.media[known].upload for kind, known in kinds.items()} == UPLOADS


def test_its_settings_make_a_plugin_of_either_login() -> None:
    assert plugin_of(InstagramSimulator(page_id="55")).config.page_id == "55"
    assert plugin_of(InstagramSimulator()).account == "1784"
