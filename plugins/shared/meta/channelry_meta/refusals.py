"""What Meta's refusals mean, as data: a table of codes, and the one place that reads it.

The shape of an error: https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from attrs import frozen

from channelry.errors import AuthError, PermanentError, RetryableError, SendError
from channelry.model import RateScope
from channelry.secrets import one_line
from channelry.services import HttpResponse

Code: TypeAlias = int | tuple[int, int]
"""An error's code, or its code and subcode."""


@frozen
class Rule:
    """What one code means: an error of ours, the seconds to wait where Meta names none, and what has to wait."""

    error: type[SendError]
    retry_after: float | None = None
    scope: RateScope | None = None


Refusals: TypeAlias = Mapping[Code, Rule]
"""Rules by code; a rule by code and subcode goes before."""


def rules(
    error: type[SendError], *codes: Code, retry_after: float | None = None, scope: RateScope | None = None
) -> dict[Code, Rule]:
    """Give the rows of a table for codes that mean the same."""
    return dict.fromkeys(codes, Rule(error, retry_after, scope))


def refusal(answer: HttpResponse, table: Refusals, now: datetime) -> SendError:
    """Turn an answer that is not a success into an error, by its code and not by its words.

    `is_transient`, 429 and 5xx are worth another try, whatever the table says of the code. Of what it does not have,
    401 is about the credentials, and the rest will not get better. `Retry-After` goes before the table's own seconds.
    """
    error = _error(answer)
    code, subcode = error.get("code"), error.get("error_subcode")
    rule = _rule(code, subcode, table) or Rule(AuthError if answer.status == 401 else PermanentError)
    passing = answer.status == 429 or answer.status >= 500 or error.get("is_transient") is True
    if passing and rule.error is not RetryableError:
        rule = Rule(RetryableError)
    name = "/".join(str(number) for number in (code, subcode) if isinstance(number, int)) or str(answer.status)
    text = one_line(f"Meta refused with {name}: {_words(error) or f'HTTP {answer.status}'}")
    if rule.error is RetryableError:
        named = answer.retry_after(now)
        wait = rule.retry_after if named is None else named
        return RetryableError(text, code=name, retry_after=wait, scope=rule.scope)
    return rule.error(text, code=name)


def _error(answer: HttpResponse) -> Mapping[str, Any]:
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _rule(code: Any, subcode: Any, table: Refusals) -> Rule | None:
    if not isinstance(code, int):
        return None
    exact = table.get((code, subcode)) if isinstance(subcode, int) else None
    return exact or table.get(code)


def _words(error: Mapping[str, Any]) -> str:
    details = error.get("error_data")
    told = (error.get("message"), details.get("details") if isinstance(details, dict) else None)
    return " ".join(words for words in told if isinstance(words, str) and words)
