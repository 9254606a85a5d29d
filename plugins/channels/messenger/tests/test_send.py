"""What we send, against the simulated Messenger."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from attrs import evolve

from channelry.errors import (
    AmbiguousError,
    PermanentError,
    RecipientError,
    RetryableError,
    SendError,
    WindowClosedError,
)
from channelry.model import (
    Address,
    AnswerButton,
    Audience,
    Button,
    Contact,
    Delete,
    Edit,
    Hide,
    Kind,
    Location,
    MarkRead,
    Media,
    MessageReceived,
    Outbound,
    React,
    Receipt,
    Resend,
    SendMessage,
    ShowTyping,
    StatusChanged,
    Sticker,
    Target,
    Template,
    Thread,
)
from channelry.services import HttpResponse, Services
from channelry_messenger.capabilities import CAPABILITIES
from channelry_messenger.plugin import Messenger
from channelry_messenger.simulator import MessengerSimulator
from channelry_meta.codes import REFUSALS
from channelry_simulation import FaultKind
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

from .conftest import ORIGIN, plugin_of

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
ADA = Target(to=Address("messenger", "PSID1", "55"), reply_to="m_1", last_inbound_at=NOW)
COMMENT = Target(
    to=Address("facebook", "U9", "55"), reply_to="900_7", thread=Thread(root="55_900", depth=1, private=False)
)
URL = "https://cdn.example/1.jpg"
IMAGE = Media(kind=Kind.IMAGE, url=URL, media_type="image/jpeg")
YES, NO = Button(title="Yes", payload="y"), Button(title="No", payload="n")
OPEN = Button(title="Open", url="https://shop.example")


def message(text: str = "", *parts: Any, target: Target = ADA, **more: Any) -> SendMessage:
    return SendMessage(key="out-1", target=target, text=text, parts=parts, **more)


def body(message: dict[str, Any], index: int = 0, **more: Any) -> dict[str, Any]:
    content = {**message, "metadata": f"out-1:{index}"}
    return {"recipient": {"id": "PSID1"}, "messaging_type": "RESPONSE", "message": content, **more}


def file(type: str, **payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": type, "payload": payload}}


def linked(type: str) -> dict[str, Any]:
    return file(type, url=URL, is_reusable=True)


def replies(*titles: str) -> list[dict[str, str]]:
    return [{"content_type": "text", "title": title, "payload": "p"} for title in titles]


async def send(plugin: Messenger, desk: Services, outbound: Outbound) -> list[Receipt]:
    """Send an action's calls, each taken through its stored form: plain JSON."""
    calls = [evolve(call, body=orjson.loads(orjson.dumps(call.body))) for call in plugin.compose(outbound)]
    return [await plugin.send(call, desk) for call in calls]


CASES: list[tuple[str, SendMessage, list[dict[str, Any]]]] = [
    ("text", message("hi 😀"), [body({"text": "hi 😀"})]),
    ("quote", message("hi", quote=True), [body({"text": "hi"}, reply_to={"mid": "m_1"})]),
    ("image by link, then its text", message("look", IMAGE), [body(linked("image")), body({"text": "look"}, 1)]),
    ("audio", message("", Media(kind=Kind.AUDIO, url=URL)), [body(linked("audio"))]),
    ("voice", message("", Media(kind=Kind.VOICE, url=URL)), [body(linked("audio"))]),
    ("video", message("", Media(kind=Kind.VIDEO, url=URL)), [body(linked("video"))]),
    ("document", message("", Media(kind=Kind.DOCUMENT, url=URL)), [body(linked("file"))]),
    ("sticker", message("", Sticker(id="369239263222822")), [body({"sticker_id": 369239263222822})]),
    (
        "buttons",
        message("Sure?", buttons=(YES, OPEN)),
        [
            body(
                file(
                    "template",
                    template_type="button",
                    text="Sure?",
                    buttons=[
                        {"type": "postback", "title": "Yes", "payload": "y"},
                        {"type": "web_url", "title": "Open", "url": "https://shop.example"},
                    ],
                )
            )
        ],
    ),
    (
        "more than three buttons are quick replies",
        message("Size?", buttons=tuple(Button(title=title, payload="p") for title in "SMLX")),
        [body({"text": "Size?", "quick_replies": replies(*"SMLX")})],
    ),
    (
        "quick replies stand under a text of any message's length, buttons under one of 640",
        message("a" * 2000, buttons=tuple(Button(title=title, payload="p") for title in "SMLX")),
        [body({"text": "a" * 2000, "quick_replies": replies(*"SMLX")})],
    ),
    (
        "a long text is split",
        message("a" * 1500 + " " + "b" * 1500),
        [body({"text": "a" * 1500}), body({"text": "b" * 1500}, 1)],
    ),
]


