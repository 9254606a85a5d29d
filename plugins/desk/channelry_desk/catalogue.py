"""What administrators define for the whole organisation: tags, subjects, skills, fields, quick answers, settings."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from math import isfinite
from typing import Any

import orjson
from attrs import frozen

from . import log
from .database import Database, Row
from .errors import ConflictError, IncompleteError, UnknownError, expect
from .grants import User
from .values import Answer, Field, Named, Subject

LEVELS = 3
"""Levels of a subject: a conversation is marked with one of the last."""


class FieldKind(StrEnum):
    """What a custom field holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    FLAG = "flag"
    CHOICE = "choice"


class Setting(StrEnum):
    """What can be set.

    - `CARD`: the fields of a contact's card, in order. `AGENTS_EDIT_SKILLS`: whether agents may.
    """

    CARD = "card"
    AGENTS_EDIT_SKILLS = "agents-edit-skills"


CARD = ("first_name", "last_name", "email", "phone", "company", "address")
"""All that a contact's card can show; what it shows where nobody chose."""
_INITIAL: Mapping[Setting, Any] = {Setting.CARD: CARD, Setting.AGENTS_EDIT_SKILLS: False}


# Tags and skills: names


@frozen
class Names:
    """A table of names that can be retired: nothing new is marked with a retired one, what is marked stays so."""

    table: str
    kind: str

    def listed(self, db: Database) -> list[Named]:
        """Give what is offered, by name."""
        rows = db.rows(f"SELECT id, name FROM {self.table} WHERE retired_at IS NULL ORDER BY name")
        return [Named(row["id"], row["name"]) for row in rows]

    def create(self, db: Database, by: User, name: str, now: int) -> Named:
        """Define a name, or take a retired one up again; ConflictError where it is there."""
        name = _named(name, f"a {self.kind}")
        row = db.execute(f"SELECT id, retired_at FROM {self.table} WHERE name = ?", (name,)).fetchone()
        if row is not None and row[1] is None:
            raise ConflictError(f"there is a {self.kind} {name!r} already")
        if row is None:
            number = db.insert(f"INSERT INTO {self.table} (name) VALUES (?)", (name,))
        else:
            number = row[0]
            db.execute(f"UPDATE {self.table} SET retired_at = NULL WHERE id = ?", (number,))
        log.changed(db, by.id, now, self.kind, number, "created")
        return Named(number, name)

    def retire(self, db: Database, by: User, number: int, now: int) -> None:
        """Offer a name no longer."""
        self.require(db, number)
        db.execute(f"UPDATE {self.table} SET retired_at = ? WHERE id = ?", (now, number))
        log.changed(db, by.id, now, self.kind, number, "retired")

    def require(self, db: Database, number: int) -> None:
        """Raise UnknownError for what is not offered."""
        row = db.execute(f"SELECT 1 FROM {self.table} WHERE id = ? AND retired_at IS NULL", (number,)).fetchone()
        if row is None:
            raise UnknownError(f"there is no {self.kind} {number}")


TAGS = Names("tags", log.TAG)
SKILLS = Names("skills", log.SKILL)


# Subjects


def subjects(db: Database) -> list[Subject]:
    """Give all subjects that are offered, of all levels, by name."""
    rows = db.rows("SELECT * FROM subjects WHERE retired_at IS NULL ORDER BY level, name")
    return [Subject(id=row["id"], name=row["name"], level=row["level"], parent=row["parent"] or None) for row in rows]


def create_subject(db: Database, by: User, name: str, parent: int | None, now: int) -> Subject:
    """Define a subject below another one; IncompleteError below one of the last level, ConflictError where it is."""
    level = 1 if parent is None else _level(db, parent) + 1
    if level > LEVELS:
        raise IncompleteError(f"a subject has {LEVELS} levels: there is nothing below the last")
    name = _named(name, "a subject")
    number = db.insert(
        "INSERT INTO subjects (parent, level, name) VALUES (?,?,?) ON CONFLICT DO NOTHING", (parent or 0, level, name)
    )
    if not number:
        raise ConflictError(f"there is a subject {name!r} already")
    log.changed(db, by.id, now, log.SUBJECT, number, "created")
    return Subject(id=number, name=name, level=level, parent=parent)


