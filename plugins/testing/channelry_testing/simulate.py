"""The command `channelry simulate`: a provider on this machine, and its customers at a prompt."""

import socket
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
import click
import orjson

from channelry.cli import config_option, json_option
from channelry.discovery import available
from channelry.secrets import Secret, one_line, redact

if TYPE_CHECKING:
    from channelry_simulation import Simulator

PORT = 9000


@click.command()
@config_option
@json_option
@click.argument("connection")
@click.option("--to", "url", metavar="URL", help="Where its webhooks go.  [default: where channelry serve listens]")
@click.option("--port", type=click.IntRange(0, 65535), help=f"Where its API is; of base_url, else {PORT}.")
def simulate(connection: str, url: str | None, port: int | None, config: Path, as_json: bool) -> None:
    """Be the provider of CONNECTION on this machine, and its customers, line by line.

    CONNECTION is one of the configuration, whose credentials are taken; or the name of a channel, whose settings are
    printed then. What is typed is written by a customer and posted, signed, to the running `channelry serve`; what is
    sent to the provider is shown. /help lists more. No real account is involved.

    \b
    Examples:
      channelry simulate whatsapp > channelry.toml < /dev/null
      channelry simulate support
      printf 'Hello\\n/wait 1\\n' | channelry simulate support --to http://127.0.0.1:8080/hooks/support
      (echo Hello; sleep 10) | channelry simulate support    its API is there as long as its input
    """
    import anyio

    from channelry.config import Configuration, load_configuration

    from .session import Session

    configuration = load_configuration(config) if config.exists() else Configuration(config)
    server = configuration.sections.get("server")
    entry = next((one for one in configuration.entries if one.path == f"connections.{connection}"), None)
    simulator = make_simulator(entry.plugin if entry else connection, entry.config if entry else None)
    configured = _port_here(str(getattr(entry.config, "base_url", ""))) if entry else None
    if port is None:
        port = configured or PORT
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        reason, _, _ = str(error.strerror).partition(" (while ")  # Python goes on with the address
        raise click.ClickException(f"--port {port} cannot be listened on: {reason}; choose another") from None
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    if entry is None:
        click.echo(table(connection, simulator.settings(origin)))
    elif configured != listening.getsockname()[1]:
        wanted = simulator.settings(origin).get("base_url", origin)
        click.echo(f'put into [{entry.path}]: base_url = "{wanted}"; then restart: channelry serve', err=True)
    served = f"http://{getattr(server, 'host', '127.0.0.1')}:{getattr(server, 'port', 8080)}"
    url = url or f"{served}/hooks/{entry.endpoint if entry else connection}"
    with listening:
        if not anyio.run(Session(simulator, url, partial(_show, as_json)).run, listening):
            sys.exit(1)


def _port_here(url: str) -> int | None:
    """Give the port of an address on this machine; None for any other address, and for what is none."""
    try:
        place = urlsplit(url)
        return place.port if place.scheme == "http" and place.hostname in ("127.0.0.1", "localhost") else None
    except ValueError:
        return None


def make_simulator(channel: str, config: Any) -> "Simulator":
    """Make a channel's simulator with what of its own attributes a Config has by the same name: ids, credentials.

    Its ids are numbered from the time on, in milliseconds: a desk that met an earlier run takes them for new.
    """
    found = available("channelry.simulators")
    if channel not in found:
        known = ", ".join(sorted(found)) or "none"
        raise click.UsageError(f"{channel!r} is neither a connection nor a channel with a simulator; known: {known}")
    try:
        cls = found[channel].load()
    except ImportError as error:
        extra = f"run: pip install '{found[channel].distribution}[simulator]'"
        raise click.ClickException(f"the simulator of {channel} cannot be loaded: {error}; {extra}") from None
    names = {one.name for one in attrs.fields(cls) if one.init}
    fields = attrs.fields(type(config)) if config is not None else ()
    values = {one.name: revealed(getattr(config, one.name)) for one in fields if one.name in names}
    given = {name: value for name, value in values.items() if value is not None}
    made: Simulator = cls(**given | {"first": int(time() * 1000)})
    return made


def revealed(value: Any) -> Any:
    """Give a secret's value, of several the first's, and all else as it is."""
    if isinstance(value, tuple) and all(isinstance(one, Secret) for one in value):
        value = value[0] if value else None
    return value.reveal() if isinstance(value, Secret) else value


def table(name: str, settings: Mapping[str, Any]) -> str:
    """Write the configuration of a connection to a simulated provider."""
    lines = [f"{key} = {orjson.dumps(value).decode()}" for key, value in settings.items()]
    return "\n".join(["allow_inline_secrets = true", "", f"[connections.{name}]", *lines])


def _show(as_json: bool, what: Mapping[str, Any]) -> None:
    """Print one thing that happened: a line for people, or a line of JSON."""
    if as_json:
        click.echo(redact(orjson.dumps(what).decode()))
        return
    told = dict(what)
    kind, status = told.pop("what"), told.pop("status", "")
    words = [_ARROWS.get(kind, kind), *(one_line(str(one)) for one in told.values())]
    click.echo(" ".join(words) + (f"  [{status or 'no answer'}]" if status != "" else ""))


_ARROWS = {"written": "→", "taken": "←", "request": " ", "webhook": "→ (status)"}
