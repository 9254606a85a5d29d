"""What is sent, how Twilio's answers are read, and that nothing else ever leaves."""

import traceback
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from attrs import evolve

from channelry.errors import (
    AmbiguousError,
    AuthError,
    PermanentError,
    RecipientError,
    RetryableError,
    SendError,
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
    Edit,
    Hide,
    Kind,
    Location,
    MarkRead,
    Media,
    NotTaken,
    Outbound,
    RateScope,
    React,
    Receipt,
    Resend,
    SendMessage,
    ShowTyping,
    StatusChanged,
    Sticker,
    Target,
    Template,
    Unknown,
)
from channelry.secrets import Secret
from channelry.services import HttpResponse, Services
from channelry_simulation import FaultKind
from channelry_testing import AsgiHttp, FakeClock, services
from channelry_twilio.connection import MESSAGING, ORIGIN
from channelry_twilio.plugin import Twilio
from channelry_twilio.refusals import CODES
from channelry_twilio.simulator import TwilioSimulator

pytestmark = pytest.mark.anyio

SERVICE = "MG0123456789abcdef0123456789abcdef"
WHATSAPP = "whatsapp:+15005550001"
EVE = Target(to=Address("phone", "+15005550006"), reply_to="SM9")
EVE_THERE = Target(to=Address("whatsapp", "15005550006"), reply_to="SM9")
HX = "HX0123456789abcdef0123456789abcdef"
LINK = "https://files.example.com/a"
PDF = Media(kind=Kind.DOCUMENT, ref="bill", name="bill.pdf", media_type="application/pdf")
PHOTO = Media(kind=Kind.IMAGE, url=LINK)
by_whatsapp = pytest.mark.parametrize("sender", [WHATSAPP])


def say(text: str = "", *, target: Target = EVE, **content: Any) -> SendMessage:
    return SendMessage(key="k1", target=target, text=text, **content)


async def deliver(twilio: Twilio, outbound: Outbound, desk: Services) -> list[Receipt]:
    return [await twilio.send(call, desk) for call in twilio.compose(outbound)]


MESSAGES: list[tuple[str, SendMessage, Mapping[str, Any]]] = [
    ("text", say("hello"), {"Body": "hello"}),
    ("image with text", say("see", parts=(PHOTO,)), {"Body": "see", "MediaUrl": [LINK]}),
    ("audio", say(parts=(Media(kind=Kind.AUDIO, url=LINK),)), {"MediaUrl": [LINK]}),
    ("voice", say(parts=(Media(kind=Kind.VOICE, url=LINK),)), {"MediaUrl": [LINK]}),
    ("video", say(parts=(Media(kind=Kind.VIDEO, url=LINK),)), {"MediaUrl": [LINK]}),
    ("uploaded file", say(parts=(PDF,)), {"MediaUrl": ["https://files.example.com/bill"]}),
    (
        "several files",
        say("all", parts=(PHOTO, PDF)),
        {"Body": "all", "MediaUrl": [LINK, "https://files.example.com/bill"]},
    ),
    ("template", say(template=Template(name=HX, language="en")), {"ContentSid": HX}),
    (
        "template with values",
        say(template=Template(name=HX, language="en", values=("Eve", "7"), options={"shop": "Main St"})),
        {"ContentSid": HX, "ContentVariables": '{"1":"Eve","2":"7","shop":"Main St"}'},
    ),
]


@pytest.mark.parametrize(("name", "message", "body"), MESSAGES, ids=[name for name, _, _ in MESSAGES])
async def test_each_kind_of_message_is_one_call_that_twilio_takes(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, name: str, message: SendMessage, body: Mapping[str, Any]
) -> None:
    receipts = await deliver(twilio, message, desk)
    (taken,) = simulator.ledger.taken
    sent = {name: value for name, value in taken.body.items() if name != "StatusCallback"}
    assert sent == {"To": "+15005550006", "From": "+15005550001", **body}
    assert receipts == [Receipt((taken.external_id,))]


