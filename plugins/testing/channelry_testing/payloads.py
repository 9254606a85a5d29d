"""Recorded payloads: what a provider sent, and the events that its author wrote down for it by hand.

One JSON file each: `{"row", "json"|"form"|"body", "method"?, "path"?, "headers"?, "events", "ignored"?, "answer"?,
"answers"?, "expanded"?}`.
- `row`: the row of the channel's own table of types that it shows.
- `json`, `form` or `body`: the request's body as JSON, as fields of a form, or as text.
- `events`: the expected events as JSON (`channelry.codec`), in their order, fields that have their default left out.
- `ignored`: the expected reasons; `answer`: the expected HTTP answer, `{"status"?, "json" | "body"}`, else `OK`.
- `expanded`: the events after `expand` was asked about those that only announce something; `answers`: what the
  provider's API answers meanwhile, as JSON by method and path: `{"GET /v1/messages/7": {…}}`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from attrs import evolve, frozen

from channelry.codec import from_json, to_json
from channelry.model import OK, Event, Received, Request, Response

from .bench import PUBLIC_URL
from .conformance import fail

RECEIVED_AT = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
"""When every recorded payload arrives."""
_KEYS = {
    *("row", "json", "form", "body", "method", "path", "headers", "events", "ignored", "answer"),
    *("answers", "expanded"),
}
_EVENT: Any = Event


@frozen
class Payload:
    """One recorded request and what is expected of it."""

    name: str
    row: str
    request: Request
    events: tuple[Any, ...]
    ignored: tuple[str, ...]
    answer: Response | None
    answers: Mapping[str, Any]
    expanded: tuple[Any, ...] | None


def read_payloads(folder: Path) -> list[Payload]:
    """Read every `*.json` of a folder; a file that is none fails with what was expected of it."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Payload:
    try:
        recorded = orjson.loads(path.read_bytes())
        if unknown := recorded.keys() - _KEYS:
            raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
        return Payload(
            path.name,
            recorded["row"],
            _request(recorded),
            tuple(from_json(event, _EVENT) for event in recorded["events"]),
            tuple(recorded.get("ignored", ())),
            _answer(recorded["answer"]) if "answer" in recorded else OK,
            recorded.get("answers", {}),
            tuple(from_json(event, _EVENT) for event in recorded["expanded"]) if "expanded" in recorded else None,
        )
    except Exception as error:  # cattrs has many ways to say that an event is none
        fail(
            f"{path.name} is no recorded payload: {type(error).__name__}: {error}",
            '{"row": …, "json" | "form" | "body": …, "events": […]}, events as channelry.codec writes them',
            f"mend {path}",
        )


def _request(recorded: dict[str, Any]) -> Request:
    if "json" in recorded:
        media_type, body = "application/json", orjson.dumps(recorded["json"])
    elif "form" in recorded:
        media_type, body = "application/x-www-form-urlencoded", urlencode(recorded["form"], doseq=True).encode()
    else:
        media_type, body = "text/plain", recorded.get("body", "").encode()
    headers = {"content-type": media_type, **recorded.get("headers", {})}
    pairs = tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
    return Request(recorded.get("method", "POST"), recorded.get("path", "/"), pairs, body, RECEIVED_AT, PUBLIC_URL)


def _answer(expected: dict[str, Any]) -> Response:
    status = expected.get("status", 200)
    if "json" in expected:
        return Response.json(expected["json"], status)
    return Response(status, expected.get("body", "").encode())


def written(event: Any) -> Any:
    """Write an event as JSON, its time in UTC whatever its zone is."""
    if event.occurred_at.tzinfo is not None:
        event = evolve(event, occurred_at=event.occurred_at.astimezone(UTC))
    return to_json(event, _EVENT)


def differences(payload: Payload, received: Received) -> list[str]:
    """Tell where what was parsed differs from what was written down, field by field."""
    lines = event_differences(received.events, payload.events)
    if received.ignored != payload.ignored:
        lines.append(f"ignored is {list(received.ignored)}, expected {list(payload.ignored)}")
    if payload.answer is not None and not _same(received.answer, payload.answer):
        lines.append(f"answer is {received.answer}, expected {payload.answer}")
    return lines


def event_differences(events: Sequence[Any], due: Sequence[Any]) -> list[str]:
    """Tell where events differ from those that were due, field by field."""
    found, expected = [written(event) for event in events], [written(event) for event in due]
    lines = []
    if len(found) != len(expected):
        kinds = [[one["type"] for one in events] for events in (found, expected)]
        lines.append(f"{len(found)} events {kinds[0]}, expected {len(expected)} {kinds[1]}")
    for index, (one, other) in enumerate(zip(found, expected, strict=False)):
        lines += [
            f"events[{index}].{name} is {one.get(name)!r}, expected {other.get(name)!r}"
            for name in sorted(one.keys() | other.keys())
            if one.get(name) != other.get(name)
        ]
    return lines


def _same(answer: Response, expected: Response) -> bool:
    """Compare two answers; JSON by its value."""
    if answer.status != expected.status:
        return False
    if answer.body == expected.body:
        return True
    return expected.media_type == "application/json" and answer.body != b"" and _json(answer) == _json(expected)


def _json(answer: Response) -> Any:
    try:
        return orjson.loads(answer.body)
    except ValueError:
        return answer.body
