"""What recognizers and enrichers are asked and what they answer."""

from attrs import frozen


@frozen(kw_only=True)
class Text:
    """One text to be judged; `language` (BCP 47) once it is known, `hint` what the channel suggests."""

    text: str
    language: str = ""
    hint: str = ""


@frozen(kw_only=True)
class Language:
    """The language of a text: a BCP 47 tag and how sure the plugin is, 0 to 1."""

    code: str
    confidence: float


@frozen(kw_only=True)
class Sentiment:
    """The feeling of a text: from -1 (very negative) over 0 to 1 (very positive), and how sure the plugin is."""

    score: float
    confidence: float


@frozen(kw_only=True)
class Match:
    """Who a profile belongs to: the customer's id, the evidence in words, and whether it is certain.

    Only an `exact` match links by itself; another is offered to the agent as a candidate.
    """

    customer: str
    evidence: str
    exact: bool = False
