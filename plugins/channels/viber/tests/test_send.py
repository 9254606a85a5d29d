"""What we send, against the simulated Viber."""

from collections.abc import Sequence
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
    Outbound,
    Postback,
    React,
    Receipt,
    Resend,
    SendMessage,
    ShowTyping,
    Status,
    StatusChanged,
    Sticker,
    Target,
    Template,
)
from channelry.secrets import Secret
from channelry.services import Services
from channelry_simulation import FaultKind
from channelry_testing import AsgiHttp, FakeClock, services
from channelry_viber.connection import ORIGIN
from channelry_viber.plugin import Viber
from channelry_viber.refusals import REFUSALS
from channelry_viber.simulator import ViberSimulator

pytestmark = pytest.mark.anyio

DI = Target(to=Address("viber", "di=="))


async def send(viber: Viber, desk: Services, outbound: Outbound) -> list[Receipt]:
    return [await viber.send(stored(call), desk) for call in viber.compose(outbound)]


def stored(call: Call) -> Call:
    """Take a call through its stored form: plain JSON."""
    return evolve(call, body=orjson.loads(orjson.dumps(call.body)))


def message(text: str = "", *parts: Any, **more: Any) -> SendMessage:
    return SendMessage(key="out-1", target=DI, text=text, parts=parts, **more)


def body(type: str, **content: Any) -> dict[str, Any]:
    return {"receiver": "di==", "sender": {"name": "Care"}, "type": type, **content}