@pytest.mark.parametrize(("name", "outbound", "bodies"), CASES, ids=[name for name, *_ in CASES])
async def test_each_kind_becomes_its_messages(
    name: str,
    outbound: SendMessage,
    bodies: list[dict[str, Any]],
    messenger: Messenger,
    simulator: MessengerSimulator,
    desk: Services,
) -> None:
    receipts = await send(messenger, desk, outbound)
    assert [taken.body for taken in simulator.ledger.taken] == bodies
    assert [receipt.external_ids for receipt in receipts] == [(one.external_id,) for one in simulator.ledger.taken]


SIGNS: list[tuple[Outbound, dict[str, Any]]] = [
    (React(key="k", target=ADA, external_id="m_1", emoji="😊"),
     {"sender_action": "react", "payload": {"message_id": "m_1", "reaction": "😊"}}),
    (React(key="k", target=ADA, external_id="m_1", emoji="😊", on=False),
     {"sender_action": "unreact", "payload": {"message_id": "m_1"}}),
    (MarkRead(key="k", target=ADA, external_id="m_1"), {"sender_action": "mark_seen"}),
    (ShowTyping(key="k", target=ADA), {"sender_action": "typing_on"}),
    (ShowTyping(key="k", target=ADA, on=False), {"sender_action": "typing_off"}),
]  # fmt: skip


