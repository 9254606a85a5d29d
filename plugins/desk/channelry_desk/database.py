"""What operations and queries see of a database: one connection, in one transaction, in SQL that both stores know.

Placeholders are `?`, or `?1`, `?2` where one stands in several places. The SQL keeps to what SQLite and PostgreSQL
have in common: `ON CONFLICT (columns) DO UPDATE` names its columns, flags are 1 and 0, there is no scalar `max`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from attrs import frozen

Row: TypeAlias = Any
"""One row: values by position (it unpacks), and from `Database.rows` by name too."""


@frozen
class Given:
    """A statement for many rows at once, which it finds in the table `given`; it has no placeholders.

    - `columns`: those of the rows, as the schema writes them: `"connection TEXT, journal INTEGER"`.
    """

    columns: str
    statement: str

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.split()[0] for column in self.columns.split(", ")]

    @property
    def types(self) -> list[str]:
        """Their types."""
        return [column.split()[1] for column in self.columns.split(", ")]


class Rows(Protocol):
    """What a statement gave: rows, or (`rowcount`) how many it changed."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Row: ...

    def fetchall(self) -> list[Row]: ...

    def __iter__(self) -> Iterator[Row]: ...


@frozen(kw_only=True)
class FullText:
    """How a store keeps and finds words: statements, the column of the ids, and the condition of a match.

    - `prepare`: what a transaction that searches begins with. `aside`: stands before a column whose index is not to be
      used; nothing where the store has statistics and knows better.
    """

    create: tuple[str, ...]
    add: str
    remove: str
    id: str
    matches: str
    prepare: str
    aside: str


class Database(Protocol):
    """A connection."""

    @property
    def full_text(self) -> FullText:
        """How this store keeps and finds words."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Rows:
        """Run one statement."""

    def executemany(self, sql: str, values: Sequence[Sequence[Any]], /) -> object:
        """Run one statement for each of some values; gives no rows."""

    def given(self, *work: tuple[Given, Sequence[Sequence[Any]]]) -> int | None:
        """Run statements one after the other, each for many rows at once, or for parts of them, in their order; give
        how many rows the first one has written, None where the store does not know."""

    def rows(self, sql: str, values: Sequence[Any] = (), /) -> list[Row]:
        """Run a query and give its rows, whose values have names."""

    def insert(self, sql: str, values: Sequence[Any] = (), /) -> int:
        """Insert one row and give its id; 0 where `ON CONFLICT DO NOTHING` did nothing."""

    def begin(self) -> None:
        """Begin a transaction; a writer's waits until no other process has one."""

    def commit(self) -> None:
        """Make the transaction durable; returns when it is."""

    def rollback(self) -> None:
        """Undo the transaction, if there is one still."""

    def failed(self, error: BaseException) -> bool:
        """Tell whether the store failed (try again later), not the statement (never again as it is)."""

    def close(self) -> None:
        """Let go of the connection."""


class Engine(Protocol):
    """A kind of store: how its connections are opened. StoreError where that is not possible."""

    def writer(self) -> Database:
        """Open the connection that writes, bringing the schema up to date."""

    def reader(self) -> Database:
        """Open a connection that only reads, each transaction on a snapshot of its own."""

    def missing(self) -> str:
        """Name what would be made by opening it for writing; `""` where everything is there."""

    def start(self) -> None:
        """Begin what the store does beside its connections."""

    def stop(self) -> None:
        """End it."""

    async def listen(self, wake: Callable[[str], None]) -> None:
        """Name each table into which a process has put work for workers, until cancelled. StoreError where the store
        is not there, or no longer; what was written meanwhile is not told."""