def answering(answer: bytes, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = ()) -> Services:
    """Give services to a Viber that answers everything the same."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return services(http=AsgiHttp({ORIGIN: app}))


PICTURE = Media(kind=Kind.IMAGE, url="https://cdn.example/1.jpg", media_type="image/jpeg")
VIDEO = Media(kind=Kind.VIDEO, url="https://cdn.example/v.mp4", size=900, seconds=6.6)
BILL = Media(kind=Kind.DOCUMENT, url="https://cdn.example/b", name="bill.pdf", size=900)
SONG = Media(kind=Kind.AUDIO, url="https://cdn.example/my%20song.mp3?x=1", size=900)
NOTE = Media(kind=Kind.VOICE, url="https://cdn.example/n", name="note.ogg", size=900)
SHOP = Location(latitude=40.5, longitude=23, name="Shop", address="1 Main St")
CARD = Contact(name="Gus P", phones=("+30 210",))
YES, NO = Button(title="Yes", payload="order-7:y"), Button(title="No", payload="order-7:n")
OPEN = Button(title="Open", url="https://shop.example")


def keys(*buttons: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{"Columns": 6, "Rows": 1, "ActionType": one, "ActionBody": two, "Text": text} for one, two, text in buttons]


KEYS = keys(("reply", "Yes", "Yes"), ("open-url", "https://shop.example", "Open"))
KEYBOARD = {"Type": "keyboard", "DefaultHeight": False, "Buttons": KEYS}
TRACKING = '{"buttons":{"Yes":"order-7:y"}}'

CASES: list[tuple[str, Outbound, list[dict[str, Any]]]] = [
    ("text", message(" hi 😀 "), [body("text", text="hi 😀")]),
    ("picture", message("", PICTURE), [body("picture", media=PICTURE.url, text="")]),
    ("caption", message("look", PICTURE), [body("picture", media=PICTURE.url, text="look")]),
    (
        "a text too long for a caption goes before",
        message("x" * 513, PICTURE),
        [body("text", text="x" * 513), body("picture", media=PICTURE.url, text="")],
    ),
    (
        "video, which has no caption",
        message("look", VIDEO),
        [body("text", text="look"), body("video", media=VIDEO.url, size=900, duration=7)],
    ),
    (
        "long video, whose length Viber would not take",
        message("", evolve(VIDEO, seconds=181)),
        [body("video", media=VIDEO.url, size=900)],
    ),
    ("document", message("", BILL), [body("file", media=BILL.url, size=900, file_name="bill.pdf")]),
    ("audio", message("", SONG), [body("file", media=SONG.url, size=900, file_name="my song.mp3")]),
    ("voice", message("", NOTE), [body("file", media=NOTE.url, size=900, file_name="note.ogg")]),
    ("sticker", message("", Sticker(id="40133")), [body("sticker", sticker_id=40133)]),
    (
        "location, whose name goes as text",
        message("", SHOP),
        [body("text", text="Shop\n1 Main St"), body("location", location={"lat": 40.5, "lon": 23})],
    ),
    ("contact", message("", CARD), [body("contact", contact={"name": "Gus P", "phone_number": "+30 210"})]),
    (
        "buttons",
        message("Sure?", buttons=(YES, OPEN)),
        [body("text", text="Sure?", keyboard=KEYBOARD, tracking_data=TRACKING)],
    ),
    (
        "buttons below a file",
        message("Sure?", BILL, buttons=(YES, OPEN)),
        [
            body("text", text="Sure?"),
            body("file", media=BILL.url, size=900, file_name="bill.pdf", keyboard=KEYBOARD, tracking_data=TRACKING),
        ],
    ),
]


@pytest.mark.parametrize(("outbound", "bodies"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_each_kind_is_sent_as_viber_wants_it(
    viber: Viber, simulator: ViberSimulator, desk: Services, outbound: Outbound, bodies: list[dict[str, Any]]
) -> None:
    receipts = await send(viber, desk, outbound)
    assert [taken.body for taken in simulator.ledger.taken] == bodies
    assert [receipt.external_ids for receipt in receipts] == [(taken.external_id,) for taken in simulator.ledger.taken]


async def test_buttons_stand_on_a_card_where_that_is_configured(
    cards: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    """After the files; what is too long for a card goes before it."""
    await send(cards, desk, message("word " * 60, PICTURE, buttons=(YES, OPEN)))
    text, picture, card = (taken.body for taken in simulator.ledger.taken)
    assert (text["type"], picture["type"], picture["text"]) == ("text", "picture", "")
    assert f"{text['text']} {card['alt_text']}" == ("word " * 60).strip()
    assert card == body(
        "rich_media",
        alt_text=card["alt_text"],
        min_api_version=7,
        tracking_data=TRACKING,
        rich_media={
            "Type": "rich_media",
            "ButtonsGroupColumns": 6,
            "ButtonsGroupRows": 4,
            "Buttons": [
                {"Columns": 6, "Rows": 2, "ActionType": "none", "ActionBody": "none", "Text": card["alt_text"]},
                *KEYS,
            ],
        },
    )


def test_a_card_has_fewer_buttons_than_a_keyboard(viber: Viber, cards: Viber) -> None:
    six = message("Which?", buttons=tuple(Button(title=str(n), payload=str(n)) for n in range(6)))
    assert len(viber.compose(six)) == 1
    with pytest.raises(PermanentError):
        cards.compose(six)


async def test_a_tapped_button_comes_back_as_its_payload(
    viber: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    """Through tracking_data, which Viber returns with the customer's answer."""
    await send(viber, desk, message("Sure?", buttons=(YES, NO)))
    tracking = simulator.ledger.taken[0].body["tracking_data"]
    tap = simulator.write("di==", type="text", text="No", tracking_data=tracking)
    (event,) = viber.parse(tap).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.parts) == ("", (Postback(payload="order-7:n", title="No"),))