@pytest.mark.parametrize(("outbound", "expected"), SIGNS)
async def test_signs_may_be_repeated_and_have_no_ids(
    outbound: Outbound, expected: dict[str, Any], messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    (call,) = messenger.compose(outbound)
    assert call.resend is Resend.SAFE
    assert await messenger.send(call, desk) == Receipt()
    assert orjson.loads(simulator.ledger.entries[0].body) == {"recipient": {"id": "PSID1"}, **expected}
    assert simulator.ledger.entries[0].status == 200
    assert not simulator.ledger.taken


async def test_a_file_is_uploaded_first_and_then_named_by_its_id(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    await send(messenger, desk, message("", Media(kind=Kind.IMAGE, ref="photo", media_type="image/jpeg")))
    assert [entry.path for entry in simulator.ledger.entries] == ["/v26.0/55/message_attachments", "/v26.0/55/messages"]
    ((name, held),) = simulator.media.items()
    assert held == ("image/jpeg", b"\xff\xd8 photo")
    assert simulator.ledger.taken[0].body["message"]["attachment"] == {
        "type": "image",
        "payload": {"attachment_id": name},
    }


class Patient(AsgiHttp):
    """Notes how long each request may take."""

    waits: list[float]

    async def request(self, *arguments: Any, timeout: float = 30.0, **more: Any) -> HttpResponse:
        self.waits = [*getattr(self, "waits", ()), timeout]
        return await super().request(*arguments, timeout=timeout, **more)


@pytest.mark.parametrize(
    ("outbound", "waits"),
    [
        (message("", Media(kind=Kind.VIDEO, url=URL)), [80]),  # Meta loads it first, for up to 75 seconds
        (message("", Media(kind=Kind.VIDEO, ref="photo", media_type="video/mp4")), [60, 30]),
        (message("Sure?", buttons=(OPEN,)), [30]),
    ],
)
async def test_a_file_has_the_time_that_it_takes(
    outbound: Outbound, waits: list[float], messenger: Messenger, simulator: MessengerSimulator, clock: FakeClock
) -> None:
    http = Patient({ORIGIN: simulator.app})
    await send(messenger, services(http=http, clock=clock, files=MemoryFiles({"photo": b"film"})), outbound)
    assert http.waits == waits


@pytest.mark.parametrize(("ref", "code"), [("huge", "100/2018109"), ("lost", "no_file")])
async def test_a_file_that_is_too_large_or_lost_is_a_permanent_error(
    ref: str, code: str, messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    """Where the size was not known before."""
    with pytest.raises(PermanentError) as raised:
        await send(messenger, desk, message("", Media(kind=Kind.IMAGE, ref=ref, media_type="image/jpeg")))
    assert raised.value.code == code
    assert not simulator.ledger.taken


@pytest.mark.parametrize(("days", "right", "tag"), [(0.9, True, False), (1.1, True, True), (6.9, True, True)])
async def test_after_a_day_an_answer_is_tagged_as_a_persons(
    days: float, right: bool, tag: bool, clock: FakeClock, simulator: MessengerSimulator, desk: Services
) -> None:
    simulator.human_agent = right
    messenger = plugin_of(simulator)
    await clock.advance(days * 86400)
    messenger.capabilities.admit(message("hi"), clock.now())
    await send(messenger, desk, message("hi"))
    sent = simulator.ledger.taken[0].body
    assert (sent["messaging_type"], sent.get("tag")) == (("MESSAGE_TAG", "HUMAN_AGENT") if tag else ("RESPONSE", None))


@pytest.mark.parametrize(("days", "right"), [(1.1, False), (7.1, True)])
async def test_the_window_closes_after_a_day_or_with_the_right_after_a_week(
    days: float, right: bool, clock: FakeClock, simulator: MessengerSimulator, desk: Services
) -> None:
    simulator.human_agent = right
    messenger = plugin_of(simulator)
    await clock.advance(days * 86400)
    with pytest.raises(WindowClosedError):
        messenger.capabilities.admit(message("hi"), clock.now())
    with pytest.raises(WindowClosedError) as raised:
        await send(messenger, desk, message("hi"))
    assert raised.value.code == "10/2018278"


async def test_an_answer_to_a_message_on_standby_takes_control_first(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    row = simulator.row("PSID1", message={"mid": "m_S", "text": "to the bot"})
    (event,) = messenger.parse(simulator.delivery(standby=[row])).events
    assert isinstance(event, MessageReceived)
    await send(messenger, desk, message("I take over", target=Target.answering(event)))
    assert [entry.path.rpartition("/")[2] for entry in simulator.ledger.entries] == ["take_thread_control", "messages"]
    assert [taken.text for taken in simulator.ledger.taken] == ["I take over"]


@pytest.mark.parametrize("code", [(10, None), (100, 2018001), (190, None), (10, 2018278), (100, None)])
async def test_a_message_is_tried_whatever_control_is_refused_with(
    code: tuple[int, int | None], messenger: Messenger
) -> None:
    paths: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["path"].rpartition("/")[2])
        refused = {"error": {"code": code[0], "error_subcode": code[1]}}
        answer = refused if paths[-1] == "take_thread_control" else {"recipient_id": "PSID1", "message_id": "m_OUT"}
        await send({"type": "http.response.start", "status": 400 if "error" in answer else 200, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps(answer)})

    standing_by = evolve(ADA, context={"standby": "1"})
    receipts = await send(messenger, services(http=AsgiHttp({ORIGIN: app})), message("hi", target=standing_by))
    assert (paths, receipts) == (["take_thread_control", "messages"], [Receipt(("m_OUT",))])


async def test_who_is_known_by_a_reference_is_answered_by_it(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    """From the message to the echo of the answer."""
    simulator.references.add("UR1")
    (event,) = messenger.parse(simulator.message("UR1", "from your web site")).events
    assert isinstance(event, MessageReceived)
    assert event.sender.address == Address("messenger_ref", "UR1", "55")
    target = Target.answering(event)
    await send(messenger, desk, message("hi", target=target))
    await send(messenger, desk, ShowTyping(key="k", target=target))
    bodies = [orjson.loads(entry.body) for entry in simulator.ledger.entries]
    assert [one["recipient"] for one in bodies] == [{"user_ref": "UR1"}] * 2
    (echo,) = messenger.parse(simulator.webhooks[0]).events
    assert isinstance(echo, StatusChanged)
    assert echo.recipient == event.sender.address


async def test_a_postback_without_an_id_of_metas_is_not_quoted(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    (event,) = messenger.parse(simulator.webhook(simulator.row("PSID1", postback={"payload": "GO"}))).events
    assert isinstance(event, MessageReceived)
    await send(messenger, desk, message("hi", target=Target.answering(event), quote=True))
    assert "reply_to" not in simulator.ledger.taken[0].body


async def test_a_comment_has_one_private_reply_which_tells_the_authors_id(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    simulator.comments["900_7"] = "PSID1"
    (call,) = messenger.compose(message("let us talk", target=COMMENT))
    assert (call.action, call.resend) == ("private_reply", Resend.NEVER)
    receipt = await messenger.send(call, desk)
    assert receipt.address == Address("messenger", "PSID1", "55")
    assert simulator.ledger.taken[0].body["recipient"] == {"comment_id": "900_7"}
    with pytest.raises(RecipientError) as raised:
        await messenger.send(call, desk)
    assert raised.value.code == "10900"


ACTIONS: list[Outbound] = [
    Edit(key="k", target=ADA, external_id="m_2", text="x"),
    Delete(key="k", target=ADA, external_id="m_2"),
    Hide(key="k", target=ADA, external_id="m_2"),
    AnswerButton(key="k", target=ADA, postback_id="p"),
]
PARTS = [
    message("", Location(latitude=1, longitude=2)),
    message("", Contact(name="Gus")),
    message(template=Template(name="t", language="en")),
]
REFUSED: list[Outbound] = [
    *ACTIONS,
    *PARTS,
    message(),
    message("  "),
    message("hi", buttons=(YES,) * 14),
    message("hi", buttons=(Button(title="x" * 21, payload="y"),)),
    message("hi", buttons=(Button(title="x", payload="y" * 1001),)),
    message("hi", buttons=(YES, YES, YES, OPEN)),
    message("", IMAGE, buttons=(YES,)),
    message("", Sticker(id="a-sticker")),
    message("", Media(kind=Kind.IMAGE, url=URL, media_type="image/tiff")),
    message("", Media(kind=Kind.IMAGE, ref="r", media_type="image/png", size=8 * 1024 * 1024 + 1)),
    message("", Media(kind=Kind.IMAGE, ref="r")),
    message("", Media(kind=Kind.IMAGE)),
    message("hi", target=evolve(COMMENT, audience=Audience.PUBLIC)),
    message("", IMAGE, target=COMMENT),
    message("x" * 2001, target=COMMENT),
    message("hi", target=evolve(COMMENT, reply_to="")),
    React(key="k", target=COMMENT, external_id="900_7", emoji="👍"),
]


@pytest.mark.parametrize("outbound", REFUSED)
async def test_what_messenger_cannot_carry_is_refused_before_any_request(
    outbound: Outbound, messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError):
        await send(messenger, desk, outbound)
    assert not simulator.ledger.entries


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (FaultKind.RATE_LIMITED, RetryableError, "613"),
        (FaultKind.UNAVAILABLE, RetryableError, "2"),
        (FaultKind.WINDOW_CLOSED, WindowClosedError, "10/2018278"),
        (FaultKind.BLOCKED, RecipientError, "551/1545041"),
        (FaultKind.LOST, AmbiguousError, "answer_lost"),
        (FaultKind.LOST_UNTAKEN, AmbiguousError, "answer_lost"),
    ],
)
async def test_each_fault_becomes_its_error(
    fault: FaultKind,
    error: type[SendError],
    code: str,
    messenger: Messenger,
    simulator: MessengerSimulator,
    desk: Services,
) -> None:
    simulator.faults.add(fault, retry_after=7)
    with pytest.raises(SendError) as raised:
        await send(messenger, desk, message("hi"))
    assert (type(raised.value), raised.value.code) == (error, code)
    if isinstance(raised.value, RetryableError) and fault is FaultKind.RATE_LIMITED:
        assert (raised.value.retry_after, raised.value.scope) == (7, "connection")
    await send(messenger, desk, message("hi"))


@pytest.mark.parametrize(("code", "rule"), REFUSALS.items())
async def test_each_code_of_the_table_becomes_its_error(code: Any, rule: Any, messenger: Messenger) -> None:
    named = dict(zip(("code", "error_subcode"), code if isinstance(code, tuple) else (code,), strict=False))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps({"error": named})})

    with pytest.raises(SendError) as raised:
        await send(messenger, services(http=AsgiHttp({ORIGIN: app})), message("hi"))
    assert (type(raised.value), raised.value.code) == (rule.error, "/".join(map(str, named.values())))
    assert getattr(raised.value, "retry_after", None) == rule.retry_after
    assert getattr(raised.value, "scope", None) == rule.scope


async def test_an_answer_that_was_lost_is_settled_by_the_echo_that_bears_our_key(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.LOST)
    with pytest.raises(AmbiguousError):
        await send(messenger, desk, message("hi"))
    assert messenger.capabilities.resend is Resend.CALLBACK
    echo, *others = (messenger.parse(webhook).events[0] for webhook in simulator.webhooks)
    assert isinstance(echo, StatusChanged)
    assert (echo.reference, echo.external_id) == ("out-1:0", simulator.ledger.taken[0].external_id)
    assert [type(event).__name__ for event in others] == ["DeliveredUpTo", "ReadUpTo"]


async def test_an_echo_may_come_before_the_answer(
    messenger: Messenger, simulator: MessengerSimulator, desk: Services
) -> None:
    seen: list[Any] = []

    async def post(webhook: Any) -> int:
        messenger.verify(webhook)
        seen.extend(messenger.parse(webhook).events)
        return 200

    simulator.post = post
    simulator.faults.add(FaultKind.EARLY_STATUS)
    (receipt,) = await send(messenger, desk, message("hi"))
    assert seen[0].external_id == receipt.external_ids[0]


@pytest.mark.parametrize(
    "outbound",
    [message("", Media(kind=Kind.IMAGE, ref="photo", media_type="image/png")), ShowTyping(key="k", target=ADA)],
)
async def test_preparation_and_signs_are_never_ambiguous(outbound: Outbound, messenger: Messenger) -> None:
    async def breaks_off(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    broken = services(http=AsgiHttp({ORIGIN: breaks_off}), files=MemoryFiles({"photo": b"x"}))
    with pytest.raises(RetryableError):
        await send(messenger, broken, outbound)


def test_audio_and_video_are_counted_apart(messenger: Messenger) -> None:
    calls = messenger.compose(message("x", IMAGE, Media(kind=Kind.VIDEO, url=URL)))
    assert [call.action for call in calls] == ["message", "media", "message"]
    assert all(any(call.action in rate.actions for rate in CAPABILITIES.rates) for call in calls)
    assert CAPABILITIES.window == timedelta(hours=24)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'{"message_id":1.5}'])
async def test_a_success_without_an_id_is_ambiguous(answer: bytes, messenger: Messenger) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    with pytest.raises(AmbiguousError):
        await send(messenger, services(http=AsgiHttp({ORIGIN: app})), message("hi"))
