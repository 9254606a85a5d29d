"""What we send, against the simulated platform."""

from collections.abc import Sequence
from typing import Any

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
    Thread,
)
from channelry.secrets import Secret
from channelry.services import Services
from channelry_simulation import FaultKind
from channelry_testing import AsgiHttp, MemoryFiles, services
from channelry_whatsapp.plugin import WhatsApp
from channelry_whatsapp.refusals import REFUSALS
from channelry_whatsapp.simulator import WhatsAppSimulator

pytestmark = pytest.mark.anyio

ORIGIN = "https://graph.example"
ADA = Target(to=Address("whatsapp", "491700000001"), reply_to="wamid.IN1")
FILE = b"\xff\xd8 a picture"


@pytest.fixture
def simulator() -> WhatsAppSimulator:
    return WhatsAppSimulator()


@pytest.fixture
def given(simulator: WhatsAppSimulator) -> Services:
    return services(http=AsgiHttp({ORIGIN: simulator.app}), files=MemoryFiles({"file-1": FILE}))


def plugin(simulator: WhatsAppSimulator, **other: Any) -> WhatsApp:
    settings = {
        "phone_number_id": simulator.phone_number_id,
        "access_token": Secret(simulator.access_token),
        "app_secret": (Secret(simulator.app_secret),),
        "verify_token": Secret(simulator.verify_token),
        "waba_id": simulator.waba_id,
        "base_url": ORIGIN,
    }
    return WhatsApp(WhatsApp.Config(**{**settings, **other}))


async def send(simulator: WhatsAppSimulator, given: Services, outbound: Outbound) -> list[Receipt]:
    channel = plugin(simulator)
    return [await channel.send(stored(call), given) for call in channel.compose(outbound)]


def stored(call: Call) -> Call:
    """Take a call through its stored form: plain JSON."""
    return evolve(call, body=orjson.loads(orjson.dumps(call.body)))


def message(text: str = "", *parts: Any, target: Target = ADA, **more: Any) -> SendMessage:
    return SendMessage(key="out-1", target=target, text=text, parts=parts, **more)


def body(type: str, content: Any, key: str = "out-1:0", **more: Any) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "491700000001",
        "biz_opaque_callback_data": key,
        "type": type,
        type: content,
        **more,
    }


def template_of(*components: Any) -> dict[str, Any]:
    filled = {"components": list(components)} if components else {}
    return body("template", {"name": "t", "language": {"code": "en", "policy": "deterministic"}, **filled})


def button_of(sub_type: str, index: int, parameter: dict[str, str]) -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [parameter]}


CHOICES = tuple(Button(title=f"Choice {n}", payload=f"c{n}") for n in range(10))
IMAGE = Media(kind=Kind.IMAGE, url="https://cdn.example/1.jpg", media_type="image/jpeg")
LINK = {"link": "https://cdn.example/1.jpg"}
CARD = Contact(name="Gus P", phones=("+30 210",), emails=("gus@example.com",), organisation="Acme")
ASK = {"text": "Sure?"}
YES, NO = Button(title="Yes", payload="y"), Button(title="No", payload="n")
OPEN = Button(title="Open", url="https://shop.example")

