"""The tasks that conversations are about: viewed, or created; kept here, or in a ticket system."""

from . import conversations, grants, log
from .database import Database
from .errors import NotFoundError
from .grants import User
from .hooks import NewTask, StoredTask
from .moments import moment
from .values import Task, person

CREATED, VIEWED = "created", "viewed"


def require_related(db: Database, by: User, conversation: int, now: int) -> None:
    """Raise unless the user may relate tasks to a conversation now: it is theirs, open, and described."""
    seen = conversations.expected(
        db, by, conversation, now, None, lambda seen: grants.may_act(by, seen), "related to tasks"
    )
    conversations.require_described(by, seen, "related to a task")


def known(db: Database, key: str) -> int | None:
    """Give the task of ours that was created with a key."""
    row = db.execute("SELECT id FROM tasks WHERE key = ?", (key,)).fetchone()
    return None if row is None else row[0]


def create(
    db: Database, by: User, conversation: int, task: NewTask, store: str, stored: StoredTask | None, now: int
) -> int:
    """Record a new task, which a ticket system has `stored` or else we keep, and relate it to the conversation that it
    came up in; give its id."""
    require_related(db, by, conversation, now)
    if stored is not None:
        number = adopt(db, store, stored)
    else:
        number = known(db, task.key) or _add(db, task.key, task.kind, task.title, task.text)
    _relate(db, by, conversation, number, CREATED, now)
    return number


def view(db: Database, by: User, conversation: int, number: int, now: int) -> None:
    """Record that a task was looked at during a conversation."""
    require_related(db, by, conversation, now)
    if db.execute("SELECT 1 FROM tasks WHERE id = ?", (number,)).fetchone() is None:
        raise NotFoundError(f"there is no task {number}")
    _relate(db, by, conversation, number, VIEWED, now)


def adopt(db: Database, store: str, task: StoredTask) -> int:
    """Record a task that a ticket system has, so that it can be related; give its id."""
    row = db.execute("SELECT id FROM tasks WHERE store = ? AND reference = ?", (store, task.reference)).fetchone()
    if row is not None:
        db.execute("UPDATE tasks SET title = ?, url = ? WHERE id = ?", (task.title, task.url, row[0]))
        return int(row[0])
    key = f"{store}:{task.reference}"
    return _add(db, key, task.kind, task.title, "", store, task.reference, task.url)


def related(db: Database, conversation: int) -> list[Task]:
    """Give the tasks of a conversation, in the order in which they were viewed or created."""
    rows = db.rows(
        "SELECT t.*, r.how, r.member, r.at, u.first_name, u.last_name FROM related_tasks r"
        " JOIN tasks t ON t.id = r.task LEFT JOIN users u ON u.id = r.member WHERE r.conversation = ?"
        " ORDER BY r.at, t.id, r.how",
        (conversation,),
    )
    return [
        Task(
            id=row["id"], kind=row["kind"], title=row["title"], how=row["how"],
            by=person(row["member"], row["first_name"], row["last_name"]), at=moment(row["at"]), store=row["store"],
            reference=row["reference"], url=row["url"],
        )
        for row in rows
    ]  # fmt: skip


def _add(
    db: Database, key: str, kind: str, title: str, text: str, store: str = "", reference: str = "", url: str = ""
) -> int:
    return db.insert(
        "INSERT INTO tasks (key, kind, title, text, store, reference, url) VALUES (?,?,?,?,?,?,?)",
        (key, kind, title, text, store, reference, url),
    )


def _relate(db: Database, by: User, conversation: int, number: int, how: str, now: int) -> None:
    db.execute(
        "INSERT INTO related_tasks (conversation, task, how, member, at) VALUES (?,?,?,?,?)"
        " ON CONFLICT (conversation, task, how) DO NOTHING",
        (conversation, number, how, by.id, now),
    )
    log.changed(db, by.id, now, log.CONVERSATION, conversation, f"task {how}", data={"task": number})
