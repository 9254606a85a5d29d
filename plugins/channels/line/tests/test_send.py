"""What we send, against the simulated LINE."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
from attrs import evolve

from channelry.errors import AmbiguousError, AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import (
    Address,
    AnswerButton,
    Button,
    Call,
    Contact,
    Delete,
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
    Receipt,
    Resend,
    SendMessage,
    ShowTyping,
    Sticker,
    Target,
    Template,
    Thread,
    Unknown,
)
from channelry.secrets import Secret
from channelry.services import Services
from channelry_line.connection import ORIGIN
from channelry_line.plugin import Line
from channelry_line.simulator import LineSimulator
from channelry_simulation import FaultKind
from channelry_testing import AsgiHttp, FakeClock, services

pytestmark = pytest.mark.anyio

DI = Target(to=Address("line", "Udi"), reply_to="55501", context={"quoteToken": "q1", "markAsReadToken": "m1"})
GROUP = Target(to=Address("line", "C1"), thread=Thread(root="C1"))
REPLY, PUSH = "/v2/bot/message/reply", "/v2/bot/message/push"


async def send(line: Line, desk: Services, outbound: Outbound) -> list[Receipt]:
    return [await line.send(stored(call), desk) for call in line.compose(outbound)]


def stored(call: Call) -> Call:
    """Take a call through its stored form: plain JSON."""
    return evolve(call, body=orjson.loads(orjson.dumps(call.body)))


def message(text: str = "", *parts: Any, target: Target = DI, **more: Any) -> SendMessage:
    return SendMessage(key="out-1", target=target, text=text, parts=parts, **more)


def written(line: Line, simulator: LineSimulator, customer: str = "Udi", group: str = "") -> Target:
    """Have a customer write, and aim at the answer."""
    (event,) = line.parse(simulator.webhook(simulator.written(customer, group, type="text", text="hi"))).events
    assert isinstance(event, MessageReceived)
    return Target.answering(event)


def paths(simulator: LineSimulator) -> list[tuple[str, int | None]]:
    return [(entry.path, entry.status) for entry in simulator.ledger.entries]


def answering(status: int, answer: Any, headers: Sequence[tuple[bytes, bytes]] = ()) -> Services:
    """Give services to a LINE that answers everything the same."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        await send({"type": "http.response.body", "body": body})

    return services(http=AsgiHttp({ORIGIN: app}))


PICTURE = Media(kind=Kind.IMAGE, url="https://cdn.example/1.jpg", media_type="image/jpeg")
SHOWN = {"type": "image", "originalContentUrl": PICTURE.url, "previewImageUrl": PICTURE.url}
VIDEO = Media(kind=Kind.VIDEO, url="https://cdn.example/v.mp4")
SONG = Media(kind=Kind.AUDIO, url="https://cdn.example/s.mp3", seconds=61.5)
NOTE = Media(kind=Kind.VOICE, url="https://cdn.example/n.m4a")
BILL = Media(kind=Kind.DOCUMENT, url="https://cdn.example/b", name="bill.pdf")
PREVIEW = "https://care.example.com/preview.png"
YES = Button(title="Yes", payload="order-7:y")
OPEN = Button(title="Open", url="https://shop.example")
ITEMS = [
    {"type": "action", "action": {"type": "postback", "label": "Yes", "data": "order-7:y", "displayText": "Yes"}},
    {"type": "action", "action": {"type": "uri", "label": "Open", "uri": "https://shop.example"}},
]


