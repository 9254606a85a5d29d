"""The simulated Page: it signs as Meta does and refuses what Meta refuses."""

from typing import Any

import orjson
import pytest

from channelry.model import MessageReceived, Surface
from channelry.registry import examine
from channelry_facebook.plugin import Facebook
from channelry_facebook.simulator import FacebookSimulator
from channelry_testing import AsgiHttp, FakeClock

from .conftest import ORIGIN

pytestmark = pytest.mark.anyio


async def call(
    simulator: FacebookSimulator, body: Any, path: str, method: str = "POST", token: str | None = None
) -> tuple[int, Any]:
    """Call the simulated Graph API and give the status and the error's code."""
    headers = {"Authorization": f"Bearer {simulator.access_token if token is None else token}"}
    answer = await AsgiHttp({ORIGIN: simulator.app}).request(
        method, f"{ORIGIN}/v26.0/{path}", headers=headers, content=orjson.dumps(body)
    )
    return answer.status, answer.json().get("error", {}).get("code")


def test_the_plugin_fits_the_contract() -> None:
    examine("facebook", Facebook)


@pytest.mark.row("A3")
def test_its_customers_comment(facebook: Facebook) -> None:
    request = FacebookSimulator().message("U7", "γειά 😀")
    assert request.body.isascii()
    facebook.verify(request)
    (event,) = facebook.parse(request).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.sender.name, event.surface) == ("γειά 😀", "Customer U7", Surface.COMMENT)


@pytest.mark.parametrize("token", ["", "another", "ü"])
async def test_it_refuses_who_does_not_show_the_token(token: str, simulator: FacebookSimulator) -> None:
    comment = simulator.write("U9", "price?", "55_900")
    for path, method in ((f"{comment.id}/comments", "POST"), (comment.id, "DELETE"), (f"{comment.id}/likes", "POST")):
        assert await call(simulator, {"message": "x"}, path, method, token) == (401, 190)
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    "body",
    [{"message": ""}, {"message": "x" * 8001}, {"message": 3}, {"text": "hi"}, [], {"message": "x", "bold": True}],
)
async def test_it_refuses_unknown_fields_and_values_over_the_limits(body: Any, simulator: FacebookSimulator) -> None:
    comment = simulator.write("U9", "price?", "55_900")
    assert await call(simulator, body, f"{comment.id}/comments") == (400, 100)
    assert not simulator.ledger.taken


@pytest.mark.parametrize("body", [{"is_hidden": "yes"}, {"hide": True}, {"message": "not ours"}, {}, []])
async def test_it_refuses_changes_that_are_not_the_pages(body: Any, simulator: FacebookSimulator) -> None:
    comment = simulator.write("U9", "price?", "55_900")
    assert await call(simulator, body, comment.id) == (400, 100)
    assert simulator.comments[comment.id] == comment


async def test_it_refuses_a_private_reply_after_seven_days(simulator: FacebookSimulator, clock: FakeClock) -> None:
    comments = [simulator.write("U9", "price?", "55_900").id for _ in range(2)]
    simulator.visit("U9", "hello")
    recipients = [{"comment_id": comment} for comment in comments] + [{"post_id": post} for post in simulator.posts]
    bodies = [{"recipient": recipient, "message": {"text": "let us talk"}} for recipient in recipients]
    await clock.advance(7 * 86400)
    assert await call(simulator, bodies[0], "55/messages") == (200, None)
    await clock.advance(1)
    for body in bodies[1:]:
        assert await call(simulator, body, "55/messages") == (400, 10)


async def test_it_refuses_what_is_not_there(simulator: FacebookSimulator) -> None:
    for path, method in (("9_9/comments", "POST"), ("9_9/comments", "GET"), ("9_9", "DELETE"), ("9_9/likes", "POST")):
        assert await call(simulator, {"message": "x"}, path, method) == (400, 100)
