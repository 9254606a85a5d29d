"""The tables that the commands print: which columns, and how a cell reads."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeAlias

import click

from channelry.cli import print_table

Columns: TypeAlias = Mapping[str, Callable[[Any], Any]]
"""For each title what it shows of a row."""

WIDEST = 40
"""Characters of a text that a table shows."""


def fields(*names: str) -> dict[str, Callable[[Any], Any]]:
    """Give columns that show attributes of their own names."""
    return {name: attrgetter(name) for name in names}


CONVERSATIONS: Columns = {
    **fields("id", "connection", "title", "name"),
    "address": lambda row: row.address.display or row.address.value,
    **fields("state"),
    "assignee": lambda row: row.assignee and row.assignee.name,
    **fields("language", "sentiment"),
    "last_text": lambda row: shortened(row.last_text),
    **fields("delivery"),
}
DEAD_LETTERS: Columns = fields("id", "connection", "type", "reason", "recorded_at")
USERS: Columns = {
    **fields("id", "name", "email"),
    "access": lambda row: ", ".join(sorted(row.access)),
    "connections": lambda row: ", ".join(sorted(row.connections)),
    **fields("present", "disabled"),
}
UNCERTAIN: Columns = {
    **fields("call", "conversation", "connection"),
    "text": lambda row: shortened(row.text),
    **fields("reason", "since"),
}


def print_rows(columns: Columns, rows: Sequence[Any]) -> None:
    """Print a table, or that there is nothing."""
    if rows:
        print_table(tuple(columns), [[cell(show(row)) for show in columns.values()] for row in rows])
    else:
        click.echo("none")


def shortened(text: str) -> str:
    """Give a text, or its beginning."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def cell(value: Any) -> str:
    """Give a value as a cell shows it: times to the second, scores with their sign, on one line."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, float):
        return f"{value:+.2f}"
    return " ".join(str(value).split())