def text(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


CASES: list[tuple[str, Outbound, list[dict[str, Any]]]] = [
    ("text", message(" hi 😀 "), [text("hi 😀")]),
    ("quote", message("hi", PICTURE, quote=True), [text("hi", quoteToken="q1"), SHOWN]),
    ("nothing to quote with", message("", PICTURE, quote=True), [SHOWN]),
    ("picture below its text", message("look", PICTURE), [text("look"), SHOWN]),
    ("large picture", message("", evolve(PICTURE, size=1_000_001)), [{**SHOWN, "previewImageUrl": PREVIEW}]),
    ("video", message("", VIDEO), [{"type": "video", "originalContentUrl": VIDEO.url, "previewImageUrl": PREVIEW}]),
    ("audio", message("", SONG), [{"type": "audio", "originalContentUrl": SONG.url, "duration": 61500}]),
    ("voice of unknown length", message("", NOTE), [text(NOTE.url)]),
    ("document, as a link", message("", BILL), [text("bill.pdf\nhttps://cdn.example/b")]),
    (
        "sticker, quoting",
        message("", Sticker(id="446/1988"), quote=True),
        [{"type": "sticker", "packageId": "446", "stickerId": "1988", "quoteToken": "q1"}],
    ),
    (
        "location",
        message("", Location(latitude=35.6, longitude=139.7, name="Shop")),
        [{"type": "location", "title": "Shop", "address": "Shop", "latitude": 35.6, "longitude": 139.7}],
    ),
    (
        "location without a name",
        message("", Location(latitude=35.6, longitude=139)),
        [{"type": "location", "title": "35.6, 139", "address": "35.6, 139", "latitude": 35.6, "longitude": 139}],
    ),
    ("buttons", message("Sure?", buttons=(YES, OPEN)), [text("Sure?", quickReply={"items": ITEMS})]),
    (
        "buttons with the last message",
        message("Sure?", PICTURE, buttons=(YES, OPEN)),
        [text("Sure?"), {**SHOWN, "quickReply": {"items": ITEMS}}],
    ),
]


@pytest.mark.parametrize(("outbound", "messages"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_each_kind_is_sent_as_line_wants_it(
    line: Line, simulator: LineSimulator, desk: Services, outbound: Outbound, messages: list[dict[str, Any]]
) -> None:
    (receipt,) = await send(line, desk, outbound)
    assert [taken.body for taken in simulator.ledger.taken] == messages
    assert receipt.external_ids == tuple(taken.external_id for taken in simulator.ledger.taken)
    assert {taken.to for taken in simulator.ledger.taken} == {"Udi"}


async def test_without_a_preview_a_video_is_a_link(simulator: LineSimulator, desk: Services) -> None:
    token = Secret(simulator.channel_access_token)
    line = Line(Line.Config(channel_secret=(Secret("s"),), channel_access_token=token))
    await send(line, desk, message("", VIDEO, evolve(PICTURE, size=1_000_001)))
    assert [taken.body for taken in simulator.ledger.taken] == [text(VIDEO.url), SHOWN]


async def test_messages_go_in_fives(line: Line, simulator: LineSimulator, desk: Services) -> None:
    """A long text is split by UTF-16 units; the buttons hang on the last message of all."""
    receipts = await send(line, desk, message("😀" * 2501 + " word" * 4000, PICTURE, buttons=(YES,)))
    sent = [taken.body for taken in simulator.ledger.taken]
    assert [len(receipt.external_ids) for receipt in receipts] == [5, 2]
    assert [one["type"] for one in sent] == ["text"] * 6 + ["image"]
    assert all(len(one["text"].encode("utf-16-le")) <= 10_000 for one in sent[:6])
    assert ["quickReply" in one for one in sent] == [False] * 6 + [True]
    assert [call.key for call in line.compose(message("x" * 30_000))] == ["out-1:0", "out-1:1"]


async def test_files_of_the_application_go_by_links(line: Line, simulator: LineSimulator, desk: Services) -> None:
    photo = Media(kind=Kind.IMAGE, ref="photo", media_type="image/jpeg", size=2)
    bill = Media(kind=Kind.DOCUMENT, ref="bill", name="bill.pdf", size=4)
    (call,) = line.compose(message("", photo, bill))
    assert call.uploads == (photo, bill)
    await line.send(stored(call), desk)
    link = "https://files.example.com/photo"
    assert [taken.body for taken in simulator.ledger.taken] == [
        {"type": "image", "originalContentUrl": link, "previewImageUrl": link},
        text("bill.pdf\nhttps://files.example.com/bill"),
    ]


async def test_a_file_that_the_application_has_lost_is_a_permanent_error(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError):
        await send(line, desk, message("", Media(kind=Kind.IMAGE, ref="gone")))
    assert not simulator.ledger.entries


async def test_a_fresh_message_is_answered_by_a_reply_that_costs_nothing(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    await send(line, desk, message("x" * 25_001, target=written(line, simulator)))
    assert paths(simulator) == [(REPLY, 200), (PUSH, 200)]
    assert [taken.to for taken in simulator.ledger.taken] == ["Udi"] * 6
    assert simulator.pushed == 1


async def test_a_reply_in_a_group_goes_to_the_group(line: Line, simulator: LineSimulator, desk: Services) -> None:
    target = written(line, simulator, group="C1")
    await send(line, desk, message("hi", target=target))
    await send(line, desk, message("again", target=target))
    assert paths(simulator) == [(REPLY, 200), (REPLY, 400), (PUSH, 200)]
    assert [taken.to for taken in simulator.ledger.taken] == ["C1", "C1"]
    (call,) = line.compose(message("hi", target=target))
    assert call.group


async def test_an_old_message_is_answered_by_a_push(
    line: Line, simulator: LineSimulator, desk: Services, clock: FakeClock
) -> None:
    target = written(line, simulator)
    await clock.advance(50)
    await send(line, desk, message("hi", target=target))
    assert paths(simulator) == [(PUSH, 200)]


async def test_a_token_that_was_used_gives_way_to_a_push(line: Line, simulator: LineSimulator, desk: Services) -> None:
    target = written(line, simulator)
    for key in ("out-1", "out-2"):
        (receipt,) = await send(line, desk, SendMessage(key=key, target=target, text=key))
    assert paths(simulator) == [(REPLY, 200), (REPLY, 400), (PUSH, 200)]
    assert receipt.external_ids == (simulator.ledger.taken[1].external_id,)


async def test_a_push_whose_answer_was_lost_is_made_again_with_its_retry_key(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    """The customer gets it once, and we get its ids after all."""
    (call,) = line.compose(message("hi"))
    assert call.resend is Resend.SAFE
    simulator.faults.add(FaultKind.LOST)
    with pytest.raises(AmbiguousError):
        await line.send(call, desk)
    assert await line.reconcile(call, desk) == NotTaken()
    receipt = await line.send(call, desk)
    (taken,) = simulator.ledger.taken
    assert receipt.external_ids == (taken.external_id,)
    assert paths(simulator) == [(PUSH, None), (PUSH, 409)]


@pytest.mark.parametrize("fault", [FaultKind.LOST, FaultKind.LOST_UNTAKEN])
async def test_a_reply_whose_answer_was_lost_is_for_the_agent_to_decide(
    line: Line, simulator: LineSimulator, desk: Services, fault: FaultKind
) -> None:
    (call,) = line.compose(message("hi", target=written(line, simulator)))
    assert (call.resend or line.capabilities.resend) is Resend.LOOKUP
    simulator.faults.add(fault)
    with pytest.raises(AmbiguousError):
        await line.send(call, desk)
    assert isinstance(await line.reconcile(call, desk), Unknown)


async def test_a_push_in_place_of_a_reply_can_be_made_again(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    """Even while the reply's token would still be good: the call stays with what it was sent as."""
    target = written(line, simulator)
    await send(line, desk, SendMessage(key="out-0", target=target, text="hi"))
    (call,) = line.compose(message("hi", target=target))
    simulator.faults.add(FaultKind.LOST)
    with pytest.raises(AmbiguousError):
        await line.send(call, desk)
    assert await line.reconcile(call, desk) == NotTaken()
    await line.send(call, desk)
    assert paths(simulator) == [(REPLY, 200), (REPLY, 400), (PUSH, None), (PUSH, 409)]
    assert len(simulator.ledger.taken) == 2


async def test_a_push_that_line_may_have_forgotten_is_for_the_agent_to_decide(
    line: Line, simulator: LineSimulator, desk: Services, clock: FakeClock
) -> None:
    (call,) = line.compose(message("hi", target=written(line, simulator)))
    await clock.advance(60)
    simulator.faults.add(FaultKind.LOST)
    with pytest.raises(AmbiguousError):
        await line.send(call, desk)
    await clock.advance(23 * 3600 - 1)
    assert await line.reconcile(call, desk) == NotTaken()
    await clock.advance(1)
    assert isinstance(await line.reconcile(call, desk), Unknown)


async def test_a_call_of_which_no_note_is_left_is_for_the_agent_to_decide(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    (call,) = line.compose(message("hi", target=written(line, simulator)))
    assert isinstance(await line.reconcile(call, desk), Unknown)


async def test_a_reply_that_was_refused_for_now_is_tried_again(
    line: Line, simulator: LineSimulator, desk: Services, clock: FakeClock
) -> None:
    (call,) = line.compose(message("hi", target=written(line, simulator)))
    for wait in (1, 60):
        simulator.faults.add(FaultKind.RATE_LIMITED)
        with pytest.raises(RetryableError):
            await line.send(call, desk)
        await clock.advance(wait)
    await line.send(call, desk)
    assert paths(simulator) == [(REPLY, 429), (REPLY, 429), (PUSH, 200)]


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_reply_that_line_failed_at_may_have_been_taken(
    line: Line, simulator: LineSimulator, status: int
) -> None:
    """A push may be repeated then, for its retry key."""
    clock = FakeClock()
    given = evolve(answering(status, {"message": "The server is temporarily unable"}), clock=clock)
    with pytest.raises(AmbiguousError):
        await send(line, given, message("hi", target=written(line, simulator)))
    with pytest.raises(RetryableError):
        await send(line, given, message("hi"))


async def test_who_blocked_the_account_gets_nothing_and_we_are_not_told(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    simulator.blocked.add("Udi")
    (receipt,) = await send(line, desk, message("hi"))
    assert receipt.external_ids
    assert (simulator.pushed_to_blocked, simulator.ledger.taken) == (1, [])


async def test_a_read_mark_names_the_token_of_the_message(line: Line, simulator: LineSimulator, desk: Services) -> None:
    (receipt,) = await send(line, desk, MarkRead(key="k", target=DI, external_id="55501"))
    assert (receipt, simulator.read, simulator.ledger.taken) == (Receipt(), ["m1"], [])


async def test_typing_is_shown_to_one_person_and_ends_by_itself(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    assert await send(line, desk, ShowTyping(key="k", target=DI)) == [Receipt()]
    assert simulator.shown == ["Udi"]
    assert line.compose(ShowTyping(key="k", target=DI, on=False)) == []


REFUSED: Sequence[Outbound] = (
    Edit(key="k", target=DI, external_id="1", text="x"),
    Delete(key="k", target=DI, external_id="1"),
    Hide(key="k", target=DI, external_id="1"),
    React(key="k", target=DI, external_id="1", emoji="👍"),
    AnswerButton(key="k", target=DI, postback_id="p"),
    message(),
    message("  "),
    message("", buttons=(YES,)),
    message("", Contact(name="Gus", phones=("1",))),
    message("hi", template=Template(name="t", language="en")),
    message("hi", buttons=(YES,) * 14),
    message("hi", buttons=(Button(title="x" * 21, payload="y"),)),
    message("hi", buttons=(Button(title="x", payload="y" * 301),)),
    message("hi", buttons=(Button(title="x"),)),
    message("", evolve(PICTURE, media_type="image/gif")),
    message("", evolve(PICTURE, size=10_000_001)),
    message("", evolve(PICTURE, url="http://cdn.example/1.jpg")),
    message("", evolve(VIDEO, size=200_000_001)),
    message("", Media(kind=Kind.IMAGE, id="7")),
    message("", Media(kind=Kind.IMAGE)),
    message("", Sticker(id="1988")),
    message("", Media(kind=Kind.STICKER, url="https://cdn.example/s.png")),
    message("", Sticker(id="", media=Media(kind=Kind.STICKER, url="https://cdn.example/s.png"))),
    message("", Location(latitude=1, longitude=2, name="x" * 101)),
    MarkRead(key="k", target=Target(to=DI.to), external_id="55501"),
    ShowTyping(key="k", target=GROUP),
)


@pytest.mark.parametrize("outbound", REFUSED)
async def test_what_line_cannot_carry_is_refused_before_any_request(
    line: Line, simulator: LineSimulator, desk: Services, outbound: Outbound
) -> None:
    with pytest.raises(PermanentError):
        await send(line, desk, outbound)
    assert not simulator.ledger.entries


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (FaultKind.RATE_LIMITED, RetryableError, "429"),
        (FaultKind.UNAVAILABLE, RetryableError, "503"),
        (FaultKind.WINDOW_CLOSED, RecipientError, "400"),
        (FaultKind.BLOCKED, RecipientError, "400"),
        (FaultKind.LOST, AmbiguousError, "answer_lost"),
        (FaultKind.LOST_UNTAKEN, AmbiguousError, "answer_lost"),
    ],
)
async def test_each_fault_becomes_its_error(
    line: Line,
    simulator: LineSimulator,
    desk: Services,
    fault: FaultKind,
    error: type[SendError],
    code: str,
    answered: bool,
) -> None:
    """Of a push, and of a reply."""
    target = written(line, simulator) if answered else DI
    simulator.faults.add(fault, retry_after=7)
    with pytest.raises(SendError) as raised:
        await send(line, desk, message("hi", target=target))
    assert (type(raised.value), raised.value.code) == (error, code)
    if fault is FaultKind.RATE_LIMITED:
        assert isinstance(raised.value, RetryableError)
        assert (raised.value.retry_after, raised.value.scope) == (7, "connection")
    await send(line, desk, SendMessage(key="out-2", target=DI, text="hi"))


WRONG_TO = {"message": "The request body has 1 error(s)", "details": [{"message": "not valid", "property": "to"}]}
WRONG_TEXT = {**WRONG_TO, "details": [{"message": "May not be empty", "property": "messages[0].text"}]}


@pytest.mark.parametrize(
    ("status", "answer", "error", "code"),
    [
        (400, {"message": "Failed to send messages"}, RecipientError, "400"),
        (400, WRONG_TO, RecipientError, "400"),
        (400, WRONG_TEXT, PermanentError, "400"),
        (400, {"message": "Invalid reply token"}, PermanentError, "400"),
        (400, {"message": 3, "details": {}}, PermanentError, "400"),
        (400, b"<html>", PermanentError, "400"),
        (400, [], PermanentError, "400"),
        (401, {"message": "Authentication failed"}, AuthError, "401"),
        (403, {"message": "Access to this API is not available for your account"}, AuthError, "403"),
        (404, {"message": "Not found"}, PermanentError, "404"),
        (413, {"message": "Payload too large"}, PermanentError, "413"),
        (415, {"message": "Unsupported media type"}, PermanentError, "415"),
        (429, {"message": "The API rate limit has been exceeded. Try again later."}, RetryableError, "429"),
        (429, {"message": "You have reached your monthly limit."}, PermanentError, "monthly_limit"),
        (400, {"message": "The property, 'to', in the request body is invalid (line: -)"}, RecipientError, "400"),
        (500, {"message": "The API server is temporarily unable"}, RetryableError, "500"),
        (503, b"", RetryableError, "503"),
    ],
)
async def test_each_row_of_the_table_becomes_its_error(
    line: Line, status: int, answer: Any, error: type[SendError], code: str
) -> None:
    with pytest.raises(SendError) as raised:
        await send(line, answering(status, answer, [(b"retry-after", b"9")]), message("hi"))
    assert (type(raised.value), raised.value.code) == (error, code)
    if isinstance(raised.value, RetryableError):
        assert raised.value.retry_after == 9


async def test_a_months_quota_ends_what_it_is_for_and_replies_are_free(
    line: Line, simulator: LineSimulator, desk: Services
) -> None:
    simulator.quota = 1
    await send(line, desk, message("hi"))
    with pytest.raises(PermanentError) as raised:
        await send(line, desk, SendMessage(key="out-2", target=DI, text="hi"))
    assert raised.value.code == "monthly_limit"
    await send(line, desk, message("hi", target=written(line, simulator)))
    assert paths(simulator)[-1] == (REPLY, 200)


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", [], {}, {"sentMessages": []}, {"sentMessages": [{"id": 1.5}]}, {"sentMessages": 3}]
)
async def test_a_success_without_an_id_is_ambiguous(line: Line, answer: Any) -> None:
    with pytest.raises(AmbiguousError):
        await send(line, answering(200, answer), message("hi"))


@pytest.mark.parametrize("told", [{}, {"sentMessages": [{}]}, {"sentMessages": [{"id": None}]}, {"sentMessages": 3}])
async def test_a_repeat_that_line_knows_is_a_success_even_without_ids(line: Line, told: Any) -> None:
    answer = {"message": "already accepted", **told}
    assert await send(line, answering(409, answer), message("hi")) == [Receipt()]


async def test_tokens_are_issued_kept_and_renewed(simulator: LineSimulator, desk: Services, clock: FakeClock) -> None:
    """One for every quarter of an hour, in the connection's state, where other processes find it."""
    config = Line.Config(channel_secret=(Secret(simulator.channel_secret),), channel_id=simulator.channel_id)
    for number in range(4):
        await send(Line(config), desk, SendMessage(key=f"out-{number}", target=DI, text="hi"))
        await clock.advance(timedelta(minutes=7).total_seconds())
    issued = [path for path, _ in paths(simulator) if path.startswith("/oauth2")]
    assert (len(issued), len(simulator.ledger.taken)) == (2, 4)


async def test_a_token_that_ends_before_its_time_is_replaced_at_once(simulator: LineSimulator, desk: Services) -> None:
    line = Line(Line.Config(channel_secret=(Secret(simulator.channel_secret),), channel_id=simulator.channel_id))
    await send(line, desk, message("hi"))
    simulator.revoke()
    await send(line, desk, SendMessage(key="out-2", target=DI, text="hi"))
    assert [status for path, status in paths(simulator) if path == PUSH] == [200, 401, 200]


@pytest.mark.parametrize("channel_id", ["", "another"])
async def test_without_a_token_and_without_the_right_to_one_nothing_is_sent(
    simulator: LineSimulator, desk: Services, channel_id: str
) -> None:
    line = Line(Line.Config(channel_secret=(Secret(simulator.channel_secret),), channel_id=channel_id))
    with pytest.raises(AuthError):
        await send(line, desk, message("hi"))
    assert not simulator.ledger.taken


async def test_a_token_answer_that_cannot_be_read_may_be_asked_for_again() -> None:
    line = Line(Line.Config(channel_secret=(Secret("s"),), channel_id="1"))
    with pytest.raises(RetryableError):
        await send(line, answering(200, {"access_token": 3}), message("hi"))
