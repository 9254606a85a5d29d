"""The command line: list plugins, check a configuration, read a captured webhook; and what others add to it.

A command imports what it needs when it runs, for `channelry --help` imports every command's module.
"""

import os
import sys
import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import click
import orjson

from .discovery import Available, available
from .errors import AmbiguousError, ChannelryError, ConfigError, PluginError
from .secrets import one_line, redact

if TYPE_CHECKING:
    from .hub import Hub
    from .instance import Instance
    from .model import Request

_FILE = click.Path(path_type=Path)
config_option = click.option("--config", type=_FILE, default="channelry.toml", show_default=True, help="The file.")
"""Adds `--config FILE` to a command, passed on as the Path `config`."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
"""Adds `--json` to a command, passed on as the bool `as_json`."""
ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Settings of a command that cannot be loaded: whatever is typed, it says why."""
ELSEWHERE = {
    "serve": "server", "send": "server", "setup": "server", "worker": "desk", "desk": "desk", "demo": "demo",
    "new": "testing", "simulate": "testing", "enrich": "enrich",
}  # fmt: skip
"""The commands of our other distributions, and the extra that brings each."""
PATIENCE = 30.0
"""Seconds that a plugin may keep the main thread to itself before `plugins` and `check` give up on it."""


class CommandGroup(click.Group):
    """A group whose help tells in whole sentences what its commands do."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):  # as click does it, but it would cut sentences at the edge of the screen
            formatter.write_dl([(name, one.get_short_help_str(1000)) for name, one in commands if one is not None])


class _Commands(CommandGroup):
    """The core's commands, and those of installed distributions, which are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_added(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if point := _added(ctx).get(cmd_name):
            try:
                loaded: click.Command = point.load()
                return loaded
            except ImportError as error:  # it must not take the other commands with it
                reason = f"cannot be loaded: {error}"
                fail = partial(_fail, f"{cmd_name} {reason}")
                return click.Command(cmd_name, context_settings=ANYTHING, short_help=reason, callback=fail)
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in ELSEWHERE:
            ctx.fail(f"no such command {cmd_name!r} here; run: pip install 'channelry[{ELSEWHERE[cmd_name]}]'")
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ChannelryError as error:
            doubt = "it is not known whether this was taken; look first: " if isinstance(error, AmbiguousError) else ""
            click.echo(redact(f"{doubt}{error}"), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)


def _added(ctx: click.Context) -> dict[str, EntryPoint]:
    """Give the commands of other distributions by name, read once in an invocation: it takes a hundredth second."""
    group = "channelry.commands"
    return {point.name: point for point in ctx.meta.get(group) or ctx.meta.setdefault(group, entry_points(group=group))}


def _fail(reason: str) -> None:
    raise click.ClickException(reason)


def _watch() -> None:
    """End the process once a plugin has kept the main thread for PATIENCE seconds, which nothing else could do."""
    from .dispatch import Hook

    def watch() -> None:
        times, before = 0, None
        while times < 20 or before is None:
            sleep(PATIENCE / 20)
            frame = sys._current_frames().get(threading.main_thread().ident or 0)
            while frame and not isinstance(frame.f_locals.get("self"), Hook | Available):
                frame = frame.f_back
            times, before = times + 1 if frame is before else 0, frame
        culprit = before.f_locals["self"]
        what = f"{culprit.plugin}: hook {culprit.name}" if isinstance(culprit, Hook) else f"{culprit.name}: its import"
        click.echo(f"{what} blocks; expected it to end, or to await; mend or uninstall the plugin", err=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="channelry")
def main() -> None:
    """Customer-care channels as plugins.

    \b
    channelry plugins                      what is installed, and why something is not loaded
    channelry check --live                 the configuration, the credentials, the registrations
    channelry parse support < hook.json    what a captured webhook means
    channelry send support --to 491700000001 --text "Hello"
    """


