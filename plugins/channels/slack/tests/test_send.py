"""What we send, against the simulated Slack."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from attrs import evolve

from channelry.errors import AmbiguousError, AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import (
    Accepted,
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
    Postback,
    React,
    Receipt,
    Resend,
    SendMessage,
    ShowTyping,
    Target,
    Template,
    Thread,
    Unknown,
)
from channelry.services import Services
from channelry_simulation import FaultKind
from channelry_slack.connection import FILES_ORIGIN
from channelry_slack.emoji import name_of
from channelry_slack.plugin import Slack
from channelry_slack.simulator import SlackSimulator
from channelry_testing import AsgiHttp, FakeClock, services

from .conftest import ORIGIN

pytestmark = pytest.mark.anyio

TEAM = "T0000000001"
DI = Target(to=Address("slack", "Ddi", TEAM), reply_to="Ddi:1795300900.000100")
CHANNEL = Target(to=Address("slack", "C1", TEAM), thread=Thread(root="C1:1795300900.000100"))
PICTURE = Media(kind=Kind.IMAGE, url="https://cdn.example/1.jpg", name="a <b>")
LINKED = Media(kind=Kind.DOCUMENT, url="https://cdn.example/b?x=1&y=2", name="bill.pdf")
PHOTO = Media(kind=Kind.IMAGE, ref="photo", media_type="image/jpeg", name="p.jpg", size=2)
BILL = Media(kind=Kind.DOCUMENT, ref="bill")
YES, OPEN = Button(title="Yes", payload="order-7:y"), Button(title="Open", url="https://shop.example")


async def send(slack: Slack, desk: Services, outbound: Outbound) -> list[Receipt]:
    return [await slack.send(stored(call), desk) for call in slack.compose(outbound)]


def stored(call: Call) -> Call:
    """Take a call through its stored form: plain JSON."""
    return evolve(call, body=orjson.loads(orjson.dumps(call.body)))


def message(text: str = "", *parts: Any, target: Target = DI, **more: Any) -> SendMessage:
    return SendMessage(key="out-1", target=target, text=text, parts=parts, **more)


def bodies(simulator: SlackSimulator) -> list[Mapping[str, Any]]:
    """Give what was taken, without what stands in every message."""
    hidden = ("channel", "channel_id", "metadata")
    return [{key: value for key, value in one.body.items() if key not in hidden} for one in simulator.ledger.taken]


def methods(simulator: SlackSimulator) -> list[tuple[str, int | None]]:
    return [(entry.path.partition("?")[0].rpartition("/")[2], entry.status) for entry in simulator.ledger.entries]


def answering(status: int, answer: Any, **headers: str) -> Services:
    """Give services to a Slack that answers everything the same."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send(
            {"type": "http.response.body", "body": answer if isinstance(answer, bytes) else orjson.dumps(answer)}
        )

    return services(http=AsgiHttp({ORIGIN: app, FILES_ORIGIN: app}))


IMAGE = {"type": "image", "image_url": "https://cdn.example/1.jpg", "alt_text": "a <b>"}


def words(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


BUTTONS = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": "Yes"},
            "action_id": "button:0",
            "value": "order-7:y",
        },
        {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "action_id": "link:1", "url": OPEN.url},
    ],
}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


CASES: list[tuple[str, Outbound, list[dict[str, Any]]]] = [
    ("text", message(" <@U1> & 😀 "), [{"text": "&lt;@U1&gt; &amp; 😀"}]),
    ("picture by link", message("look", PICTURE), [{"text": "look"}, {"text": "a &lt;b&gt;", "blocks": [IMAGE]}]),
    ("file by link", message("", LINKED), [{"text": "bill.pdf\nhttps://cdn.example/b?x=1&amp;y=2"}]),
    (
        "files together, with the text",
        message("a <b>", PHOTO, BILL),
        [
            {
                "files": [{"id": "F0000000001", "title": "p.jpg"}, {"id": "F0000000002", "title": "file"}],
                "initial_comment": "a &lt;b&gt;",
            }
        ],
    ),
    ("buttons", message("Sure?", buttons=(YES, OPEN)), [{"text": "Sure?", "blocks": [section("Sure?"), BUTTONS]}]),
    (
        "buttons below a file",
        message("Sure?", PHOTO, buttons=(YES, OPEN)),
        [
            {"files": [{"id": "F0000000001", "title": "p.jpg"}]},
            {"text": "Sure?", "blocks": [section("Sure?"), BUTTONS]},
        ],
    ),
]