async def test_a_long_text_is_split_and_each_piece_has_its_own_key(
    viber: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    text = "word " * 3000
    await send(viber, desk, message(text))
    pieces = [taken.text for taken in simulator.ledger.taken]
    assert len(pieces) == 3
    assert all(len(piece) <= 7000 for piece in pieces)
    assert " ".join(pieces) == text.strip()
    assert [call.key for call in viber.compose(message(text))] == ["out-1:0", "out-1:1", "out-1:2"]


async def test_a_file_of_the_application_goes_by_a_link(
    viber: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    await send(viber, desk, message("", Media(kind=Kind.DOCUMENT, ref="bill", name="bill.pdf", size=9)))
    (taken,) = simulator.ledger.taken
    assert taken.body["media"] == "https://files.example.com/bill"


async def test_a_file_that_the_application_has_lost_is_a_permanent_error(
    viber: Viber, simulator: ViberSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError):
        await send(viber, desk, message("", Media(kind=Kind.IMAGE, ref="gone")))
    assert not simulator.ledger.entries


async def test_the_avatar_goes_along_where_there_is_one(simulator: ViberSimulator, desk: Services) -> None:
    avatar = "https://care.example.com/a.png"
    token = (Secret(simulator.auth_token),)
    viber = Viber(Viber.Config(auth_token=token, sender_name="Care", sender_avatar=avatar))
    await send(viber, desk, message("hi"))
    assert simulator.ledger.taken[0].body["sender"] == {"name": "Care", "avatar": avatar}


REFUSED: Sequence[Outbound] = (
    Edit(key="k", target=DI, external_id="1", text="x"),
    Delete(key="k", target=DI, external_id="1"),
    Hide(key="k", target=DI, external_id="1"),
    React(key="k", target=DI, external_id="1", emoji="👍"),
    MarkRead(key="k", target=DI, external_id="1"),
    ShowTyping(key="k", target=DI),
    AnswerButton(key="k", target=DI, postback_id="p"),
    message(),
    message("  "),
    message("", buttons=(YES,)),
    message("hi", template=Template(name="t", language="en")),
    message("hi", buttons=(YES,) * 2),
    message("hi", buttons=tuple(Button(title=str(n), payload="x") for n in range(13))),
    message("hi", buttons=(Button(title="x" * 101, payload="y"),)),
    message("hi", buttons=(Button(title="x", payload="y" * 201),)),
    message("hi", buttons=tuple(Button(title=f'{n}"' + "\\" * 98, payload='"' * 200) for n in range(12))),
    message("hi", buttons=(Button(title="x"),)),
    message("\x01" * 6000),
    message("", evolve(PICTURE, media_type="image/webp")),
    message("", evolve(PICTURE, size=1_000_001)),
    message("", evolve(VIDEO, size=26_000_001)),
    message("", evolve(VIDEO, size=None)),
    message("", evolve(BILL, size=50_000_001)),
    message("", evolve(BILL, name="bill")),
    message("", evolve(BILL, name="x" * 253 + ".pdf")),
    message("", Media(kind=Kind.IMAGE, id="7")),
    message("", Media(kind=Kind.IMAGE)),
    message("", Media(kind=Kind.STICKER, url="https://cdn.example/s.png")),
    message("", Sticker(id="ours")),
    message("", Sticker(id="", media=Media(kind=Kind.STICKER, url="https://cdn.example/s.png"))),
    message("", Contact(name="Gus")),
    message("", Contact(name="x" * 29, phones=("1",))),
    message("", Contact(name="Gus", phones=("1" * 19,))),
)


@pytest.mark.parametrize("outbound", REFUSED)
async def test_what_viber_cannot_carry_is_refused_before_any_request(
    viber: Viber, simulator: ViberSimulator, desk: Services, outbound: Outbound
) -> None:
    with pytest.raises(PermanentError):
        await send(viber, desk, outbound)
    assert not simulator.ledger.entries


def test_a_card_without_a_text_is_refused(cards: Viber) -> None:
    with pytest.raises(PermanentError):
        cards.compose(message("", PICTURE, buttons=(YES,)))


async def test_who_does_not_answer_gets_a_hundred_messages_an_hour(
    viber: Viber, simulator: ViberSimulator, desk: Services, clock: FakeClock
) -> None:
    """The next one waits, as all do that go to this person; an answer lets them through."""
    (rate,) = viber.capabilities.rates
    for _ in range(rate.count):
        await send(viber, desk, message("hi"))
    with pytest.raises(RetryableError) as raised:
        await send(viber, desk, message("hi"))
    assert (raised.value.code, raised.value.scope) == ("12", rate.scope)
    await clock.advance(rate.seconds)
    await send(viber, desk, message("hi"))
    simulator.message("di==", "yes?")
    for _ in range(rate.count):
        await send(viber, desk, message("hi"))


def test_a_lost_answer_is_parked(viber: Viber) -> None:
    """Viber takes no key of ours and cannot be asked, so there is nothing else to do."""
    assert viber.capabilities.resend is Resend.NEVER
    assert not hasattr(viber, "reconcile")


@pytest.mark.parametrize("status", sorted(REFUSALS))
async def test_each_status_of_the_table_becomes_its_error(viber: Viber, status: int) -> None:
    given = answering(orjson.dumps({"status": status, "status_message": "no\nway"}))
    with pytest.raises(SendError) as raised:
        await send(viber, given, message("hi"))
    assert (type(raised.value), raised.value.code) == (REFUSALS[status], str(status))
    assert str(raised.value) == "Viber: no\\x0away"
    scope = getattr(raised.value, "scope", None)
    assert scope == ("recipient" if status == 12 else None)


def test_the_table_has_all_that_viber_documents() -> None:
    assert set(REFUSALS) == set(range(1, 25))


async def test_a_status_that_nobody_knows_may_pass(viber: Viber) -> None:
    with pytest.raises(RetryableError):
        await send(viber, answering(b'{"status":99}'), message("hi"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, PermanentError),
        (400, PermanentError),
        (401, AuthError),
        (403, AuthError),
        (413, PermanentError),
        (429, RetryableError),
        (500, RetryableError),
        (502, RetryableError),
    ],
)
async def test_what_stands_before_viber_answers_by_http(viber: Viber, status: int, error: type[SendError]) -> None:
    with pytest.raises(SendError) as raised:
        await send(viber, answering(b"<html>", status, [(b"retry-after", b"7")]), message("hi"))
    assert (type(raised.value), raised.value.code) == (error, str(status))
    if isinstance(raised.value, RetryableError):
        assert raised.value.retry_after == 7


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'{"status":"0"}', b'{"status":0}',
                                    b'{"status":true}', b'{"status":0,"message_token":1.5}'])  # fmt: skip
