"""The command line: list plugins, check a configuration, read a captured webhook, send one message."""

import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import entry_points
from importlib.util import find_spec
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import click
import orjson

from . import codec
from .config import Configuration, load_configuration
from .discovery import available
from .errors import AmbiguousError, ChannelryError, ConfigError, PluginError
from .hub import REJECTED, Hub, closed_hub, open_hub
from .instance import Instance
from .model import Address, Event, Kind, Media, Receipt, Received, Request, SendMessage, Target
from .registry import examine, marked
from .secrets import one_line, redact
from .services import OpenHttp
from .sink import Sink

_FILE = click.Path(path_type=Path)
config_option = click.option("--config", type=_FILE, default="channelry.toml", show_default=True, help="The file.")
"""Adds `--config FILE` to a command, passed on as the Path `config`."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
"""Adds `--json` to a command, passed on as the bool `as_json`."""


class _Commands(click.Group):
    """The core's commands, and those of installed distributions, which are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(
            {*super().list_commands(ctx), *(point.name for point in entry_points(group="channelry.commands"))}
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for point in entry_points(group="channelry.commands", name=cmd_name):
            try:
                loaded: click.Command = point.load()
                return loaded
            except ImportError as error:  # it must not take the other commands with it
                reason = f"cannot be loaded: {error}"
                return click.Command(cmd_name, short_help=reason, callback=partial(_fail, f"{cmd_name} {reason}"))
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ChannelryError as error:
            doubt = "it is not known whether this was taken; look first: " if isinstance(error, AmbiguousError) else ""
            click.echo(redact(f"{doubt}{error}"), err=True)
            ctx.exit(2 if isinstance(error, ConfigError) else 1)


def _fail(reason: str) -> None:
    raise click.ClickException(reason)


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

    configuration = _configuration_if_any(config)
    unused = f"{config} {'does not name it' if configuration else 'has faults' if config.exists() else 'is not there'}"
    rows: list[dict[str, Any]] = []
    for name, found in sorted(available().items()):
        uses = [entry.path for entry in configuration.entries if entry.plugin == name] if configuration else []
        orders = configuration.orders.items() if configuration else ()
        places = [f"{hook} {order.index(path) + 1}" for hook, order in orders for path in uses if path in order]
        hooks: list[str] = []
        state, reason = ("in use", "") if uses else ("installed", unused)
        try:
            cls = found.load()
            examine(name, cls)
            hooks = sorted(marked(cls))
        except (ImportError, PluginError) as error:
            state, reason = "not loaded", str(error)
        rows.append(
            {"plugin": name, "distribution": found.distribution, "version": found.version, "hooks": hooks,
             "order": places, "used_by": uses, "state": state, "reason": reason}
        )  # fmt: skip
    if as_json:
        print_json(rows)
        return
    titles = ("plugin", "distribution", "version", "hooks", "order", "state", "reason")
    cells = [[row[title] for title in titles] for row in rows]
    print_table(titles, [[", ".join(cell) if isinstance(cell, list) else cell for cell in row] for row in cells])


def _configuration_if_any(config: Path) -> Configuration | None:

    if not config.exists():
        return None
    try:
        return load_configuration(config)
    except ConfigError as error:
        click.echo(str(error), err=True)
        return None


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

    configuration = load_configuration(config)
    if live:
        found = anyio.run(_check_live, configuration)
    else:
        states = closed_hub(configuration).status()
        found = [(one.name, one.plugin, "ok" if one.state == "opening" else one.state, one.reason) for one in states]
    titles = ("name", "plugin", "state", "reason")
    if as_json:
        print_json([dict(zip(titles, row, strict=True)) for row in found])
    else:
        print_table(titles, found)
    if any(row[2] != "ok" for row in found):
        sys.exit(1)


async def _check_live(configuration: Configuration) -> list[tuple[str, str, str, str]]:

    async with _installed_http() as http, open_hub(configuration, _nowhere, http=http) as hub:
        found = {}
        for name, instance in hub.connections.items():
            try:
                if "check" in instance.hooks:
                    await hub.check(name)
            except ChannelryError as error:
                found[instance.entry.path] = one_line(str(error))
        reasons = [(one, found.get(one.name) or one.reason) for one in hub.status()]
        return [(one.name, one.plugin, "failed" if reason else "ok", reason) for one, reason in reasons]


@main.command()
@config_option
@json_option
@click.argument("connection")
@click.option("--no-verify", is_flag=True, help="Do not check the signature: for captures older than the secret.")
def parse(connection: str, config: Path, no_verify: bool, as_json: bool) -> None:
    """Tell what a captured webhook means to CONNECTION: reads a capture, prints its answer and its events.

    \b
    A capture is JSON: {"method", "path" (with the query), "headers", "body" or "body_base64",
    "received_at" (RFC 3339; now if missing)}. The answer is one JSON object
    {"status", "answer", "events"}; exit status 3 if the request is rejected.

    \b
    Examples:
      channelry parse support < capture.json
      channelry parse support --no-verify < old.json | jq .events
    """

    hub = closed_hub(load_configuration(config))
    instance = _connection(hub, connection)
    if instance.plugin is None:
        raise click.ClickException(f"connections.{connection} is not loaded: {instance.reason}; run: channelry plugins")
    if "parse" not in instance.pure:
        raise click.UsageError(f"the plugin {instance.entry.plugin} receives no webhooks")
    request = _capture(sys.stdin.buffer.read(), hub)
    if not no_verify and not hub.verified(instance, request):
        click.echo("not the provider's: see to the secret, or take --no-verify for an old capture", err=True)
        print_json({"status": REJECTED.status, "answer": REJECTED.body.decode(), "events": []})
        sys.exit(3)
    received = hub.parsed(instance, request)
    answer = received.answer.body.decode(errors="replace")
    events = [codec.to_json(event, Event) for event in received.events]
    print_json({"status": received.answer.status, "answer": answer, "events": events})


