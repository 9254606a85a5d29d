"""The values: text that is split, JSON that comes back, limits that are kept, rows that fail alone."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import orjson
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from channelry import codec, parsing
from channelry.errors import PermanentError, WindowClosedError
from channelry.model import (
    Address,
    Audience,
    Button,
    ButtonLimit,
    Call,
    Capabilities,
    Contact,
    Edit,
    Event,
    Kind,
    Language,
    Location,
    MarkRead,
    Media,
    MediaLimit,
    MessageReceived,
    Outbound,
    Part,
    Postback,
    Profile,
    Quote,
    React,
    Received,
    Request,
    SendMessage,
    Sentiment,
    Status,
    StatusChanged,
    Sticker,
    Surface,
    Target,
    Template,
    Text,
    TextUnit,
    Thread,
    Unparsed,
    Unsupported,
)
from channelry.text import split

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADA = Address("phone", "+491700000001")


def request(body: bytes, path: str = "/hooks/x?a=1&a=2&b=") -> Request:
    return Request("POST", path, ((b"x-one", b"1"), (b"x-one", b"2")), body, NOON)


@given(st.text(), st.integers(4, 40), st.sampled_from(TextUnit))
def test_pieces_fit_and_lose_nothing_but_white_space(text: str, limit: int, unit: TextUnit) -> None:
    pieces = split(text, limit, unit.measure)
    assert all(0 < unit.measure(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_text_is_cut_on_lines_then_words_then_anywhere() -> None:
    assert split("one two three", 8) == ["one two", "three"]
    assert split("line one\nline two", 12) == ["line one", "line two"]
    assert split("abcdefgh", 4) == ["abcd", "efgh"]
    assert split("😀😀😀", 4, TextUnit.UTF16.measure) == ["😀😀", "😀"]
    assert split("", 10) == split("  \n", 10) == []


def test_a_status_never_goes_back() -> None:
    order = [Status.QUEUED, Status.ACCEPTED, Status.SENT, Status.FAILED, Status.DELIVERED, Status.READ, Status.PLAYED]
    assert [order[0].highest(status) for status in order] == order
    assert all(Status.PLAYED.highest(status) is Status.PLAYED for status in order)
    assert Status.FAILED.highest(Status.DELIVERED) is Status.DELIVERED


EVENTS: list[Event] = [
    MessageReceived(
        account="2002",
        key="k",
        occurred_at=NOON,
        sender=Profile(address=ADA, name="Ada", aliases=(Address("whatsapp", "DE.7f3a"),)),
        external_id="wamid.1",
        text="héllo 😀",
        parts=(
            Media(kind=Kind.IMAGE, id="M1", media_type="image/jpeg"),
            Location(latitude=1.5, longitude=2),
            Contact(name="Gus"),
            Postback(payload="yes", title="Yes"),
            Sticker(id="s", media=Media(kind=Kind.STICKER, id="M2")),
            Unsupported(kind="poll", raw="{}"),
        ),
        reply_to=Quote(external_id="wamid.0"),
        surface=Surface.COMMENT,
        thread=Thread(root="r", depth=1, private=False),
        context={"token": "t"},
    ),
    StatusChanged(key="s", occurred_at=NOON, external_id="x", status=Status.READ, recipient=ADA),
    Unparsed.of("not JSON", b"\xff{", NOON),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_survives_json(event: Event) -> None:
    data = codec.to_json(event, Event)
    assert data["type"] == type(event).__name__
    assert codec.from_json(orjson.loads(orjson.dumps(data)), Event) == event


def test_outbound_actions_and_calls_survive_json() -> None:
    target = Target.answering(EVENTS[0])
    actions: list[Outbound] = [
        SendMessage(key="1", target=target, text="hi", parts=(Location(latitude=1, longitude=2),), quote=True),
        Edit(key="2", target=target, external_id="x", text="y"),
        MarkRead(key="3", target=target, external_id="x"),
    ]
    for action in actions:
        assert codec.from_json(orjson.loads(orjson.dumps(codec.to_json(action, Outbound))), Outbound) == action
    call = Call(
        key="1/0", to=ADA, action="messages", body={"a": [1, {"b": None}]}, uploads=(Media(kind=Kind.IMAGE, ref="f"),)
    )
    assert codec.from_json(orjson.loads(orjson.dumps(codec.to_json(call))), Call) == call


def test_an_answer_goes_where_the_message_was_written() -> None:
    message = EVENTS[0]
    assert isinstance(message, MessageReceived)
    target = Target.answering(message)
    assert (target.to, target.audience, target.context) == (ADA, Audience.PUBLIC, {"token": "t"})
    assert (target.reply_to, target.last_inbound_at) == ("wamid.1", NOON)


CAPABILITIES = Capabilities(
    sends=frozenset({Kind.TEXT, Kind.IMAGE, Kind.BUTTONS, Kind.EDIT, Kind.TEMPLATE}),
    text=10,
    media={Kind.IMAGE: MediaLimit(types=frozenset({"image/png"}), upload=100, link=50)},
    buttons=ButtonLimit(count=2, title=5, payload=4, text=10, payload_unit=TextUnit.BYTES),
    window=timedelta(hours=24),
)


def message(**content: Any) -> SendMessage:
    return SendMessage(key="k", target=Target(to=ADA, last_inbound_at=NOON), **content)


def image(**of: Any) -> tuple[Media, ...]:
    return (Media(kind=Kind.IMAGE, **of),)


@pytest.mark.parametrize(
    ("outbound", "code"),
    [
        (message(), "empty"),
        (message(parts=(Location(latitude=1, longitude=2),)), "unsupported"),
        (message(parts=image()), "no_file"),
        (message(parts=image(url="u", media_type="image/gif")), "unsupported_type"),
        (message(parts=image(url="u", size=51)), "too_large"),
        (message(parts=image(ref="r", size=101)), "too_large"),
        (message(text="x", buttons=(Button(title="a", payload="p"),) * 3), "too_many_buttons"),
        (message(text="x", buttons=(Button(title="", payload="p"),)), "button_title"),
        (message(text="x", buttons=(Button(title="abcdef", payload="p"),)), "button_title"),
        (message(text="x", buttons=(Button(title="a", payload="ééé"),)), "button_payload"),
        (message(text="x", buttons=(Button(title="a", url="https://x"),)), "unsupported"),
        (Edit(key="k", target=Target(to=ADA), external_id="x", text="a" * 11), "too_long"),
        (Edit(key="k", target=Target(to=ADA), external_id="x", text=" \n"), "empty"),
        (MarkRead(key="k", target=Target(to=ADA), external_id="x"), "unsupported"),
        (SendMessage(key="k", target=Target(to=ADA, audience=Audience.PUBLIC), text="x"), "unsupported"),
    ],
)
def test_what_a_channel_cannot_carry_is_refused_with_a_code(outbound: Outbound, code: str) -> None:
    with pytest.raises(PermanentError) as refused:
        CAPABILITIES.admit(outbound)
    assert refused.value.code == code


def test_what_fits_is_admitted_and_long_text_is_left_to_be_split() -> None:
    CAPABILITIES.admit(message(text="a" * 11))
    CAPABILITIES.admit(Edit(key="k", target=Target(to=ADA), external_id="x", text="", caption=True))
    CAPABILITIES.admit(message(parts=image(ref="r", size=100, media_type="image/png; q=1")))
    CAPABILITIES.admit(message(text="x", buttons=(Button(title="a", payload="éé"),)))


def test_the_window_closes_and_a_template_passes() -> None:
    CAPABILITIES.admit(message(text="x"), NOON + timedelta(hours=24))
    for outbound in (message(text="x"), SendMessage(key="k", target=Target(to=ADA), text="x")):
        with pytest.raises(WindowClosedError, match="24 hours"):
            CAPABILITIES.admit(outbound, NOON + timedelta(hours=24, seconds=1))
    CAPABILITIES.admit(message(template=Template(name="t", language="en")), NOON + timedelta(days=9))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1795300000", 1795300000),
        (1795300000123, 1795300000.123),
        ("1795300000123", 1795300000.123),
        (1795300000.5, 1795300000.5),
    ],
)
def test_times_are_read_in_seconds_and_in_milliseconds(value: Any, expected: float) -> None:
    assert parsing.timestamp(value, NOON) == datetime.fromtimestamp(expected, UTC)


@pytest.mark.parametrize("value", ["", "soon", -1, 0, True, 10**30, "1e999", [], float("nan")])
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="expected a time"):
        parsing.timestamp(value, NOON)
    assert parsing.timestamp(None, NOON) is NOON


@pytest.mark.parametrize("value", [1.0, 2.0**64, True, None, "", [], {}])
def test_an_id_that_lost_digits_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="expected an id"):
        parsing.identifier(value)
    assert parsing.identifier(2**63) == "9223372036854775808"


def rows(body: Any) -> Any:
    def build(row: Any) -> Event | str | None:
        if row == "skip":
            return None
        if row == "noise":
            return "noise"
        return StatusChanged(key=row["id"], occurred_at=NOON, external_id=row["id"], status=Status(row["status"]))

    return parsing.each(body["rows"], build, NOON)


def test_a_bad_row_harms_no_neighbour() -> None:
    raw = (
        b'{"rows":[{"id":"a","status":"sent"},{"id":"b"},"noise","skip",'
        b'{"id":"c","status":"?"},{"id":"d","status":"read"}]}'
    )
    found = parsing.received(request(raw), rows)
    assert [type(event).__name__ for event in found.events] == [
        "StatusChanged",
        "Unparsed",
        "Unparsed",
        "StatusChanged",
    ]
    assert found.ignored == ("noise",)
    missing = found.events[1]
    assert isinstance(missing, Unparsed)
    assert (missing.raw, missing.reason) == (b'{"id":"b"}', "missing key 'status'")


def test_rows_too_deep_to_be_written_are_told_apart() -> None:
    deep = [b"[" * 1000 + b"%d" % number + b"]" * 1000 for number in range(2)]
    found = parsing.received(request(b'{"rows":[' + b",".join(deep) + b"]}"), rows)
    first, second = found.events
    assert first.key != second.key


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"5",
        b"{",
        b'{"rows":5}',
        b'{"rows":NaN}',
        b'{"rows":["\\ud800"]}',
        b"\xff",
        b"[" * 100_000,
        b'{"a":1e999}',
    ],
)
def test_a_body_that_cannot_be_read_becomes_one_unparsed(body: bytes) -> None:
    bare = evolve(request(body), path="/hooks/acme")
    (event,) = parsing.received(bare, rows).events
    assert isinstance(event, Unparsed)
    assert event.raw == body
    assert event == parsing.received(bare, rows).events[0]


def test_a_request_that_is_no_json_is_read_as_its_plugin_says() -> None:
    """A form, a query: what cannot be read of a GET stands in its path."""

    def told(fields: Mapping[str, str]) -> Iterator[Event | str]:
        yield fields["why"]

    asked = evolve(request(b"why=beside"), method="GET", path="/hooks/acme?why=noise")
    assert parsing.received(asked, told, Request.query).ignored == ("noise",)
    assert parsing.received(asked, told, lambda request: dict(request.form())).ignored == ("beside",)
    for body, path, raw in ((b"", "/hooks/acme?x=1", b"/hooks/acme?x=1"), (b"b", "/?x=1", b"b"), (b"", "/", b"")):
        (event,) = parsing.received(evolve(asked, path=path, body=body), told, Request.query).events
        assert isinstance(event, Unparsed)
        assert (event.raw, event.reason) == (raw, "missing key 'why'")


def test_a_request_gives_headers_query_form_and_json() -> None:
    one = request(b"a=1&b=&a=%C3%A9")
    assert (one.header(b"x-one"), one.header(b"none")) == (b"1", b"")
    assert one.query() == {"a": "2", "b": ""}
    assert one.form() == [("a", "1"), ("b", ""), ("a", "é")]
    with pytest.raises(ValueError, match="unexpected end"):
        request(b"{").json()
    assert "x-one" in repr(one)
    assert "a=1&b=&a=%" not in repr(one)


def test_every_part_and_event_has_a_name_of_its_own() -> None:
    names = [cls.__name__ for cls in (*get_args(Part), *get_args(Event), *get_args(Outbound))]
    assert len(names) == len(set(names))
    assert Received(request(b"")).connection == ""


@pytest.mark.parametrize("code", ["de", "zh-Hans", "pt-BR", "es-419", "yue", "de-CH-1996"])
def test_a_language_has_a_tag(code: str) -> None:
    assert Language(code=code, confidence=0.5).code == code


@pytest.mark.parametrize("code", ["", "(Unknown)", "zh_chs", "d", "de ", "de-", "английский", "de\n"])
def test_what_is_no_tag_is_no_language(code: str) -> None:
    with pytest.raises(ValueError, match="must be a language tag"):
        Language(code=code, confidence=0.5)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.01, 1.01])
def test_scores_and_confidences_keep_their_range(number: float) -> None:
    assert Sentiment(score=-1, confidence=0).score == -1
    with pytest.raises(ValueError, match="'score' must be"):
        Sentiment(score=number, confidence=0.5)
    with pytest.raises(ValueError, match="'confidence' must be"):
        Sentiment(score=0, confidence=number)
    with pytest.raises(ValueError, match="'confidence' must be"):
        Language(code="de", confidence=number)


def test_a_text_to_be_judged_can_be_remembered_whatever_is_known_of_its_writer() -> None:
    texts = [Text(text="Hello", before={"en": weight}) for weight in (1.0, 1.0, 2.0)]
    assert len(set(texts)) == 2


@pytest.mark.parametrize(("declared", "given"), [("❤", "❤️"), ("❤️", "❤"), ("☕", "☕️")])
def test_an_emoji_is_one_however_it_is_spelt(declared: str, given: str) -> None:
    limits = Capabilities(text=1, sends=frozenset({Kind.REACTION}), emoji=frozenset({declared}))
    react = React(key="k", target=Target(to=Address("acme", "1")), external_id="m", emoji=given)
    limits.admit(react)
    with pytest.raises(PermanentError, match="does not take the reaction 👎"):
        limits.admit(evolve(react, emoji="👎"))
