"""The files that messages have and users upload: what is kept of them. Operations and queries."""

from collections.abc import Sequence

from attrs import frozen

from channelry.model import Kind, Media, Part, Sticker

from .database import Database
from .errors import NotFoundError
from .grants import User
from .texts import json_of, plain


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


def uploaded(db: Database, name: str) -> Upload | None:
    """Give what was uploaded under a name, None where nothing was."""
    for row in db.rows("SELECT * FROM files WHERE name = ?", (name,)):
        return Upload(
            name=row["name"], title=row["title"], media_type=row["media_type"], size=row["size"], member=row["member"]
        )
    return None


def require_uploaded(db: Database, name: str) -> None:
    """Raise NotFoundError where nothing was uploaded under a name."""
    if uploaded(db, name) is None:
        raise NotFoundError(f"there is no file {name!r}")


def file_of(part: Part) -> Media | None:
    """Give the file that a part is, or that a sticker shows."""
    file = part.media if isinstance(part, Sticker) else part
    return file if isinstance(file, Media) else None


def attach(db: Database, message: int, connection: str, parts: Sequence[Part]) -> None:
    """Note the files that a message of ours sends."""
    for number, file in enumerate(map(file_of, parts)):
        if file is not None and file.ref:
            db.execute(
                "INSERT INTO media (message, part, connection, payload, state, file, reason)"
                " VALUES (?,?,?,?,'stored',?,'')",
                (message, number, connection, json_of(file), file.ref),
            )


def is_needed(db: Database, name: str) -> bool:
    """Tell whether a quick answer or a message has a file."""
    statement = "SELECT 1 FROM media WHERE file = ? AND file <> '' AND state <> 'expired' LIMIT 1"
    return is_offered(db, name) or db.execute(statement, (name,)).fetchone() is not None


def is_offered(db: Database, name: str) -> bool:
    """Tell whether a quick answer has a file."""
    rows = db.execute("SELECT files FROM answers WHERE files <> '' AND retired_at IS NULL")
    return any(name in files.split("\n") for (files,) in rows)
