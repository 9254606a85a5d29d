"""What we send, against the simulated Instagram."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from attrs import evolve

from channelry.errors import AmbiguousError, PermanentError, RecipientError, WindowClosedError
from channelry.model import (
    Accepted,
    Address,
    AnswerButton,
    Audience,
    Button,
    Contact,
    Delete,
    EchoSent,
    Edit,
    Hide,
    Kind,
    Location,
    MarkRead,
    Media,
    MessageReceived,
    NotTaken,
    Outbound,
    React,
    ReadUpTo,
    Receipt,
    Resend,
    SendMessage,
    ShowTyping,
    Sticker,
    Target,
    Template,
    Unknown,
)
from channelry.services import Services
from channelry_instagram.plugin import Instagram
from channelry_instagram.simulator import InstagramSimulator
from channelry_simulation import FaultKind
from channelry_testing import FakeClock

from .conftest import plugin_of

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
CY = Target(to=Address("instagram", "IGSID2", "1784"), reply_to="m_1", last_inbound_at=NOW)
URL = "https://cdn.example/1.jpg"
IMAGE = Media(kind=Kind.IMAGE, url=URL, media_type="image/jpeg")
YES = Button(title="Yes", payload="p")


def message(text: str = "", *parts: Any, target: Target = CY, **more: Any) -> SendMessage:
    return SendMessage(key="out-1", target=target, text=text, parts=parts, **more)


def body(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"recipient": {"id": "IGSID2"}, "messaging_type": "RESPONSE", "message": message, **more}


def file(type: str, **payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": type, "payload": payload}}


async def send(plugin: Instagram, desk: Services, outbound: Outbound) -> list[Receipt]:
    """Send an action's calls, each taken through its stored form: plain JSON."""
    calls = [evolve(call, body=orjson.loads(orjson.dumps(call.body))) for call in plugin.compose(outbound)]
    return [await plugin.send(call, desk) for call in calls]


def requests(simulator: InstagramSimulator) -> list[str]:
    """Give what was asked of the API, beside the renewal of the token."""
    found = [f"{entry.method} {entry.path.removeprefix('/v26.0/')}" for entry in simulator.ledger.entries]
    return [request for request in found if "refresh_access_token" not in request]


def comment(plugin: Instagram, simulator: InstagramSimulator, parent: str = "", *, live: bool = False) -> Target:
    """Have a customer comment, and aim at that comment in public."""
    (event,) = plugin.parse(simulator.comment("IGSID2", "size L?", parent, live=live)).events
    assert isinstance(event, MessageReceived)
    target = Target.answering(event)
    assert target.audience is Audience.PUBLIC
    return target


CASES: list[tuple[str, SendMessage, list[dict[str, Any]]]] = [
    ("text", message("γειά 😀"), [body({"text": "γειά 😀"})]),
    ("quote", message("hi", quote=True), [body({"text": "hi"}, reply_to={"mid": "m_1"})]),
    ("image by link, then its text", message("look", IMAGE), [body(file("image", url=URL)), body({"text": "look"})]),
    ("audio", message("", Media(kind=Kind.AUDIO, url=URL)), [body(file("audio", url=URL))]),
    ("voice", message("", Media(kind=Kind.VOICE, url=URL)), [body(file("audio", url=URL))]),
    ("video", message("", Media(kind=Kind.VIDEO, url=URL)), [body(file("video", url=URL))]),
    ("document", message("", Media(kind=Kind.DOCUMENT, url=URL)), [body(file("file", url=URL))]),
    ("heart", message("", Sticker(id="like_heart")), [body({"attachment": {"type": "like_heart"}})]),
    (
        "quick replies",
        message("Sure?", buttons=(YES,)),
        [body({"text": "Sure?", "quick_replies": [{"content_type": "text", "title": "Yes", "payload": "p"}]})],
    ),
    ("bytes are counted", message("ä" * 600), [body({"text": "ä" * 500}), body({"text": "ä" * 100})]),
]