CASES: list[tuple[str, Outbound, list[dict[str, Any]]]] = [
    ("text", message("hi \U0001f600"), [body("text", {"body": "hi \U0001f600"})]),
    ("quote", message("hi", quote=True), [body("text", {"body": "hi"}, context={"message_id": "wamid.IN1"})]),
    ("image by link", message("", IMAGE), [body("image", LINK)]),
    ("caption", message("look", IMAGE), [body("image", {**LINK, "caption": "look"})]),
    (
        "caption on the first file only, quoted once",
        message("look", IMAGE, IMAGE, quote=True),
        [
            body("image", {**LINK, "caption": "look"}, context={"message_id": "wamid.IN1"}),
            body("image", LINK, "out-1:1"),
        ],
    ),
    (
        "a text too long for a caption goes before",
        message("x" * 1025, IMAGE),
        [body("text", {"body": "x" * 1025}), body("image", LINK, "out-1:1")],
    ),
    (
        "audio has no caption",
        message("listen", Media(kind=Kind.AUDIO, url="https://cdn.example/a.mp3", media_type="audio/mpeg")),
        [body("text", {"body": "listen"}), body("audio", {"link": "https://cdn.example/a.mp3"}, "out-1:1")],
    ),
    (
        "voice",
        message("", Media(kind=Kind.VOICE, url="https://cdn.example/v", media_type="audio/ogg; codecs=opus")),
        [body("audio", {"link": "https://cdn.example/v", "voice": True})],
    ),
    (
        "video",
        message("", Media(kind=Kind.VIDEO, url="https://cdn.example/v.mp4")),
        [body("video", {"link": "https://cdn.example/v.mp4"})],
    ),
    (
        "document",
        message("the bill", Media(kind=Kind.DOCUMENT, url="https://cdn.example/b", name="bill.pdf")),
        [body("document", {"link": "https://cdn.example/b", "caption": "the bill", "filename": "bill.pdf"})],
    ),
    (
        "sticker",
        message("", Sticker(id="", media=Media(kind=Kind.STICKER, url="https://cdn.example/s.webp"))),
        [body("sticker", {"link": "https://cdn.example/s.webp"})],
    ),
    (
        "location",
        message("", Location(latitude=40.5, longitude=23, name="Shop")),
        [body("location", {"latitude": 40.5, "longitude": 23, "name": "Shop"})],
    ),
    (
        "contact",
        message("", CARD),
        [
            body(
                "contacts",
                [
                    {
                        "name": {"formatted_name": "Gus P", "first_name": "Gus P"},
                        "phones": [{"phone": "+30 210", "type": "CELL"}],
                        "emails": [{"email": "gus@example.com", "type": "WORK"}],
                        "org": {"company": "Acme"},
                    }
                ],
            )
        ],
    ),
    (
        "reply buttons",
        message("Sure?", buttons=(YES, NO)),
        [
            body(
                "interactive",
                {
                    "type": "button",
                    "body": ASK,
                    "action": {
                        "buttons": [
                            {"type": "reply", "reply": {"id": "y", "title": "Yes"}},
                            {"type": "reply", "reply": {"id": "n", "title": "No"}},
                        ]
                    },
                },
            )
        ],
    ),
    (
        "a button that opens a link, after the file",
        message("Sure?", IMAGE, buttons=(OPEN,)),
        [
            body("image", LINK),
            body(
                "interactive",
                {
                    "type": "cta_url",
                    "body": ASK,
                    "action": {
                        "name": "cta_url",
                        "parameters": {"display_text": "Open", "url": "https://shop.example"},
                    },
                },
                "out-1:1",
            ),
        ],
    ),
    (
        "list",
        message("Which?", buttons=CHOICES),
        [
            body(
                "interactive",
                {
                    "type": "list",
                    "body": {"text": "Which?"},
                    "action": {
                        "button": "Menu",
                        "sections": [{"rows": [{"id": f"c{n}", "title": f"Choice {n}"} for n in range(10)]}],
                    },
                },
            )
        ],
    ),
    (
        "a question where the customer is",
        message("Sure?", buttons=(Button(title="Send", url="geo:"),)),
        [body("interactive", {"type": "location_request_message", "body": ASK, "action": {"name": "send_location"}})],
    ),
    (
        "template, filled by options",
        message(template=Template(name="t", language="en", options={"header": "7", "url:1": "o/7", "code:0": "SAVE"})),
        [
            template_of(
                {"type": "header", "parameters": [{"type": "text", "text": "7"}]},
                button_of("copy_code", 0, {"type": "coupon_code", "coupon_code": "SAVE"}),
                button_of("url", 1, {"type": "text", "text": "o/7"}),
            )
        ],
    ),
    (
        "template, filled by a part and by buttons",
        message("", IMAGE, template=Template(name="t", language="en", values=("Ada",)), buttons=(YES, OPEN)),
        [
            template_of(
                {"type": "header", "parameters": [{"type": "image", "image": LINK}]},
                {"type": "body", "parameters": [{"type": "text", "text": "Ada"}]},
                button_of("quick_reply", 0, {"type": "payload", "payload": "y"}),
                button_of("url", 1, {"type": "text", "text": "https://shop.example"}),
            )
        ],
    ),
    ("template without anything to fill", message(template=Template(name="t", language="en")), [template_of()]),
    (
        "template",
        message(template=Template(name="hello", language="en_US", values=("Ada", "7"))),
        [
            body(
                "template",
                {
                    "name": "hello",
                    "language": {"code": "en_US", "policy": "deterministic"},
                    "components": [
                        {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "7"}]}
                    ],
                },
            )
        ],
    ),
    (
        "reaction",
        React(key="out-1", target=ADA, external_id="wamid.IN1", emoji="👍"),
        [body("reaction", {"message_id": "wamid.IN1", "emoji": "👍"})],
    ),
    (
        "reaction taken back",
        React(key="out-1", target=ADA, external_id="wamid.IN1", emoji=""),
        [body("reaction", {"message_id": "wamid.IN1", "emoji": ""})],
    ),
]


