"""Uploading: in pieces, for what a message or a post will show.

Source: https://docs.x.com/x-api/media/quickstart/media-upload-chunked
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from channelry.errors import PermanentError, RetryableError
from channelry.model import Kind, Media
from channelry.parsing import mapping
from channelry.services import FilePart, Services
from channelry_webapi.answers import named

from .api import Api
from .capabilities import GIF

PIECE = 4 * 1024 * 1024
"""Bytes uploaded at once, of at most 5 MB."""
PATIENCE = 120.0
"""Seconds for which X may work on a video before its message is tried again later."""


def is_picture(file: Media) -> bool:
    """Tell whether a file is a picture that does not move."""
    return file.kind is Kind.IMAGE and file.media_type != GIF


async def upload(api: Api, file: Media, place: str, services: Services) -> str:
    """Upload a file and give its id, good for a day; every step may be repeated."""
    path, kind = "/2/media/upload", "image" if is_picture(file) else "gif" if file.kind is Kind.IMAGE else "video"
    started = {"media_type": file.media_type, "total_bytes": file.size, "media_category": f"{place}_{kind}"}
    media_id = named((await api.call(services, "POST", f"{path}/initialize", json=started)).get("id"), repeatable=True)
    number = 0
    async for piece in _pieces(services.files.read(file.ref)):
        part = FilePart("media", file.name or "file", file.media_type, _once(piece), len(piece))
        form = [("segment_index", str(number))]
        await api.call(services, "POST", f"{path}/{media_id}/append", form=form, files=[part])
        number += 1
    state = await api.call(services, "POST", f"{path}/{media_id}/finalize")
    waited = 0.0
    while seconds := _still(state):
        if waited >= PATIENCE:
            raise RetryableError("X still works on the video", code="processing", retry_after=seconds)
        await services.clock.sleep(seconds)
        waited += seconds
        state = await api.call(services, "GET", path, query={"command": "STATUS", "media_id": media_id})
    return media_id


def _still(state: Mapping[str, Any]) -> float:
    """Give the seconds after which to look again, 0 for a file that is ready."""
    progress = mapping(state.get("processing_info"))
    if progress.get("state") == "failed":
        raise PermanentError("X cannot use the file", code="media")
    if progress.get("state") not in ("pending", "in_progress"):
        return 0.0
    seconds = progress.get("check_after_secs")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 5.0


async def _pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut a stream into pieces that X takes."""
    held = bytearray()
    async for read in content:
        held += read
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
