"""What is sent, how X's answers are read, and that nothing else ever leaves."""

import traceback
from collections.abc import Mapping
from typing import Any

import anyio
import orjson
import pytest
from attrs import evolve

from channelry.errors import AmbiguousError, AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import (
    Accepted,
    Address,
    AnswerButton,
    Audience,
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
    RateScope,
    React,
    ReadUpTo,
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
from channelry.services import HttpResponse, Services
from channelry_simulation import FaultKind
from channelry_testing import AsgiHttp, FakeClock, services
from channelry_twitter.connection import ORIGIN
from channelry_twitter.plugin import Twitter
from channelry_twitter.simulator import TwitterSimulator

pytestmark = pytest.mark.anyio

EVE = Target(to=Address("x", "222"))
POST = Thread(root="8000", private=False)
PUBLIC = Target(to=EVE.to, reply_to="8001", audience=Audience.PUBLIC, thread=POST)
PHOTO = Media(kind=Kind.IMAGE, ref="photo", media_type="image/jpeg", size=8)
GIF = evolve(PHOTO, media_type="image/gif")
FILM = Media(kind=Kind.VIDEO, ref="film", media_type="video/mp4", size=9 * 1024 * 1024)


def say(text: str = "", *, target: Target = EVE, **content: Any) -> SendMessage:
    return SendMessage(key="k1", target=target, text=text, **content)


async def deliver(twitter: Twitter, outbound: Outbound, desk: Services) -> list[Receipt]:
    return [await twitter.send(call, desk) for call in twitter.compose(outbound)]


def visible(simulator: TwitterSimulator) -> list[str]:
    return [entry.path for entry in simulator.ledger.entries if "/media/" not in entry.path]


def categories(simulator: TwitterSimulator) -> list[str]:
    return list(simulator.uploads.values())


MESSAGES: list[tuple[str, SendMessage, str]] = [
    ("text", say("hello"), "/2/dm_conversations/with/222/messages"),
    ("image", say("see", parts=(PHOTO,)), "/2/dm_conversations/with/222/messages"),
    ("video", say(parts=(FILM,)), "/2/dm_conversations/with/222/messages"),
    ("post", say("hello", target=PUBLIC), "/2/tweets"),
    ("post with image", say("see", target=PUBLIC, parts=(PHOTO,)), "/2/tweets"),
    ("post with video", say("see", target=PUBLIC, parts=(FILM,)), "/2/tweets"),
]


@pytest.mark.parametrize(("name", "message", "path"), MESSAGES, ids=[name for name, _, _ in MESSAGES])
async def test_each_kind_of_message_is_one_call_that_x_takes(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, name: str, message: SendMessage, path: str
) -> None:
    receipts = await deliver(twitter, message, desk)
    (taken,) = simulator.ledger.taken
    assert (visible(simulator), taken.text) == ([path], message.text)
    assert receipts == [Receipt((taken.external_id,))]
    ids = list(simulator.uploads)
    if message.target is PUBLIC:
        assert taken.body["reply"] == {"in_reply_to_tweet_id": "8001"}
        assert taken.body.get("media", {}).get("media_ids", []) == ids
    else:
        assert [one["media_id"] for one in taken.body.get("attachments", [])] == ids


async def test_an_answer_goes_where_the_message_came_from(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    for request in (
        simulator.message("222", "hi"),
        simulator.mention("222", "@us hi"),
        simulator.mention("2", "a", "1"),
    ):
        (event,) = twitter.parse(request).events
        assert isinstance(event, MessageReceived)
        await deliver(twitter, say(f"to {event.key}", target=Target.answering(event)), desk)
    assert visible(simulator) == ["/2/dm_conversations/with/222/messages", "/2/tweets", "/2/tweets"]
    assert [taken.to for taken in simulator.ledger.taken] == ["222", "222", "2"]


async def test_a_private_answer_to_a_post_is_a_direct_message(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    await deliver(twitter, say("in private", target=evolve(PUBLIC, audience=Audience.PRIVATE)), desk)
    assert visible(simulator) == ["/2/dm_conversations/with/222/messages"]


async def test_files_of_a_message_come_one_by_one_and_of_a_post_four_together(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    await deliver(twitter, say("all", parts=(PHOTO, GIF)), desk)
    await deliver(twitter, say("all", target=PUBLIC, parts=(PHOTO,) * 5), desk)
    bodies = [taken.body for taken in simulator.ledger.taken]
    assert [(len(body["attachments"]), body.get("text")) for body in bodies[:2]] == [(1, "all"), (1, None)]
    assert [(len(body["media"]["media_ids"]), body.get("text")) for body in bodies[2:]] == [(4, "all"), (1, None)]
    assert categories(simulator) == ["dm_image", "dm_gif", *["tweet_image"] * 5]


async def test_what_moves_stands_alone_in_a_post(twitter: Twitter) -> None:
    calls = twitter.compose(say("all", target=PUBLIC, parts=(PHOTO, PHOTO, GIF, PHOTO, FILM)))
    assert [len(call.uploads) for call in calls] == [2, 1, 1, 1]


async def test_a_large_file_goes_up_in_pieces_and_a_video_is_waited_for(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, clock: FakeClock
) -> None:
    simulator.ready_after = 2
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(deliver, twitter, say("film", parts=(FILM,)), desk)
        while not simulator.ledger.taken:
            await anyio.wait_all_tasks_blocked()
            await clock.advance(2)
    paths = [entry.path.rpartition("/")[2] for entry in simulator.ledger.entries]
    assert paths[:5] == ["initialize", "append", "append", "append", "finalize"]
    assert [path.partition("?")[0] for path in paths[5:]] == ["upload", "upload", "messages"]
    assert len(simulator.ledger.taken) == 1


async def test_a_video_that_takes_too_long_is_tried_later(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, clock: FakeClock
) -> None:
    simulator.ready_after = 1000
    raised: list[RetryableError] = []

    async def send() -> None:
        try:
            await deliver(twitter, say(parts=(FILM,)), desk)
        except RetryableError as error:
            raised.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        while not raised:
            await anyio.wait_all_tasks_blocked()
            await clock.advance(2)
    assert (raised[0].code, simulator.ledger.taken) == ("processing", [])


async def test_long_text_is_split_and_every_post_answers_the_same_one(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    long = "word " * 70 + "日本" * 60 + " https://shop.example/" + "a" * 40
    calls = twitter.compose(say(long, target=PUBLIC))
    for call in calls:
        await twitter.send(call, desk)
    assert [call.key for call in calls] == ["k1:0", "k1:1", "k1:2"]
    assert {call.body["reply"]["in_reply_to_tweet_id"] for call in calls} == {"8001"}
    assert "".join(call.body["text"] for call in calls).replace(" ", "") == long.replace(" ", "")
    assert [len(call.body["text"]) for call in twitter.compose(say("a" * 12_000))] == [10_000, 2_000]


async def test_what_is_liked_hidden_and_deleted(twitter: Twitter, simulator: TwitterSimulator, desk: Services) -> None:
    (message,) = await deliver(twitter, say("hello"), desk)
    (post,) = await deliver(twitter, say("hello", target=PUBLIC), desk)
    for outbound in (
        React(key="a", target=PUBLIC, external_id="8001", emoji="❤"),
        React(key="b", target=PUBLIC, external_id="8002", emoji="❤"),
        React(key="c", target=PUBLIC, external_id="8002", emoji="❤", on=False),
        Hide(key="d", target=PUBLIC, external_id="8001"),
        Hide(key="e", target=PUBLIC, external_id="8002", on=False),
        Delete(key="f", target=PUBLIC, external_id=post.external_ids[0]),
        Delete(key="g", target=EVE, external_id=message.external_ids[0]),
    ):
        (call,) = twitter.compose(outbound)
        assert call.resend is Resend.SAFE
        assert await twitter.send(call, desk) == Receipt()
    assert (simulator.likes, simulator.hidden) == ({"8001"}, {"8001": True, "8002": False})
    assert simulator.deleted == [*post.external_ids, *message.external_ids]


async def test_what_is_gone_counts_as_deleted(twitter: Twitter, simulator: TwitterSimulator, desk: Services) -> None:
    for target in (EVE, PUBLIC):
        assert await deliver(twitter, Delete(key="k", target=target, external_id="4711"), desk) == [Receipt()]
    assert simulator.deleted == []


REFUSED: list[Outbound] = [
    say(),
    say("   "),
    say("a", target=Target(to=Address("x", "eve"), audience=Audience.PUBLIC)),
    say("a", target=evolve(PUBLIC, reply_to="wamid.1")),
    say("a", buttons=(Button(title="Yes", payload="y"),)),
    say(template=Template(name="hello", language="en")),
    say(parts=(Media(kind=Kind.IMAGE, url="https://files.example.com/a"),)),
    say(parts=(Media(kind=Kind.IMAGE, id="77"),)),
    say(parts=(Media(kind=Kind.IMAGE),)),
    say(parts=(evolve(PHOTO, media_type=""),)),
    say(parts=(evolve(PHOTO, size=None),)),
    say(parts=(evolve(PHOTO, size=5_000_001),)),
    say(parts=(evolve(GIF, size=15_000_001),)),
    say(parts=(evolve(FILM, size=512_000_001),)),
    say(parts=(evolve(PHOTO, media_type="image/tiff"),)),
    say(parts=(Media(kind=Kind.AUDIO, ref="photo", media_type="audio/ogg", size=8),)),
    say(parts=(Media(kind=Kind.DOCUMENT, ref="photo", media_type="application/pdf", size=8),)),
    say(parts=(Sticker(id="S1"),)),
    say(parts=(Location(latitude=1.0, longitude=2.0),)),
    say(parts=(Contact(name="Gus", phones=("30210000",)),)),
    Edit(key="k", target=PUBLIC, external_id="1", text="a"),
    Delete(key="k", target=PUBLIC, external_id="../users/me"),
    React(key="k", target=EVE, external_id="1", emoji="❤"),
    React(key="k", target=PUBLIC, external_id="1", emoji="👍"),
    Hide(key="k", target=EVE, external_id="1"),
    MarkRead(key="k", target=EVE, external_id="1"),
    ShowTyping(key="k", target=EVE),
    AnswerButton(key="k", target=EVE, postback_id="1"),
]


@pytest.mark.parametrize("outbound", REFUSED, ids=range(len(REFUSED)))
async def test_what_x_does_not_carry_is_refused_before_any_call(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, outbound: Outbound
) -> None:
    with pytest.raises(PermanentError):
        await deliver(twitter, outbound, desk)
    assert simulator.ledger.entries == []


async def test_every_declared_kind_is_sent_by_a_test_above(twitter: Twitter) -> None:
    direct, public = twitter.capabilities, twitter.capabilities.public
    assert public is not None
    for limits, target in ((direct, EVE), (public, PUBLIC)):
        tested = {kind for _, message, _ in MESSAGES for kind in message.kinds() if message.target is target}
        more = {Kind.DELETE} if target is EVE else {Kind.DELETE, Kind.REACTION, Kind.HIDE}
        assert tested | more == limits.sends


async def test_a_file_that_the_application_does_not_hold_is_never_sent(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError, match="there is no file"):
        await deliver(twitter, say(parts=(evolve(PHOTO, ref="gone"),)), desk)
    assert simulator.ledger.taken == []


# Faults


async def test_a_rate_limit_tells_how_long_and_what_has_to_wait(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.RATE_LIMITED, retry_after=7)
    with pytest.raises(RetryableError) as raised:
        await deliver(twitter, say("hello"), desk)
    assert (raised.value.retry_after, raised.value.scope) == (7, RateScope.CONNECTION)


async def lost(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, fault: FaultKind, message: SendMessage
) -> Call:
    (call,) = twitter.compose(message)
    simulator.faults.add(fault)
    with pytest.raises(AmbiguousError):
        await twitter.send(call, desk)
    return call


both = pytest.mark.parametrize("target", [EVE, PUBLIC], ids=["message", "post"])


@both
async def test_what_was_taken_is_found_among_our_own(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, clock: FakeClock, target: Target
) -> None:
    await deliver(twitter, say("earlier", target=target), desk)
    await clock.advance(3600)
    call = await lost(twitter, simulator, desk, FaultKind.LOST, say("hello", target=target))
    await clock.advance(30)
    assert await twitter.reconcile(call, desk) == Accepted(Receipt((simulator.ledger.taken[1].external_id,)))
    assert isinstance(await twitter.reconcile(call, desk), Unknown), "what is settled is forgotten"


@both
async def test_what_was_never_taken_may_be_sent_again_once_it_would_be_listed(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, clock: FakeClock, target: Target
) -> None:
    call = await lost(twitter, simulator, desk, FaultKind.LOST_UNTAKEN, say("hello", target=target))
    assert await twitter.reconcile(call, desk) == Unknown("it may not be listed yet")
    await clock.advance(61)
    assert await twitter.reconcile(call, desk) == NotTaken()
    assert await twitter.send(call, desk) == Receipt((simulator.ledger.taken[0].external_id,))


@both
async def test_another_text_at_that_moment_is_no_proof_either_way(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services, clock: FakeClock, target: Target
) -> None:
    """X shortens links, so what it lists is not always what was sent."""
    call = await lost(twitter, simulator, desk, FaultKind.LOST, say("see https://shop.example", target=target))
    for row in (*simulator.messages, *simulator.posts):
        row["text"] = "see https://t.co/x"
    await clock.advance(61)
    assert isinstance(await twitter.reconcile(call, desk), Unknown)


async def test_a_post_that_was_said_already_is_refused_for_good(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    simulator.refuses_repeated = True
    await deliver(twitter, say("hello", target=PUBLIC), desk)
    with pytest.raises(PermanentError, match="duplicate content"):
        await deliver(twitter, say("hello", target=PUBLIC), desk)


# Answers


class Scripted:
    """An HTTP client that answers everything with one answer."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self.answer = HttpResponse(status, headers or {}, body if isinstance(body, bytes) else orjson.dumps(body))

    async def request(self, *_: Any, **__: Any) -> HttpResponse:
        return self.answer


def problem(kind: str, detail: str = "no") -> dict[str, Any]:
    return {"title": "No", "detail": detail, "type": f"https://api.twitter.com/2/problems/{kind}", "status": 403}


def coded(code: int) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": "no"}]}


ANSWERS: list[tuple[int, Any, type[SendError]]] = [
    (429, problem("rate-limit-exceeded"), RetryableError),
    (429, b"", RetryableError),
    (403, problem("usage-capped"), RetryableError),
    (403, problem("client-forbidden"), AuthError),
    (403, problem("unsupported-authentication"), AuthError),
    (403, problem("oauth1-permissions"), AuthError),
    (403, {"title": "Forbidden", "detail": "Your app lacks the scope dm.write"}, AuthError),
    (403, {"title": "Forbidden", "detail": "You cannot send messages to this user."}, RecipientError),
    (403, {"detail": "You cannot send messages to users who are not following you."}, RecipientError),
    (403, {"detail": "Forbidden", "errors": [{"message": "You cannot send messages to this user"}]}, RecipientError),
    (200, {"data": None, "errors": [{"code": 349, "message": "no"}]}, RecipientError),
    (
        403,
        {"title": "Forbidden", "detail": "You do not have permission to DM one or more participants"},
        RecipientError,
    ),
    (
        403,
        {"title": "Forbidden", "detail": "You are not allowed to create a Tweet with duplicate content."},
        PermanentError,
    ),
    (403, {"title": "Forbidden"}, PermanentError),
    *((403, coded(code), RecipientError) for code in (108, 150, 349)),
    *((403, coded(code), PermanentError) for code in (186, 187, 385, 433)),
    *((401, coded(code), AuthError) for code in (32, 64, 89, 215, 326)),
    *((400, coded(code), RetryableError) for code in (88, 130, 131, 185)),
    (401, b"", AuthError),
    (400, {"errors": [{"message": "no"}]}, PermanentError),
    (400, {"errors": "no"}, PermanentError),
    (404, problem("resource-not-found"), PermanentError),
    (413, b"", PermanentError),
    (500, b"<html>", RetryableError),
    (503, b"", RetryableError),
    (
        200,
        {"errors": [{"detail": "no", "type": "https://api.twitter.com/2/problems/resource-not-found"}]},
        PermanentError,
    ),
    (200, {"errors": [{"detail": "You cannot send messages to this user.", "status": 403}]}, RecipientError),
    (200, {"errors": [{"detail": "no", "status": 403}]}, PermanentError),
    (200, {"errors": [{"title": "Unauthorized", "status": 401}]}, AuthError),
    (200, {"errors": [{"title": "Too Many Requests", "status": 429}]}, RetryableError),
    (200, {"errors": [{"title": "Internal Error", "status": 500}]}, RetryableError),
    (201, b"<html>", AmbiguousError),
    (201, b"", AmbiguousError),
    (201, {}, AmbiguousError),
    (201, {"data": {}}, AmbiguousError),
    (201, {"data": {"dm_event_id": 1.5}}, AmbiguousError),
    (201, {"data": "x"}, AmbiguousError),
]


@pytest.mark.parametrize(("status", "body", "error"), ANSWERS)
async def test_each_answer_of_xs_is_one_class_of_error(
    twitter: Twitter, status: int, body: Any, error: type[SendError]
) -> None:
    http: Any = Scripted(status, body)
    with pytest.raises(SendError) as raised:
        await deliver(twitter, say("hello"), services(http=http))
    assert type(raised.value) is error


async def test_what_an_answer_200_says_is_gone_counts_as_deleted_too(twitter: Twitter) -> None:
    http: Any = Scripted(200, {"errors": [{"title": "Not Found Error", "type": problem("resource-not-found")["type"]}]})
    gone = Delete(key="k", target=Target(to=Address("x", "222")), external_id="9001")
    assert await deliver(twitter, gone, services(http=http)) == [Receipt()]


NOW = 1_795_330_800  # the clock's, 07:00


@pytest.mark.parametrize(
    ("status", "body", "headers", "seconds", "scope"),
    [
        (429, {}, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(NOW + 90)}, 90.0, RateScope.CONNECTION),
        (429, {}, {"x-rate-limit-reset": str(NOW + 90)}, 90.0, RateScope.CONNECTION),
        (429, {}, {"x-rate-limit-reset": str(NOW - 5)}, 0.0, RateScope.CONNECTION),
        (
            429,
            {},
            {
                "x-rate-limit-remaining": "3",
                "x-rate-limit-reset": str(NOW + 90),
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": str(NOW + 7200),
            },
            7200.0,
            RateScope.CONNECTION,
        ),
        (429, {}, {"x-rate-limit-reset": "soon", "retry-after": "9"}, 9.0, RateScope.CONNECTION),
        (429, {}, {}, None, RateScope.CONNECTION),
        (403, problem("usage-capped"), {}, 86_400.0, RateScope.APP),
        (503, {}, {"retry-after": "4"}, 4.0, None),
    ],
)
async def test_how_long_to_wait_and_what_has_to_wait(
    twitter: Twitter, status: int, body: Any, headers: dict[str, str], seconds: float | None, scope: RateScope | None
) -> None:
    http: Any = Scripted(status, body, headers)
    with pytest.raises(RetryableError) as raised:
        await deliver(twitter, say("hello"), services(http=http))
    assert (raised.value.retry_after, raised.value.scope) == (seconds, scope)


@pytest.mark.row("F10")
async def test_secrets_are_in_no_error_and_no_call(twitter: Twitter, simulator: TwitterSimulator) -> None:
    secret = Twitter(evolve(twitter.config, access_token=Secret("CANARY-0123"), access_token_secret=Secret("CANARY-4")))
    assert "CANARY" not in repr(secret.compose(say("hello")))
    simulator.access_token, simulator.access_token_secret = "CANARY-0123", "CANARY-4"
    simulator.faults.add(FaultKind.LOST)
    clients: list[Any] = [AsgiHttp({ORIGIN: simulator.app}), AsgiHttp({}), Scripted(400, problem("x", "CANARY-0123"))]
    for http in clients:
        with pytest.raises(SendError) as raised:
            await deliver(secret, say("hello"), services(http=http))
        assert "CANARY" not in "".join(traceback.format_exception(raised.value)) + repr(raised.value)


async def test_a_read_mark_that_comes_before_the_answer_names_the_message(
    twitter: Twitter, simulator: TwitterSimulator, desk: Services
) -> None:
    posted: list[Any] = []

    async def post(request: Any) -> int:
        twitter.verify(request)
        posted.extend(twitter.parse(request).events)
        return 200

    simulator.post = post
    simulator.faults.add(FaultKind.EARLY_STATUS)
    (receipt,) = await deliver(twitter, say("hello"), desk)
    (read,) = posted
    assert isinstance(read, ReadUpTo)
    assert (read.external_id,) == receipt.external_ids
