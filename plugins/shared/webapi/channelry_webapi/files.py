"""Files: those that customers sent, and how many of ours go together."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeVar

from attrs import evolve

from channelry.errors import PermanentError
from channelry.model import Capabilities, Media
from channelry.services import Save, Services

_Piece = TypeVar("_Piece")


async def fetch(
    services: Services,
    media: Media,
    save: Save,
    capabilities: Capabilities,
    *,
    url: str = "",
    headers: Mapping[str, str] | None = None,
) -> Media:
    """Download a file from `url`, else from its own link, and give it with the size and type that it has."""
    limit, url = capabilities.media[media.kind].fetch, url or media.url
    if not url or limit is None:
        raise PermanentError("the file has no link to fetch it by", code="no_file")
    file = await services.http.download(url, save, headers=headers, limit=limit)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


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
