"""What arrives: the raw request, and what a channel made of it."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
from attrs import field, frozen

from .events import Event


@frozen
class Request:
    """One inbound request exactly as it came; a listener wraps what it read in one, so that replay is one path.

    - `method`, `path`: the path includes the query, percent-encoded as sent (signatures cover it).
    - `headers`: raw pairs, names in lower case, as ASGI gives them; `body`: the raw bytes, which signatures cover.
    - `received_at`: aware, UTC; the only time that `parse` may use.
    - `public_url`: the URL as the provider called it, built from the configuration, never from `Host`.
    """

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = field(repr=False)
    received_at: datetime
    public_url: str = ""

    def header(self, name: bytes) -> bytes:
        """Give the first header of this lower-case name, or `b""`."""
        for key, value in self.headers:  # a generator would take three times as long, at every signature
            if key == name:
                return value
        return b""

    def query(self) -> dict[str, str]:
        """Give the query's parameters, the last of each name."""
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    def form(self) -> list[tuple[str, str]]:
        """Give a form body's fields in their order, blank ones included; ValueError if it is not UTF-8."""
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    def json(self) -> Any:
        """Give the body's JSON; ValueError on NaN, lone surrogates, deep nesting and all else that is not JSON."""
        return orjson.loads(self.body)


@frozen
class Response:
    """What the provider is answered over HTTP, always with a Content-Length (Matrix repeats what has none)."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"

    @classmethod
    def json(cls, value: Any, status: int = 200) -> "Response":
        """Answer with JSON."""
        return cls(status, orjson.dumps(value), "application/json")


OK = Response()


@frozen(slots=False)
class Received:
    """One request as a channel understood it.

    - `request`: the raw request; the application keeps it in its journal.
    - `events`: all that the request tells, nothing lost: what was not understood is an `Unparsed`.
    - `answer`: the HTTP answer (challenges; a call that rides on it). It is given only after the sink's `record`.
    - `ignored`: a short reason for each row that is known to concern nobody; they are counted.
    - `connection`: whose events these are; the hub fills it in, `""` where no connection claims them.
    """

    request: Request
    events: tuple[Event, ...] = ()
    answer: Response = OK
    ignored: tuple[str, ...] = ()
    connection: str = ""