@pytest.mark.parametrize(("name", "outbound", "bodies"), CASES, ids=[name for name, *_ in CASES])
async def test_each_kind_becomes_its_messages(
    name: str,
    outbound: SendMessage,
    bodies: list[dict[str, Any]],
    instagram: Instagram,
    simulator: InstagramSimulator,
    desk: Services,
) -> None:
    receipts = await send(instagram, desk, outbound)
    assert [taken.body for taken in simulator.ledger.taken] == bodies
    assert [receipt.external_ids for receipt in receipts] == [(one.external_id,) for one in simulator.ledger.taken]


SIGNS: list[tuple[Outbound, dict[str, Any]]] = [
    (React(key="k", target=CY, external_id="m_1", emoji="❤️"),
     {"sender_action": "react", "payload": {"message_id": "m_1", "reaction": "love"}}),
    (React(key="k", target=CY, external_id="m_1", emoji="❤️", on=False),
     {"sender_action": "unreact", "payload": {"message_id": "m_1"}}),
    (MarkRead(key="k", target=CY, external_id="m_1"), {"sender_action": "mark_seen"}),
    (ShowTyping(key="k", target=CY), {"sender_action": "typing_on"}),
    (ShowTyping(key="k", target=CY, on=False), {"sender_action": "typing_off"}),
]  # fmt: skip


