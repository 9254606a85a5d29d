"""The words of messages, to find conversations by: an index that follows behind, so that intake pays nothing for it.

The words are taken apart and folded here, so both stores find the same. An entry's id is its conversation's, then its
message's last 32 bits: so both stores give the newest conversation first without looking at a message.
"""

import re
import unicodedata
from collections.abc import Sequence

from attrs import frozen

from .cursors import advance, cursor
from .database import Database
from .errors import IncompleteError

BATCH = 100
"""Messages of one step: a few milliseconds of the writer's time."""
_NAME = "words"
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 64
"""Characters of a word that count."""
_MOST = 20_000
"""Characters of a message that are looked at."""
SHIFT = 32


@frozen(kw_only=True)
class FullText:
    """How a store keeps and finds words: statements, the column of the ids, and the condition of a match."""

    create: tuple[str, ...]
    add: str
    remove: str
    id: str
    matches: str


SQLITE = FullText(
    create=(
        "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(word, detail=none, columnsize=0,"
        " tokenize='unicode61 remove_diacritics 0')",
    ),
    add="INSERT INTO words (rowid, word) VALUES (?, ?)",
    remove="DELETE FROM words WHERE rowid = ?",
    id="words.rowid",
    matches="words MATCH ?",
)
POSTGRESQL = FullText(
    create=(
        "CREATE TABLE IF NOT EXISTS words (id BIGINT PRIMARY KEY, word TSVECTOR NOT NULL)",
        "CREATE INDEX IF NOT EXISTS words_by_word ON words USING gin (word)",
    ),
    add="INSERT INTO words (id, word) VALUES (?, array_to_tsvector(string_to_array(CAST(? AS TEXT), ' ')))",
    remove="DELETE FROM words WHERE id = ?",
    id="words.id",
    matches="words.word @@ CAST(CAST(? AS TEXT) AS tsquery)",
)


def words(text: str) -> list[str]:
    """Give the words of a text, each once, without differences of case and accents."""
    apart = unicodedata.normalize("NFKD", text[:_MOST]).casefold()
    bare = "".join(one for one in apart if not unicodedata.combining(one))
    return list(dict.fromkeys(one[:_LONGEST] for one in _WORD.findall(bare)))


def asked(db: Database, text: str) -> str:
    """Give a query for messages that have all words of a text; IncompleteError where it has none."""
    wanted = words(text)
    if not wanted:
        raise IncompleteError("there is no word to search for")
    if db.full_text is SQLITE:
        return " ".join(f'"{one}"' for one in wanted)
    return " & ".join(f"'{one}'" for one in wanted)


def follow(db: Database, limit: int = BATCH) -> int:
    """Index the next messages; give how many there were."""
    rows = db.execute(
        "SELECT id, conversation, direction, text FROM messages WHERE id > ? ORDER BY id LIMIT ?",
        (cursor(db, _NAME), limit),
    ).fetchall()
    if rows:
        db.executemany(db.full_text.add, _entries(rows))
        advance(db, _NAME, rows[-1][0])
    return len(rows)


def refresh(db: Database, message: int) -> None:
    """Index a message again that was changed or deleted; one that was not indexed yet will be."""
    if message > cursor(db, _NAME):
        return
    row = db.execute("SELECT id, conversation, direction, text FROM messages WHERE id = ?", (message,)).fetchone()
    db.execute(db.full_text.remove, (_entry(row[1], row[0]),))
    db.executemany(db.full_text.add, _entries([row]))


def _entries(rows: Sequence[tuple[int, int, str, str]]) -> list[tuple[int, str]]:
    found = [
        (_entry(conversation, number), " ".join(words(text))) for number, conversation, direction, text in rows
        if direction != "act"
    ]  # fmt: skip
    return [one for one in found if one[1]]


def _entry(conversation: int, message: int) -> int:
    return (conversation << SHIFT) + (message & ((1 << SHIFT) - 1))
