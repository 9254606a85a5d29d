"""The `[server]` table of the configuration."""

import re
from typing import Any, Literal, TypeAlias

from attrs import Attribute, field, frozen
from attrs.validators import ge, gt, le

_positive = gt(0)
_positive_seconds = gt(0.0)
_WEB_ADDRESS = re.compile(r"https?://[^/\s?#]+(/[^\s?#]*)?")

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


def _web_address(_: Any, attribute: "Attribute[str]", value: str) -> None:
    if value and not _WEB_ADDRESS.fullmatch(value):
        raise ValueError(f"{attribute.name!r} must be an http or https URL without a query")


@frozen(kw_only=True)
class ServerConfig:
    """Where the server listens, under which address the world reaches it, and what it puts up with.

    - `host`, `port`: the address to listen on; port 0 takes a free one.
    - `public_url`: the address by which providers reach this server through the proxy before it, `""` if unknown.
    - `body_limit`: the most bytes of a webhook's body (413); `body_seconds`: how long it may take to come (408).
    - `header_seconds`: how long the head of a request may take (the connection is closed); `header_bytes` and
      `header_count`: how large it may be (431).
    - `drain_seconds`: how long a stopping server waits for the requests that are being answered.
    - `log_level`: the least severe records that are logged.
    """

    host: str = "127.0.0.1"
    port: int = field(default=8080, validator=[ge(0), le(65535)])
    public_url: str = field(default="", validator=_web_address)
    body_limit: int = field(default=1024 * 1024, validator=_positive)
    body_seconds: float = field(default=10.0, validator=_positive_seconds)
    header_seconds: float = field(default=10.0, validator=_positive_seconds)
    header_bytes: int = field(default=32 * 1024, validator=_positive)
    header_count: int = field(default=100, validator=_positive)
    drain_seconds: float = field(default=20.0, validator=_positive_seconds)
    log_level: Level = "info"
