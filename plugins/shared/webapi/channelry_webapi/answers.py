"""What answers mean, where the provider says no more than HTTP does."""

from collections.abc import Mapping
from typing import Any

from channelry.errors import AmbiguousError, AuthError, PermanentError, RetryableError, SendError
from channelry.model import RateScope
from channelry.parsing import identifier
from channelry.secrets import one_line
from channelry.services import HttpResponse, Services


def content(answer: HttpResponse) -> Mapping[str, Any]:
    """Give the JSON object of an answer, an empty one where it has none."""
    found = answer.json()
    return found if isinstance(found, dict) else {}


def kind_of(status: int) -> type[SendError]:
    """Give the error that an HTTP status stands for."""
    if status in (408, 429) or status >= 500:
        return RetryableError
    return AuthError if status in (401, 403) else PermanentError


def refusal(
    answer: HttpResponse,
    services: Services,
    kind: type[SendError] | None = None,
    *,
    said: str = "",
    code: str = "",
    retry_after: float | None = None,
    scope: RateScope | None = None,
) -> SendError:
    """Give the error of an answer that is no success; what is not given is as HTTP has it.

    - `kind`: None: as the status says; `said`: the provider's words; `code`: its code.
    - `retry_after`, `scope`: how many seconds has to wait what, if it is a RetryableError; None: `Retry-After`, and
      after 429 the connection.
    """
    kind = kind or kind_of(answer.status)
    text, code = one_line(said) or f"HTTP {answer.status}", one_line(code) or str(answer.status)
    if kind is not RetryableError:
        return kind(text, code=code)
    wait = answer.retry_after(services.clock.now()) if retry_after is None else retry_after
    if scope is None and answer.status == 429:
        scope = RateScope.CONNECTION
    return RetryableError(text, code=code, retry_after=wait, scope=scope)


def unreadable(*, repeatable: bool) -> SendError:
    """Give the error of an answer that says neither yes nor no: a proxy's page, a body cut off."""
    kind = RetryableError if repeatable else AmbiguousError
    return kind("the provider's answer was not understood", code="unreadable")


def named(value: Any, *, repeatable: bool) -> str:
    """Give the id that an answer names what was made by; without one it is unreadable."""
    try:
        return identifier(value)
    except ValueError:
        raise unreadable(repeatable=repeatable) from None


def ids(rows: Any) -> tuple[str, ...]:
    """Give the ids of the rows that an answer lists what was made in; none where one has no `id`, or it is no list."""
    try:
        return tuple([identifier(row["id"]) for row in rows])
    except (LookupError, TypeError, ValueError):
        return ()


def object_in(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Give the object that an answer has under a name, an empty one where it has none."""
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def rows_in(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Give the objects that an answer lists under a name."""
    found = answer.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