@by_whatsapp
@pytest.mark.parametrize("target", [EVE, EVE_THERE], ids=["by phone", "by WhatsApp"])
async def test_a_whatsapp_sender_writes_on_whatsapp(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, target: Target
) -> None:
    place = Location(latitude=40.64, longitude=22.94, name="Shop", address="1 Main St")
    await deliver(twilio, say("see", parts=(PHOTO, PDF, place), target=target), desk)
    bodies = [{k: v for k, v in one.body.items() if k != "StatusCallback"} for one in simulator.ledger.taken]
    common = {"To": "whatsapp:+15005550006", "From": WHATSAPP}
    assert bodies == [
        {**common, "Body": "see", "MediaUrl": [LINK]},
        {**common, "MediaUrl": ["https://files.example.com/bill"]},
        {**common, "Body": "Shop", "PersistentAction": "geo:40.64,22.94|1 Main St"},
    ]


@by_whatsapp
async def test_a_person_without_a_number_is_reached_by_their_user_id(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    await deliver(twilio, say("hi", target=Target(to=Address("whatsapp", "US.1349"))), desk)
    assert simulator.ledger.taken[0].to == "whatsapp:US.1349"


@pytest.mark.parametrize("sender", [SERVICE])
async def test_a_service_is_named_as_such_and_reaches_numbers_and_whatsapp(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    for target in (EVE, EVE_THERE):
        await deliver(twilio, say("hi", target=target), desk)
    first, second = (taken.body for taken in simulator.ledger.taken)
    assert (first["MessagingServiceSid"], first["To"], "From" in first) == (SERVICE, "+15005550006", False)
    assert second["To"] == "whatsapp:+15005550006"


async def test_the_status_url_bears_the_calls_key_and_the_sender(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    (call,) = twilio.compose(evolve(say("hi"), key="answer/7 ü"))
    await twilio.send(call, desk)
    url = urlsplit(simulator.ledger.taken[0].body["StatusCallback"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == desk.public_url
    assert dict(parse_qsl(url.query)) == {"ref": call.key, "account": "+15005550001"}
    for webhook in simulator.webhooks:
        twilio.verify(webhook)
        (event,) = twilio.parse(webhook).events
        assert isinstance(event, StatusChanged)
        assert event.reference == call.key


async def test_without_a_public_address_no_status_is_asked_for(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    await deliver(twilio, say("hi"), evolve(desk, public_url=""))
    assert "StatusCallback" not in simulator.ledger.taken[0].body


@pytest.mark.parametrize("letter", ["a", "ς", "€"])
async def test_only_twilios_limit_cuts_a_text(twilio: Twilio, simulator: TwilioSimulator, letter: str) -> None:
    assert [len(call.body["Body"]) for call in twilio.compose(say(letter * 1600))] == [1600]
    assert [len(call.body["Body"]) for call in twilio.compose(say(letter * 1601))] == [1600, 1]


async def test_long_text_is_split_at_the_segments_that_are_configured(twilio: Twilio) -> None:
    plain, greek = "word " * 400, "λέξη " * 200
    twilio = Twilio(evolve(twilio.config, max_segments=10))
    for text, longest in ((plain, 1530), (greek, 670)):
        calls = twilio.compose(say(text))
        assert [call.key for call in calls] == ["k1:0", "k1:1"]
        assert all(len(call.body["Body"]) <= longest for call in calls)
        assert len(calls[0].body["Body"]) > longest - 6
        assert " ".join(call.body["Body"] for call in calls) == text.strip()
    wide = Twilio(evolve(twilio.config, max_segments=24))
    assert len(wide.compose(say(greek))) == 1
    assert [len(call.body["Body"]) for call in wide.compose(say("ς" * 2000))] == [1600, 400]


@by_whatsapp
async def test_on_whatsapp_only_characters_count_and_a_caption_is_short(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    assert [len(call.body["Body"]) for call in twilio.compose(say("ς" * 2000))] == [1600, 400]
    await deliver(twilio, say("a" * 1025, parts=(PHOTO,)), desk)
    first, second = (taken.body for taken in simulator.ledger.taken)
    assert ("MediaUrl" in first, "Body" in second) == (False, False)


SERVICE_THERE = {"To": "whatsapp:+15005550006", "MessagingServiceSid": SERVICE}
BILL = "https://files.example.com/bill"
VOICE, FILM = (Media(kind=kind, url=LINK) for kind in (Kind.VOICE, Kind.VIDEO))


@pytest.mark.parametrize(
    ("parts", "bodies"),
    [
        ((PHOTO,), [{"Body": "see", "MediaUrl": [LINK]}]),
        ((FILM, PDF), [{"Body": "see", "MediaUrl": [LINK]}, {"MediaUrl": [BILL]}]),
        ((PDF,), [{"Body": "see"}, {"MediaUrl": [BILL]}]),
        ((VOICE,), [{"Body": "see"}, {"MediaUrl": [LINK]}]),
        ((PDF, PHOTO), [{"Body": "see"}, {"MediaUrl": [BILL]}, {"MediaUrl": [LINK]}]),
    ],
    ids=["picture", "video first", "document", "voice", "document first"],
)
@pytest.mark.parametrize(
    ("sender", "ours"),
    [(WHATSAPP, {"To": "whatsapp:+15005550006", "From": WHATSAPP}), (SERVICE, SERVICE_THERE)],
    ids=["sender", "service"],
)
async def test_on_whatsapp_a_text_stands_under_a_picture_or_video_and_each_file_goes_alone(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, parts: Any, ours: Any, bodies: list[Mapping[str, Any]]
) -> None:
    await deliver(twilio, say("see", parts=parts, target=EVE_THERE), desk)
    sent = [{k: v for k, v in one.body.items() if k != "StatusCallback"} for one in simulator.ledger.taken]
    assert sent == [{**ours, **body} for body in bodies]


@pytest.mark.parametrize("sender", [SERVICE])
async def test_what_a_service_writes_is_limited_by_where_it_goes(twilio: Twilio) -> None:
    def shapes(target: Target) -> list[tuple[int, int]]:
        calls = twilio.compose(say("a" * 1025, parts=(PHOTO, PHOTO), target=target))
        return [(len(call.body.get("Body", "")), len(call.body.get("MediaUrl", ()))) for call in calls]

    assert shapes(EVE_THERE) == [(1025, 0), (0, 1), (0, 1)]
    assert shapes(EVE) == [(1025, 2)]
    narrow = Twilio(evolve(twilio.config, max_segments=1))
    assert [len(narrow.compose(say("a" * 320, target=target))) for target in (EVE, EVE_THERE)] == [2, 1]


@by_whatsapp
@pytest.mark.parametrize(
    ("degrees", "told"),
    [
        (1.5, "1.5"),
        (1e-05, "0.00001"),
        (-4.25e-7, "-0.000000425"),
        (52, "52"),
        (8.0, "8.0"),
        (-179.999999, "-179.999999"),
    ],
)
async def test_degrees_are_written_without_exponent(twilio: Twilio, degrees: float, told: str) -> None:
    (call,) = twilio.compose(say(parts=(Location(latitude=degrees, longitude=0.1),), target=EVE_THERE))
    assert call.body["PersistentAction"] == [f"geo:{told},0.1"]


@by_whatsapp
async def test_a_picture_on_whatsapp_is_smaller_than_a_film(twilio: Twilio) -> None:
    size = 5 * 1024 * 1024 + 1
    assert twilio.compose(say(parts=(evolve(FILM, size=size),), target=EVE_THERE))
    with pytest.raises(PermanentError, match="larger than 5242880 bytes"):
        twilio.compose(say(parts=(evolve(PHOTO, size=size),), target=EVE_THERE))


async def test_eleven_files_are_two_messages_of_which_the_first_bears_the_text(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    await deliver(twilio, say("all", parts=(PHOTO,) * 11), desk)
    assert [(len(taken.body["MediaUrl"]), taken.text) for taken in simulator.ledger.taken] == [(10, "all"), (1, "")]


@by_whatsapp
async def test_typing_is_shown_as_an_answer_and_ends_by_itself(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    assert await deliver(twilio, ShowTyping(key="k1", target=EVE_THERE), desk) == [Receipt()]
    assert await deliver(twilio, ShowTyping(key="k2", target=EVE_THERE, on=False), desk) == []
    assert (simulator.typing, simulator.ledger.taken) == (["SM9"], [])
    with pytest.raises(PermanentError, match="reply_to"):
        twilio.compose(ShowTyping(key="k3", target=Target(to=EVE_THERE.to)))


REFUSED: list[Outbound] = [
    say(),
    say("   "),
    say("a", target=Target(to=EVE.to, audience=Audience.PUBLIC)),
    say("a", target=EVE_THERE),
    say("a", target=Target(to=Address("email", "eve@example.com"))),
    say("a", buttons=(Button(title="Yes", payload="y"),)),
    say("a", template=Template(name=HX, language="en")),
    say(parts=(PHOTO,), template=Template(name=HX, language="en")),
    say(parts=(Media(kind=Kind.IMAGE),)),
    say(parts=(Media(kind=Kind.IMAGE, id="ME1"),)),
    say(parts=(Media(kind=Kind.IMAGE, url="file:///etc/passwd"),)),
    say(parts=(Media(kind=Kind.IMAGE, url=LINK, size=5 * 1024 * 1024 + 1),)),
    say(parts=(Media(kind=Kind.IMAGE, url=LINK, size=3 * 1024 * 1024),) * 2),
    say(parts=(Sticker(id="S1"),)),
    say(parts=(Location(latitude=1.0, longitude=2.0),)),
    say(parts=(Contact(name="Gus", phones=("30210000",)),)),
    Edit(key="k", target=EVE, external_id="SM1", text="a"),
    Delete(key="k", target=EVE, external_id="SM1"),
    React(key="k", target=EVE, external_id="SM1", emoji="👍"),
    Hide(key="k", target=EVE, external_id="SM1"),
    MarkRead(key="k", target=EVE, external_id="SM1"),
    ShowTyping(key="k", target=EVE),
    AnswerButton(key="k", target=EVE, postback_id="1"),
]


@pytest.mark.parametrize("outbound", REFUSED, ids=range(len(REFUSED)))
async def test_what_a_number_cannot_carry_is_refused_before_any_call(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, outbound: Outbound
) -> None:
    with pytest.raises(PermanentError):
        await deliver(twilio, outbound, desk)
    assert simulator.ledger.entries == []


async def test_every_declared_kind_is_sent_by_a_test_above(twilio: Twilio) -> None:
    tested = {kind for _, message, _ in MESSAGES for kind in message.kinds()}
    assert tested == twilio.capabilities.sends


async def test_a_file_that_the_application_does_not_hold_is_never_sent(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError, match="there is no file"):
        await deliver(twilio, say(parts=(Media(kind=Kind.IMAGE, ref="gone"),)), desk)
    assert simulator.ledger.entries == []


async def test_a_rate_limit_tells_how_long_and_what_has_to_wait(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.RATE_LIMITED, retry_after=7)
    with pytest.raises(RetryableError) as raised:
        await deliver(twilio, say("hello"), desk)
    assert (raised.value.retry_after, raised.value.scope) == (7, RateScope.CONNECTION)


# Lost answers


async def lost(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, fault: FaultKind, message: SendMessage
) -> Call:
    (call,) = twilio.compose(message)
    simulator.faults.add(fault)
    with pytest.raises(AmbiguousError):
        await twilio.send(call, desk)
    return call


@pytest.mark.parametrize("message", [say("hello"), say(parts=(PDF,))], ids=["text", "file"])
async def test_a_message_whose_answer_was_lost_is_found_in_the_list(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, clock: FakeClock, message: SendMessage
) -> None:
    await deliver(twilio, message, desk)
    await clock.advance(3600)
    call = await lost(twilio, simulator, desk, FaultKind.LOST, message)
    await clock.advance(30)
    assert await twilio.reconcile(call, desk) == Accepted(Receipt((simulator.ledger.taken[1].external_id,)))
    assert isinstance(await twilio.reconcile(call, desk), Unknown), "what is settled is forgotten"


async def test_one_that_was_never_taken_may_be_sent_again_once_it_would_be_listed(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, clock: FakeClock
) -> None:
    call = await lost(twilio, simulator, desk, FaultKind.LOST_UNTAKEN, say("hello"))
    assert await twilio.reconcile(call, desk) == Unknown("it may not be listed yet")
    await clock.advance(61)
    assert await twilio.reconcile(call, desk) == NotTaken()
    assert await twilio.send(call, desk) == Receipt((simulator.ledger.taken[0].external_id,))


async def test_one_of_another_text_at_that_moment_is_no_proof_either_way(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services, clock: FakeClock
) -> None:
    """Twilio changes some texts: it puts words before those of a trial account."""
    call = await lost(twilio, simulator, desk, FaultKind.LOST, say("hello"))
    simulator.messages[0]["body"] = "Sent from a trial account - hello"
    await clock.advance(61)
    assert isinstance(await twilio.reconcile(call, desk), Unknown)


async def test_a_status_settles_a_lost_answer_too(twilio: Twilio, simulator: TwilioSimulator, desk: Services) -> None:
    call = await lost(twilio, simulator, desk, FaultKind.LOST, say("hello"))
    (event,) = twilio.parse(simulator.webhooks[0]).events
    assert isinstance(event, StatusChanged)
    assert (event.reference, event.external_id) == (call.key, simulator.ledger.taken[0].external_id)


# Answers


class Scripted:
    """An HTTP client that answers everything with one answer."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.answer = HttpResponse(status, headers or {}, body)

    async def request(self, *_: Any, **__: Any) -> HttpResponse:
        return self.answer


def refusal(code: int, message: str = "no") -> bytes:
    return orjson.dumps({"code": code, "message": message, "more_info": "https://…", "status": 400})


CLASSES: dict[type[SendError], tuple[int, ...]] = {
    RetryableError: (
        *(20429, 14107, 30001, 30022, 63018, 63017, 30023, 30027, 63038),
        *(30008, 30017, 30410, 63012, 63009, 63010),
    ),
    RecipientError: (21610, 30004, 63014, 63033, 21211, 21612, 21614, 30003, 30005, 30006, 63003, 63024),
    WindowClosedError: (63016,),
    AuthError: (20003, 20404, 21606, 21408, 21608, 30002, 30032, 63007),
    PermanentError: (21617, 30007, 30019, 30011, 63005, 63019, 63027, 63028, 63029, 63032),
}
ANSWERS: list[tuple[int, bytes, type[SendError], str]] = [
    *((400, refusal(code), kind, str(code)) for kind, codes in CLASSES.items() for code in codes),
    (400, refusal(99999), PermanentError, "99999"),
    (401, b"", AuthError, "401"),
    (403, b"<html>", AuthError, "403"),
    (404, b"{}", PermanentError, "404"),
    (429, b"", RetryableError, "429"),
    (500, b"", RetryableError, "500"),
    (503, refusal(20503), RetryableError, "20503"),
    (400, b'{"code":"x"}', PermanentError, "400"),
    (201, b"<html>", AmbiguousError, "unreadable"),
    (201, b"{}", AmbiguousError, "unreadable"),
    (201, b'{"sid":null}', AmbiguousError, "unreadable"),
    (201, b"[]", AmbiguousError, "unreadable"),
]


@pytest.mark.parametrize(("status", "body", "error", "code"), ANSWERS)
async def test_each_answer_of_twilios_is_one_class_of_error(
    twilio: Twilio, status: int, body: bytes, error: type[SendError], code: str
) -> None:
    http: Any = Scripted(status, body)
    with pytest.raises(SendError) as raised:
        await deliver(twilio, say("hello"), services(http=http))
    assert type(raised.value) is error
    assert raised.value.code == code


async def test_every_code_of_the_table_is_tested() -> None:
    assert set(CODES) == {code for codes in CLASSES.values() for code in codes}


@pytest.mark.parametrize(
    ("status", "code", "headers", "seconds", "scope"),
    [
        (429, 20429, {"retry-after": "9"}, 9.0, RateScope.CONNECTION),
        (429, 20429, {}, None, RateScope.CONNECTION),
        (429, 0, {"retry-after": "9"}, 9.0, RateScope.CONNECTION),
        (400, 30023, {}, 86_400.0, RateScope.CONNECTION),
        (400, 63017, {}, None, RateScope.RECIPIENT),
        (400, 30008, {}, None, None),
        (503, 0, {"retry-after": "9"}, 9.0, None),
    ],
)
async def test_how_long_to_wait_and_what_has_to_wait(
    twilio: Twilio, status: int, code: int, headers: dict[str, str], seconds: float | None, scope: RateScope | None
) -> None:
    http: Any = Scripted(status, refusal(code), headers)
    with pytest.raises(RetryableError) as raised:
        await deliver(twilio, say("hello"), services(http=http))
    assert (raised.value.retry_after, raised.value.scope) == (seconds, scope)


@pytest.mark.row("F10")
async def test_the_token_is_in_no_error_and_no_call(twilio: Twilio, simulator: TwilioSimulator) -> None:
    secret = Twilio(evolve(twilio.config, auth_token=(Secret("CANARY-0123"),)))
    assert "CANARY" not in repr(secret.compose(say("hello")))
    simulator.auth_token = "CANARY-0123"
    simulator.faults.add(FaultKind.LOST)
    clients: list[Any] = [AsgiHttp({ORIGIN: simulator.app}), AsgiHttp({}), Scripted(400, refusal(1, "CANARY-0123"))]
    for http in clients:
        with pytest.raises(SendError) as raised:
            await deliver(secret, say("hello"), services(http=http))
        assert "CANARY" not in "".join(traceback.format_exception(raised.value)) + repr(raised.value)


async def test_another_region_is_called_where_one_is_configured(twilio: Twilio, simulator: TwilioSimulator) -> None:
    api, messaging = "https://api.dublin.ie1.twilio.com", "https://messaging.dublin.ie1.twilio.com"
    abroad = Twilio(evolve(twilio.config, sender=WHATSAPP, base_url=f"{api}/", messaging_url=f"{messaging}/"))
    simulator.sender = WHATSAPP
    desk = services(http=AsgiHttp({api: simulator.app, messaging: simulator.app}))
    await deliver(abroad, say("hi", target=EVE_THERE), desk)
    await deliver(abroad, ShowTyping(key="k", target=EVE_THERE), desk)
    assert (len(simulator.ledger.taken), simulator.typing) == (1, ["SM9"])


async def test_statuses_that_come_before_the_answer_are_the_same(
    twilio: Twilio, simulator: TwilioSimulator, desk: Services
) -> None:
    posted: list[Any] = []

    async def post(request: Any) -> int:
        posted.append(twilio.parse(request).events[0])
        return 200

    simulator.post = post
    simulator.faults.add(FaultKind.EARLY_STATUS)
    (receipt,) = await deliver(twilio, say("hello"), desk)
    assert [event.status for event in posted] == ["queued", "sent", "delivered"]
    assert {event.external_id for event in posted} == set(receipt.external_ids)


async def test_only_typing_may_be_repeated_blindly() -> None:
    config = Twilio.Config(account_sid="AC1", auth_token=(Secret("t"),), sender=WHATSAPP)
    (typing,) = Twilio(config).compose(ShowTyping(key="k", target=EVE_THERE))
    (message,) = Twilio(config).compose(say("a", target=EVE_THERE))
    assert (typing.resend, message.resend) == (Resend.SAFE, None)
    assert timedelta(hours=24) == Twilio(config).capabilities.window
    assert MESSAGING in Twilio(config).origins
