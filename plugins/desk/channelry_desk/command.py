"""The commands `channelry desk …`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from attrs import evolve

from channelry.cli import config_option, json_option, print_json

from . import tables
from .errors import NotFoundError
from .grants import SYSTEM, Access
from .moments import DAY, micros
from .people import INVITATION
from .rules import Decision
from .states import ConversationState

if TYPE_CHECKING:
    from channelry.config import Configuration

    from .desk import Desk
    from .service import Service
    from .values import Replayed

_Result = TypeVar("_Result")
commands = click.Group()
"""The commands, as `cli` gives them to whom asks for one."""


@commands.command()
@config_option
@json_option
@click.option("--state", type=click.Choice([str(state) for state in ConversationState]), help="Of this state only.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def conversations(config: Path, as_json: bool, state: str | None, limit: int) -> None:
    """List conversations, the newest first.

    \b
    Examples:
      channelry desk conversations --state pending
      channelry desk conversations --json | jq '.[].last_text'
    """
    from .search import Wanted

    wanted = ConversationState(state) if state else None
    page = _ask(
        config, lambda service: service.search.conversations(by=SYSTEM, wanted=Wanted(state=wanted), limit=limit)
    )
    _print(page.rows, tables.CONVERSATIONS, as_json)


@commands.command("dead-letters")
@config_option
@json_option
@click.option("--settled", is_flag=True, help="Those that a replay has settled.")
def dead_letters(config: Path, as_json: bool, settled: bool) -> None:
    """List what could not be understood or applied, with the reason.

    \b
    Examples:
      channelry desk dead-letters
      channelry desk dead-letters --settled --json
    """
    page = _ask(config, lambda service: service.letters.dead(by=SYSTEM, settled=settled))
    _print(page.rows, tables.DEAD_LETTERS, as_json)


_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@commands.command()
@config_option
@click.argument("dead_letters", type=int, nargs=-1)
@click.option("--journal", type=int, multiple=True, help="A request of the journal instead; repeat it.")
@click.option("--since", type=_DAY, help="All requests of the journal from this time (UTC) on.")
def replay(config: Path, dead_letters: Sequence[int], journal: Sequence[int], since: datetime | None) -> None:
    """Parse the requests of DEAD_LETTERS again, or requests of the journal, with the plugins installed now.

    What is known already stays as it is; what a webhook only announced is asked about again by the server, and settled
    once that succeeds. Exit status 1 if a dead letter stays dead.

    \b
    Examples:
      channelry desk replay 7
      channelry desk replay --journal 4711 --journal 4712
      channelry desk replay --since 2026-11-01
    """
    if not (dead_letters or journal or since):
        raise click.UsageError("name dead letters, or requests by --journal or --since")

    async def replayed(service: "Service") -> "dict[int, Replayed]":
        requests = [*journal, *(await service.letters.since(by=SYSTEM, moment=_utc(since)) if since else ())]
        new = [await service.letters.replay_request(by=SYSTEM, request=one) for one in dict.fromkeys(requests)]
        if journal or since:
            click.echo(f"{len(new)} requests of the journal: {sum(new)} events were new")
        return {one: await service.letters.replay(by=SYSTEM, dead_letter=one) for one in dead_letters}

    found = _ask(config, replayed, "channelry desk dead-letters")
    for letter, outcome in found.items():
        if outcome == "asked":
            click.echo(f"dead letter {letter} is asked about again; channelry desk dead-letters tells what came of it")
        elif outcome == "settled":
            click.echo(f"dead letter {letter} is settled")
    if still_dead := [letter for letter, outcome in found.items() if outcome == "dead"]:
        raise click.ClickException(f"still not understood: {', '.join(map(str, still_dead))}")


@commands.command()
@config_option
@click.option("--since", type=_DAY, required=True, help="From this time on (UTC).")
@click.option("--until", type=_DAY, help="Before this time; else until now.")
def enrich(config: Path, since: datetime, until: datetime | None) -> None:
    """Judge language and sentiment of a period again, with the providers installed now.

    Exit status 1 if a provider failed, so that something may be missing.

    \b
    Examples:
      channelry desk enrich --since 2026-11-01
      channelry desk enrich --since 2026-11-01 --until 2026-11-08T12:00:00
    """
    from .enrichment import ENRICHERS

    async def again(desk: "Desk") -> int:
        enrichment = desk.worker.enrichment
        period = micros(_utc(since)), micros(_utc(until) if until else datetime.now(UTC))
        length = await enrichment.count(*period)
        with click.progressbar(length=length, label="messages", file=sys.stderr) as bar:
            return await enrichment.redo(*period, bar.update)

    def judges(configuration: "Configuration") -> "Configuration":
        """Leave out the connections: nothing is to be polled here."""
        named = {path for hook in ENRICHERS for path in configuration.orders.get(hook, ())}
        if not named:
            raise click.ClickException("no provider of language or sentiment is configured; see: channelry plugins")
        return evolve(configuration, entries=tuple(one for one in configuration.entries if one.path in named))

    from .desk import without_worker

    if blank := asyncio.run(opened_desk(config, without_worker, again, judges)):
        raise click.ClickException(f"{blank} messages may lack something, for a provider failed; try again later")


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


@commands.command()
@config_option
@json_option
def uncertain(config: Path, as_json: bool) -> None:
    """List the sends of which nobody knows whether the provider took them.

    \b
    Examples:
      channelry desk uncertain
    """
    page = _ask(config, lambda service: service.outbox.uncertain(by=SYSTEM))
    _print(page.rows, tables.UNCERTAIN, as_json)


@commands.command()
@config_option
@click.argument("call", type=int)
@click.argument("decision", type=click.Choice([str(one) for one in Decision]))
@click.option("--who", required=True, help="Who decides; it is recorded.")
def decide(config: Path, call: int, decision: str, who: str) -> None:
    """Settle the uncertain CALL: it was `sent`, it is to be sent again (`resend`), or nobody tries again (`give-up`).

    \b
    Examples:
      channelry desk decide 12 sent --who eve
      channelry desk decide 12 resend --who eve
    """
    _ask(
        config,
        lambda service: service.outbox.decide(by=evolve(SYSTEM, name=who), call=call, decision=Decision(decision)),
        "channelry desk uncertain",
    )
    click.echo(f"call {call}: {decision}")


@commands.command()
@config_option
@json_option
def users(config: Path, as_json: bool) -> None:
    """List the users, with what they are granted.

    \b
    Examples:
      channelry desk users
    """
    _print(_ask(config, lambda service: service.people.users(by=SYSTEM)), tables.USERS, as_json)


@commands.command()
@config_option
@click.argument("email")
@click.argument("first_name")
@click.argument("last_name", default="")
@click.option("--short-code", default="", help="For rules of routing.")
@click.option("--access", type=click.Choice([str(one) for one in Access]), multiple=True, help="A section; repeat it.")
@click.option("--connection", multiple=True, help="A connection whose conversations they may take; repeat it.")
def invite(
    config: Path, email: str, first_name: str, last_name: str, short_code: str, access: tuple[str, ...],
    connection: tuple[str, ...],
) -> None:  # fmt: skip
    """Invite somebody, the first administrator for example, and print the token that they set their password with.

    They may do nothing but what is granted here or, later, by an administrator. Whoever is invited again before they
    have answered gets a new token, and keeps what was granted unless it is named anew.

    \b
    Examples:
      channelry desk invite eve@example.org Eve Ng --access administration
      channelry desk invite ann@example.org Ann Lee --access chat-center --connection support
    """
    granted = [Access(one) for one in access]

    async def invited(service: "Service") -> str:
        if unknown := sorted({*connection} - service.hub.connections.keys()):
            known = ", ".join(service.hub.connections) or "none"
            raise click.UsageError(f"{config} has no [connections.{unknown[0]}]; it has {known}")
        user, token = await service.people.invite(
            by=SYSTEM, email=email, first_name=first_name, last_name=last_name, short_code=short_code
        )
        await service.people.grant(by=SYSTEM, user=user.id, access=granted or None, connections=connection or None)
        return token

    token = _ask(config, invited)
    click.echo(f"{email} can set a password within {INVITATION // DAY} days, once, with this token:", err=True)
    click.echo(token)


@commands.command()
@config_option
@click.argument("conversations", type=click.IntRange(1))
def fill(config: Path, conversations: int) -> None:
    """Write so many invented CONVERSATIONS, of three messages each, to try the desk with much: never where real people
    work.

    \b
    Examples:
      channelry desk fill 100000 --config trial.toml
    """
    from .fill import AT_ONCE, Past
    from .moments import micros

    async def filled(service: "Service") -> None:
        past = Past(conversations, sorted(service.hub.connections) or ["filled"], micros(service.hub.clock.now()))
        await service.store.write(past.found)
        with click.progressbar(length=conversations, label="conversations", file=sys.stderr) as bar:
            for part in past.steps():
                await service.store.write(partial(past.write, part=part))
                bar.update(len(part))
        with click.progressbar(length=conversations, label="their words", file=sys.stderr) as bar:
            while await service.store.write(past.index):
                bar.update(AT_ONCE)

    _ask(config, filled)


def _ask(config: Path, question: "Callable[[Service], Awaitable[_Result]]", listing: str = "") -> _Result:
    """Ask the desk; an error about what is not there names the command that lists what is."""
    from channelry.config import load_configuration
    from channelry.hub import closed_hub

    from .desk import engine, without_worker

    configuration = load_configuration(config)
    if missing := engine(configuration).missing():
        raise click.ClickException(f"{missing} is not there; start channelry serve first")

    async def ask() -> _Result:
        async with without_worker(closed_hub(configuration)) as opened:
            try:
                return await question(opened.service)
            except NotFoundError as error:
                raise click.ClickException(f"{error}; see: {listing}" if listing else str(error)) from None

    return asyncio.run(ask())


async def opened_desk(
    config: Path, application: Any, use: "Callable[[Desk], Awaitable[_Result]]",
    of: "Callable[[Configuration], Configuration]" = lambda configuration: configuration,
) -> _Result:  # fmt: skip

    from channelry.config import load_configuration
    from channelry.hub import open_hub

    client = next(iter(entry_points(group="channelry.http")), None)
    if client is None:
        raise click.ClickException("no HTTP client is installed; run: pip install 'channelry[server]'")
    async with client.load()() as http, open_hub(of(load_configuration(config)), application, http=http) as hub:
        return await use(hub.sink)  # type: ignore[arg-type]  # the application above made it


def _print(rows: Any, columns: tables.Columns, as_json: bool) -> None:
    from channelry import codec

    if as_json:
        print_json([_in_seconds(codec.to_json(row)) for row in rows])
    else:
        tables.print_rows(columns, rows)


def _in_seconds(row: dict[str, Any]) -> dict[str, Any]:
    """Give durations as seconds: JSON has none."""
    return {name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in row.items()}
