"""The command `channelry enrich`."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO

import click
import orjson

from channelry.cli import config_option, json_option, print_json, print_table
from channelry.errors import ConfigError
from channelry.secrets import one_line

if TYPE_CHECKING:
    from channelry.config import Configuration

    from .compare import Comparison

BATCH = 32
"""Texts that are judged at once, as many as the desk judges."""


def _names(_: click.Context, __: click.Parameter, value: str) -> list[str]:
    return list(dict.fromkeys(filter(None, map(str.strip, value.split(",")))))


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@config_option
@click.option("--order", callback=_names, default="", metavar="A,B,…", help="The providers, instead of the file's.")
@click.option("--compare", is_flag=True, help="Measure the providers on a labelled FILE: all that are installed.")
@json_option
def enrich(file: BinaryIO, config: Path, order: list[str], compare: bool, as_json: bool) -> None:
    """Tell the language and the sentiment of texts: reads FILE, or standard input, and prints a JSON object a line.

    \b
    A line is a text, or JSON: {"text"}, perhaps with "hint" (a locale, as de-AT), "languages" (the only ones it
    may be in, as ["de", "en"]) and "before" (what the customer wrote in before, as {"de": 3}).
    What comes out, in the same order:
      {"text", "language" (BCP 47), "confidence", "sentiment" (very-negative … very-positive),
       "score" (-1 to 1), "plugin" (who told it), "ms"}; null is what nobody was sure of.
    With --compare a line is {"text", "language", "sentiment" (may be missing)}, all true, perhaps with what
    is said above, and what comes out is tables, or with --json one object per provider and hook.

    \b
    Examples:
      echo "Wo bleibt mein Paket?" | channelry enrich --order langdetect,vader
      channelry enrich messages.jsonl --config channelry.toml | jq -r .language | sort | uniq -c
      channelry enrich --compare labelled.jsonl --order langdetect,py3langid
    """
    import anyio

    from .providers import configuration

    if compare:
        _compare(file, config, order, as_json)
        return
    settings = configuration(config, order)
    if not settings.entries:
        raise click.UsageError(f"no provider is named: do it by --order langdetect,vader, or in {config}")
    anyio.run(_enrich, file, settings)


async def _enrich(file: BinaryIO, settings: "Configuration") -> None:
    from .answers import enriched
    from .lines import text_of
    from .providers import opened

    complaints: set[str] = set()

    def complain(path: str, reason: str) -> None:
        if path not in complaints:  # else a provider that is down would be told of with each batch
            complaints.add(path)
            click.echo(one_line(reason), err=True)

    async with opened(settings) as hub:
        for status in hub.status():
            if status.state != "ready":
                complain(status.name, f"{status.name} is {status.state}: {status.reason}")
        with _progress(file) as advance:
            while batch := list(islice(file, BATCH)):
                for answer in await enriched(hub, list(map(text_of, batch)), complain):
                    sys.stdout.buffer.write(orjson.dumps(answer.as_json()) + b"\n")
                sys.stdout.buffer.flush()
                advance(sum(map(len, batch)))


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """Show how far a file has been read, on a terminal that shows nothing else."""
    status = os.fstat(file.fileno()) if sys.stderr.isatty() and not sys.stdout.isatty() else None
    if status is None or not S_ISREG(status.st_mode):
        yield lambda _: None
        return
    with click.progressbar(length=status.st_size, label="enriching", file=sys.stderr) as bar:
        yield bar.update


def _compare(file: BinaryIO, config: Path, order: Sequence[str], as_json: bool) -> None:
    from . import compare as comparing
    from .lines import labelled
    from .providers import configuration

    try:
        sentences = list(labelled(file))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    names = []
    for name in order or comparing.installed_providers():
        try:
            configuration(config, [name])
        except ConfigError as error:
            if order:
                raise
            missing = ", ".join(fault.path for fault in error.faults)
            click.echo(f"{name} is left out, for it has to be configured: {missing}", err=True)
        else:
            names.append(name)
    found = comparing.compare(config, names, sentences)
    for one in found:
        for failure in one.failures:
            click.echo(one_line(failure), err=True)
    if as_json:
        print_json([one.as_json() for one in found])
    else:
        _print_tables(found)


def _print_tables(found: "Sequence[Comparison]") -> None:
    rows = []
    for one in found:
        shares = [(one.answered, len(one.told)), (one.right, one.answered), (one.right, len(one.told))]
        told = [*(_share(*share) for share in shares), _share(one.near, len(one.told))]
        memory = "?" if one.megabytes is None else f"{one.megabytes:.0f}"
        rows.append([one.plugin, one.hook, str(len(one.told)), *told, f"{one.seconds * 1000:.3f}", memory])
    print_table(("plugin", "hook", "texts", "answered", "precision", "accuracy", "near", "ms", "MB"), rows)
    for hook in dict.fromkeys(one.hook for one in found):
        ours = [one for one in found if one.hook == hook]
        tags = sorted({tag for one in ours for tag in one.by_language()})
        cells = [[tag, *("{}/{}".format(*one.by_language()[tag]) for one in ours)] for tag in tags]
        click.echo()
        print_table((f"right, {hook}", *(one.plugin for one in ours)), cells)
    wrong = [(one.plugin, *map(str, confusion)) for one in found for confusion in one.confusions()]
    if wrong:
        click.echo()
        print_table(("plugin", "expected", "answered", "times"), wrong)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"
