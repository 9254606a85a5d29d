"""The files of messages, and those that users upload to send: operations and queries."""

from collections.abc import Sequence

import orjson
from attrs import frozen

from channelry import codec
from channelry.model import Kind, Media, Part

from . import conversations
from .database import Database, Row
from .errors import NotFoundError, NotGrantedError
from .grants import User
from .moments import moment
from .texts import json_of, plain
from .values import Document


@frozen(kw_only=True)
class Upload:
    """A file that a user uploaded, under the name it has on the disk; `title`: what they call it."""

    name: str
    title: str
    media_type: str
    size: int
    member: int

    @property
    def media(self) -> Media:
        """The part of a message that sends it."""
        kind = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO}.get(
            self.media_type.partition("/")[0], Kind.DOCUMENT
        )
        return Media(kind=kind, ref=self.name, media_type=self.media_type, name=self.title, size=self.size)


def keep(db: Database, by: User, upload: Upload, now: int) -> None:
    """Record what was uploaded."""
    db.execute(
        "INSERT INTO files (name, title, media_type, size, member, at) VALUES (?,?,?,?,?,?)",
        (upload.name, plain(upload.title), upload.media_type, upload.size, by.id, now),
    )


def uploaded(db: Database, name: str) -> Upload:
    """Give what was uploaded under a name; NotFoundError."""
    for row in db.rows("SELECT * FROM files WHERE name = ?", (name,)):
        return Upload(
            name=row["name"], title=row["title"], media_type=row["media_type"], size=row["size"], member=row["member"]
        )
    raise NotFoundError(f"there is no file {name!r}")


def attach(db: Database, message: int, connection: str, parts: Sequence[Part]) -> None:
    """Note the files that a message of ours sends."""
    for number, part in enumerate(parts):
        if isinstance(part, Media) and part.ref:
            db.execute(
                "INSERT INTO media (message, part, connection, payload, state, file, reason)"
                " VALUES (?,?,?,?,'stored',?,'')",
                (message, number, connection, json_of(part), part.ref),
            )


def require_readable(db: Database, by: User, name: str) -> Media:
    """Give a file that a user may read, as it was sent: of a conversation that they may read, of a quick answer, or
    uploaded by themselves; NotFoundError, NotGrantedError."""
    refused: NotGrantedError | None = None
    rows = db.rows(
        "SELECT d.payload, m.conversation FROM media d JOIN messages m ON m.id = d.message WHERE d.file = ?"
        " ORDER BY d.id LIMIT 100",
        (name,),
    )
    for row in rows:
        try:
            conversations.require_readable(db, by, row["conversation"])
        except NotGrantedError as error:
            refused = error
        else:
            return _media(row)
    upload = uploaded(db, name) if refused is None else None
    if upload is not None and (by.is_system or upload.member == by.id or is_offered(db, name)):
        return upload.media
    raise refused or NotGrantedError(f"{by.name} may not read the file {name}")


def is_offered(db: Database, name: str) -> bool:
    """Tell whether a quick answer has a file."""
    rows = db.execute("SELECT files FROM answers WHERE files <> '' AND retired_at IS NULL")
    return any(name in files.split("\n") for (files,) in rows)


def documents(db: Database, conversation: int, everywhere: bool, before: int, limit: int) -> list[Document]:
    """Give the files of a conversation, or of all conversations with the same customer, the newest first."""
    whose = f"IN ({conversations.SAME_CUSTOMER})" if everywhere else "= ?1"
    rows = db.rows(
        "SELECT d.*, m.conversation, m.direction, m.occurred_at FROM media d JOIN messages m ON m.id = d.message"
        f" WHERE m.conversation {whose} AND d.id < ?2 AND d.state <> 'expired' ORDER BY d.id DESC LIMIT ?3",
        (conversation, before, limit),
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