@pytest.mark.parametrize(("outbound", "bodies"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_each_kind_is_sent_as_whatsapp_wants_it(
    simulator: WhatsAppSimulator, given: Services, outbound: Outbound, bodies: list[dict[str, Any]]
) -> None:
    receipts = await send(simulator, given, outbound)
    assert [taken.body for taken in simulator.ledger.taken] == bodies
    assert [receipt.external_ids for receipt in receipts] == [(taken.external_id,) for taken in simulator.ledger.taken]


async def test_a_long_text_is_split_and_each_piece_has_its_own_key(
    simulator: WhatsAppSimulator, given: Services
) -> None:
    text = "word " * 2000
    await send(simulator, given, message(text))
    pieces = [taken.text for taken in simulator.ledger.taken]
    assert len(pieces) == 3
    assert all(len(piece) <= 4096 for piece in pieces)
    assert " ".join(pieces) == text.strip()
    keys = [taken.body["biz_opaque_callback_data"] for taken in simulator.ledger.taken]
    assert keys == ["out-1:0", "out-1:1", "out-1:2"]


async def test_buttons_stand_under_the_last_piece_of_a_long_text(simulator: WhatsAppSimulator, given: Services) -> None:
    await send(simulator, given, message("word " * 300, buttons=(YES,)))
    assert [taken.body["type"] for taken in simulator.ledger.taken] == ["text", "interactive"]


TITLES = [
    ((Button(title="x" * 20, payload="y"),), "button"),
    ((Button(title="x" * 20, url="https://shop.example"),), "cta_url"),
    ((Button(title="x" * 24, url="geo:"),), "location_request_message"),
    ((Button(title="x" * 24, payload="y"),) * 4, "list"),
]


@pytest.mark.parametrize(("buttons", "kind"), TITLES)
async def test_titles_are_as_long_as_where_they_stand(
    simulator: WhatsAppSimulator, given: Services, buttons: tuple[Button, ...], kind: str
) -> None:
    await send(simulator, given, message("Sure?", buttons=buttons))
    assert simulator.ledger.taken[0].body["interactive"]["type"] == kind


@pytest.mark.parametrize(("buttons", "kind"), TITLES)
def test_a_longer_title_is_refused(simulator: WhatsAppSimulator, buttons: tuple[Button, ...], kind: str) -> None:
    longer = tuple(evolve(button, title=f"{button.title}x") for button in buttons)
    with pytest.raises(PermanentError) as raised:
        plugin(simulator).compose(message("Sure?", buttons=longer))
    assert raised.value.code == "button_title"


@pytest.mark.parametrize(
    ("to", "named"),
    [
        (Address("whatsapp", "491700000001"), {"to": "491700000001"}),
        (Address("phone", "+491700000001"), {"to": "491700000001"}),
        (Address("phone", "+49 (170) 000-0001"), {"to": "491700000001"}),
        (Address("whatsapp", "DE.7f3a"), {"recipient": "DE.7f3a"}),
    ],
)
async def test_a_person_is_named_by_number_or_by_user_id(
    simulator: WhatsAppSimulator, given: Services, to: Address, named: dict[str, str]
) -> None:
    await send(simulator, given, message("hi", target=Target(to=to)))
    (taken,) = simulator.ledger.taken
    assert {name: taken.body[name] for name in ("to", "recipient") if name in taken.body} == named


async def test_an_agent_writes_first_to_a_phone_number_by_a_template(
    simulator: WhatsAppSimulator, given: Services
) -> None:
    """The answer tells the address that the customer will write from."""
    capabilities, stranger = plugin(simulator).capabilities, Target(to=Address("phone", "+491700000009"))
    assert (capabilities.initiates, capabilities.schemes) == (True, ("whatsapp", "phone"))
    first = message(template=Template(name="t", language="en"), target=stranger)
    capabilities.admit(first, given.clock.now())
    with pytest.raises(WindowClosedError):
        capabilities.admit(message("hi", target=stranger), given.clock.now())
    (receipt,) = await send(simulator, given, first)
    (event,) = plugin(simulator).parse(simulator.message("491700000009", "who is it?")).events
    assert isinstance(event, MessageReceived)
    assert receipt.address == event.sender.address


async def test_a_group_is_answered_in_the_group(simulator: WhatsAppSimulator, given: Services) -> None:
    target = Target(to=Address("whatsapp", "G7"), thread=Thread(root="G7"))
    (call,) = plugin(simulator).compose(message("hi", target=target))
    assert call.group
    await plugin(simulator).send(call, given)
    (taken,) = simulator.ledger.taken
    assert (taken.body["recipient_type"], taken.body["to"]) == ("group", "G7")


async def test_a_read_mark_has_no_id_and_no_reference(simulator: WhatsAppSimulator, given: Services) -> None:
    (receipt,) = await send(simulator, given, MarkRead(key="out-1", target=ADA, external_id="wamid.IN1"))
    assert receipt == Receipt()
    assert orjson.loads(simulator.ledger.entries[0].body) == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.IN1",
    }
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    "mark", [MarkRead(key="out-1", target=ADA, external_id="m"), ShowTyping(key="out-1", target=ADA)]
)
def test_a_mark_may_be_made_again_and_a_reaction_is_waited_for(simulator: WhatsAppSimulator, mark: Outbound) -> None:
    """No status ever tells of a mark, and one made twice is as good as one."""
    (call,) = plugin(simulator).compose(mark)
    assert call.resend is Resend.SAFE
    (call,) = plugin(simulator).compose(React(key="out-2", target=ADA, external_id="m", emoji="👍"))
    assert call.resend is None


