"""What we send to comments, against the simulated Page."""

from datetime import UTC, datetime
from typing import Any

import anyio
import orjson
import pytest
from attrs import evolve

from channelry.errors import (
    AmbiguousError,
    AuthError,
    PermanentError,
    RecipientError,
    RetryableError,
    WindowClosedError,
)
from channelry.model import (
    Accepted,
    Address,
    AnswerButton,
    Audience,
    Button,
    Call,
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
from channelry.services import Services
from channelry_facebook.plugin import Facebook
from channelry_facebook.simulator import FacebookSimulator
from channelry_simulation import FaultKind
from channelry_testing import AsgiHttp, FakeClock, services

from .conftest import ORIGIN

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
PUBLIC, PRIVATE = Audience.PUBLIC, Audience.PRIVATE
URL = "https://cdn.example/1.jpg"
IMAGE = Media(kind=Kind.IMAGE, url=URL, media_type="image/jpeg")


@pytest.fixture
def target(simulator: FacebookSimulator) -> Target:
    """A first-level comment, to be answered in public."""
    comment = simulator.write("U9", "price?", "55_900")
    assert comment.id == "900_55-1"
    return TARGET


TARGET = Target(
    to=Address("facebook", "U9", "55"),
    reply_to="900_55-1",
    thread=Thread(root="55_900", parent="55_900", depth=1, private=False),
    audience=PUBLIC,
    last_inbound_at=NOW,
)
ASIDE = evolve(TARGET, audience=PRIVATE)


def message(text: str = "", *parts: Any, target: Target = TARGET, **more: Any) -> SendMessage:
    return SendMessage(key="out-1", target=target, text=text, parts=parts, **more)


async def send(plugin: Facebook, desk: Services, outbound: Outbound) -> list[Receipt]:
    """Send an action's calls, each taken through its stored form: plain JSON."""
    calls = [evolve(call, body=orjson.loads(orjson.dumps(call.body))) for call in plugin.compose(outbound)]
    return [await plugin.send(call, desk) for call in calls]


async def lost(plugin: Facebook, desk: Services, outbound: Outbound) -> Call:
    """Send an action of one call, whose answer does not come."""
    (call,) = plugin.compose(outbound)
    with pytest.raises(AmbiguousError):
        await plugin.send(call, desk)
    return call


CASES: list[tuple[str, SendMessage, list[dict[str, Any]]]] = [
    ("text", message("7 € 😀"), [{"message": "7 € 😀"}]),
    ("picture by link, with its text", message("look", IMAGE), [{"message": "look", "attachment_url": URL}]),
    (
        "each picture is a comment",
        message("look", IMAGE, IMAGE),
        [{"message": "look", "attachment_url": URL}, {"attachment_url": URL}],
    ),
    (
        "a file of the application's by a link that it gives",
        message("", Media(kind=Kind.IMAGE, ref="photo", media_type="image/jpeg")),
        [{"attachment_url": "https://files.example.com/photo"}],
    ),
    ("picture by Facebook's id", message("", Media(kind=Kind.IMAGE, id="1001")), [{"attachment_id": "1001"}]),
    (
        "a long text is split, the picture goes with its end",
        message("a" * 5000 + " " + "b" * 5000, IMAGE),
        [{"message": "a" * 5000}, {"message": "b" * 5000, "attachment_url": URL}],
    ),
]


@pytest.mark.parametrize(("name", "outbound", "bodies"), CASES, ids=[name for name, *_ in CASES])
async def test_each_kind_becomes_its_comments(
    name: str,
    outbound: SendMessage,
    bodies: list[dict[str, Any]],
    target: Target,
    facebook: Facebook,
    simulator: FacebookSimulator,
    desk: Services,
) -> None:
    receipts = await send(facebook, desk, outbound)
    assert [taken.body for taken in simulator.ledger.taken] == bodies
    assert [receipt.external_ids for receipt in receipts] == [(one.external_id,) for one in simulator.ledger.taken]
    asked = [entry.path.partition("?")[0] for entry in simulator.ledger.entries]
    assert set(asked) == {"/v26.0/900_55-1/comments"}


async def test_a_post_is_answered_where_no_comment_is_named(
    facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    await send(facebook, desk, message("hi", target=evolve(TARGET, reply_to="")))
    assert simulator.ledger.entries[-1].path == "/v26.0/55_900/comments"
    assert simulator.ledger.entries[-1].method == "POST"


async def test_what_the_page_wrote_comes_back_as_an_echo_that_its_receipt_names(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    (receipt,) = await send(facebook, desk, message("7 €"))
    (webhook,) = simulator.webhooks
    facebook.verify(webhook)
    (event,) = facebook.parse(webhook).events
    assert isinstance(event, EchoSent)
    assert (event.external_id,) == receipt.external_ids
    assert event.thread == Thread(root="55_900", parent="900_55-1", depth=2, private=False)


async def test_a_comment_of_ours_is_edited_and_deleted(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    ((own,),) = [receipt.external_ids for receipt in await send(facebook, desk, message("7 €"))]
    assert await send(facebook, desk, Edit(key="e", target=TARGET, external_id=own, text="8 €")) == [Receipt()]
    assert simulator.comments[own].text == "8 €"
    for _ in range(2):  # the second time it is gone, which is as good
        assert await send(facebook, desk, Delete(key="d", target=TARGET, external_id=own)) == [Receipt()]
    assert own not in simulator.comments
    with pytest.raises(PermanentError) as raised:
        await send(facebook, desk, Edit(key="e", target=TARGET, external_id=own, text="9 €"))
    assert raised.value.code == "100/33"


async def test_a_comment_is_hidden_shown_and_liked(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    for on in (True, False):
        await send(facebook, desk, Hide(key="h", target=TARGET, external_id=TARGET.reply_to, on=on))
        assert simulator.comments[TARGET.reply_to].hidden is on
        await send(facebook, desk, React(key="l", target=TARGET, external_id=TARGET.reply_to, emoji="👍", on=on))
    calls = [(entry.method, entry.path, entry.status) for entry in simulator.ledger.entries]
    assert calls[1::2] == [
        ("POST", f"/v26.0/{TARGET.reply_to}/likes", 200),
        ("DELETE", f"/v26.0/{TARGET.reply_to}/likes", 200),
    ]


@pytest.mark.parametrize("done", [b"true", b'{"success":true}', b'{"success":false}'])
async def test_a_change_is_done_unless_facebook_says_that_it_is_not(done: bytes, facebook: Facebook) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": done})

    hide, given = Hide(key="h", target=TARGET, external_id="900_7"), services(http=AsgiHttp({ORIGIN: app}))
    if b"false" not in done:
        assert await send(facebook, given, hide) == [Receipt()]
        return
    with pytest.raises(PermanentError) as raised:
        await send(facebook, given, hide)
    assert raised.value.code == "not_done"


def test_changes_may_be_repeated_and_comments_are_looked_up(facebook: Facebook) -> None:
    for outbound in ACTIONS:
        (call,) = facebook.compose(outbound)
        assert call.resend is Resend.SAFE
    (call,) = facebook.compose(message("hi"))
    assert call.resend is Resend.LOOKUP


ACTIONS: list[Outbound] = [
    Edit(key="k", target=TARGET, external_id="900_2", text="x"),
    Delete(key="k", target=TARGET, external_id="900_2"),
    Hide(key="k", target=TARGET, external_id="900_2"),
    React(key="k", target=TARGET, external_id="900_2", emoji="👍"),
]


async def test_a_private_reply_goes_out_once_and_tells_who_its_author_is_in_messenger(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    (call,) = facebook.compose(message("let us talk", target=ASIDE))
    assert call.resend is Resend.NEVER
    receipt = await facebook.send(call, desk)
    assert receipt.address == Address("messenger", "PSID-U9", "55")
    assert simulator.ledger.taken[0].body["recipient"] == {"comment_id": TARGET.reply_to}
    with pytest.raises(RecipientError):
        await facebook.send(call, desk)
    with pytest.raises(WindowClosedError):
        facebook.capabilities.admit(message("x", target=ASIDE), NOW.replace(day=30))


async def test_a_private_reply_whose_author_is_told_as_a_number_tells_who_that_is(facebook: Facebook) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"recipient_id":5010,"message_id":"m_1"}'})

    given = services(http=AsgiHttp({ORIGIN: app}))
    assert await send(facebook, given, message("let us talk", target=ASIDE)) == [
        Receipt(("m_1",), Address("messenger", "5010", "55"))
    ]


async def test_a_visitors_post_is_answered_in_public_and_in_private(
    facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    (event,) = facebook.parse(simulator.visit("U9", "hello")).events
    assert isinstance(event, MessageReceived)
    target = Target.answering(event)
    await send(facebook, desk, message("welcome", target=target))
    (receipt,) = await send(facebook, desk, message("let us talk", target=evolve(target, audience=PRIVATE)))
    public, private = simulator.ledger.taken
    assert simulator.comments[public.external_id].post == event.external_id
    assert private.body["recipient"] == {"post_id": event.external_id}
    assert receipt.address == Address("messenger", "PSID-U9", "55")


UNKNOWN: list[Outbound] = [
    MarkRead(key="k", target=TARGET, external_id="900_2"),
    ShowTyping(key="k", target=TARGET),
    AnswerButton(key="k", target=TARGET, postback_id="p"),
    message("", Location(latitude=1, longitude=2)),
    message("", Contact(name="Gus")),
    message("", Sticker(id="1")),
    message(template=Template(name="t", language="en")),
    message("hi", buttons=(Button(title="Yes", payload="y"),)),
    *(message("", Media(kind=kind, url=URL)) for kind in (Kind.AUDIO, Kind.VOICE, Kind.VIDEO, Kind.DOCUMENT)),
]
REFUSED: list[Outbound] = [
    *UNKNOWN,
    message(),
    message("hi", target=Target(to=TARGET.to)),
    message("hi", target=Target(to=TARGET.to, audience=PUBLIC)),
    message("", IMAGE, target=ASIDE),
    message("x" * 2001, target=ASIDE),
    message("x", target=evolve(ASIDE, reply_to="")),
    message("", Media(kind=Kind.IMAGE, url=URL, media_type="image/tiff")),
    React(key="k", target=TARGET, external_id="900_2", emoji="❤️"),
    Edit(key="k", target=TARGET, external_id="900_2", text="x" * 8001),
]


@pytest.mark.parametrize("outbound", REFUSED)
async def test_what_comments_cannot_carry_is_refused_before_any_request(
    outbound: Outbound, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError):
        await send(facebook, desk, outbound)
    assert not simulator.ledger.entries


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("twin", [False, True])  # the same was said just before
async def test_a_comment_whose_answer_was_lost_is_found_again(
    nested: bool,
    twin: bool,
    target: Target,
    facebook: Facebook,
    simulator: FacebookSimulator,
    desk: Services,
    clock: FakeClock,
) -> None:
    """Also under a nested one, and beside a twin."""
    if nested:
        below = simulator.write("U8", "me too", "55_900", TARGET.reply_to)
        thread = Thread(root="55_900", parent=TARGET.reply_to, depth=2, private=False)
        target = evolve(target, reply_to=below.id, thread=thread)
    outbound = message("Thanks!", target=target)
    if twin:
        await send(facebook, desk, outbound)
    simulator.faults.add(FaultKind.LOST)
    call = await lost(facebook, desk, outbound)
    expected = Receipt((simulator.ledger.taken[-1].external_id,))
    assert await facebook.reconcile(call, desk) == Accepted(expected)


async def test_an_answer_to_a_mention_in_an_answer_is_found_again_where_it_stands(
    facebook: Facebook, simulator: FacebookSimulator, desk: Services, clock: FakeClock
) -> None:
    """Under the first-level comment, where Facebook puts it; else it would be sent twice."""
    above = simulator.write("U8", "which one?", "77777_901")
    (event,) = facebook.parse(simulator.mention("U9", "@Shop?", above.id)).events
    (found,) = await facebook.expand(event, desk)  # type: ignore[arg-type]
    assert isinstance(found, MessageReceived)
    simulator.faults.add(FaultKind.LOST)
    call = await lost(facebook, desk, message("Thanks!", target=Target.answering(found)))
    (taken,) = simulator.ledger.taken
    assert simulator.comments[taken.external_id].parent == above.id
    await clock.advance(20)
    assert await facebook.reconcile(call, desk) == Accepted(Receipt((taken.external_id,)))


async def test_a_comment_that_never_arrived_may_be_sent_again_once_it_would_be_listed(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services, clock: FakeClock
) -> None:
    simulator.faults.add(FaultKind.LOST_UNTAKEN)
    call = await lost(facebook, desk, message("Thanks!"))
    simulator.write("U9", "Thanks a lot!", "55_900", TARGET.reply_to)
    assert isinstance(await facebook.reconcile(call, desk), Unknown)
    await clock.advance(20)
    assert await facebook.reconcile(call, desk) == NotTaken()
    await facebook.send(call, desk)
    assert len(simulator.ledger.taken) == 1


async def test_two_comments_that_look_alike_are_left_to_a_person(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.LOST)
    call = await lost(facebook, desk, message("Thanks!"))
    simulator.write("55", "Thanks!", "55_900", TARGET.reply_to)  # by a colleague, elsewhere
    assert isinstance(await facebook.reconcile(call, desk), Unknown)


async def test_a_comment_that_looks_like_ours_under_another_name_is_left_to_a_person(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services, clock: FakeClock
) -> None:
    simulator.faults.add(FaultKind.LOST_UNTAKEN)
    call = await lost(facebook, desk, message("Thanks!"))
    simulator.write("U9", "Thanks!", "55_900", TARGET.reply_to)
    await clock.advance(20)
    assert isinstance(await facebook.reconcile(call, desk), Unknown)


async def test_where_comments_may_not_be_read_one_is_written_all_the_same(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    """As under somebody else's post; only a lost answer is a person's then. A token that has ended writes nothing."""
    code = 10

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "GET":
            await simulator.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps({"error": {"code": code, "message": "no"}})})

    unread = evolve(desk, http=AsgiHttp({ORIGIN: app}))
    (call,), (other,) = facebook.compose(message("Thanks!")), facebook.compose(evolve(message("Bye!"), key="out-2"))
    assert (await facebook.send(call, unread)).external_ids
    simulator.faults.add(FaultKind.LOST)
    with pytest.raises(AmbiguousError):
        await facebook.send(other, unread)
    assert isinstance(await facebook.reconcile(other, desk), Unknown)
    code = 190
    with pytest.raises(AuthError):
        await facebook.send(call, unread)
    assert len(simulator.ledger.taken) == 2


@pytest.mark.parametrize(
    "listed",
    [
        {"data": [], "paging": {"cursors": {}, "next": "https://graph.facebook.com/v26.0/900_55-1/comments?after=x"}},
        {"data": None},
        {"success": True},
        {"data": [None]},
        {"data": [{"id": "900_8", "message": "Thanks!"}]},
        {"data": [{"id": "900_8", "message": "Thanks!", "from": {"name": "Shop"}}]},
    ],
)
async def test_a_list_that_may_leave_ours_out_is_left_to_a_person(
    listed: Any, target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services, clock: FakeClock
) -> None:
    """Also a comment of somebody who is withheld; what is not known to be lost is not sent again."""
    simulator.faults.add(FaultKind.LOST)
    call = await lost(facebook, desk, message("Thanks!"))
    await clock.advance(20)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps(listed)})

    assert isinstance(await facebook.reconcile(call, evolve(desk, http=AsgiHttp({ORIGIN: app}))), Unknown)
    assert isinstance(await facebook.reconcile(call, desk), Accepted)


async def test_a_comment_whose_author_was_withheld_before_is_not_the_new_one(facebook: Facebook) -> None:
    rows = [{"id": "900_8", "message": "Thanks!"}]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            rows.append({"id": "900_9", "message": "Thanks!", "from": {"id": "55"}})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps({"data": rows})})

    (call,), given = facebook.compose(message("Thanks!")), services(http=AsgiHttp({ORIGIN: app}))
    with pytest.raises(AmbiguousError):
        await facebook.send(call, given)
    assert await facebook.reconcile(call, given) == Accepted(Receipt(("900_9",)))


async def test_what_was_settled_leaves_no_note(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.UNAVAILABLE)
    (call,) = facebook.compose(message("Thanks!"))
    with pytest.raises(RetryableError):
        await facebook.send(call, desk)
    assert await desk.state.get("comment:out-1:0") is None
    await facebook.send(call, desk)
    assert await desk.state.get("comment:out-1:0") is None
    assert isinstance(await facebook.reconcile(call, desk), Unknown)


async def test_a_send_that_is_cancelled_can_be_looked_up(
    target: Target, facebook: Facebook, simulator: FacebookSimulator, desk: Services
) -> None:
    began = anyio.Event()

    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            await simulator.app(scope, receive, send)
            return
        began.set()
        await anyio.sleep_forever()

    (call,) = facebook.compose(message("hi"))
    hanging = evolve(desk, http=AsgiHttp({ORIGIN: hangs}))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(facebook.send, call, hanging)
        await began.wait()
        tasks.cancel_scope.cancel()
    comment = simulator.write("55", "hi", "55_900", TARGET.reply_to)
    assert await facebook.reconcile(call, desk) == Accepted(Receipt((comment.id,)))


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'{"id":1.5}'])
async def test_a_success_without_an_id_is_ambiguous(answer: bytes, facebook: Facebook) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b'{"data":[]}' if scope["method"] == "GET" else answer
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    with pytest.raises(AmbiguousError):
        await send(facebook, services(http=AsgiHttp({ORIGIN: app})), message("hi"))