def retire_subject(db: Database, by: User, number: int, now: int) -> None:
    """Offer a subject, and what is below it, no longer."""
    _level(db, number)
    for one in below(db, number):
        db.execute("UPDATE subjects SET retired_at = ? WHERE id = ?", (now, one))
    log.changed(db, by.id, now, log.SUBJECT, number, "retired")


def below(db: Database, number: int) -> list[int]:
    """Give a subject and all that is below it, retired ones too."""
    found = level = [number]
    while level:
        level = [
            row[0] for one in level for row in db.execute("SELECT id FROM subjects WHERE parent = ?", (one,)).fetchall()
        ]
        found = [*found, *level]
    return found


def require_complete_subject(db: Database, number: int) -> None:
    """Raise UnknownError where there is no such subject, IncompleteError where it is not one of the last level."""
    level = _level(db, number)
    if level < LEVELS:
        raise IncompleteError(f"subject {number} is of level {level}: choose down to level {LEVELS}")


def subject_path(db: Database, number: int | None) -> tuple[Named, ...]:
    """Give a subject with those above it, the first level first."""
    path: list[Named] = []
    while number:
        row = db.execute("SELECT id, name, parent FROM subjects WHERE id = ?", (number,)).fetchone()
        path, number = [Named(row[0], row[1]), *path], row[2]
    return tuple(path)


def _level(db: Database, number: int) -> int:
    row = db.execute("SELECT level FROM subjects WHERE id = ? AND retired_at IS NULL", (number,)).fetchone()
    if row is None:
        raise UnknownError(f"there is no subject {number}")
    return int(row[0])


# Custom fields


def fields(db: Database) -> list[Field]:
    """Give the custom fields of conversations, by name."""
    return [_field(row) for row in db.rows("SELECT * FROM fields WHERE retired_at IS NULL ORDER BY name")]


def field(db: Database, number: int) -> Field:
    """Give one field that is offered; UnknownError."""
    for row in db.rows("SELECT * FROM fields WHERE id = ? AND retired_at IS NULL", (number,)):
        return _field(row)
    raise UnknownError(f"there is no field {number}")


def create_field(
    db: Database, by: User, name: str, kind: FieldKind, choices: Sequence[str], initial: str, editable: bool, now: int
) -> Field:
    """Define a field; IncompleteError where its default is none of its kind, ConflictError where there is one."""
    kept = tuple(filter(None, (choice.strip() for choice in choices)))
    if (kind is FieldKind.CHOICE) != bool(kept):
        raise IncompleteError("a choice needs choices, and nothing else has them")
    made = Field(id=0, name=_named(name, "a field"), kind=kind, choices=kept, initial=initial, editable=editable)
    if initial:
        require_value(made, initial)
    number = db.insert(
        "INSERT INTO fields (name, kind, choices, initial, editable) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
        (made.name, kind, "\n".join(kept), initial, int(editable)),
    )
    if not number:
        raise ConflictError(f"there is a field {made.name!r} already")
    log.changed(db, by.id, now, log.FIELD, number, "created")
    return field(db, number)


def retire_field(db: Database, by: User, number: int, now: int) -> None:
    """Show a field no longer."""
    field(db, number)
    db.execute("UPDATE fields SET retired_at = ? WHERE id = ?", (now, number))
    log.changed(db, by.id, now, log.FIELD, number, "retired")


def require_value(one: Field, value: str) -> None:
    """Raise IncompleteError where a text is no value of a field; `""`, nothing, always is."""
    right = True
    try:
        if one.kind == FieldKind.NUMBER:
            right = isfinite(float(value))
        elif one.kind == FieldKind.DATE:
            date.fromisoformat(value)
    except ValueError:
        right = False
    if one.kind in (FieldKind.FLAG, FieldKind.CHOICE):
        right = value in (one.choices or ("yes", "no"))
    if value and not right:
        said = f" of {', '.join(one.choices)}" if one.choices else ""
        raise IncompleteError(f"{one.name} is a {one.kind}{said}: {value!r} is none")