@main.command()
@config_option
@json_option
def plugins(config: Path, as_json: bool) -> None:
    """List the installed plugins: what brings them, their hooks, where the configuration uses them.

    \b
    Examples:
      channelry plugins
      channelry plugins --json | jq '.[] | select(.state != "in use")'
    """
    from .config import Configuration, load_configuration
    from .registry import examine, marked

    _watch()
    configuration = Configuration(config)
    unused = f"{config} {'does not name it' if config.exists() else 'is not there'}"
    try:
        configuration = load_configuration(config) if config.exists() else configuration
    except ConfigError as error:
        click.echo(str(error), err=True)
        unused = f"{config} has faults"
    rows: list[dict[str, Any]] = []
    for name, found in sorted(available().items()):
        uses = [entry.path for entry in configuration.entries if entry.plugin == name]
        orders = ((hook, order, path) for hook, order in configuration.orders.items() for path in uses)
        places = [f"{hook} {order.index(path) + 1}" for hook, order, path in orders if path in order]
        hooks: list[str] = []
        state, reason = ("in use", "") if uses else ("installed", unused)
        try:
            cls = found.load()
            examine(name, cls)
            hooks = sorted(marked(cls))
        except (ImportError, PluginError) as error:
            state, reason = "not loaded", f"{error} → mend or upgrade {found.distribution}; run: channelry plugins"
        rows.append(
            {"plugin": name, "distribution": found.distribution, "version": found.version, "hooks": hooks,
             "order": places, "used_by": uses, "state": state, "reason": reason}
        )  # fmt: skip
    if as_json:
        print_json(rows)
        return
    cells = [[", ".join(cell) if isinstance(cell, list) else cell for cell in row.values()] for row in rows]
    print_table(["plugin", "distribution", "version", "hooks", "order", "used by", "state", "reason"], cells)


@main.command()
@config_option
@json_option
@click.option("--live", is_flag=True, help="Ask each provider whether credentials and registration are good.")
def check(config: Path, live: bool, as_json: bool) -> None:
    """Check the configuration file, and with --live every connection.

    \b
    Exit status: 0 all is well, 1 a plugin or a connection is not, 2 the file has faults.

    \b
    Examples:
      channelry check
      channelry check --live --config staging.toml
    """
    import anyio

    from .config import load_configuration
    from .hub import closed_hub

    _watch()
    if live:
        found = anyio.run(_check_live, config)
    else:
        states = closed_hub(load_configuration(config)).status()
        found = [(one.name, one.plugin, "ok" if one.state == "opening" else one.state, one.reason) for one in states]
    titles = ("name", "plugin", "state", "reason")
    if as_json:
        print_json([dict(zip(titles, row, strict=True)) for row in found])
    else:
        print_table(titles, found)
    if any(state not in ("ok", "nothing to check") for _, _, state, _ in found):
        raise click.ClickException("mend what is not ok, or upgrade its plugin (see: channelry plugins); check again")


async def _check_live(config: Path) -> list[tuple[str, str, str, str]]:
    async with opened_hub(config) as hub:
        for name, instance in hub.connections.items():
            try:
                if "check" in instance.hooks:
                    await hub.check(name)
            except ChannelryError as error:
                instance.reason = one_line(str(error))
        rows = [(one, "ok" if "check" in one.hooks else "nothing to check") for one in hub.status()]
        return [(one.name, one.plugin, "failed" if one.reason else well, one.reason) for one, well in rows]


@main.command()
@config_option
@json_option
@click.argument("connection")
@click.option("--no-verify", is_flag=True, help="Do not check the signature: for captures older than the secret.")
@click.option("--trace", is_flag=True, help="Add what each hook did, and in how many seconds.")
def parse(connection: str, config: Path, no_verify: bool, trace: bool, as_json: bool) -> None:
    """Tell what a captured webhook means to CONNECTION: reads a capture, prints its answer and its events.

    \b
    A capture is JSON: {"method", "path" (with the query; / if missing), "headers", "body" or "body_base64",
    "received_at" (RFC 3339; now if missing)}. The answer is one JSON object
    {"status", "answer", "events"}, with --trace also "trace"; exit status 3 if the request is rejected.

    \b
    Examples:
      channelry parse support < capture.json
      channelry parse support --trace < capture.json | jq .trace
      channelry parse support --no-verify < old.json | jq .events
    """
    from . import codec
    from .config import load_configuration
    from .hub import REJECTED, closed_hub
    from .model import Event

    hub = closed_hub(load_configuration(config))
    instance = find_connection(hub, connection)
    if instance.plugin is None:
        raise click.ClickException(f"connections.{connection} is not loaded: {instance.reason}; run: channelry plugins")
    if "parse" not in instance.pure:
        raise click.UsageError(f"the plugin {instance.entry.plugin} receives no webhooks")
    request = _capture(sys.stdin.buffer.read(), hub)
    traced: dict[str, Any] = {"trace": []} if trace else {}
    if trace:
        instance.pure = {name: partial(_noted, traced["trace"], name, hook) for name, hook in instance.pure.items()}
    if not no_verify and not hub.verified(instance, request):
        click.echo("not the provider's: see to the secret, or take --no-verify for an old capture", err=True)
        print_json({"status": REJECTED.status, "answer": REJECTED.body.decode(), "events": [], **traced})
        sys.exit(3)
    received = hub.parsed(instance, request)
    for account in sorted({event.account for event in received.events if not instance.claims(event)}):
        click.echo(f"events of the account {account}: {connection} is {instance.account} and gets none", err=True)
    answer = received.answer.body.decode(errors="replace")
    events = [codec.to_json(event, Event) for event in received.events]
    print_json({"status": received.answer.status, "answer": answer, "events": events, **traced})


