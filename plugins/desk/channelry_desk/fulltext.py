"""The words of messages, to find conversations by: an index that follows behind, so that intake pays nothing for it.

The words are taken apart and folded here, so both stores find the same; SQLite's tokenizer of ASCII leaves them as they
are. An entry's id is its conversation's, then its message's last 32 bits: so both stores give the newest conversation
first without looking at a message.
"""

import re
import unicodedata
from collections.abc import Sequence

from .cursors import advance, cursor
from .database import Database, FullText
from .errors import IncompleteError

BATCH = 100
"""Messages of one step: a few milliseconds of the writer's time."""
_NAME = "words"
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Characters of scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_RUN = re.compile(f"[{_UNSPACED}]+|[^ {_UNSPACED}]+")
_LONGEST = 64
"""Characters of a word that count."""
_MOST = 20_000
"""Characters of a message that are looked at."""
SHIFT = 32


SQLITE = FullText(
    create=("CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(word, detail=none, columnsize=0, tokenize='ascii')",),
    add="INSERT INTO words (rowid, word) VALUES (?, ?)",
    remove="DELETE FROM words WHERE rowid = ?",
    id="words.rowid",
    matches="words MATCH ?",
    prepare="SELECT 1",
    aside="+",
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
    # by what is asked for, not once for all; the helpers of a scan take longer to start than a page takes
    prepare="SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)",
    aside="",
)


class _Folding(dict[int, int | None]):
    """What stands for a character in words: itself, nothing for an accent and what is not seen, else a space."""

    def __missing__(self, code: int) -> int | None:
        one = chr(code)
        category = unicodedata.category(one)
        if unicodedata.combining(one) or category == "Cf" or unicodedata.name(one, "").startswith("VARIATION SELECTOR"):
            self[code] = None
        else:
            self[code] = code if category[0] in "LMN" else ord(" ")
        return self[code]


_FOLDING = _Folding()


def words(text: str) -> list[str]:
    """Give what a text is found by, each once: its words without differences of case and accents, and, where nothing
    stands between words, each character and each pair of neighbours."""
    found = []
    for run in _runs(text):
        found += [*run, *_pairs(run)] if _is_unspaced(run) else [run[:_LONGEST]]
    return list(dict.fromkeys(found))


def _runs(text: str) -> list[str]:
    """Take a text apart where something is between, or the kind of script changes."""
    return _RUN.findall(unicodedata.normalize("NFKD", text[:_MOST]).casefold().translate(_FOLDING))


def _is_unspaced(run: str) -> bool:
    return re.match(f"[{_UNSPACED}]", run) is not None


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def asked(db: Database, text: str) -> str:
    """Give a query for messages that have all words of a text; IncompleteError where it has none."""
    wanted = [one for run in _runs(text) for one in _sought(run)]
    if not wanted:
        raise IncompleteError("there is no word to search for")
    if db.full_text is SQLITE:
        return " ".join(f'"{one}"' for one in wanted)
    return " & ".join(f"'{one}'" for one in wanted)


def _sought(run: str) -> list[str]:
    return (_pairs(run) or [run]) if _is_unspaced(run) else [run[:_LONGEST]]


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
    forget(db, row[0], row[1])
    db.executemany(db.full_text.add, _entries([row]))


def forget(db: Database, message: int, conversation: int) -> None:
    """Take a message out of the index."""
    db.execute(db.full_text.remove, (_entry(conversation, message),))


def _entries(rows: Sequence[tuple[int, int, str, str]]) -> list[tuple[int, str]]:
    found = [
        (_entry(conversation, number), " ".join(words(text))) for number, conversation, direction, text in rows
        if direction != "act"
    ]  # fmt: skip
    return [one for one in found if one[1]]


def _entry(conversation: int, message: int) -> int:
    return (conversation << SHIFT) + (message & ((1 << SHIFT) - 1))
