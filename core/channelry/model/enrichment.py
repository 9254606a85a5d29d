"""What recognizers and enrichers are asked and what they answer."""

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from attrs.validators import and_, ge, le

TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""What a language tag looks like (BCP 47, RFC 5646, 2.1)."""


def _tag(_: object, attribute: Any, value: str) -> None:
    if not TAG.fullmatch(value):
        raise ValueError(f"{attribute.name!r} must be a language tag (BCP 47)")


@frozen(kw_only=True)
class Text:
    """One text to be judged, and what is known of who wrote it.

    - `language`: its language (BCP 47), once it is known.
    - `languages`: the only ones (BCP 47) that it may be in; none: any.
    - `before`: what the customer wrote before: languages (BCP 47), each with its weight, 1 for a text that was sure.
    - `hint`: a locale that the channel suggests (`de-AT`); `country`: of the customer's phone number (ISO 3166-1).
    """

    text: str
    language: str = ""
    languages: tuple[str, ...] = ()
    before: Mapping[str, float] = field(factory=dict, hash=False)
    hint: str = ""
    country: str = ""


@frozen(kw_only=True)
class Language:
    """The language of a text: a BCP 47 tag and how sure the plugin is, 0 to 1."""

    code: str = field(validator=_tag)
    confidence: float = field(validator=and_(ge(0), le(1)))


@frozen(kw_only=True)
class Sentiment:
    """The feeling of a text: from -1 (very negative) over 0 to 1 (very positive), and how sure the plugin is."""

    score: float = field(validator=and_(ge(-1), le(1)))
    confidence: float = field(validator=and_(ge(0), le(1)))


@frozen(kw_only=True)
class Match:
    """Who a profile belongs to: the customer's id, the evidence in words, and whether it is certain.

    Only an `exact` match links by itself; another is offered to the agent as a candidate.
    """

    customer: str
    evidence: str
    exact: bool = False
