# mypy: disable-error-code="empty-body"
"""The hook by which a plugin puts an ASGI application of its own on the server.

A plugin marks it `@hookimpl(optionalhook=True)`, so that it also loads where no server is installed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import field, frozen
from attrs.validators import matches_re

from channelry.plugin import hookspec

RESERVED = ("hooks", "health", "ready", "metrics")


@frozen
class Mounted:
    """An ASGI application and the path below which it is served (`"/desk"`); `""` takes all that is left.

    Its lifespan is the plugin's `open` and `close`: it gets no lifespan messages.
    """

    path: str = field(validator=matches_re(rf"|/(?!({'|'.join(RESERVED)})(/|$))[^/?#]+(/[^/?#]+)*"))
    app: Callable[..., Awaitable[Any]]


@hookspec
def asgi() -> Mounted:
    """Give the application to mount. Pure; called once, when the server starts."""
