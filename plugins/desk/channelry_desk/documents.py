"""Who reads which files: the documents of conversations, and single files by their names. Queries."""

from collections.abc import Sequence
from contextlib import suppress

import orjson
from attrs import evolve

from channelry import codec
from channelry.model import Media, Sticker
from channelry.model.outbound import SendablePart

from . import attachments, conversations, grants
from .database import Database, Row
from .errors import NotFoundError, NotGrantedError
from .grants import User
from .moments import moment
from .values import Document

LOOKED_AT = 100
"""Messages with one file, the newest, of which one must be readable for the file to be."""


def require_readable(db: Database, by: User, name: str) -> Media:
    """Give a file that a user may read, as it was sent: of a conversation that they may read, of a quick answer, or
    uploaded by themselves; NotFoundError, NotGrantedError."""
    grants.require_inside(by)
    upload = attachments.uploaded(db, name)
    if upload is not None and (by.is_system or upload.member == by.id or attachments.is_offered(db, name)):
        return upload.media
    rows = db.rows(
        "SELECT d.payload, m.conversation FROM media d JOIN messages m ON m.id = d.message"
        " WHERE d.file = ? AND d.file <> '' AND d.state <> 'expired' ORDER BY d.id DESC LIMIT ?",
        (name, LOOKED_AT),
    )
    if not rows and upload is None:
        raise NotFoundError(f"there is no file {name!r}")
    for row in rows:
        with suppress(NotGrantedError):
            conversations.require_readable(db, by, row["conversation"])
            return _media(row)
    raise NotGrantedError(f"{by.name} may not read the file {name}")


def sendable(db: Database, by: User, parts: Sequence[SendablePart]) -> tuple[SendablePart, ...]:
    """Give the parts of a message, each file with the type and the size that it is kept with, whatever was said of it.

    Raises for a file that a user may not read: so none gets at it by sending it on.
    """
    return tuple(_sendable(db, by, part) for part in parts)


def _sendable(db: Database, by: User, part: SendablePart) -> SendablePart:
    file = attachments.file_of(part)
    if file is None or not file.ref:
        return part
    kept = require_readable(db, by, file.ref)
    file = evolve(file, media_type=kept.media_type or file.media_type, size=kept.size)
    return evolve(part, media=file) if isinstance(part, Sticker) else file


def documents(db: Database, by: User, conversation: int, everywhere: bool, before: int, limit: int) -> list[Document]:
    """Give the files of a conversation, or (`everywhere`) of all with the same customer that the user may read, the
    newest first."""
    where, values = conversations.with_same_customer(db, by, conversation) if everywhere else (
        "c.id = ?", (conversation,)
    )  # fmt: skip
    rows = db.rows(
        "SELECT d.*, m.conversation, m.direction, m.occurred_at FROM media d JOIN messages m ON m.id = d.message"
        f" JOIN conversations c ON c.id = m.conversation WHERE {where} AND d.id < ? AND d.state <> 'expired'"
        " ORDER BY d.id DESC LIMIT ?",
        (*values, before, limit),
    )
    return [_document(row) for row in rows]


def _document(row: Row) -> Document:
    media = _media(row)
    return Document(
        id=row["id"], conversation=row["conversation"], message=row["message"], direction=row["direction"],
        at=moment(row["occurred_at"]), kind=str(media.kind), title=media.name, media_type=media.media_type,
        size=media.size, state=row["state"], name=row["file"],
    )  # fmt: skip


def _media(row: Row) -> Media:
    media: Media = codec.from_json(orjson.loads(row["payload"]), Media)
    return media