async def test_a_success_without_a_token_is_ambiguous(viber: Viber, answer: bytes) -> None:
    with pytest.raises(AmbiguousError):
        await send(viber, answering(answer), message("hi"))


async def test_who_left_is_a_recipients_error(viber: Viber, simulator: ViberSimulator, desk: Services) -> None:
    simulator.event("unsubscribed", user_id="di==")
    with pytest.raises(RecipientError):
        await send(viber, desk, message("hi"))
    simulator.message("di==", "hi again")
    await send(viber, desk, message("hi"))


async def test_statuses_tell_how_far_a_call_has_got(viber: Viber, simulator: ViberSimulator, desk: Services) -> None:
    (receipt,) = await send(viber, desk, message("hi"))
    seen: list[StatusChanged] = []
    for webhook in simulator.webhooks:
        viber.verify(webhook)
        seen.extend(event for event in viber.parse(webhook).events if isinstance(event, StatusChanged))
    assert [status.status for status in seen] == [Status.DELIVERED, Status.READ]
    assert {status.external_id for status in seen} == set(receipt.external_ids)


async def test_a_status_may_come_before_the_answer(viber: Viber, simulator: ViberSimulator, desk: Services) -> None:
    seen = list[Any]()

    async def post(webhook: Any) -> int:
        viber.verify(webhook)
        seen.extend(viber.parse(webhook).events)
        return 200

    simulator.post = post
    simulator.faults.add(FaultKind.EARLY_STATUS)
    (receipt,) = await send(viber, desk, message("hi"))
    assert {event.external_id for event in seen} == set(receipt.external_ids)
