"""The command `channelry serve`."""

import importlib
import sys
from contextlib import AbstractAsyncContextManager
from functools import reduce, wraps
from importlib.metadata import entry_points
from inspect import iscoroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from channelry.cli import config_option
from channelry.secrets import one_line

if TYPE_CHECKING:
    from channelry.hub import Application, Hub
    from channelry.sink import Sink


@click.command()
@config_option
@click.option(
    "--app",
    "target",
    metavar="PACKAGE:ATTRIBUTE",
    help="What keeps the events: a function that takes the hub and gives an async context manager of a Sink; "
    "the desk, where none is named.",
)
@click.option("--no-worker", is_flag=True, help="Only receive: `channelry worker` sends, in another process.")
@click.option("--strict", is_flag=True, help="End with an error where a plugin breaks, instead of quarantining it.")
def serve(config: Path, target: str | None, no_worker: bool, strict: bool) -> None:
    """Receive webhooks and send answers, until SIGTERM or Ctrl+C.

    Webhooks come to /hooks/NAME; /health, /ready and /metrics are for operators. The table [server] of the
    configuration says where to listen, under which public address, and within which limits.

    \b
    Examples:
      channelry serve
      channelry serve --no-worker & channelry worker
      channelry serve --app channelry_demo.echo:app --strict
      channelry serve --app mycompany.care:sink --config /etc/channelry.toml
    """
    from channelry.config import load_configuration

    from . import log, serving
    from .config import ServerConfig

    if target is not None and no_worker:
        raise click.UsageError("--no-worker is the desk's; an application of your own (--app) has its own workers")
    application = find_application(target) if target is not None else installed_application(no_worker)
    configuration = load_configuration(config)
    log.configure(configuration.section("server", ServerConfig).log_level)
    serving.run(configuration, application, strict=strict)


def installed_application(no_worker: bool) -> "Application":
    """Import the application that an installed distribution brings (entry point `channelry.applications`)."""
    name = "desk-without-worker" if no_worker else "desk"
    for point in entry_points(group="channelry.applications", name=name):
        application: Application = point.load()
        return application
    raise click.UsageError(
        "the desk, which would keep the events, is not installed; run: pip install 'channelry[desk]', "
        "or name an application of your own: channelry serve --app PACKAGE:ATTRIBUTE"
    )


def find_application(target: str) -> "Application":
    """Import what `--app` names; the current folder is importable. UsageError says what is wrong with it."""
    module, colon, path = target.partition(":")
    if not colon or not module or not path:
        raise click.UsageError(f"--app: expected PACKAGE:ATTRIBUTE, as mycompany.care:sink, not {target!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        imported = importlib.import_module(module)
    except Exception as error:  # its code runs now, and may raise anything
        reason = one_line(f"{type(error).__name__}: {error}")
        raise click.UsageError(f"--app: {module} cannot be imported: {reason}") from error
    try:
        found: Any = reduce(getattr, path.split("."), imported)
    except AttributeError as error:
        raise click.UsageError(f"--app: {target} is not there: {error}") from error
    if not callable(found):
        raise click.UsageError(f"--app: {target} is a {type(found).__name__}, expected a function that takes the hub")

    @wraps(found)
    def application(hub: "Hub") -> AbstractAsyncContextManager["Sink"]:
        made = found(hub)
        if isinstance(made, AbstractAsyncContextManager):
            return made
        if iscoroutine(made):
            made.close()  # Python would warn that nobody awaited it
        raise click.UsageError(
            f"--app: {target} gives a {type(made).__name__}, expected an async context manager; "
            "put @asynccontextmanager on it"
        )

    return application