async def test_typing_is_shown_for_the_message_that_is_answered(simulator: WhatsAppSimulator, given: Services) -> None:
    await send(simulator, given, ShowTyping(key="out-1", target=ADA))
    (entry,) = simulator.ledger.entries
    assert entry.status == 200
    assert orjson.loads(entry.body)["typing_indicator"] == {"type": "text"}
    assert orjson.loads(entry.body)["message_id"] == "wamid.IN1"


def test_typing_ends_by_itself(simulator: WhatsAppSimulator) -> None:
    assert plugin(simulator).compose(ShowTyping(key="out-1", target=ADA, on=False)) == []


async def test_a_file_is_uploaded_first_and_then_named_by_its_id(simulator: WhatsAppSimulator, given: Services) -> None:
    picture = Media(kind=Kind.IMAGE, ref="file-1", media_type="image/jpeg", name="cat.jpg")
    await send(simulator, given, message("look", picture))
    assert [entry.path for entry in simulator.ledger.entries] == ["/v26.0/2002/media", "/v26.0/2002/messages"]
    (media_id,) = simulator.media
    assert simulator.media[media_id] == ("image/jpeg", FILE)
    (taken,) = simulator.ledger.taken
    assert taken.body["image"] == {"id": media_id, "caption": "look"}


async def test_a_file_that_the_application_has_lost_is_a_permanent_error(
    simulator: WhatsAppSimulator, given: Services
) -> None:
    with pytest.raises(PermanentError):
        await send(simulator, given, message("", Media(kind=Kind.IMAGE, ref="gone", media_type="image/png")))
    assert not simulator.ledger.taken


async def test_the_file_of_a_templates_header_is_uploaded_first(simulator: WhatsAppSimulator, given: Services) -> None:
    bill = Media(kind=Kind.DOCUMENT, ref="file-1", media_type="application/pdf", name="bill.pdf")
    await send(simulator, given, message("", bill, template=Template(name="t", language="en")))
    (taken,), (media_id,) = simulator.ledger.taken, simulator.media
    (header,) = taken.body["template"]["components"]
    assert header["parameters"] == [{"type": "document", "document": {"filename": "bill.pdf", "id": media_id}}]


async def test_the_button_of_a_list_is_named_by_the_configuration(simulator: WhatsAppSimulator) -> None:
    (call,) = plugin(simulator, menu="Auswahl").compose(message("Which?", buttons=CHOICES[:4]))
    assert call.body["interactive"]["action"]["button"] == "Auswahl"


async def test_a_file_that_is_too_large_is_refused_by_the_platform(simulator: WhatsAppSimulator) -> None:
    """Where the size was not known before."""
    large = services(http=AsgiHttp({ORIGIN: simulator.app}), files=MemoryFiles({"file-1": bytes(500 * 1024 + 1)}))
    with pytest.raises(PermanentError) as raised:
        await send(simulator, large, message("", Media(kind=Kind.STICKER, ref="file-1", media_type="image/webp")))
    assert raised.value.code == "100"
    assert not simulator.media


