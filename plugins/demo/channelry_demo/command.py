"""The command `channelry demo`."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict

from channelry.cli import json_option, print_json, print_table

if TYPE_CHECKING:
    import asyncio

    from channelry_desk.values import Conversation

ROWS = 24
"""Conversations that are shown; a screen has no room for two hundred."""
CONVERSATION = ("customer", "channel", "language", "sentiment", "state", "last message", "delivery")


@click.command()
@click.option("--customers", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Which duplicates, which disorder.")
@click.option("--keep", is_flag=True, help="Leave it running until Ctrl+C, to be looked at.")
@json_option
def demo(customers: int, seed: int, keep: bool, as_json: bool) -> None:
    """Run everything on this machine: a real server with the desk, simulated providers, customers who write.

    Each customer writes twice, on one of the installed channels that have a simulator (one customer at least on each),
    in one of eleven languages; one person writes on three. An agent's program answers. Some webhooks come twice, some
    are forged, all are in disorder; every provider refuses for a while (429) and loses one answer. The conversations
    are shown, and then the totals: counted in the desk's SQLite file, opened again after the shutdown, and in the
    providers' own ledgers. Exit status 0 only if they agree. No real account is involved, and nothing leaves this
    machine.

    \b
    Examples:
      channelry demo
      channelry demo --customers 1000 --seed 7
      channelry demo --keep
    """
    import asyncio

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from . import stage
    from .totals import TITLES, totals

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("messages answered", total=None)

    def progress(taken: int, expected: int) -> None:
        bar.update(task, completed=taken, total=expected)

    async def shown(conversations: "Sequence[Conversation]") -> None:
        bar.stop()
        if not as_json:
            print_table(CONVERSATION, [_cells(one) for one in conversations[:ROWS]])
            if len(conversations) > ROWS:
                click.echo(f"… and {len(conversations) - ROWS} more conversations")
            for line in _met_again(conversations):
                click.echo(line)
        if keep:
            interrupted = _interruption()
            click.echo(f"\nrunning; the desk's file is {folder}/{stage.DATABASE}; look at it, for example:", err=True)
            click.echo(f"  channelry desk conversations --config {folder}/channelry.toml", err=True)
            click.echo("Ctrl+C ends it", err=True)
            await interrupted.wait()

    with tempfile.TemporaryDirectory(prefix="channelry-demo-") as folder, bar:
        given = stage.Play(customers=customers, seed=seed, folder=Path(folder))
        ledgers, declared = asyncio.run(stage.play(given, progress, shown))
        found = totals(Path(folder) / stage.DATABASE, ledgers, declared)
    rows = [asdict(one) for one in found]
    if as_json:
        print_json(rows)
    else:
        click.echo()
        print_table(TITLES, [["–" if row[title] is None else str(row[title]) for title in TITLES] for row in rows])
    wrong = [f"{one.channel}: {what}" for one in found for what in one.disagreements]
    for line in wrong:
        click.echo(f"disagreement: {line}", err=True)
    if wrong:
        sys.exit(1)
    click.echo("The desk's file and the simulated providers' ledgers agree.", err=True)


def _cells(one: "Conversation") -> list[str]:
    sentiment = "" if one.sentiment is None else f"{one.sentiment:+.2f}"
    last = one.last_text if len(one.last_text) <= 40 else f"{one.last_text[:39]}…"
    return [one.title, one.connection, one.language, sentiment, one.state, last, one.delivery or ""]


def _met_again(conversations: "Sequence[Conversation]") -> Iterator[str]:
    """Name the customers who wrote on several channels."""
    met: dict[int, dict[str, Conversation]] = {}
    for one in conversations:
        if one.customer is not None:
            met.setdefault(one.customer.id, {})[one.connection] = one
    for channels in met.values():
        if len(channels) > 1:
            yield f"{next(iter(channels.values())).title} is one customer on {', '.join(sorted(channels))}"


def _interruption() -> "asyncio.Event":
    """Give what Ctrl+C and SIGTERM set from now on."""
    import asyncio
    import signal

    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    return interrupted
