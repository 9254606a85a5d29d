"""Services for one plugin under test."""

import logging
from collections.abc import AsyncIterator, Mapping

from attrs import define, field

from channelry.errors import PermanentError
from channelry.services import Clock, Files, Http, MemoryState, NoHttp, Services, State

from .clock import FakeClock


@define(eq=False)
class MemoryFiles:
    """An application's files, by their `ref`."""

    contents: Mapping[str, bytes] = field(factory=dict)

    async def read(self, ref: str) -> AsyncIterator[bytes]:
        if ref not in self.contents:
            raise PermanentError(f"there is no file {ref!r}", code="no_file")
        yield self.contents[ref]

    async def link(self, ref: str, seconds: float) -> str:
        if ref not in self.contents:
            raise PermanentError(f"there is no file {ref!r}", code="no_file")
        return f"https://files.example.com/{ref}"


def services(
    *,
    http: Http | None = None,
    clock: Clock | None = None,
    state: State | None = None,
    files: Files | None = None,
    public_url: str = "https://care.example.com/hooks/test",
) -> Services:
    """Put services together from what a test gives, and harmless stand-ins for the rest."""
    return Services(
        name="test",
        http=http or NoHttp(),
        clock=clock or FakeClock(),
        state=state or MemoryState(),
        files=files or MemoryFiles(),
        public_url=public_url,
        log=logging.getLogger("channelry.test"),
    )
