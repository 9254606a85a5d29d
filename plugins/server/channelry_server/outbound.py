"""The commands that call a provider: `channelry send` and `channelry setup`."""

from functools import partial
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from channelry.cli import config_option, find_connection, json_option, opened_hub, print_json, print_table

if TYPE_CHECKING:
    from channelry.model import Receipt


@click.command()
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
    import anyio

    from channelry import codec

    scheme, colon, value = to.partition(":")
    if not (colon and scheme.isalpha()):
        scheme, value = "", to
    if not (text.strip() or media):
        raise click.UsageError("there is nothing to send: say --text, or --media, or both")
    if not value.strip():
        raise click.UsageError(f"--to {to!r} names nobody: expected VALUE, or SCHEME:VALUE, as phone:+491700000001")
    receipts = anyio.run(partial(_send, config, connection, scheme, value, text, media))
    rows = [codec.to_json(receipt) for receipt in receipts]
    if as_json:
        print_json(rows)
    else:
        print_table(("accepted", "external ids"), [("yes", ", ".join(row["external_ids"])) for row in rows])


async def _send(config: Path, connection: str, scheme: str, value: str, text: str, media: str) -> "list[Receipt]":
    from channelry.model import Address, Kind, Media, SendMessage, Target

    async with opened_hub(config) as hub:
        plugin = find_connection(hub, connection).entry.plugin
        parts = []
        if media:
            media_type = guess_type(media)[0] or "application/octet-stream"
            general = media_type.partition("/")[0]
            kind = Kind(general) if general in ("image", "audio", "video") else Kind.DOCUMENT
            parts.append(Media(kind=kind, url=media, media_type=media_type, name=media.rpartition("/")[2]))
        target = Target(to=Address(scheme or plugin, value), last_inbound_at=hub.clock.now())
        message = SendMessage(key=uuid4().hex, target=target, text=text, parts=tuple(parts))
        return [await hub.send(connection, call) for call in hub.compose(connection, message)]


@click.command()
@config_option
@click.argument("connection")
def setup(connection: str, config: Path) -> None:
    """Register the webhook of CONNECTION with its provider, while `channelry serve` is running: some call back.

    \b
    Examples:
      channelry setup support
      channelry setup bot --config staging.toml && channelry check --live --config staging.toml
    """
    import anyio

    url = anyio.run(_setup, config, connection)
    click.echo(f"{connection} is registered at {url}")


async def _setup(config: Path, connection: str) -> str:
    async with opened_hub(config) as hub:
        entry = find_connection(hub, connection).entry
        await hub.setup(connection)
        return hub.webhook_url(entry.endpoint)
