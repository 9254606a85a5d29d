"""The command `channelry demo`."""

import asyncio
import sys

import click
from attrs import asdict
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from channelry.cli import json_option, print_json, print_table

from .tally import Totals

TITLES = ("channel", "received", "rejected", "duplicates", "answered", "accepted", "delivered")


@click.command()
@click.option("--customers", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Which duplicates, which disorder.")
@json_option
def demo(customers: int, seed: int, as_json: bool) -> None:
    """Run everything on this machine: a real server, simulated providers, customers who write.

    Each customer writes twice, on WhatsApp or on Telegram; an application of 40 lines answers. Some webhooks come
    twice, some are forged, all are in disorder, and both providers refuse for a while (429). Exit status 0 only if
    our totals and the providers' ledgers agree. No real account is involved, and nothing leaves this machine.

    \b
    Examples:
      channelry demo
      channelry demo --customers 1000 --seed 7
    """
    from . import stage

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("simulated customers answered", total=2 * customers)
        found = asyncio.run(stage.play(customers, seed, lambda taken: bar.update(task, completed=taken)))
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_table(TITLES, [_row(one) for one in found])
    wrong = [f"{one.channel}: {what}" for one in found for what in one.disagreements]
    for line in wrong:
        click.echo(f"disagreement: {line}", err=True)
    if wrong:
        sys.exit(1)
    click.echo("Our totals and the simulated providers' ledgers agree.", err=True)


def _row(one: Totals) -> list[str]:
    row = asdict(one)
    return ["not reported" if row[title] is None else str(row[title]) for title in TITLES]
