"""Files: uploaded, read, and listed as the documents of a conversation."""

from collections.abc import AsyncIterator

from attrs import define

from channelry.model import Media

from .. import attachments, conversations, documents, grants, queries
from ..attachments import Upload
from ..database import Database
from ..errors import IncompleteError
from ..folder import Folder, sniffed
from ..grants import Access, User
from ..values import Document, Page
from .topic import LIMIT, Topic


@define(eq=False)
class Files(Topic):
    """Files lie in `folder` under names of ours; `limit`: the most bytes of one."""

    folder: Folder
    limit: int

    async def upload(self, *, by: User, title: str, content: AsyncIterator[bytes]) -> Media:
        """Keep a file to send; give the part of a message that sends it, of the type that its bytes show.

        IncompleteError for an empty one, PermanentError for one that is too large. Whether a channel takes it is said
        when it is sent.
        """
        grants.require_access(by, Access.CHAT_CENTER)
        async with self.folder.writing(self.limit) as file:
            async for piece in content:
                await file.save(piece)
            if not file.size:
                raise IncompleteError("the file is empty")
        upload = Upload(name=file.name, title=title, media_type=sniffed(file.head, title), size=file.size, member=by.id)
        now = self.now()
        try:
            await self.store.write(lambda db: attachments.keep(db, by, upload, now))
        except BaseException:
            await self.folder.remove(file.name)
            raise
        return upload.media

    async def read(self, *, by: User, name: str) -> tuple[Media, AsyncIterator[bytes]]:
        """Give a file and what it is; whoever may read its conversation may."""
        media = await self.store.read(lambda db: documents.require_readable(db, by, name))
        return media, self.folder.read(name)

    async def documents(
        self, *, by: User, conversation: int, everywhere: bool = False, limit: int = LIMIT, cursor: str = ""
    ) -> Page[Document]:
        """Give a page of the files of a conversation, or (`everywhere`) of all with the same customer that the
        user may read, newest first."""

        def found(db: Database) -> Page[Document]:
            conversations.require_readable(db, by, conversation)
            rows = documents.documents(db, by, conversation, everywhere, queries.before(cursor), limit)
            return Page(rows, queries.next_cursor([one.id for one in rows], limit))

        return await self.store.read(found)
