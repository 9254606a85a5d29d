"""The demonstration's totals: what the desk's file holds after the shutdown, against the providers' ledgers."""

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from attrs import fields, frozen

from channelry.model import Status

from .words import MET_ON, REGULAR


@frozen(kw_only=True)
class Ledger:
    """One provider's side: messages its customers wrote, forged and repeated deliveries, answers it took.

    - `wrong`: answers that no message asked for, or that came twice or not at all.
    - `statuses`: status webhooks that were acknowledged, repetitions not counted.
    - `refused`: deliveries that were refused.
    """

    written: int
    forged: int
    refused: int
    duplicates: int
    taken: int
    wrong: int
    statuses: int


@frozen(kw_only=True)
class Totals:
    """One channel's row: each figure as the file has it, `rejected`, `duplicates` and `taken` as the ledger has them.

    - `uncertain`: answers whose provider's word was lost: a person decides about them. None was sent again.
    """

    channel: str
    received: int
    rejected: int
    duplicates: int
    answered: int
    taken: int
    accepted: int
    uncertain: int
    delivered: int | None
    read: int | None
    disagreements: tuple[str, ...]


Declared: TypeAlias = Mapping[str, Collection[Status]]
REPORTED = (Status.DELIVERED, Status.READ)
TITLES = tuple(one.name for one in fields(Totals))[:-1]

_COUNTS = """
SELECT (SELECT count(*) FROM messages WHERE connection = ?1 AND direction = 'in') AS received,
    (SELECT count(DISTINCT key) FROM messages WHERE connection = ?1 AND direction = 'out') AS answered,
    (SELECT count(*) FROM calls WHERE connection = ?1 AND state = 'accepted') AS accepted,
    (SELECT count(*) FROM calls WHERE connection = ?1 AND state = 'uncertain') AS uncertain,
    (SELECT count(*) FROM calls WHERE connection = ?1) AS calls,
    (SELECT count(*) FROM calls WHERE connection = ?1 AND status IN ('delivered', 'read', 'played')) AS delivered,
    (SELECT count(*) FROM calls WHERE connection = ?1 AND status IN ('read', 'played')) AS read,
    (SELECT count(*) FROM messages JOIN receipts USING (connection, external_id)
        WHERE connection = ?1 AND direction = 'echo') AS echoes,
    (SELECT count(DISTINCT coalesce(customer, -id)) FROM profiles WHERE ltrim(value, '+') = ?2) AS persons,
    (SELECT count(*) FROM journal WHERE connection = ?1) AS journal,
    (SELECT count(*) FROM dead_letters WHERE connection IN (?1, '')) AS dead_letters
"""


def totals(file: Path, ledgers: Mapping[str, Ledger], declared: Declared) -> list[Totals]:
    """Count in the desk's file, which nobody has open any more, and compare it with each provider's ledger; `declared`:
    the statuses that each channel says its provider reports."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return [
            _row(name, db.execute(_COUNTS, (name, REGULAR)).fetchone(), ledger, declared[name])
            for name, ledger in sorted(ledgers.items())
        ]


def _row(name: str, counts: sqlite3.Row, ledger: Ledger, declared: Collection[Status]) -> Totals:
    pairs = {
        "received": (counts["received"], ledger.written),
        "rejected": (ledger.refused, ledger.forged),
        "journal": (counts["journal"], ledger.written + ledger.statuses),
        "dead letters": (counts["dead_letters"], 0),
        "answered": (counts["answered"], ledger.written),
        "accepted and uncertain": (counts["accepted"] + counts["uncertain"], ledger.taken),
        "unsettled": (counts["calls"] - counts["accepted"] - counts["uncertain"], 0),
        "wrong answers": (ledger.wrong, 0),
        "echoes of our own": (counts["echoes"], 0),
    }
    if name in MET_ON:
        pairs["customers of one person"] = (counts["persons"], 1)
    known = ledger.taken - counts["uncertain"]  # of which nobody knows an id that a status would bear
    pairs |= {str(one): (counts[one], known) for one in REPORTED if one in declared}
    return Totals(
        channel=name,
        received=counts["received"],
        rejected=ledger.refused,
        duplicates=ledger.duplicates,
        answered=counts["answered"],
        taken=ledger.taken,
        accepted=counts["accepted"],
        uncertain=counts["uncertain"],
        **{one: counts[one] if one in declared else None for one in REPORTED},
        disagreements=tuple(f"{what}: {here}, not {there}" for what, (here, there) in pairs.items() if here != there),
    )
