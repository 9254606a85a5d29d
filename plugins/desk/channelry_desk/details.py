"""What colleagues note about a conversation: tags, subject, notes, skills, fields. Operations and queries."""

from collections.abc import Collection, Mapping
from typing import Any

from . import catalogue, conversations, grants, log, states, visits
from .catalogue import SKILLS, TAGS, Names, Setting
from .database import Database
from .errors import IncompleteError, NotGrantedError
from .grants import Access, User
from .moments import moment
from .states import Standing
from .texts import plain
from .values import Details, Field, FieldValue, Named, Note, person


def read(db: Database, conversation: int) -> Details:
    """Read all that is noted about a conversation, and what is known of its visitor."""
    profile = conversations.profile(db, conversation)
    (subject,) = db.execute("SELECT subject FROM conversations WHERE id = ?", (conversation,)).fetchone()
    return Details(
        tags=_marks(db, "conversation_tags", "tag", TAGS, conversation),
        skills=_marks(db, "conversation_skills", "skill", SKILLS, conversation),
        subject=catalogue.subject_path(db, subject), fields=_fields(db, conversation), notes=_notes(db, conversation),
        answers=visits.answers(db, profile), trail=tuple(visits.trail(db, profile)),
        visitor=visits.visitor(db, profile), context=visits.context(db, profile),
    )  # fmt: skip


def set_tags(db: Database, by: User, conversation: int, tags: Collection[int], version: int | None, now: int) -> None:
    """Mark a conversation with exactly these tags; UnknownError for one that is not offered."""
    seen = _mine(db, by, conversation, version)
    _set_marks(db, "conversation_tags", "tag", TAGS, conversation, tags)
    _changed(db, by, seen, "tagged", now, {"tags": sorted(tags)})


def set_skills(
    db: Database, by: User, conversation: int, skills: Collection[int], version: int | None, now: int
) -> None:
    """Say which skills a conversation that they may read asks for; administrators may, and its agent where these allow
    it."""
    if grants.has(by, Access.ADMINISTRATION):
        seen = conversations.require_readable(db, by, conversation)
        conversations.require_unarchived(db, conversation)
        states.expect(seen, version)
    else:
        allowed = bool(catalogue.setting(db, Setting.AGENTS_EDIT_SKILLS))
        grants.require(allowed, by, "edit skills: administrators have not allowed agents to")
        seen = _mine(db, by, conversation, version)
    _set_marks(db, "conversation_skills", "skill", SKILLS, conversation, skills)
    _changed(db, by, seen, "skilled", now, {"skills": sorted(skills)})


def set_subject(db: Database, by: User, conversation: int, subject: int | None, version: int | None, now: int) -> None:
    """Mark a conversation with a subject of the last level; None takes it away."""
    seen = _mine(db, by, conversation, version)
    if subject is not None:
        catalogue.require_complete_subject(db, subject)
    db.execute("UPDATE conversations SET subject = ? WHERE id = ?", (subject, conversation))
    _changed(db, by, seen, "classified", now, {"subject": subject})


def set_fields(
    db: Database, by: User, conversation: int, values: Mapping[int, str], version: int | None, now: int
) -> None:
    """Save custom fields; NotGrantedError for one that cannot be edited, IncompleteError for what is none of its
    kind, UndescribedError while the short description is blank: these are the agent's form."""
    seen = _mine(db, by, conversation, version)
    if not by.is_system:
        states.require_described(seen, "saved")
    for number, value in values.items():
        field: Field = catalogue.field(db, number)
        if not field.editable and not grants.has(by, Access.ADMINISTRATION):
            raise NotGrantedError(f"{field.name} cannot be edited")
        catalogue.require_value(field, value)
        db.execute(
            "INSERT INTO field_values (conversation, field, value) VALUES (?,?,?)"
            " ON CONFLICT (conversation, field) DO UPDATE SET value = excluded.value",
            (conversation, number, plain(value)),
        )
    _changed(db, by, seen, "saved", now, {"fields": sorted(values)})


def note(db: Database, by: User, conversation: int, text: str, now: int) -> int:
    """Leave a note for whoever works on it next, or as a reminder; whoever may read the conversation may, until it is
    archived."""
    conversations.require_readable(db, by, conversation)
    conversations.require_unarchived(db, conversation)
    if not text.strip():
        raise IncompleteError("a note needs a text")
    number = db.insert(
        "INSERT INTO notes (conversation, member, at, text) VALUES (?,?,?,?)",
        (conversation, by.id, now, plain(text.strip())),
    )
    log.changed(db, by.id, now, log.CONVERSATION, conversation, "noted", data={"note": number})
    return number


def _mine(db: Database, by: User, conversation: int, version: int | None) -> Standing:
    """Read a conversation that is the user's, of the version that they saw; a closed one too, until it is archived."""
    seen = conversations.standing(db, conversation)
    grants.require(grants.may_act(by, seen), by, f"mark conversation {conversation}")
    conversations.require_unarchived(db, conversation)
    states.expect(seen, version)
    return seen


def _changed(db: Database, by: User, seen: Standing, what: str, now: int, data: Mapping[str, Any]) -> None:
    db.execute("UPDATE conversations SET version = version + 1 WHERE id = ?", (seen.id,))
    log.changed(db, by.id, now, log.CONVERSATION, seen.id, what, data={**data, "version": seen.version + 1})


def _marks(db: Database, table: str, column: str, names: Names, conversation: int) -> tuple[Named, ...]:
    rows = db.rows(
        f"SELECT n.id, n.name FROM {table} m JOIN {names.table} n ON n.id = m.{column} WHERE m.conversation = ?"
        " ORDER BY n.name",
        (conversation,),
    )
    return tuple(Named(row["id"], row["name"]) for row in rows)


def _set_marks(db: Database, table: str, column: str, names: Names, conversation: int, wanted: Collection[int]) -> None:
    held = {one.id for one in _marks(db, table, column, names, conversation)}
    for number in set(wanted) - held:
        names.require(db, number)
        db.execute(f"INSERT INTO {table} (conversation, {column}) VALUES (?,?)", (conversation, number))
    for number in held - set(wanted):
        db.execute(f"DELETE FROM {table} WHERE conversation = ? AND {column} = ?", (conversation, number))


def _fields(db: Database, conversation: int) -> tuple[FieldValue, ...]:
    rows = db.execute("SELECT field, value FROM field_values WHERE conversation = ?", (conversation,))
    values = dict(rows.fetchall())
    return tuple(FieldValue(one, values.get(one.id, one.initial)) for one in catalogue.fields(db))


def _notes(db: Database, conversation: int) -> tuple[Note, ...]:
    rows = db.rows(
        "SELECT n.*, u.first_name, u.last_name FROM notes n LEFT JOIN users u ON u.id = n.member"
        " WHERE n.conversation = ? ORDER BY n.id",
        (conversation,),
    )
    return tuple(
        Note(id=row["id"], by=person(row["member"], row["first_name"], row["last_name"]), at=moment(row["at"]),
             text=row["text"])
        for row in rows
    )  # fmt: skip