def _connection(hub: Hub, name: str) -> Instance:
    if name not in hub.connections:
        known = ", ".join(hub.connections)
        raise click.UsageError(f"{hub.configuration.file} has no [connections.{name}]; it has {known}")
    return hub.connections[name]


def _capture(data: bytes, hub: Hub) -> Request:
    """Read a capture; ClickException names what is wrong with it."""

    try:
        capture = orjson.loads(data)
        headers, path = capture["headers"], str(capture["path"])
        pairs = headers.items() if isinstance(headers, dict) else headers
        encoded = capture.get("body_base64")
        body = b64decode(encoded, validate=True) if encoded is not None else str.encode(capture["body"])
        received_at = datetime.fromisoformat(capture["received_at"]) if "received_at" in capture else datetime.now(UTC)
        if received_at.tzinfo is None:
            raise ValueError("received_at has no time zone")
        return Request(
            method=str(capture["method"]),
            path=path,
            headers=tuple((str(name).lower().encode(), str(value).encode()) for name, value in pairs),
            body=body,
            received_at=received_at.astimezone(UTC),
            public_url=f"{hub.configuration.public_url}{path}",
        )
    except KeyError as error:
        raise click.ClickException(f"the capture lacks {error}; see: channelry parse --help") from None
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise click.ClickException(f"standard input is no capture ({error}); see: channelry parse --help") from None


@main.command()
@config_option
@json_option
@click.argument("connection")
@click.option("--to", "to", required=True, help="The recipient: VALUE, or SCHEME:VALUE (phone:+49…).")
@click.option("--text", default="", help="What to write.")
@click.option("--media", default="", metavar="URL", help="A link to a file to send with it.")
def send(connection: str, to: str, text: str, media: str, config: Path, as_json: bool) -> None:
    """Send one message over CONNECTION and print the provider's receipts.

    Whether the session window is open is left to the provider.

    \b
    Examples:
      channelry send support --to 491700000001 --text "Your parcel is on its way."
      channelry send bot --to 42 --text "The bill" --media https://example.org/bill.pdf
    """

    receipts = anyio.run(partial(_send, load_configuration(config), connection, to, text, media))
    rows = [codec.to_json(receipt) for receipt in receipts]
    if as_json:
        print_json(rows)
    else:
        print_table(("accepted", "external ids"), [("yes", ", ".join(row["external_ids"])) for row in rows])


async def _send(configuration: Configuration, connection: str, to: str, text: str, media: str) -> list[Receipt]:

    async with _installed_http() as http, open_hub(configuration, _nowhere, http=http) as hub:
        plugin = _connection(hub, connection).entry.plugin
        scheme, colon, value = to.partition(":")
        address = Address(scheme, value) if colon and scheme.isalpha() else Address(plugin, to)
        parts = []
        if media:
            media_type = guess_type(media)[0] or "application/octet-stream"
            general = media_type.partition("/")[0]
            kind = Kind(general) if general in ("image", "audio", "video") else Kind.DOCUMENT
            parts.append(Media(kind=kind, url=media, media_type=media_type, name=media.rpartition("/")[2]))
        target = Target(to=address, last_inbound_at=hub.clock.now())
        message = SendMessage(key=uuid4().hex, target=target, text=text, parts=tuple(parts))
        return [await hub.send(connection, call) for call in hub.compose(connection, message)]


@main.command()
@config_option
@click.argument("connection")
def setup(connection: str, config: Path) -> None:
    """Register the webhook of CONNECTION with its provider, while `channelry serve` is running: some call back.

    \b
    Examples:
      channelry setup support
      channelry setup bot --config staging.toml && channelry check --live --config staging.toml
    """
    url = anyio.run(_setup, load_configuration(config), connection)
    click.echo(f"{connection} is registered at {url}")


async def _setup(configuration: Configuration, connection: str) -> str:
    async with _installed_http() as http, open_hub(configuration, _nowhere, http=http) as hub:
        await hub.setup(connection)
        return hub.webhook_url(_connection(hub, connection).entry.endpoint)


@asynccontextmanager
async def _installed_http() -> AsyncIterator[OpenHttp]:
    """Open the HTTP client that an installed distribution brings (entry point `channelry.http`)."""
    for point in entry_points(group="channelry.http"):
        async with point.load()() as http:
            yield http
            return
    raise click.ClickException("no HTTP client is installed; run: pip install 'channelry[server]'")


class _Nowhere(Sink):
    async def record(self, received: Received) -> None:
        raise RuntimeError("this command keeps nothing")


@asynccontextmanager
async def _nowhere(hub: Hub) -> AsyncIterator[Sink]:

    yield _Nowhere()


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
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