@pytest.mark.parametrize(("outbound", "sent"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_each_kind_is_sent_as_slack_wants_it(
    slack: Slack, simulator: SlackSimulator, desk: Services, outbound: Outbound, sent: list[dict[str, Any]]
) -> None:
    receipts = await send(slack, desk, outbound)
    assert bodies(simulator) == sent
    assert {taken.to for taken in simulator.ledger.taken} == {"Ddi"}
    assert [receipt.external_ids[0] for receipt in receipts] == [one.external_id for one in simulator.ledger.taken]


async def test_a_long_text_is_split_by_what_slack_counts(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    """Escaped characters count as they are sent; a text above buttons has less room."""
    await send(slack, desk, message("&" * 801))
    assert [len(one["text"]) for one in bodies(simulator)] == [4000, 5]
    await send(slack, desk, message("word " * 700, buttons=(YES,)))
    first, last = bodies(simulator)[2:]
    assert (first["text"] + " " + last["text"], "blocks" in first) == (("word " * 700).strip(), False)
    assert last["blocks"][0] == section(last["text"])


async def test_more_files_than_fit_in_one_message_go_in_two(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    first, second = await send(slack, desk, message("", *[PHOTO] * 11))
    assert (len(first.external_ids), len(second.external_ids)) == (10, 1)


async def test_answers_stay_in_their_thread(slack: Slack, simulator: SlackSimulator, desk: Services) -> None:
    (event,) = slack.parse(simulator.written("Udi", "hi", "C1", channel_type="channel")).events
    assert isinstance(event, MessageReceived)
    target = Target.answering(event)
    await send(slack, desk, message("hello", PHOTO, PICTURE, target=target))
    ts = event.external_id.removeprefix("C1:")
    assert [(taken.to, taken.body["thread_ts"]) for taken in simulator.ledger.taken] == [("C1", ts)] * 2
    assert all(call.group for call in slack.compose(message("hello", target=target)))


async def test_a_quote_begins_a_thread(slack: Slack, simulator: SlackSimulator, desk: Services) -> None:
    (event,) = slack.parse(simulator.message("Udi", "hi")).events
    assert isinstance(event, MessageReceived)
    target = Target.answering(event)
    await send(slack, desk, message("hello", target=target))
    await send(slack, desk, message("hello", target=target, quote=True))
    assert [taken.body.get("thread_ts") for taken in simulator.ledger.taken] == [None, event.external_id[4:]]
    pressed = evolve(target, reply_to="Ddi:1.2:Udi:button:0:3.4")
    (call,) = slack.compose(message("hello", target=pressed, quote=True))
    assert "thread_ts" not in call.body


async def test_a_person_is_written_to_in_the_conversation_that_is_opened(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    person = Target(to=Address("slack", "Udi", TEAM))
    await send(slack, desk, message("hello", target=person))
    await send(slack, desk, message("", PHOTO, target=person))
    assert [taken.to for taken in simulator.ledger.taken] == ["Ddi", "Ddi"]
    assert methods(simulator)[:2] == [("conversations.open", 200), ("chat.postMessage", 200)]


async def test_a_pressed_button_comes_back(slack: Slack, simulator: SlackSimulator, desk: Services) -> None:
    (receipt,) = await send(slack, desk, message("Sure?", buttons=(YES, OPEN)))
    (place,) = receipt.external_ids
    request = simulator.press("Udi", place)
    slack.verify(request)
    (event,) = slack.parse(request).events
    assert isinstance(event, MessageReceived)
    assert event.parts == (Postback(payload="order-7:y", title="Yes"),)
    assert event.reply_to is not None
    assert event.reply_to.external_id == place
    assert slack.parse(simulator.press("Udi", place, 1)).ignored == ("a link was opened",)
    (again,) = slack.parse(simulator.press("Udi", place)).events
    assert again.key != event.key


async def test_a_message_is_edited_and_deleted_by_its_id(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    """Its buttons go with the old text; a deletion of what is gone is done."""
    (receipt,) = await send(slack, desk, message("helo", buttons=(YES,)))
    (place,) = receipt.external_ids
    assert await send(slack, desk, Edit(key="k", target=DI, external_id=place, text="a < b")) == [Receipt()]
    assert (simulator.messages[place]["text"], simulator.messages[place]["blocks"]) == ("a &lt; b", [])
    for _ in range(2):
        assert await send(slack, desk, Delete(key="k", target=DI, external_id=place)) == [Receipt()]
    assert place not in simulator.messages


async def test_a_file_is_deleted_by_its_id_and_not_edited(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    (receipt,) = await send(slack, desk, message("", PHOTO))
    (file_id,) = receipt.external_ids
    for _ in range(2):
        assert await send(slack, desk, Delete(key="k", target=DI, external_id=file_id)) == [Receipt()]
    assert not simulator.files
    for outbound in (
        Edit(key="k", target=DI, external_id=file_id, text="x", caption=True),
        React(key="k", target=DI, external_id=file_id, emoji="👍"),
    ):
        with pytest.raises(PermanentError, match="no message of Slack's"):
            slack.compose(outbound)


async def test_a_reaction_goes_by_its_name_and_twice_is_once(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    (event,) = slack.parse(simulator.message("Udi", "hi")).events
    assert isinstance(event, MessageReceived)
    place = event.external_id
    react = React(key="k", target=DI, external_id=place, emoji="👍")
    for outbound, names in ((react, {"+1"}), (react, {"+1"}), *[(evolve(react, on=False), set[str]())] * 2):
        assert await send(slack, desk, outbound) == [Receipt()]
        assert simulator.reactions[place] == names


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(("fault", "found"), [(FaultKind.LOST, True), (FaultKind.LOST_UNTAKEN, False)])
async def test_a_message_whose_answer_was_lost_is_looked_for_by_our_key(
    slack: Slack,
    simulator: SlackSimulator,
    desk: Services,
    clock: FakeClock,
    thread: bool,
    fault: FaultKind,
    found: bool,
) -> None:
    """Slack lists what it took a while later, so that only then a message that is not listed was not taken."""
    target = CHANNEL if thread else DI
    if thread:
        (event,) = slack.parse(simulator.written("Udi", "hi", "C1", channel_type="channel")).events
        assert isinstance(event, MessageReceived)
        target = Target.answering(event)
    simulator.page = 2
    for number in range(3):  # the same words under other keys
        await send(slack, desk, SendMessage(key=f"other-{number}", target=target, text="hi"))
    simulator.faults.add(fault)
    (call,) = slack.compose(message("hi", target=target))
    with pytest.raises(AmbiguousError):
        await slack.send(stored(call), desk)
    settled = await slack.reconcile(stored(call), desk)
    if not found:
        assert isinstance(settled, Unknown)
        await clock.advance(61)
        settled = await slack.reconcile(stored(call), desk)
    assert settled == (Accepted(Receipt((simulator.ledger.taken[-1].external_id,))) if found else NotTaken())
    assert len(simulator.ledger.taken) == 3 + found


async def test_a_message_that_is_not_among_the_newest_is_for_the_agent_to_decide(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    simulator.page = 1
    for number in range(4):
        await send(slack, desk, SendMessage(key=f"other-{number}", target=DI, text="hi"))
    (call,) = slack.compose(message("hi"))
    assert isinstance(await slack.reconcile(call, desk), Unknown)


async def test_files_whose_answer_was_lost_are_for_the_agent_to_decide(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    (call,) = slack.compose(message("look", PHOTO))
    assert call.resend is Resend.NEVER
    simulator.faults.add(FaultKind.LOST)
    with pytest.raises(AmbiguousError):
        await slack.send(call, desk)
    assert isinstance(await slack.reconcile(call, desk), Unknown)


def test_what_sets_a_state_may_be_repeated(slack: Slack) -> None:
    place = "Ddi:1795300900.000100"
    for outbound in (
        Edit(key="k", target=DI, external_id=place, text="x"),
        Delete(key="k", target=DI, external_id=place),
        React(key="k", target=DI, external_id=place, emoji="👍"),
    ):
        (call,) = slack.compose(outbound)
        assert call.resend is Resend.SAFE


REFUSED: Sequence[Outbound] = (
    message(),
    message(" \n"),
    message("", buttons=(YES,)),
    message("", PHOTO, buttons=(YES,)),
    message("", Contact(name="Gus", phones=("1",))),
    message("", Location(latitude=1, longitude=2)),
    message("", Media(kind=Kind.IMAGE)),
    message("", Media(kind=Kind.IMAGE, id="F1")),
    message("", Media(kind=Kind.IMAGE, url="file:///etc/passwd")),
    message("", evolve(PHOTO, size=1_000_000_001)),
    message("hi", template=Template(name="t", language="en")),
    message("hi", buttons=(YES,) * 26),
    message("hi", buttons=(Button(title="x" * 76, payload="y"),)),
    message("hi", buttons=(Button(title="Yes", payload="p" * 2001),)),
    Edit(key="k", target=DI, external_id="D1:1.2", text=" "),
    Edit(key="k", target=DI, external_id="D1:1.2", text="x" * 4001),
    Edit(key="k", target=DI, external_id="D1", text="x"),
    Delete(key="k", target=DI, external_id="D1:soon"),
    Delete(key="k", target=DI, external_id=""),
    React(key="k", target=DI, external_id="D1:1.2", emoji=":party_parrot:"),
    React(key="k", target=DI, external_id="D1:1.2", emoji=":party_parrot:", on=False),
    Hide(key="k", target=DI, external_id="D1:1.2"),
    MarkRead(key="k", target=DI, external_id="D1:1.2"),
    ShowTyping(key="k", target=DI),
    AnswerButton(key="k", target=DI, postback_id="p"),
)


@pytest.mark.parametrize("outbound", REFUSED)
def test_what_slack_does_not_take_is_refused_before_any_request(slack: Slack, outbound: Outbound) -> None:
    with pytest.raises(PermanentError):
        slack.compose(outbound)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (FaultKind.RATE_LIMITED, RetryableError),
        (FaultKind.UNAVAILABLE, RetryableError),
        (FaultKind.BLOCKED, RecipientError),
        (FaultKind.WINDOW_CLOSED, RecipientError),
    ],
)
async def test_a_fault_is_told_and_the_next_message_goes_through(
    slack: Slack, simulator: SlackSimulator, desk: Services, fault: FaultKind, error: type[SendError]
) -> None:
    simulator.faults.add(fault, retry_after=7)
    with pytest.raises(error) as raised:
        await send(slack, desk, message("hi"))
    if fault is FaultKind.RATE_LIMITED:
        assert isinstance(raised.value, RetryableError)
        assert (raised.value.retry_after, raised.value.scope) == (7, "recipient")
    await send(slack, desk, message("hi"))
    assert len(simulator.ledger.taken) == 1


def no(error: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error": error, **more}


@pytest.mark.parametrize(
    ("status", "answer", "error", "code"),
    [
        (429, no("ratelimited"), RetryableError, "ratelimited"),
        (429, b"", RetryableError, "429"),
        (200, no("rate_limited"), RetryableError, "rate_limited"),
        (200, no("request_timeout"), RetryableError, "request_timeout"),
        (503, no("service_unavailable"), RetryableError, "service_unavailable"),
        (503, b"<html>", RetryableError, "503"),
        (200, no("internal_error"), AmbiguousError, "internal_error"),
        (500, no("fatal_error"), AmbiguousError, "fatal_error"),
        (500, b"", AmbiguousError, "500"),
        (504, b"<html>", AmbiguousError, "504"),
        (200, no("invalid_auth"), AuthError, "invalid_auth"),
        (200, no("token_revoked"), AuthError, "token_revoked"),
        (200, no("account_inactive"), AuthError, "account_inactive"),
        (200, no("missing_scope", needed="chat:write"), AuthError, "missing_scope"),
        (403, b"", AuthError, "403"),
        (200, no("channel_not_found"), RecipientError, "channel_not_found"),
        (200, no("is_archived"), RecipientError, "is_archived"),
        (200, no("not_in_channel"), RecipientError, "not_in_channel"),
        (200, no("cannot_dm_bot"), RecipientError, "cannot_dm_bot"),
        (200, no("msg_too_long"), PermanentError, "msg_too_long"),
        (200, no("invalid_blocks"), PermanentError, "invalid_blocks"),
        (200, no("a_new_one"), PermanentError, "a_new_one"),
        (404, b"<html>", PermanentError, "404"),
        (200, {"ok": True}, AmbiguousError, "unreadable"),
        (200, {"ok": True, "channel": "D1", "ts": 1.5}, AmbiguousError, "unreadable"),
        (200, {"ok": "yes"}, AmbiguousError, "200"),
        (200, [], AmbiguousError, "200"),
        (200, {"ok": False, "error": {"code": 7}}, AmbiguousError, "200"),
    ],
)
async def test_each_row_of_the_table_becomes_its_error(
    slack: Slack, status: int, answer: Any, error: type[SendError], code: str
) -> None:
    with pytest.raises(SendError) as raised:
        await send(slack, answering(status, answer, retry_after="9"), message("hi"))
    assert (type(raised.value), raised.value.code) == (error, code)
    if isinstance(raised.value, RetryableError):
        assert raised.value.retry_after == 9


async def test_a_missing_right_is_named(slack: Slack) -> None:
    with pytest.raises(AuthError, match="the token lacks chat:write"):
        await send(slack, answering(200, no("missing_scope", needed="chat:write")), message("hi"))


@pytest.mark.parametrize(
    "answer", [{"ok": True}, {"ok": True, "file_id": 1.5}, {"ok": True, "channel": {}}, {"ok": True, "channel": "D1"}]
)
@pytest.mark.parametrize("outbound", [message("", PHOTO), message("hi", target=Target(to=Address("slack", "Udi")))])
async def test_a_preparation_that_cannot_be_read_is_made_again(slack: Slack, answer: Any, outbound: Outbound) -> None:
    with pytest.raises(RetryableError):
        await send(slack, answering(200, answer), outbound)


@pytest.mark.parametrize(("status", "error"), [(400, PermanentError), (429, RetryableError), (503, RetryableError)])
async def test_an_upload_that_slack_does_not_take_is_told(slack: Slack, status: int, error: type[SendError]) -> None:
    place = {"ok": True, "file_id": "F1", "upload_url": f"{FILES_ORIGIN}/upload/v1/F1"}

    async def api(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps(place)})

    async def upload(scope: Any, receive: Any, send: Any) -> None:
        assert b"authorization" not in dict(scope["headers"])
        await send({"type": "http.response.start", "status": status, "headers": [(b"retry-after", b"7")]})
        await send({"type": "http.response.body", "body": b""})

    http = AsgiHttp({ORIGIN: api, FILES_ORIGIN: upload})
    desk = services(http=http, files=_Photo())
    with pytest.raises(error, match=f"HTTP {status}") as raised:
        await send(slack, desk, message("", PHOTO))
    assert not isinstance(raised.value, RetryableError) or raised.value.retry_after == 7


class _Photo:
    async def read(self, ref: str) -> Any:
        yield b"\xff\xd8"

    async def link(self, ref: str, seconds: float) -> str:
        raise AssertionError(ref)


async def test_a_file_that_the_application_has_lost_is_a_permanent_error(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError):
        await send(slack, desk, message("", evolve(BILL, ref="gone")))
    assert not simulator.ledger.taken


@pytest.mark.parametrize(("emoji", "name"), [("❤", "heart"), ("❤️", "heart"), ("👍🏽", "+1"), ("☕", "coffee")])
def test_an_emoji_has_its_name_however_it_is_written(emoji: str, name: str) -> None:
    assert name_of(emoji) == name


def test_an_edit_is_measured_as_slack_writes_it(slack: Slack) -> None:
    edit = Edit(key="k", target=Target(to=Address("slack", "D1")), external_id="D1:1.2", text="&" * 800)
    assert slack.compose(edit)
    with pytest.raises(PermanentError, match="too long"):
        slack.compose(evolve(edit, text="&" * 801))