ACTIONS: Sequence[Outbound] = (
    Edit(key="k", target=ADA, external_id="wamid.OUT1", text="x"),
    Delete(key="k", target=ADA, external_id="wamid.OUT1"),
    Hide(key="k", target=ADA, external_id="wamid.OUT1"),
    AnswerButton(key="k", target=ADA, postback_id="p"),
)
REFUSED: Sequence[Outbound] = (
    *ACTIONS,
    message(),
    message("  "),
    message("hi", buttons=(YES,) * 11),
    message("hi", buttons=(*[YES] * 3, OPEN)),
    message("hi", buttons=(Button(title="x" * 21, payload="y"),)),
    message("hi", buttons=(Button(title="x", payload="y" * 201),)),
    message("hi", buttons=(Button(title="x"),)),
    message("hi", buttons=(YES, OPEN)),
    message("", IMAGE, buttons=(YES,)),
    message("", Media(kind=Kind.IMAGE, url="https://cdn.example/1.gif", media_type="image/gif")),
    message("", Media(kind=Kind.IMAGE, ref="r", media_type="image/png", size=5 * 1024 * 1024 + 1)),
    message("", Media(kind=Kind.IMAGE, ref="r")),
    message("", Media(kind=Kind.IMAGE)),
    message("hi", template=Template(name="t", language="en")),
    *(message(template=Template(name="t", language="en", options={name: "x"})) for name in ("colour", "url", "url:x")),
    message("", IMAGE, IMAGE, template=Template(name="t", language="en")),
    message("", IMAGE, template=Template(name="t", language="en", options={"header": "7"})),
    message("", CARD, template=Template(name="t", language="en")),
    message("", Media(kind=Kind.AUDIO, id="7"), template=Template(name="t", language="en")),
    ShowTyping(key="k", target=Target(to=ADA.to)),
)


@pytest.mark.parametrize("outbound", REFUSED)
async def test_what_whatsapp_cannot_carry_is_refused_before_any_request(
    simulator: WhatsAppSimulator, given: Services, outbound: Outbound
) -> None:
    with pytest.raises(PermanentError):
        await send(simulator, given, outbound)
    assert not simulator.ledger.entries


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (FaultKind.RATE_LIMITED, RetryableError, "130429"),
        (FaultKind.UNAVAILABLE, RetryableError, "131016"),
        (FaultKind.WINDOW_CLOSED, WindowClosedError, "131047"),
        (FaultKind.BLOCKED, RecipientError, "131026"),
        (FaultKind.LOST, AmbiguousError, "answer_lost"),
        (FaultKind.LOST_UNTAKEN, AmbiguousError, "answer_lost"),
    ],
)
async def test_each_fault_becomes_its_error(
    simulator: WhatsAppSimulator, given: Services, fault: FaultKind, error: type[SendError], code: str
) -> None:
    simulator.faults.add(fault, retry_after=7)
    with pytest.raises(SendError) as raised:
        await send(simulator, given, message("hi"))
    assert (type(raised.value), raised.value.code) == (error, code)
    if fault is FaultKind.RATE_LIMITED:
        assert isinstance(raised.value, RetryableError)
        assert raised.value.retry_after == 7
    await send(simulator, given, message("hi"))


async def test_an_answer_that_was_lost_is_settled_by_the_status_that_bears_our_key(
    simulator: WhatsAppSimulator, given: Services
) -> None:
    simulator.faults.add(FaultKind.LOST)
    with pytest.raises(AmbiguousError):
        await send(simulator, given, message("hi"))
    channel = plugin(simulator)
    seen: list[StatusChanged] = []
    for webhook in simulator.webhooks:
        channel.verify(webhook)
        seen.extend(event for event in channel.parse(webhook).events if isinstance(event, StatusChanged))
    assert [status.reference for status in seen] == ["out-1:0"] * 3
    assert [status.status for status in seen] == [Status.SENT, Status.DELIVERED, Status.READ]
    assert {status.external_id for status in seen} == {simulator.ledger.taken[0].external_id}


async def test_a_status_may_come_before_the_answer(simulator: WhatsAppSimulator, given: Services) -> None:
    channel, seen = plugin(simulator), list[Any]()

    async def post(webhook: Any) -> int:
        channel.verify(webhook)
        seen.extend(channel.parse(webhook).events)
        return 200

    simulator.post = post
    simulator.faults.add(FaultKind.EARLY_STATUS)
    (call,) = channel.compose(message("hi"))
    receipt = await channel.send(call, given)
    assert len(seen) == 3
    assert {event.external_id for event in seen if isinstance(event, StatusChanged)} == set(receipt.external_ids)


