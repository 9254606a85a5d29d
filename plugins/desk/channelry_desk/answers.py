"""Quick answers with their placeholders filled in: `{first_name}`, `{agent}`, … A pure function."""

import re
from collections.abc import Mapping

from .values import Conversation

_PLACEHOLDER = re.compile(r"( *)\{(\w+)\}")


def placeholders(conversation: Conversation, agent: str) -> Mapping[str, str]:
    """Give what placeholders stand for in a conversation; what is not known is blank."""
    known = conversation.customer
    return {
        "first_name": "" if known is None else known.first_name,
        "last_name": "" if known is None else known.last_name,
        "company": "" if known is None or known.company is None else known.company.name,
        "number": conversation.number,
        "agent": agent,
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill in what is known; other braces stay as they are, and a blank leaves no gap before it."""
    return _PLACEHOLDER.sub(lambda one: _said(one, values), text)


def _said(one: re.Match[str], values: Mapping[str, str]) -> str:
    space, name = one.groups()
    value = values.get(name)
    if value is None:
        return one[0]
    return f"{space}{value}" if value else ""
