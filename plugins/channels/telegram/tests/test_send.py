"""What is sent, how Telegram's answers are read, and that nothing else ever leaves."""

import traceback
from collections.abc import Mapping
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
    Outbound,
    Rate,
    RateScope,
    React,
    Receipt,
    Resend,
    SendMessage,
    ShowTyping,
    Sticker,
    Target,
    Template,
)
from channelry.secrets import Secret
from channelry.services import HttpResponse, Services
from channelry_simulation import FaultKind
from channelry_telegram.capabilities import CAPABILITIES
from channelry_telegram.connection import ORIGIN
from channelry_telegram.plugin import Telegram
from channelry_telegram.simulator import TelegramSimulator
from channelry_testing import AsgiHttp, services

pytestmark = pytest.mark.anyio

FAY = Target(to=Address("telegram", "42"), reply_to="42:10")
GROUP = Target(to=Address("telegram", "-1007"), context={"message_thread_id": "5"})
CANARY = "7:CANARY-0123456789"
PDF = Media(kind=Kind.DOCUMENT, ref="bill", name="bill.pdf", media_type="application/pdf")


def say(text: str = "", *, target: Target = FAY, **content: Any) -> SendMessage:
    return SendMessage(key="k1", target=target, text=text, **content)


async def deliver(telegram: Telegram, outbound: Outbound, desk: Services) -> list[Receipt]:
    return [await telegram.send(call, desk) for call in telegram.compose(outbound)]


def methods(simulator: TelegramSimulator) -> list[str]:
    return [entry.path.rpartition("/")[2] for entry in simulator.ledger.entries]


def image(**where: Any) -> Media:
    return Media(kind=Kind.IMAGE, **where)


LINK = "https://files.example.com/a"
MESSAGES: list[tuple[str, SendMessage, str, Mapping[str, Any]]] = [
    ("text", say("hello"), "sendMessage", {"text": "hello"}),
    ("photo by link", say("see", parts=(image(url=LINK),)), "sendPhoto", {"photo": LINK, "caption": "see"}),
    ("video", say(parts=(Media(kind=Kind.VIDEO, url=LINK),)), "sendVideo", {"video": LINK}),
    ("audio", say(parts=(Media(kind=Kind.AUDIO, url=LINK),)), "sendAudio", {"audio": LINK}),
    ("voice", say(parts=(Media(kind=Kind.VOICE, url=LINK),)), "sendVoice", {"voice": LINK}),
    ("document", say(parts=(Media(kind=Kind.DOCUMENT, url=LINK),)), "sendDocument", {"document": LINK}),
    ("known file", say(parts=(image(id="AgB"),)), "sendPhoto", {"photo": "AgB"}),
    ("sticker", say(parts=(Sticker(id="S1"),)), "sendSticker", {"sticker": "S1"}),
    (
        "sticker by link",
        say(parts=(Sticker(id="", media=Media(kind=Kind.STICKER, url=LINK)),)),
        "sendSticker",
        {"sticker": LINK},
    ),
    (
        "location",
        say(parts=(Location(latitude=40.64, longitude=22.94),)),
        "sendLocation",
        {"latitude": 40.64, "longitude": 22.94},
    ),
    (
        "venue",
        say(parts=(Location(latitude=40.64, longitude=22.94, name="Shop", address="1 Main St"),)),
        "sendVenue",
        {"latitude": 40.64, "longitude": 22.94, "title": "Shop", "address": "1 Main St"},
    ),
    (
        "contact",
        say(parts=(Contact(name="Gus Ray", phones=("30210000", "30210001")),)),
        "sendContact",
        {"phone_number": "30210000", "first_name": "Gus Ray"},
    ),
    (
        "buttons",
        say("choose", buttons=(Button(title="Yes", payload="b:yes"), Button(title="More", url=LINK))),
        "sendMessage",
        {
            "text": "choose",
            "reply_markup": {
                "inline_keyboard": [[{"text": "Yes", "callback_data": "b:yes"}], [{"text": "More", "url": LINK}]]
            },
        },
    ),
    (
        "quote",
        say("that one", quote=True),
        "sendMessage",
        {"text": "that one", "reply_parameters": {"message_id": 10, "allow_sending_without_reply": True}},
    ),
]