def _field(row: Row) -> Field:
    return Field(
        id=row["id"], name=row["name"], kind=row["kind"], choices=tuple(filter(None, row["choices"].split("\n"))),
        initial=row["initial"], editable=bool(row["editable"]),
    )  # fmt: skip


# Quick answers


def answers(db: Database, language: str) -> list[Answer]:
    """Give the quick answers, by category and title: of a language, or (`""`) of all."""
    rows = db.rows(
        "SELECT * FROM answers WHERE retired_at IS NULL AND (language = ?1 OR language = '' OR ?1 = '')"
        " ORDER BY category, title, language",
        (language,),
    )
    return [_answer(row) for row in rows]


def answer(db: Database, number: int) -> Answer:
    """Give one quick answer that is offered; UnknownError."""
    for row in db.rows("SELECT * FROM answers WHERE id = ? AND retired_at IS NULL", (number,)):
        return _answer(row)
    raise UnknownError(f"there is no quick answer {number}")


def save_answer(db: Database, by: User, given: Answer, version: int | None, now: int) -> Answer:
    """Define a quick answer, or change the one of the same category, title and language; ConflictError where that is of
    another version (0: none is offered)."""
    where = (given.category.strip(), given.title.strip(), given.language)
    if not (all(where[:2]) and (given.text.strip() or given.files)):
        raise IncompleteError("a quick answer needs a category, a title, and a text or a file")
    one = "SELECT id, version FROM answers WHERE category = ? AND title = ? AND language = ?"
    row = db.execute(f"{one} AND retired_at IS NULL", where).fetchone()
    expect(f"the quick answer {where[1]!r}", row[1] if row else 0, version)
    db.execute(
        "INSERT INTO answers (category, title, language, text, files, version) VALUES (?,?,?,?,?,1)"
        " ON CONFLICT (category, title, language) DO UPDATE SET text = excluded.text, files = excluded.files,"
        " retired_at = NULL, version = answers.version + 1",
        (*where, given.text, "\n".join(given.files)),
    )
    (number, _) = db.execute(one, where).fetchone()
    log.changed(db, by.id, now, log.ANSWER, number, "saved")
    return answer(db, number)


def retire_answer(db: Database, by: User, number: int, version: int | None, now: int) -> None:
    """Offer a quick answer no longer; ConflictError where it is of another version."""
    expect(f"quick answer {number}", answer(db, number).version, version)
    db.execute("UPDATE answers SET retired_at = ?, version = version + 1 WHERE id = ?", (now, number))
    log.changed(db, by.id, now, log.ANSWER, number, "retired")


def _answer(row: Row) -> Answer:
    return Answer(
        id=row["id"], category=row["category"], title=row["title"], language=row["language"], text=row["text"],
        files=tuple(filter(None, row["files"].split("\n"))), version=row["version"],
    )  # fmt: skip


# Settings


def setting(db: Database, name: Setting) -> Any:
    """Give what is set."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return _INITIAL[name] if row is None else orjson.loads(row[0])


def change_setting(db: Database, by: User, name: Setting, value: Any, now: int) -> None:
    """Set something; IncompleteError where it cannot be so."""
    if name is Setting.CARD and (not value or not set(value) <= set(CARD)):
        raise IncompleteError(f"a card shows some of {', '.join(CARD)}")
    if name is Setting.AGENTS_EDIT_SKILLS and not isinstance(value, bool):
        raise IncompleteError(f"{name} is yes or no")
    db.execute(
        "INSERT INTO settings (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, orjson.dumps(value).decode()),
    )
    log.changed(db, by.id, now, log.SETTING, 0, name)


def _named(name: str, what: str) -> str:
    if not name.strip():
        raise IncompleteError(f"{what} needs a name")
    return name.strip()
