"""What messages contain, in both directions, and where webhooks go."""

from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from channelry.errors import PermanentError
from channelry.model import (
    Address,
    Delete,
    Kind,
    Location,
    Media,
    Postback,
    Resend,
    SendMessage,
    Target,
    Thread,
    Unsupported,
)
from channelry_testing import MemoryFiles, services
from channelry_webapi import (
    Content,
    Draft,
    Reader,
    calls,
    change,
    cut,
    enclosed,
    kind_of_file,
    optional_number,
    optional_text,
    place,
    read,
    require_here,
    require_link,
    rfc3339,
)

pytestmark = pytest.mark.anyio


def pressed(message: Mapping[str, Any]) -> Content:
    return "", (Postback(payload=message["data"]),)


READERS: Mapping[str, Reader] = {"text": lambda message: (message["text"], ()), "press": pressed}


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"type": "text", "text": "hi"}, ("hi", ())),
        ({"type": "press", "data": "yes"}, ("", (Postback(payload="yes"),))),
    ],
)
def test_a_message_is_read_by_its_type(message: dict[str, Any], content: Content) -> None:
    assert read(message, READERS) == content


def test_a_place_has_coordinates_and_perhaps_words() -> None:
    row = {"latitude": 50.1, "longitude": 8, "title": "Office", "address": None}
    assert place(row, "title") == Location(latitude=50.1, longitude=8.0, name="Office")
    assert place({"latitude": 0, "longitude": 0}) == Location(latitude=0.0, longitude=0.0)
    for bad in ({"latitude": 50.1}, {"latitude": "north", "longitude": 8}, {**row, "title": 7}):
        with pytest.raises((ValueError, KeyError)):
            place(bad, "title")


def test_a_type_that_nobody_reads_is_kept_as_it_came() -> None:
    message = {"type": "dance", "steps": [1, {"é": None}]}
    text, (part,) = read(message, READERS)
    assert isinstance(part, Unsupported)
    assert (text, part.kind, orjson.loads(part.raw)) == ("", "dance", message)


