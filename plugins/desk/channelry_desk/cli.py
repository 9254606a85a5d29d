"""The commands `channelry worker` and `channelry desk`, whose own commands are imported when one is asked for."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import click

from channelry.cli import CommandGroup, config_option

if TYPE_CHECKING:
    from .desk import Desk


@click.command()
@config_option
def worker(config: Path) -> None:
    """Send replies and tidy up, in a process apart from `channelry serve --no-worker`, until SIGTERM or Ctrl+C.

    \b
    Examples:
      channelry serve --no-worker & channelry worker
      channelry worker --config /etc/channelry.toml
    """
    import asyncio
    import logging
    import signal

    from .command import opened_desk
    from .desk import only_worker

    for point in entry_points(group="channelry.logging"):
        point.load()("info")

    async def wait(desk: "Desk") -> None:
        logging.getLogger("channelry.desk").info("the worker runs")
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await stopped.wait()

    asyncio.run(opened_desk(config, only_worker, wait))


class _Desk(CommandGroup):
    """A group that finds its commands in `command`, which needs the desk's own words and values."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from .command import commands

        return commands.list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from .command import commands

        return commands.get_command(ctx, cmd_name)


@click.group(cls=_Desk)
def desk() -> None:
    """Look at what the desk keeps, and decide what only a person can.

    \b
    channelry desk conversations            who wrote, and how it stands
    channelry desk dead-letters             what could not be understood
    channelry desk replay 7                 try one of them again, or raw requests by --journal
    channelry desk enrich --since 2026-11-01   judge language and sentiment again
    channelry desk uncertain                sends whose answer was lost
    channelry desk decide 12 resend --who eve
    channelry desk users                    who works here
    channelry desk invite eve@example.org Eve Ng --access administration
    """