@pytest.mark.parametrize(("outbound", "expected"), SIGNS)
async def test_signs_may_be_repeated_and_have_no_ids(
    outbound: Outbound, expected: dict[str, Any], instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    (call,) = instagram.compose(outbound)
    assert call.resend is Resend.SAFE
    assert await instagram.send(call, desk) == Receipt()
    assert orjson.loads(simulator.ledger.entries[-1].body) == {"recipient": {"id": "IGSID2"}, **expected}
    assert simulator.ledger.entries[-1].status == 200


@pytest.mark.parametrize("page", ["", "55"])
async def test_messages_go_through_the_account_or_by_the_facebook_login_through_its_page(
    page: str, simulator: InstagramSimulator, desk: Services
) -> None:
    simulator.page_id = page
    await send(plugin_of(simulator), desk, message("", Media(kind=Kind.IMAGE, ref="photo", media_type="image/jpeg")))
    node = page or "1784"
    assert requests(simulator) == [f"POST {node}/message_attachments", f"POST {node}/messages"]
    assert b'name="platform"\r\n\r\ninstagram' in simulator.ledger.entries[-2].body
    assert len(simulator.ledger.taken) == 1


async def test_what_we_sent_is_echoed_and_read(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    """The echo does not tell by whom, so its receipt does."""
    (receipt,) = await send(instagram, desk, message("hi"))
    echo, read = (instagram.parse(webhook).events[0] for webhook in simulator.webhooks)
    assert isinstance(echo, EchoSent)
    assert isinstance(read, ReadUpTo)
    assert receipt.external_ids == (echo.external_id,) == (read.external_id,)


@pytest.mark.parametrize(("days", "right", "tag"), [(0.9, False, None), (1.1, True, "HUMAN_AGENT")])
async def test_after_a_day_an_answer_is_tagged_as_a_persons(
    days: float, right: bool, tag: str | None, clock: FakeClock, simulator: InstagramSimulator, desk: Services
) -> None:
    simulator.human_agent = right
    await clock.advance(days * 86400)
    await send(plugin_of(simulator), desk, message("hi"))
    assert simulator.ledger.taken[0].body.get("tag") == tag


async def test_the_window_closes(
    clock: FakeClock, instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    await clock.advance(1.1 * 86400)
    with pytest.raises(WindowClosedError):
        instagram.capabilities.admit(message("hi"), clock.now())
    with pytest.raises(WindowClosedError):
        await send(instagram, desk, message("hi"))


# Comments and mentions


async def test_a_comment_is_answered_hidden_shown_and_deleted(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    target = comment(instagram, simulator)
    (receipt,) = await send(instagram, desk, message("yes", target=target))
    own = receipt.external_ids[0]
    assert (simulator.comments[own].text, simulator.comments[own].parent) == ("yes", target.reply_to)
    (echo,) = instagram.parse(simulator.webhooks.popleft()).events
    assert isinstance(echo, EchoSent)
    assert echo.external_id == own
    for on in (True, False):
        (call,) = instagram.compose(Hide(key="h", target=target, external_id=target.reply_to, on=on))
        assert call.resend is Resend.SAFE
        assert await instagram.send(call, desk) == Receipt()
        assert simulator.comments[target.reply_to].hidden is on
    for _ in range(2):  # the second time it is gone, which is as good
        assert await send(instagram, desk, Delete(key="d", target=target, external_id=own)) == [Receipt()]
    assert own not in simulator.comments


async def test_a_long_answer_in_public_is_several(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    await send(instagram, desk, message("ä" * 2000 + " " + "b" * 2000, target=comment(instagram, simulator)))
    assert [len(taken.body["message"]) for taken in simulator.ledger.taken] == [2000, 2000]


async def test_a_post_of_ours_is_commented_where_no_comment_is_named(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    target = evolve(comment(instagram, simulator), reply_to="")
    await send(instagram, desk, message("news", target=target))
    assert requests(simulator)[-1] == "POST M1784/comments"


async def test_a_comment_of_a_broadcast_is_answered_in_private_only(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    target = comment(instagram, simulator, live=True)
    with pytest.raises(PermanentError):
        await send(instagram, desk, message("yes", target=target))
    assert not simulator.ledger.entries
    await send(instagram, desk, message("yes", target=evolve(target, audience=Audience.PRIVATE)))
    assert len(simulator.ledger.taken) == 1


async def test_a_hidden_comment_refuses_to_be_answered(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    target = comment(instagram, simulator)
    await send(instagram, desk, Hide(key="h", target=target, external_id=target.reply_to))
    with pytest.raises(PermanentError):
        await send(instagram, desk, message("yes", target=target))


async def test_a_comment_has_one_private_reply(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    target = evolve(comment(instagram, simulator), audience=Audience.PRIVATE)
    (call,) = instagram.compose(message("let us talk", target=target))
    assert call.resend is Resend.NEVER
    receipt = await instagram.send(call, desk)
    assert receipt.address is None  # whoever comments is the same there
    assert simulator.ledger.taken[0].body["recipient"] == {"comment_id": target.reply_to}
    with pytest.raises(RecipientError):
        await instagram.send(call, desk)


@pytest.mark.parametrize("caption", [False, True])
@pytest.mark.parametrize("page", ["", "55"])
async def test_a_mention_is_read_and_answered_where_it_stands(
    caption: bool, page: str, simulator: InstagramSimulator, desk: Services
) -> None:
    simulator.page_id = page
    instagram = plugin_of(simulator)
    webhook = simulator.mention("IGSID7", "@shop is fine", caption=caption)
    instagram.verify(webhook)
    (event,) = instagram.parse(webhook).events
    (found,) = await instagram.expand(event, desk)  # type: ignore[arg-type]
    assert isinstance(found, MessageReceived)
    target = Target.answering(found)
    with pytest.raises(PermanentError):  # a private reply is to comments on the account's own posts
        instagram.compose(message("thank you", target=evolve(target, audience=Audience.PRIVATE)))
    (call,) = instagram.compose(message("thank you", target=target))
    assert call.resend is Resend.NEVER
    (taken_id,) = (await instagram.send(call, desk)).external_ids
    (taken,) = simulator.ledger.taken
    assert (taken.external_id, taken.to, taken.text) == (taken_id, "IGSID7", "thank you")
    assert ("comment_id" in taken.body) is not caption
    assert requests(simulator)[-1] == "POST 1784/mentions"


@pytest.mark.parametrize("nested", [False, True])
async def test_an_answer_that_was_lost_is_found_again(
    nested: bool, instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    target = comment(instagram, simulator)
    if nested:
        target = comment(instagram, simulator, target.reply_to)
    simulator.faults.add(FaultKind.LOST)
    (call,) = instagram.compose(message("yes", target=target))
    assert call.resend is Resend.LOOKUP
    with pytest.raises(AmbiguousError):
        await instagram.send(call, desk)
    expected = Receipt((simulator.ledger.taken[0].external_id,))
    assert await instagram.reconcile(call, desk) == Accepted(expected)


async def test_an_answer_that_never_arrived_may_be_sent_again(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services, clock: FakeClock
) -> None:
    simulator.faults.add(FaultKind.LOST_UNTAKEN)
    (call,) = instagram.compose(message("yes", target=comment(instagram, simulator)))
    with pytest.raises(AmbiguousError):
        await instagram.send(call, desk)
    assert isinstance(await instagram.reconcile(call, desk), Unknown)
    await clock.advance(20)
    assert await instagram.reconcile(call, desk) == NotTaken()


async def test_a_message_whose_answer_was_lost_is_left_to_a_person(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.LOST)
    (call,) = instagram.compose(message("hi"))
    assert (call.resend, instagram.capabilities.resend) == (None, Resend.NEVER)
    with pytest.raises(AmbiguousError):
        await instagram.send(call, desk)
    assert isinstance(await instagram.reconcile(call, desk), Unknown)


# What is refused


UNKNOWN: list[Outbound] = [
    Edit(key="k", target=CY, external_id="m_2", text="x"),
    Delete(key="k", target=CY, external_id="m_2"),
    Hide(key="k", target=CY, external_id="m_2"),
    AnswerButton(key="k", target=CY, postback_id="p"),
    message("", Location(latitude=1, longitude=2)),
    message("", Contact(name="Gus")),
    message(template=Template(name="t", language="en")),
]
REFUSED: list[Outbound] = [
    *UNKNOWN,
    message(),
    message("hi", buttons=(YES,) * 14),
    message("hi", buttons=(Button(title="x" * 21, payload="y"),)),
    message("hi", buttons=(Button(title="Open", url="https://shop.example"),)),
    message("", Sticker(id="1")),
    message("", Media(kind=Kind.IMAGE, url=URL, media_type="image/webp")),
    message("", Media(kind=Kind.DOCUMENT, url=URL, media_type="text/plain")),
    React(key="k", target=CY, external_id="m_1", emoji="👍"),
    *(
        evolve(outbound, target=evolve(CY, audience=Audience.PUBLIC))
        for outbound in (
            message("", IMAGE),
            message("hi", buttons=(YES,)),
            React(key="k", target=CY, external_id="C7", emoji="❤️"),
            Edit(key="k", target=CY, external_id="C7", text="x"),
            MarkRead(key="k", target=CY, external_id="C7"),
            ShowTyping(key="k", target=CY),
        )
    ),
]


@pytest.mark.parametrize("outbound", REFUSED)
async def test_what_instagram_cannot_carry_is_refused_before_any_request(
    outbound: Outbound, instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError):
        await send(instagram, desk, outbound)
    assert not simulator.ledger.entries


async def test_an_answer_on_standby_takes_control_first(
    instagram: Instagram, simulator: InstagramSimulator, desk: Services
) -> None:
    row = simulator.row("IGSID2", message={"mid": "m_S", "text": "to the bot"})
    (event,) = instagram.parse(simulator.delivery(standby=[row])).events
    assert isinstance(event, MessageReceived)
    await send(instagram, desk, message("I take over", target=Target.answering(event)))
    assert requests(simulator) == ["POST 1784/take_thread_control", "POST 1784/messages"]