@pytest.mark.parametrize(("name", "message", "method", "body"), MESSAGES)
async def test_each_kind_of_message_is_one_call_that_telegram_takes(
    telegram: Telegram,
    simulator: TelegramSimulator,
    desk: Services,
    name: str,
    message: SendMessage,
    method: str,
    body: Mapping[str, Any],
) -> None:
    simulator.hold("AgB", b"photo", "photos/1.jpg")
    simulator.hold("S1", b"sticker", "stickers/1.webp")
    receipts = await deliver(telegram, message, desk)
    (taken,) = simulator.ledger.taken
    assert methods(simulator) == [method]
    assert taken.body == {"chat_id": "42", **body}
    assert receipts == [Receipt((taken.external_id,))]
    assert taken.external_id == "42:1"


async def test_an_upload_rides_on_the_call_itself_with_its_name_and_type(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    message = say("your bill", parts=(PDF,), quote=True, buttons=(Button(title="Paid", payload="paid"),))
    (call,) = telegram.compose(message)
    assert call.uploads == (PDF,)
    orjson.dumps(call.body)
    assert await telegram.send(call, desk) == Receipt(("42:1",))
    (taken,) = simulator.ledger.taken
    assert taken.body["document"] == {"filename": "bill.pdf", "media_type": "application/pdf", "size": 9}
    assert taken.text == "your bill"
    assert taken.body["reply_markup"]["inline_keyboard"] == [[{"text": "Paid", "callback_data": "paid"}]]
    assert b"%PDF bill" in simulator.ledger.entries[0].body


async def test_a_file_that_the_application_does_not_hold_is_never_sent(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError, match="there is no file"):
        await deliver(telegram, say(parts=(image(ref="gone"),)), desk)
    assert simulator.ledger.entries == []


async def test_a_file_of_unknown_size_that_is_too_large_is_refused_by_telegram(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    with pytest.raises(PermanentError, match="Too Large"):
        await deliver(telegram, say(parts=(image(ref="huge"),)), desk)
    assert simulator.ledger.taken == []


async def test_long_text_is_split_and_the_buttons_come_last_and_the_quote_first(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    text = "word " * 2_000
    calls = telegram.compose(say(text, quote=True, buttons=(Button(title="Yes", payload="y"),)))
    assert [call.key for call in calls] == ["k1:0", "k1:1", "k1:2"]
    assert ["reply_parameters" in call.body for call in calls] == [True, False, False]
    assert ["reply_markup" in call.body for call in calls] == [False, False, True]
    assert " ".join(call.body["text"] for call in calls) == text.strip()
    for call in calls:
        await telegram.send(call, desk)
    assert [taken.external_id for taken in simulator.ledger.taken] == ["42:1", "42:2", "42:3"]


async def test_text_is_measured_as_telegram_measures_it(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    await deliver(telegram, say("😀" * 4096), desk)
    assert [len(taken.text) for taken in simulator.ledger.taken] == [2048, 2048]


async def test_a_caption_takes_what_it_can_and_the_rest_follows_as_text(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    text = "word " * 1_500
    parts = (Location(latitude=1.0, longitude=2.0), PDF, PDF)
    await deliver(telegram, say(text, parts=parts), desk)
    assert methods(simulator) == ["sendLocation", "sendDocument", "sendDocument", "sendMessage", "sendMessage"]
    bodies = [taken.body for taken in simulator.ledger.taken]
    assert len(bodies[1]["caption"]) <= 1024
    assert "caption" not in bodies[2]
    assert " ".join((bodies[1]["caption"], bodies[3]["text"], bodies[4]["text"])) == text.strip()


async def test_text_stands_before_parts_that_bear_no_caption(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.hold("S1", b"sticker", "stickers/1.webp")
    await deliver(telegram, say("here", parts=(Sticker(id="S1"),)), desk)
    assert methods(simulator) == ["sendMessage", "sendSticker"]


async def test_an_answer_goes_to_the_topic_and_the_business_account_that_were_written_to(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    target = Target(to=FAY.to, context={"message_thread_id": "5", "business_connection_id": "bc1"})
    await deliver(telegram, say("hello", target=target), desk)
    await deliver(telegram, ShowTyping(key="k2", target=target), desk)
    place = {"chat_id": "42", "message_thread_id": 5, "business_connection_id": "bc1"}
    assert [orjson.loads(entry.body) for entry in simulator.ledger.entries] == [
        {"text": "hello", **place},
        {"action": "typing", **place},
    ]


async def test_a_business_message_is_marked_as_read_and_deleted_by_its_connection(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    target = Target(to=FAY.to, context={"business_connection_id": "bc1"})
    (sent,) = await deliver(telegram, say("helo", target=target), desk)
    (message,) = sent.external_ids
    for done in (
        MarkRead(key="k2", target=target, external_id=message),
        Delete(key="k3", target=target, external_id=message),
    ):
        assert await deliver(telegram, done, desk) == [Receipt()]
    assert [orjson.loads(entry.body) for entry in simulator.ledger.entries[1:]] == [
        {"business_connection_id": "bc1", "chat_id": "42", "message_id": 1},
        {"business_connection_id": "bc1", "message_ids": [1]},
    ]
    assert (simulator.read, simulator.deleted) == ([message], [message])


async def test_a_pressed_button_is_answered_without_a_quote_for_it_is_no_message(telegram: Telegram) -> None:
    target = Target(to=FAY.to, reply_to="callback:cq1")
    (call,) = telegram.compose(say("thanks", target=target, quote=True))
    assert "reply_parameters" not in call.body


async def test_only_calls_to_groups_count_as_such(telegram: Telegram) -> None:
    (private,) = telegram.compose(say("a"))
    (group,) = telegram.compose(say("a", target=GROUP))
    assert (private.group, group.group) == (False, True)


async def test_a_message_is_edited_reacted_to_and_deleted(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    (sent,) = await deliver(telegram, say("helo"), desk)
    (message,) = sent.external_ids
    edit = Edit(key="k2", target=FAY, external_id=message, text="hello")
    for done in (
        edit,
        React(key="k3", target=FAY, external_id=message, emoji="👍"),
        React(key="k4", target=FAY, external_id=message, emoji="👍", on=False),
        Delete(key="k5", target=FAY, external_id=message),
    ):
        assert await deliver(telegram, done, desk) == [Receipt()]
    assert methods(simulator)[1:] == ["editMessageText", "setMessageReaction", "setMessageReaction", "deleteMessage"]
    reactions = [orjson.loads(entry.body)["reaction"] for entry in simulator.ledger.entries[2:4]]
    assert reactions == [[{"type": "emoji", "emoji": "👍"}], []]
    assert simulator.deleted == [message]


async def test_what_is_so_already_counts_as_done(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    await deliver(telegram, say("hello"), desk)
    same = Edit(key="k2", target=FAY, external_id="42:1", text="hello")
    gone = Delete(key="k3", target=FAY, external_id="42:1")
    assert await deliver(telegram, same, desk) == [Receipt()]
    assert await deliver(telegram, gone, desk) == [Receipt()]
    assert await deliver(telegram, gone, desk) == [Receipt()]


async def test_typing_is_shown_and_ends_by_itself(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    assert await deliver(telegram, ShowTyping(key="k1", target=FAY), desk) == [Receipt()]
    assert await deliver(telegram, ShowTyping(key="k2", target=FAY, on=False), desk) == []
    assert simulator.actions == [("42", "typing")]


async def test_a_pressed_button_is_answered(telegram: Telegram, simulator: TelegramSimulator, desk: Services) -> None:
    answer = AnswerButton(key="k1", target=FAY, postback_id="cq1", text="noted")
    assert await deliver(telegram, answer, desk) == [Receipt()]
    assert simulator.answered == ["cq1"]
    assert simulator.ledger.taken == []


REFUSED: list[Outbound] = [
    say(),
    say("   "),
    say(template=Template(name="hello", language="en")),
    say("a", target=Target(to=FAY.to, audience=Audience.PUBLIC)),
    say(buttons=(Button(title="Yes", payload="y"),)),
    say("a", buttons=(Button(title="Yes", payload="é" * 33),)),
    say("a", buttons=(Button(title="Yes", payload=""),)),
    say("a", buttons=(Button(title="", payload="y"),)),
    say("a", buttons=(Button(title="Yes", payload="y"),) * 101),
    say(parts=(image(),)),
    say(parts=(image(url="file:///etc/passwd"),)),
    say(parts=(image(ref="photo", size=10_000_001),)),
    say(parts=(Media(kind=Kind.DOCUMENT, url=LINK, size=20_000_001),)),
    say(parts=(Sticker(id=""),)),
    say(parts=(Contact(name="Gus"),)),
    say(parts=(Contact(name="", phones=("30210000",)),)),
    Edit(key="k", target=FAY, external_id="42:1", text="a" * 4097),
    Edit(key="k", target=FAY, external_id="42:1", text=" "),
    Edit(key="k", target=FAY, external_id="callback:cq1", text="a"),
    Edit(key="k", target=FAY, external_id="1", text="a"),
    Edit(key="k", target=FAY, external_id="42:1", text="a" * 1025, caption=True),
    React(key="k", target=FAY, external_id="", emoji="👍"),
    React(key="k", target=FAY, external_id="42:1", emoji="🍕"),
    MarkRead(key="k", target=FAY, external_id="42:1"),
    Hide(key="k", target=FAY, external_id="42:1"),
    AnswerButton(key="k", target=FAY, postback_id="cq1", text="a" * 201),
]


@pytest.mark.parametrize("outbound", REFUSED, ids=range(len(REFUSED)))
async def test_what_the_channel_cannot_carry_is_refused_before_any_call(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services, outbound: Outbound
) -> None:
    with pytest.raises(PermanentError):
        await deliver(telegram, outbound, desk)
    assert simulator.ledger.entries == []


async def test_telegrams_rates_are_declared_and_nothing_is_ever_sent_again_by_itself() -> None:
    assert Telegram.capabilities.resend is Resend.NEVER
    assert Telegram.capabilities.statuses == frozenset()
    assert Telegram.capabilities.rates == (
        Rate(RateScope.CONNECTION, 30, 1),
        Rate(RateScope.RECIPIENT, 1, 1),
        Rate(RateScope.GROUP, 20, 60),
    )


async def test_a_rate_limit_tells_how_long_and_what_has_to_wait(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.RATE_LIMITED, retry_after=7)
    with pytest.raises(RetryableError) as raised:
        await deliver(telegram, say("hello"), desk)
    assert (raised.value.retry_after, raised.value.scope) == (7, RateScope.RECIPIENT)


async def test_an_early_status_changes_nothing_for_telegram_reports_none(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.faults.add(FaultKind.EARLY_STATUS)
    assert await deliver(telegram, say("hello"), desk) == [Receipt(("42:1",))]
    assert not simulator.webhooks


@pytest.mark.parametrize("buttons", [(), (Button(title="Yes", payload="y"),)], ids=["album", "one by one"])
async def test_neighbouring_pictures_and_videos_are_one_album_unless_buttons_need_a_message(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services, buttons: tuple[Button, ...]
) -> None:
    shown = (image(url=LINK), image(ref="photo", name="a.jpg"), Media(kind=Kind.VIDEO, ref="photo"))
    message = say("see", parts=(*shown, PDF), quote=True, buttons=buttons)
    receipts = await deliver(telegram, message, desk)
    ids = [external_id for receipt in receipts for external_id in receipt.external_ids]
    assert ids == ["42:1", "42:2", "42:3", "42:4"]
    if buttons:
        assert methods(simulator) == ["sendPhoto", "sendPhoto", "sendVideo", "sendDocument"]
        return
    assert methods(simulator) == ["sendMediaGroup", "sendDocument"]
    first, second, third = simulator.ledger.taken[0].body["media"]
    assert first == {"type": "photo", "media": LINK, "caption": "see"}
    assert (second["type"], second["media"]["filename"]) == ("photo", "a.jpg")
    assert (third["type"], third["media"]["size"]) == ("video", 8)


async def test_an_album_has_ten_files_at_most(telegram: Telegram, simulator: TelegramSimulator, desk: Services) -> None:
    await deliver(telegram, say(parts=(image(url=LINK),) * 21), desk)
    assert methods(simulator) == ["sendMediaGroup", "sendMediaGroup", "sendPhoto"]


async def test_a_caption_is_edited_by_a_method_of_its_own(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    await deliver(telegram, say("helo", parts=(PDF,)), desk)
    edit = Edit(key="k2", target=FAY, external_id="42:1", text="hello", caption=True)
    assert await deliver(telegram, edit, desk) == [Receipt()]
    assert await deliver(telegram, edit, desk) == [Receipt()]
    assert methods(simulator)[1:] == ["editMessageCaption", "editMessageCaption"]


async def test_only_what_sets_a_state_may_be_repeated(telegram: Telegram) -> None:
    edit = Edit(key="k", target=FAY, external_id="42:1", text="hello")
    gone = Delete(key="k", target=FAY, external_id="42:1")
    heart = React(key="k", target=FAY, external_id="42:1", emoji="❤")
    resends = [telegram.compose(action)[0].resend for action in (edit, gone, heart, say("hello"))]
    assert resends == [Resend.SAFE, Resend.SAFE, Resend.SAFE, None]


@pytest.mark.parametrize(("emoji", "told"), [("❤️", "❤"), ("❤", "❤"), ("🕊️", "🕊"), ("🤷‍♂️", "🤷‍♂"), ("👍", "👍")])
async def test_a_reaction_is_written_as_telegram_writes_it(
    telegram: Telegram, monkeypatch: pytest.MonkeyPatch, emoji: str, told: str
) -> None:
    """What is admitted is the core's affair: here both spellings are."""
    monkeypatch.setattr(Telegram, "capabilities", evolve(Telegram.capabilities, emoji=frozenset({emoji, told})))
    (call,) = telegram.compose(React(key="k", target=FAY, external_id="42:1", emoji=emoji))
    assert call.body["reaction"] == [{"type": "emoji", "emoji": told}]
    assert told in CAPABILITIES.emoji


async def test_an_edit_whose_answer_is_lost_may_be_made_again(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    await deliver(telegram, say("helo"), desk)
    simulator.faults.add(FaultKind.LOST)
    edit = Edit(key="k2", target=FAY, external_id="42:1", text="hello")
    with pytest.raises(AmbiguousError):
        await deliver(telegram, edit, desk)
    assert await deliver(telegram, edit, desk) == [Receipt()]


async def test_an_unknown_chat_is_the_recipients_error(telegram: Telegram, desk: Services) -> None:
    with pytest.raises(RecipientError, match="chat not found"):
        await deliver(telegram, say("hello", target=Target(to=Address("telegram", "404"))), desk)


@pytest.mark.parametrize("message", [say("hello", target=GROUP), say(parts=(PDF,), target=GROUP)])
async def test_a_group_that_became_a_supergroup_is_written_to_there(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services, message: SendMessage
) -> None:
    simulator.migrated["-1007"] = "-100900"
    simulator.know("-100900")
    (receipt,) = await deliver(telegram, message, desk)
    assert receipt == Receipt(("-100900:1",), Address("telegram", "-100900"))
    assert [taken.to for taken in simulator.ledger.taken] == ["-100900"]


async def test_a_group_that_moves_twice_is_given_up(
    telegram: Telegram, simulator: TelegramSimulator, desk: Services
) -> None:
    simulator.migrated = {"-1007": "-100900", "-100900": "-100901"}
    with pytest.raises(RecipientError):
        await deliver(telegram, say("hello", target=GROUP), desk)
    assert len(simulator.ledger.entries) == 2


class Scripted(AsgiHttp):
    """An HTTP client that always gets the same answer."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__({})
        self.answer = HttpResponse(status, {}, body)

    async def request(self, method: str, url: str, **options: Any) -> HttpResponse:
        return self.answer


def refusal(status: int, description: str, **parameters: Any) -> bytes:
    return orjson.dumps({"ok": False, "error_code": status, "description": description, "parameters": parameters})


ANSWERS: list[tuple[int, bytes, type[SendError]]] = [
    (429, refusal(429, "Too Many Requests: retry after 7", retry_after=7), RetryableError),
    (429, b"<html>", RetryableError),
    (403, refusal(403, "Forbidden: bot was blocked by the user"), RecipientError),
    (403, refusal(403, "Forbidden: user is deactivated"), RecipientError),
    (403, refusal(403, "Forbidden: bot was kicked from the supergroup chat"), RecipientError),
    (403, refusal(403, "Forbidden: bot is not a member of the supergroup chat"), RecipientError),
    (403, refusal(403, "Forbidden: the group chat was deleted"), RecipientError),
    (403, refusal(403, "Forbidden: bot can't initiate conversation with a user"), RecipientError),
    (403, refusal(403, "Forbidden: bot can't send messages to the user"), RetryableError),
    (403, refusal(403, "Forbidden: bot can't send messages to bots"), PermanentError),
    (400, refusal(400, "Bad Request: chat not found"), RecipientError),
    (400, refusal(400, "Bad Request: PEER_ID_INVALID"), RecipientError),
    (400, refusal(400, "Bad Request: user not found"), RecipientError),
    (400, refusal(400, "Bad Request: group is deactivated"), RecipientError),
    (400, refusal(400, "Bad Request: message is too long"), PermanentError),
    (400, refusal(400, "Bad Request: can't parse entities: unexpected end"), PermanentError),
    (400, refusal(400, "Bad Request: message text is empty"), PermanentError),
    (400, refusal(400, "Bad Request: wrong file identifier/HTTP URL specified"), PermanentError),
    (400, refusal(400, "Bad Request: message to edit not found"), PermanentError),
    (400, refusal(400, "Bad Request: something new"), PermanentError),
    (413, b"<html>Request Entity Too Large</html>", PermanentError),
    (401, refusal(401, "Unauthorized"), AuthError),
    (404, refusal(404, "Not Found"), AuthError),
    (409, refusal(409, "Conflict: terminated by other getUpdates request"), AuthError),
    (500, refusal(500, "Internal Server Error: restart"), RetryableError),
    (400, refusal(400, "Bad Request: server is going to restart"), RetryableError),
    (502, b"<html>", RetryableError),
    (504, b"", RetryableError),
    (302, b"", PermanentError),
    (200, b"<html>a proxy's page</html>", AmbiguousError),
    (200, b"[]", AmbiguousError),
    (200, b'{"ok":true}', AmbiguousError),
    (200, b'{"ok":true,"result":true}', AmbiguousError),
    (200, b'{"ok":true,"result":[{}]}', AmbiguousError),
    (200, b'{"ok":true,"result":{"chat":5,"message_id":1}}', AmbiguousError),
]


@pytest.mark.parametrize(("status", "body", "error"), ANSWERS)
async def test_each_answer_of_telegrams_is_one_class_of_error(
    telegram: Telegram, status: int, body: bytes, error: type[SendError]
) -> None:
    desk = services(http=Scripted(status, body))
    with pytest.raises(SendError) as raised:
        await deliver(telegram, say("hello"), desk)
    assert type(raised.value) is error
    assert raised.value.code == ("unreadable" if status == 200 else str(status))
    assert not isinstance(raised.value, WindowClosedError)


@pytest.mark.row("F10")
@pytest.mark.parametrize(
    ("status", "body", "error"), [*ANSWERS, (400, refusal(400, f"bad /bot{CANARY}/x"), PermanentError)]
)
async def test_the_token_is_in_no_error_and_no_repr(status: int, body: bytes, error: type[SendError]) -> None:
    telegram = Telegram(Telegram.Config(token=Secret(CANARY)))
    with pytest.raises(error) as raised:
        await deliver(telegram, say("hello"), services(http=Scripted(status, body)))
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(telegram)
    assert CANARY not in told
    assert CANARY not in repr(telegram.compose(say("hello")))


@pytest.mark.row("F10")
async def test_the_token_is_in_no_error_of_a_lost_or_refused_connection(simulator: TelegramSimulator) -> None:
    simulator.token = CANARY
    simulator.know("42")
    telegram = Telegram(Telegram.Config(token=Secret(CANARY)))
    simulator.faults.add(FaultKind.LOST)
    for http in (AsgiHttp({ORIGIN: simulator.app}), AsgiHttp({})):
        with pytest.raises(SendError) as raised:
            await deliver(telegram, say("hello"), services(http=http))
        assert CANARY not in "".join(traceback.format_exception(raised.value))


async def test_another_bot_api_server_is_called_where_one_is_configured(simulator: TelegramSimulator) -> None:
    config = Telegram.Config(token=Secret(simulator.token), base_url="http://127.0.0.1:8081/")
    desk = services(http=AsgiHttp({"http://127.0.0.1:8081": simulator.app}))
    assert await deliver(Telegram(config), say("hello"), desk) == [Receipt(("42:1",))]


@pytest.mark.row("F9")
async def test_two_bots_write_side_by_side(clock: Any) -> None:
    bots = [TelegramSimulator(now=clock.now, token=f"{n}:token") for n in (1, 2)]
    for n, bot in enumerate(bots):
        bot.know("42")
        telegram = Telegram(Telegram.Config(token=Secret(bot.token)))
        await deliver(telegram, say(f"from {n}"), services(http=AsgiHttp({ORIGIN: bot.app})))
    assert [bot.ledger.taken[0].text for bot in bots] == ["from 0", "from 1"]