@pytest.mark.parametrize(("message", "error"), [({}, KeyError), ({"type": 3}, ValueError)])
def test_a_message_without_a_type_is_none(message: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read(message, READERS)


@pytest.mark.parametrize("thread", [None, Thread(root="C1")])
def test_each_draft_becomes_a_call_with_its_own_key(thread: Thread | None) -> None:
    file, to = Media(kind=Kind.IMAGE, ref="photo"), Address("acme", "1")
    outbound = SendMessage(key="out-1", target=Target(to=to, thread=thread), text="hi")
    first, second = calls(outbound, [Draft("post", {"n": 1}), Draft("set", {"n": 2}, (file,), Resend.SAFE)])
    assert (first.key, first.action, first.body, first.uploads, first.resend) == ("out-1:0", "post", {"n": 1}, (), None)
    assert (second.key, second.uploads, second.resend) == ("out-1:1", (file,), Resend.SAFE)
    assert {call.to for call in (first, second)} == {to}
    assert {call.group for call in (first, second)} == {thread is not None}


def test_what_is_so_after_it_is_one_call_that_may_be_made_twice() -> None:
    outbound = Delete(key="out-2", target=Target(to=Address("acme", "1")), external_id="7")
    (call,) = change(outbound, "delete", {"id": "7"})
    assert (call.key, call.action, call.body, call.resend) == ("out-2:0", "delete", {"id": "7"}, Resend.SAFE)


@pytest.mark.parametrize(
    ("file", "name", "media_type"),
    [
        (Media(kind=Kind.IMAGE, ref="photo", name="a.png", media_type="image/png", size=3), "a.png", "image/png"),
        (Media(kind=Kind.IMAGE, ref="photo"), "file", "application/octet-stream"),
    ],
)
async def test_a_file_of_ours_goes_as_a_field_of_a_form(file: Media, name: str, media_type: str) -> None:
    part = enclosed("document", file, services(files=MemoryFiles({"photo": b"png"})))
    assert (part.name, part.filename, part.media_type, part.size) == ("document", name, media_type, file.size)
    assert b"".join([piece async for piece in part.content]) == b"png"


@pytest.mark.parametrize("content", [b"", b"1", b"12345678", b"123456789", b"1234567890123456789"])
@pytest.mark.parametrize("size", [1, 4, 100])
async def test_a_file_of_ours_goes_in_pieces(content: bytes, size: int) -> None:
    file = Media(kind=Kind.VIDEO, ref="film", media_type="video/mp4", name="a.mp4", size=len(content))
    pieces = []
    async for part in cut("media", file, size, services(files=MemoryFiles({"film": content}))):
        assert (part.name, part.filename, part.media_type) == ("media", "a.mp4", "video/mp4")
        pieces.append(b"".join([piece async for piece in part.content]))
        assert part.size == len(pieces[-1])
    assert pieces == [content[start : start + size] for start in range(0, len(content), size)]


async def test_a_file_whose_pieces_are_not_all_taken_is_closed() -> None:
    class Files:
        closed = False

        async def read(self, ref: str) -> Any:
            try:
                yield b"12345678"
            finally:
                Files.closed = True

    given: Any = Files()
    async with aclosing(cut("media", Media(kind=Kind.VIDEO, ref="film"), 2, services(files=given))) as pieces:
        async for _ in pieces:
            break
    assert Files.closed
    with pytest.raises(ValueError, match="one byte"):
        await anext(cut("media", Media(kind=Kind.VIDEO, ref="film"), 0, services(files=given)))


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7.0), ("7", 7.0), ("-122.5", -122.5), (0, 0.0), ("", None), (None, None), ("nan", None), ("inf", None),
     (True, None), ({}, None), ("seven", None)],
)  # fmt: skip
def test_what_is_no_number_is_none(value: Any, number: float | None) -> None:
    assert optional_number(value) == number
    assert optional_text(value) == (value if isinstance(value, str) else "")


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, NOON),
        ("2026-11-22T10:00:00Z", NOON - timedelta(hours=2)),
        ("2026-11-22T10:00:00.250+02:00", NOON - timedelta(hours=3, minutes=59, seconds=59.75)),
    ],
)
def test_a_time_is_written_with_its_zone(text: str | None, moment: datetime) -> None:
    found = rfc3339(text, NOON)
    assert (found, found.tzinfo) == (moment, UTC)


@pytest.mark.parametrize("text", ["", "noon", "2026-11-22T10:00:00", "0001-01-01T00:00:00+23:00", 7, {}])
def test_what_is_no_time_of_our_days_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"^expected a time of our days with its zone$"):
        rfc3339(text, NOON)


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("image/png", Kind.IMAGE),
        ("IMAGE/JPEG", Kind.IMAGE),
        ("audio/ogg; codecs=opus", Kind.AUDIO),
        ("video/mp4", Kind.VIDEO),
        ("text/plain", Kind.DOCUMENT),
        ("", Kind.DOCUMENT),
        ("imagery/x", Kind.DOCUMENT),
    ],
)
def test_a_file_is_what_its_type_says(media_type: str, kind: Kind) -> None:
    assert kind_of_file(media_type) is kind


@pytest.mark.parametrize("file", [{"ref": "photo"}, {"url": "https://cdn.example/1"}])
def test_a_file_of_ours_has_a_reference_or_a_link(file: dict[str, str]) -> None:
    require_link(Media(kind=Kind.IMAGE, **file), "https://")


@pytest.mark.parametrize("file", [{}, {"id": "7"}, {"url": "http://cdn.example/1"}, {"url": "file:///etc/passwd"}])
def test_a_file_without_either_and_a_link_of_another_scheme_are_refused(file: dict[str, str]) -> None:
    with pytest.raises(PermanentError):
        require_link(Media(kind=Kind.IMAGE, **file), "https://", "ftp://")


@pytest.mark.parametrize(("found", "told"), [("", "there is none"), ("https://else.example", "it is https://else")])
def test_a_webhook_that_goes_elsewhere_is_named(found: str, told: str) -> None:
    given = "https://care.example.com/hooks/acme"
    with pytest.raises(PermanentError, match=f"should be https://care.*, but {told}"):
        require_here(found, given)
    require_here(given, given)
