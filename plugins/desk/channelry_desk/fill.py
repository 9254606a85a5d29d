"""An invented past, to see how the desk does with much: conversations, their people, messages, tags and words.

The same seed gives the same past. Word number n of the vocabulary stands in about one of n messages, so that words of
every frequency can be searched for.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from attrs import define, field

from . import fulltext, log
from .database import Database
from .moments import DAY, HOUR, MINUTE
from .recognition import folded

MESSAGES, LONG_TALK = 3, 60
"""Messages of one conversation, and of a long one; every second is an answer."""
LONG_TALKS = 1_000
"""Of so many conversations the first is a long one."""
AT_ONCE = 2_000
"""Conversations of one transaction."""
VOCABULARY = 10_000
"""Words that messages have; see `word`."""
WORDS = 8
"""Words of one message."""
AGENTS, QUEUES, TAGS = 50, 5, 40
OPEN_SHARE = 0.01
"""Conversations that are open still: the newest."""
PER_PERSON = 5
"""Conversations of one person."""
SPAN = 365 * DAY
"""How long the past is."""
_NAMES = ("Ada", "Olena", "Jürgen", "Zoë", "José", "Anna", "Eleni", "Kwame", "Mei", "Noor")


def word(number: int) -> str:
    """Give the word of a number, from 1: rarer the higher it is."""
    return f"word{number}"


@define(eq=False)
class Past:
    """Writes a past of so many conversations, up to `now`.

    - `connections`: whose they are, in turn, the first of them the most.
    """

    conversations: int
    connections: Sequence[str]
    now: int
    random: Random = field(factory=lambda: Random(7))
    _agents: Sequence[int] = ()
    _queues: Sequence[int] = ()
    _tags: Sequence[int] = ()
    _subjects: Sequence[int] = ()

    def found(self, db: Database) -> None:
        """Write who works here, and what is defined."""
        self._agents = _added(db, "users (email, first_name, last_name, short_code, password, invitation, present,"
            " created_at, version)", [(f"agent{n}@example.org", _NAMES[n % 10], f"Agent{n}", "", "", "", 1, self.now, 1)
            for n in range(AGENTS)])  # fmt: skip
        self._queues = _added(db, "queues (name)", [(f"queue {n}",) for n in range(QUEUES)])
        self._tags = _added(db, "tags (name)", [(f"tag {n}",) for n in range(TAGS)])
        above: Sequence[int] = (0,)
        for level in (1, 2, 3):
            rows = [(parent, level, f"subject {level}.{n}") for parent in above for n in range(3)]
            above = _added(db, "subjects (parent, level, name)", rows)
        self._subjects = above
        grants = [(agent, connection) for agent in self._agents for connection in self.connections]
        db.executemany("INSERT INTO grants (member, connection) VALUES (?,?)", grants)
        levels = [(agent, "chat-center") for agent in self._agents]
        db.executemany("INSERT INTO accesses (member, level) VALUES (?,?)", levels)

    def steps(self) -> Iterator[range]:
        """Give the parts that are written one after the other."""
        for first in range(0, self.conversations, AT_ONCE):
            yield range(first, min(first + AT_ONCE, self.conversations))

    def write(self, db: Database, part: range) -> None:
        """Write one part."""
        people = self._people(db, len(part) // PER_PERSON + 1)
        choose, rows = self.random, []
        for n in part:
            at = self.now - SPAN + SPAN * n // self.conversations
            is_open = n >= self.conversations * (1 - OPEN_SHARE)
            pending = is_open and n % 2 == 0
            until, expires_at = at + HOUR, self.now + DAY if is_open else at + DAY
            person = people[(n - part.start) // PER_PERSON]
            rows.append((
                self.connections[min(int(choose.expovariate(1.0)), len(self.connections) - 1)], person,
                f"place {n}" if is_open else "", "direct", "messaging",
                "pending" if pending else "active" if is_open else "closed",
                None if pending else choose.choice(self._agents), choose.choice(self._queues), "",
                "" if is_open else "about something", 3, at, DAY, expires_at, expires_at if is_open else None, until,
                until, until,
                None if pending else at + MINUTE, None if pending else at + 2 * MINUTE, 0,
                None if is_open else until, None if is_open else until, "" if is_open else "done", "en",
                choose.choice(self._subjects) if n % 2 else None,
            ))  # fmt: skip
        ids = _added(db, "conversations (connection, profile, place, surface, type, state, assignee, queue, hold,"
            " description, version, opened_at, open_for, expires_at, due_at, last_customer_at, last_inbound_at,"
            " last_message_at, assigned_at, responded_at, worked, ended_at, closed_at, reason, language, subject)",
            rows)  # fmt: skip
        said = [
            (number, row[0], f"filled:{number}.{n}", "out" if n % 2 else "in", "", row[11] + n * MINUTE // LONG_TALK,
             row[11] + n * MINUTE // LONG_TALK, self._text())
            for number, row, past in zip(ids, rows, part, strict=True)
            for n in range(MESSAGES if past % LONG_TALKS else LONG_TALK)
        ]  # fmt: skip
        messages = _added(db, "messages (conversation, connection, key, direction, author, occurred_at, recorded_at,"
            " text)", said)  # fmt: skip
        answers = [(number, *row) for number, row in zip(messages, said, strict=True) if row[3] == "out"]
        calls = _added(db, "calls (message, conversation, connection, key, payload, state, attempt, token, lookups,"
            " sent_at, status, code, reason, decided_by, created_at)", [
            (number, conversation, connection, key, "{}", "accepted", 1, 1, 0, at, "delivered", "", "", "", at)
            for number, conversation, connection, key, _, _, at, *_ in answers
        ])  # fmt: skip
        db.executemany(
            "INSERT INTO receipts (connection, external_id, call) VALUES (?,?,?)",
            [(row[2], f"id:{row[3]}", call) for call, row in zip(calls, answers, strict=True)],
        )
        tagged = [(number, tag) for number in ids for tag in choose.sample(self._tags, number % 3)]
        db.executemany("INSERT INTO conversation_tags (conversation, tag) VALUES (?,?)", tagged)
        changes = [
            (row[11], 0, log.CONVERSATION, number, "opened", "", "{}") for number, row in zip(ids, rows, strict=True)
        ]
        db.executemany("INSERT INTO log (at, who, kind, subject, what, why, data) VALUES (?,?,?,?,?,?,?)", changes)

    def index(self, db: Database) -> bool:
        """Index the words of the next messages; tell whether there were any."""
        return fulltext.follow(db, AT_ONCE * MESSAGES) > 0

    def _people(self, db: Database, count: int) -> list[int]:
        """Write people, every second of whom is a known customer."""
        told = [
            ("filled", "filled", f"{self.random.getrandbits(60)}", "", "", choose, "", "", "", "", "", self.now, 0)
            for choose in (self.random.choice(_NAMES) for _ in range(count))
        ]
        ids = _added(db, "profiles (channel, scheme, value, scope, display, name, first_name, last_name, picture,"
            " locale, seen, created_at, dropped)", told)  # fmt: skip
        db.executemany(
            "INSERT INTO addresses (channel, scheme, value, scope, profile) VALUES ('filled','filled',?,'',?)",
            [(row[2], number) for row, number in zip(told, ids, strict=True)],
        )
        known = list(zip(ids, told, strict=True))[::2]
        given = [
            (row[5], f"Person{number}", f"person{number}@example.org", "", "", 1, self.now) for number, row in known
        ]
        made = _added(db, "customers (first_name, last_name, email, phone, address, version, created_at)", given)
        words = [
            (folded(word).encode(), customer) for customer, row in zip(made, given, strict=True) for word in row[:3]
        ]
        db.executemany("INSERT INTO customer_words (word, customer) VALUES (?,?)", words)
        db.executemany(
            "UPDATE profiles SET customer = ? WHERE id = ?",
            [(customer, number) for customer, (number, _) in zip(made, known, strict=True)],
        )
        return ids

    def _text(self) -> str:
        """Give a text that has word n with a chance of about one in n."""
        chosen = (word(min(VOCABULARY, int(1 / (1 - self.random.random())))) for _ in range(WORDS // 2))
        return " ".join([*chosen, *(word(self.random.randint(1, VOCABULARY)) for _ in range(WORDS // 2))])


def _added(db: Database, into: str, rows: Sequence[Sequence[Any]]) -> list[int]:
    """Insert rows; give their ids, which follow on each other: nobody else writes meanwhile."""
    statement = f"INSERT INTO {into} VALUES ({', '.join('?' * len(rows[0]))})"
    first = db.insert(statement, rows[0])
    db.executemany(statement, rows[1:])
    return list(range(first, first + len(rows)))
