"""What customers did else than write: pages, searches, the survey before a chat, and what their browser tells."""

from collections.abc import Mapping

import orjson
from attrs import frozen

from channelry.model import Activity

from .database import Database
from .moments import micros, moment
from .texts import plain
from .values import Visit, Visitor

SURVEY, VISITOR, CONTEXT = "survey", "visitor", "context"
"""Activities of a web chat: answers before it, who the visitor is, and what the page passes on. All else is the
trail."""
TELLING = frozenset({SURVEY, VISITOR})
"""Those that tell who somebody is."""
_SIGNED_IN = frozenset({"yes", "true", "1"})
TRAIL = 100
"""Steps of a trail that are shown."""


@frozen
class Told:
    """Who somebody is: what they said before a chat, and what the site vouches for, where they had signed in."""

    answers: Mapping[str, str]
    vouched: Mapping[str, str]


def record(db: Database, profile: int, connection: str, event: Activity) -> None:
    """Keep what somebody did."""
    told = {plain(name): plain(value) for name, value in event.values.items()}
    db.execute(
        "INSERT INTO visits (profile, connection, name, at, told) VALUES (?,?,?,?,?)",
        (profile, connection, plain(event.name), micros(event.occurred_at), orjson.dumps(told).decode()),
    )


def told(db: Database, profile: int) -> Told:
    """Give what tells who somebody is."""
    vouched = _last(db, profile, VISITOR) if visitor(db, profile).authenticated else {}
    return Told(_last(db, profile, SURVEY), vouched)


def answers(db: Database, profile: int) -> Mapping[str, str]:
    """Give the answers to the last survey."""
    return _last(db, profile, SURVEY)


def visitor(db: Database, profile: int) -> Visitor:
    """Give what the last visit told of the visitor."""
    known = _last(db, profile, VISITOR)
    return Visitor(
        authenticated=known.get("authenticated", "").casefold() in _SIGNED_IN, browser=known.get("browser", ""),
        system=known.get("os", ""), location=known.get("location", ""), language=known.get("language", ""),
    )  # fmt: skip


def context(db: Database, profile: int) -> Mapping[str, str]:
    """Give the variables that the page passed on last."""
    return _last(db, profile, CONTEXT)


def trail(db: Database, profile: int) -> list[Visit]:
    """Give what somebody did before, the newest first."""
    rows = db.rows(
        "SELECT * FROM visits WHERE profile = ? AND name NOT IN (?, ?, ?) ORDER BY at DESC, id DESC LIMIT ?",
        (profile, SURVEY, VISITOR, CONTEXT, TRAIL),
    )
    return [Visit(name=row["name"], at=moment(row["at"]), told=orjson.loads(row["told"])) for row in rows]


def _last(db: Database, profile: int, name: str) -> Mapping[str, str]:
    rows = db.rows(
        "SELECT told FROM visits WHERE profile = ? AND name = ? ORDER BY at DESC, id DESC LIMIT 1", (profile, name)
    )
    return orjson.loads(rows[0]["told"]) if rows else {}