async def test_an_upload_whose_answer_is_lost_may_be_tried_again(simulator: WhatsAppSimulator) -> None:
    """A preparatory request never makes a call ambiguous."""

    async def breaks_off(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    broken = services(http=AsgiHttp({ORIGIN: breaks_off}), files=MemoryFiles({"file-1": FILE}))
    with pytest.raises(RetryableError):
        await send(simulator, broken, message("", Media(kind=Kind.IMAGE, ref="file-1", media_type="image/png")))
    with pytest.raises(RetryableError):
        await send(simulator, broken, MarkRead(key="k", target=ADA, external_id="wamid.IN1"))
    with pytest.raises(AmbiguousError):
        await send(simulator, broken, message("hi"))


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'{"messages":[]}', b'{"messages":[{"id":1.5}]}'])
async def test_a_success_without_an_id_is_ambiguous(simulator: WhatsAppSimulator, answer: bytes) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    with pytest.raises(AmbiguousError):
        await send(simulator, services(http=AsgiHttp({ORIGIN: app})), message("hi"))


GROUP = Target(to=Address("whatsapp", "G7"), thread=Thread(root="G7"))
NUMBER, USER = Target(to=Address("phone", "+55 11 98765-4321")), Target(to=Address("whatsapp", "DE.7f3a"))
NINTH = {"input": "5511987654321", "wa_id": "551187654321"}
"""A number of which WhatsApp knows an older form."""
WITH_USER = {"input": "49", "wa_id": "49", "user_id": "DE.7f3a"}


@pytest.mark.parametrize(
    ("target", "contact", "told"),
    [
        (ADA, WITH_USER, Address("whatsapp", "DE.7f3a")),
        (GROUP, WITH_USER, None),
        (NUMBER, NINTH, Address("whatsapp", "551187654321")),
        (ADA, {"input": "491700000001", "wa_id": "491700000001"}, None),
        (USER, {"input": "DE.7f3a", "wa_id": "491700000001"}, None),
        (USER, {"input": "DE.7f3a", "user_id": "DE.8"}, Address("whatsapp", "DE.8")),
        (NUMBER, {"wa_id": None, "user_id": None}, None),
    ],
)
async def test_a_receipt_tells_the_address_that_whatsapp_knows_a_person_by(
    simulator: WhatsAppSimulator, target: Target, contact: dict[str, Any], told: Address | None
) -> None:
    answer = {"contacts": [contact], "messages": [{"id": "wamid.1"}]}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps(answer)})

    (receipt,) = await send(simulator, services(http=AsgiHttp({ORIGIN: app})), message("hi", target=target))
    assert receipt == Receipt(("wamid.1",), told)


@pytest.mark.parametrize(
    ("code", "rule"), sorted((code, rule) for code, rule in REFUSALS.items() if code not in range(201, 299))
)
async def test_each_code_of_the_table_becomes_its_error(simulator: WhatsAppSimulator, code: int, rule: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps({"error": {"code": code}})})

    with pytest.raises(SendError) as raised:
        await send(simulator, services(http=AsgiHttp({ORIGIN: app})), message("hi"))
    assert (type(raised.value), raised.value.code) == (rule.error, str(code))
    assert getattr(raised.value, "retry_after", None) == rule.retry_after
    assert getattr(raised.value, "scope", None) == rule.scope


def test_a_limit_holds_back_as_much_as_it_is_over() -> None:
    scopes = {code: rule.scope for code, rule in REFUSALS.items() if rule.scope is not None}
    others = dict.fromkeys((80007, 130429, 131048, 131064, 132069, 133016), "connection")
    assert scopes == {4: "app", 131056: "recipient", **others}


@pytest.mark.row("F9")
async def test_two_numbers_send_side_by_side() -> None:
    """Each with its own number and token, to one Graph API origin each."""
    one, two = WhatsAppSimulator(), WhatsAppSimulator(phone_number_id="3003", access_token="another-token")
    for simulator, other in ((one, two), (two, one)):
        given = services(http=AsgiHttp({ORIGIN: simulator.app}))
        await send(simulator, given, message("hi"))
        with pytest.raises(AuthError):
            await send(other, given, message("hi"))
        assert len(simulator.ledger.taken) == 1
