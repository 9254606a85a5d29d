"""The files on the disk, under generated names: what a customer or a user calls a file never reaches a path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from attrs import define, field

from channelry.errors import PermanentError

HEAD = 64
"""Bytes that tell a file's type."""
_PIECE = 65_536
UNKNOWN = "application/octet-stream"
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
)
"""Where each type has which bytes (WHATWG MIME Sniffing, 6 and 7); the first that fits holds."""
_REFINED = {
    "application/zip": {
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    },
    "application/msword": {"xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint"},
}
"""Containers, whose type is their own and whose content the name tells."""


def sniffed(head: bytes, title: str = "") -> str:
    """Tell the MIME type of a file by its first bytes: never by what somebody says it is."""
    for at, signature, media_type in _SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return _REFINED.get(media_type, {}).get(title.rpartition(".")[2].casefold(), media_type)
    try:
        text = head.decode("utf-8", "strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        return UNKNOWN
    return "text/plain" if head and all(one.isprintable() or one in "\t\r\n\ufeff" for one in text) else UNKNOWN


@define(eq=False)
class Writing:
    """A file that is being written: its name, its size so far, and its first bytes."""

    name: str
    limit: int
    _file: BinaryIO = field(repr=False)
    size: int = 0
    head: bytes = b""

    async def save(self, piece: bytes) -> None:
        """Append to it; PermanentError past the limit."""
        self.size += len(piece)
        if self.size > self.limit:
            raise PermanentError(f"the file is larger than {self.limit} bytes", code="too_large")
        self.head += piece[: HEAD - len(self.head)]
        await asyncio.to_thread(self._file.write, piece)


@define(eq=False)
class Folder:
    """The desk's files: written whole or not at all, read in pieces, removed."""

    path: Path

    @asynccontextmanager
    async def writing(self, limit: int) -> AsyncIterator[Writing]:
        """Write a file of at most `limit` bytes under a new name; it is there once the block has ended well."""
        name = uuid4().hex
        part = self.path / f"{name}.part"
        try:
            with part.open("wb") as file:
                yield Writing(name, limit, file)
            await asyncio.to_thread(part.rename, self.path / name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    async def read(self, ref: str) -> AsyncIterator[bytes]:
        """Stream one file; PermanentError where there is none."""
        try:
            if not ref or Path(ref).name != ref:
                raise FileNotFoundError
            file = await asyncio.to_thread((self.path / ref).open, "rb")
        except (OSError, ValueError):
            raise PermanentError(f"there is no file {ref!r}", code="no_file") from None
        with file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece

    async def link(self, ref: str, seconds: float) -> str:
        """Raise: the desk publishes no files."""
        raise PermanentError("the desk publishes no files", code="no_link")

    async def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        await asyncio.to_thread((self.path / name).unlink, missing_ok=True)
