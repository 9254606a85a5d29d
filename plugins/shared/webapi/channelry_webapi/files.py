"""Files: those that customers sent, and how many of ours go together."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from itertools import groupby
from typing import Protocol, TypeVar

from anyio import CancelScope
from attrs import evolve

from channelry import hookimpl
from channelry.errors import PermanentError
from channelry.model import Capabilities, Media
from channelry.services import FilePart, Save, Services

from .client import Client

_Piece = TypeVar("_Piece")


class Linked(Protocol):
    """A connection whose customers' files have links."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def client(self) -> Client: ...


@hookimpl
async def fetch(connection: Linked, media: Media, save: Save, services: Services) -> Media:
    """Download a file by its link."""
    return await download(connection, media, save, services, media.url)


async def download(connection: Linked, media: Media, save: Save, services: Services, url: str) -> Media:
    """Download a file from `url`, and give it with the size and type that it has.

    Credentials are shown to the servers of the provider only: that of the API, and the connection's `origins`, if any.
    """
    limit = connection.capabilities.media[media.kind].fetch
    if not url or limit is None:
        raise PermanentError("the file has no link to fetch it by", code="no_file")
    headers = await connection.client.shown(services, url, *getattr(connection, "origins", ()))
    file = await services.http.download(url, save, headers=headers, limit=limit)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


def enclosed(name: str, media: Media, services: Services) -> FilePart:
    """Give a file of ours as the field `name` of a form."""
    media_type = media.media_type or "application/octet-stream"
    return FilePart(name, media.name or "file", media_type, services.files.read(media.ref), media.size)


async def cut(name: str, media: Media, size: int, services: Services) -> AsyncGenerator[FilePart, None]:
    """Give a file of ours in pieces of at most `size` bytes, each as the field `name` of a form of its own.

    Use it in `async with aclosing(…)`: it closes the file.
    """
    if size < 1:
        raise ValueError("a piece has one byte at least")
    whole, held = enclosed(name, media, services), bytearray()
    try:
        async for read in whole.content:
            held += read
            while len(held) >= size:
                yield _piece(whole, bytes(held[:size]))
                del held[:size]
        if held:
            yield _piece(whole, bytes(held))
    finally:
        if close := getattr(whole.content, "aclose", None):
            with CancelScope(shield=True):
                await close()


def _piece(whole: FilePart, part: bytes) -> FilePart:
    async def once() -> AsyncIterator[bytes]:
        yield part

    return evolve(whole, content=once(), size=len(part))


def require_link(media: Media, *schemes: str) -> None:
    """Raise PermanentError unless a file of ours has a `ref`, or a link of one of these schemes (`"https://"`)."""
    if not (media.url or media.ref):
        raise PermanentError("the file has neither url nor ref", code="no_file")
    if media.url and not media.url.startswith(schemes):
        raise PermanentError(f"the file's link begins with none of {', '.join(schemes)}", code="bad_url")


def batches(
    pieces: Iterable[_Piece], most: int, together: Callable[[_Piece], bool] = lambda _: True
) -> Iterator[tuple[_Piece, ...]]:
    """Put up to `most` neighbours side by side, in order; one that may not be `together` with others stands alone."""
    for social, run in groupby(pieces, together):
        found, size = tuple(run), most if social else 1
        yield from (found[start : start + size] for start in range(0, len(found), size))