def _noted(trace: list[dict[str, Any]], name: str, hook: Callable[[Any], Any], argument: Any) -> Any:
    """Call a pure hook, and note in `trace` what came of it and how long it took."""
    from .dispatch import explain

    began, outcome = perf_counter(), ""
    try:
        value = hook(argument)
        outcome = f"returned {type(value).__name__}"
        return value
    except BaseException as error:
        outcome = explain(error)
        raise
    finally:
        trace.append({"hook": name, "outcome": outcome, "seconds": round(perf_counter() - began, 9)})


def find_connection(hub: "Hub", name: str) -> "Instance":
    """Give a connection by the name that was typed; UsageError names those that there are."""
    if name not in hub.connections:
        known = ", ".join(hub.connections) or "none"
        raise click.UsageError(f"{hub.configuration.file} has no [connections.{name}]; it has {known}")
    return hub.connections[name]


def _capture(data: bytes, hub: "Hub") -> "Request":
    """Read a capture; ClickException names what is wrong with it."""
    from .model import Request

    try:
        capture = orjson.loads(data)
        headers, path = capture["headers"], str(capture.get("path", "/"))
        pairs = headers.items() if isinstance(headers, dict) else headers
        encoded = capture.get("body_base64")
        body = b64decode(encoded, validate=True) if encoded is not None else str.encode(capture["body"])
        received_at = datetime.fromisoformat(capture["received_at"]) if "received_at" in capture else datetime.now(UTC)
        if received_at.tzinfo is None:
            raise ValueError("received_at has no time zone")
        raw = tuple((str(name).lower().encode(), str(value).encode()) for name, value in pairs)
        url = f"{hub.configuration.public_url}{path}"
        return Request(str(capture["method"]), path, raw, body, received_at.astimezone(UTC), url)
    except KeyError as error:
        raise click.ClickException(f"the capture lacks {error}; see: channelry parse --help") from None
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise click.ClickException(f"standard input is no capture ({error}); see: channelry parse --help") from None


@asynccontextmanager
async def opened_hub(config: Path) -> AsyncIterator["Hub"]:
    """Open a hub that keeps nothing, with an installed HTTP client (entry point `channelry.http`), and what connections
    remember where an application keeps that (entry point `channelry.memory`): a refresh token may be good once."""
    from .config import load_configuration
    from .hub import open_hub
    from .sink import nowhere

    memory = next((point.load() for point in entry_points(group="channelry.memory")), nowhere)
    for point in entry_points(group="channelry.http"):
        async with point.load()() as http, open_hub(load_configuration(config), memory, http=http) as hub:
            yield hub
            return
    raise click.ClickException("no HTTP client is installed; run: pip install 'channelry[server]'")


def print_json(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: by rich on a terminal where it is installed, else in plain columns."""
    rows = [[one_line(cell, 1000) for cell in row] for row in rows]  # customers' words have no say on our screen
    if not (sys.stdout.isatty() and find_spec("rich")):
        widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
        for row in (titles, *rows):
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich import console, table, text

    made = table.Table(*(table.Column(title, overflow="fold") for title in titles))
    for row in rows:
        made.add_row(*map(text.Text, row))
    console.Console().print(made)
