"""Customers, and the profiles by which channels know them: operations and queries."""

from collections.abc import Iterable, Mapping

from channelry.model import Address, Match, Profile

from . import companies, conversations, grants, log, phones, recognition, states, visits
from .database import Database, Row
from .errors import ConflictError, IncompleteError, NotFoundError, expect
from .grants import User
from .moments import moment_or_none
from .recognition import Identifier, Sign, Traits
from .states import Center, Step
from .values import Candidate, Customer, KnownProfile, Named

SELECT = """
SELECT u.id, u.first_name, u.last_name, u.email, u.phone, u.company, k.name AS company_name, u.address, u.version,
    u.barred_at FROM customers u LEFT JOIN companies k ON k.id = u.company
"""
FIELDS = ("first_name", "last_name", "email", "phone", "address")
FOUND = 20
"""Customers that a search gives at most."""


# Reading


def read(db: Database, number: int) -> Customer:
    """Read one customer; who was merged into another one is that one; NotFoundError."""
    for row in db.rows(f"{SELECT} WHERE u.id = ?", (_now_known_as(db, number),)):
        return customer(row)
    raise NotFoundError(f"there is no customer {number}")


def customer(row: Row) -> Customer:
    """Make a customer of a row of `SELECT`."""
    return Customer(
        id=row["id"], first_name=row["first_name"], last_name=row["last_name"], email=row["email"], phone=row["phone"],
        company=None if row["company"] is None else Named(row["company"], row["company_name"]),
        address=row["address"], version=row["version"], barred_at=moment_or_none(row["barred_at"]),
    )  # fmt: skip


def _now_known_as(db: Database, number: int) -> int:
    row = db.execute("SELECT merged_into FROM customers WHERE id = ?", (number,)).fetchone()
    return number if row is None or row[0] is None else int(row[0])


def found(db: Database, text: str, limit: int = FOUND) -> list[Customer]:
    """Give customers by the beginnings of their names, e-mail address, phone number or company: all words must fit."""
    words = recognition.folded(text).split()
    if not words:
        return []
    where = " AND ".join(
        "EXISTS (SELECT 1 FROM customer_words w WHERE w.customer = u.id AND w.word >= ? AND w.word < ?)"
        for _ in words[1:]
    )
    values = [bound for word in words[1:] for bound in _beginning(word)]
    rows = db.rows(
        f"{SELECT} WHERE u.id IN (SELECT customer FROM customer_words WHERE word >= ? AND word < ?)"
        f" {'AND ' + where if where else ''} ORDER BY u.first_name, u.last_name, u.id LIMIT ?",
        (*_beginning(words[0]), *values, limit),
    )
    return [customer(row) for row in rows]


def _beginning(word: str) -> tuple[bytes, bytes]:
    """Give the range of words that begin so; no byte of UTF-8 is 255."""
    return word.encode(), word.encode() + b"\xff"


def profiles(db: Database, customer: int) -> list[KnownProfile]:
    """Give the profiles of a customer, or of the one into whom they were merged."""
    rows = db.rows("SELECT * FROM profiles WHERE customer = ? ORDER BY id", (_now_known_as(db, customer),))
    return [profile(row) for row in rows]


def profile(row: Row) -> KnownProfile:
    """Make a profile of a row of the table."""
    return KnownProfile(
        id=row["id"], channel=row["channel"], name=row["name"], customer=row["customer"], dropped=row["dropped"],
        address=Address(row["scheme"], row["value"], row["scope"], row["display"]),
        barred_at=moment_or_none(row["barred_at"]), opted_out_at=moment_or_none(row["opted_out_at"]),
    )  # fmt: skip


def read_profile(db: Database, number: int) -> KnownProfile:
    """Read one profile; NotFoundError."""
    for row in db.rows("SELECT * FROM profiles WHERE id = ?", (number,)):
        return profile(row)
    raise NotFoundError(f"there is no profile {number}")


def told_by_channel(db: Database, number: int) -> Profile:
    """Give a profile as its channel tells it, with all its addresses."""
    for row in db.rows("SELECT * FROM profiles WHERE id = ?", (number,)):
        address = Address(row["scheme"], row["value"], row["scope"], row["display"])
        others = db.execute("SELECT scheme, value, scope FROM addresses WHERE profile = ?", (number,)).fetchall()
        return Profile(
            address=address, name=row["name"], first_name=row["first_name"], last_name=row["last_name"],
            picture=row["picture"], locale=row["locale"],
            aliases=tuple(one for one in (Address(*other) for other in others) if one != address),
        )  # fmt: skip
    raise NotFoundError(f"there is no profile {number}")


# Recording


def create(db: Database, by: User, given: Mapping[str, str], company: str, region: str, now: int) -> int:
    """Record a customer; IncompleteError without a name, or with neither e-mail nor phone."""
    values = _complete({name: given.get(name, "") for name in FIELDS})
    number = _insert(db, values, companies.named(db, by, company, now), region, now)
    log.changed(db, by.id, now, log.CUSTOMER, number, "created")
    return number


def edit(
    db: Database, by: User, number: int, given: Mapping[str, str], company: str | None, version: int | None,
    region: str, now: int,
) -> None:  # fmt: skip
    """Change what is on record of a customer: only what is given; ConflictError where it is another version."""
    seen = expected(db, number, version)
    values = _complete({name: given.get(name, getattr(seen, name)) for name in FIELDS})
    employer = None if seen.company is None else seen.company.id
    if company is not None:
        employer = companies.named(db, by, company, now)
    save(db, number, values, employer, region)
    log.changed(db, by.id, now, log.CUSTOMER, number, "edited", data={"version": seen.version + 1})


def expected(db: Database, number: int, version: int | None) -> Customer:
    """Read a customer of the version that the caller saw; None: of any."""
    if _now_known_as(db, number) != number:
        raise ConflictError(f"customer {number} was merged into {_now_known_as(db, number)}")
    seen = read(db, number)
    expect(f"customer {number}", seen.version, version)
    return seen


def _complete(values: Mapping[str, str]) -> dict[str, str]:
    stripped = {name: value.strip() for name, value in values.items()}
    if not (stripped["first_name"] and stripped["last_name"]):
        raise IncompleteError("a customer needs a first name and a last name")
    if not (stripped["email"] or stripped["phone"]):
        raise IncompleteError("a customer needs an e-mail address or a phone number")
    return stripped


def _insert(db: Database, values: Mapping[str, str], company: int | None, region: str, now: int) -> int:
    number = db.insert(
        f"INSERT INTO customers ({', '.join(FIELDS)}, company, version, created_at) VALUES (?,?,?,?,?,?,1,?)",
        (*(values[name] for name in FIELDS), company, now),
    )
    _index(db, number, values, company, region)
    return number


def save(db: Database, number: int, values: Mapping[str, str], company: int | None, region: str) -> None:
    columns = ", ".join(f"{name} = ?" for name in FIELDS)
    db.execute(
        f"UPDATE customers SET {columns}, company = ?, version = version + 1 WHERE id = ?",
        (*(values[name] for name in FIELDS), company, number),
    )
    _index(db, number, values, company, region)


def _index(db: Database, number: int, values: Mapping[str, str], company: int | None, region: str) -> None:
    """Keep what a customer is found by."""
    employer = "" if company is None else companies.read(db, company).name
    names = recognition.folded(f"{values['first_name']} {values['last_name']} {employer}").split()
    phone = phones.canonical(values["phone"], region) or recognition.folded(values["phone"])
    words = {*names, recognition.folded(values["email"]), phone} - {""}
    db.execute("DELETE FROM customer_words WHERE customer = ?", (number,))
    db.executemany(
        "INSERT INTO customer_words (word, customer) VALUES (?,?)", [(word.encode(), number) for word in sorted(words)]
    )


# Whose a profile is


def relate(db: Database, by: User, profile: int, customer: int, now: int, how: str = "related") -> None:
    """Record that a profile is a customer's: from now on what it writes is recognized. Of a barred customer it is
    barred too."""
    seen = expected(db, customer, None)
    read_profile(db, profile)
    db.execute("UPDATE profiles SET customer = ?, candidate = NULL WHERE id = ?", (customer, profile))
    log.changed(db, by.id, now, log.PROFILE, profile, how, data={"customer": customer})
    if seen.barred_at is not None:
        conversations.conclude(db, by, profile, Step.BAR, "", now)


def relate_writer(db: Database, by: User, conversation: int, customer: int, version: int | None, now: int) -> None:
    """Record whose the profile of a conversation is, which is the user's and of the Chat Center. Whoever has another
    open one with the same profile saw something else until now: these are of a new version too."""
    seen = conversations.expected(
        db, by, conversation, now, version, lambda seen: grants.may_act(by, seen), "related to a customer"
    )
    states.require_center(seen, Center.CHAT, "customers to relate to")
    profile = conversations.profile(db, conversation)
    db.execute("UPDATE conversations SET version = version + 1 WHERE profile = ? AND closed_at IS NULL", (profile,))
    relate(db, by, profile, customer, now)


def recognize(db: Database, by: User, profile: int, match: Match, names: tuple[str, str], now: int) -> None:
    """Record what a recognizer found: a certain match relates the profile, another is kept for the agent to see."""
    if not match.exact:
        said = f"{match.customer}: {match.evidence}"
        db.execute("UPDATE profiles SET candidate = ? WHERE id = ?", (said, profile))
        return
    row = db.execute("SELECT customer FROM matches WHERE reference = ?", (match.customer,)).fetchone()
    if row is None:
        values = dict.fromkeys(FIELDS, "") | {"first_name": names[0], "last_name": names[1]}
        number = _insert(db, values, None, "", now)
        db.execute("INSERT INTO matches (reference, customer) VALUES (?,?)", (match.customer, number))
        log.changed(db, by.id, now, log.CUSTOMER, number, "created")
        row = (number,)
    relate(db, by, profile, row[0], now, "recognized")


def candidates(db: Database, profile: int, region: str) -> list[Candidate]:
    """Give the customers whom a profile may belong to, the likeliest first, with what speaks for each."""
    told = visits.told(db, profile)
    known = recognition.identifiers(told_by_channel(db, profile), told.answers, told.vouched, region)
    return recognition.ranked(known, _alike(db, known, region))


def _alike(db: Database, known: Iterable[Identifier], region: str) -> list[Traits]:
    """Give the customers that share something with what is known of a profile."""
    numbers: dict[int, set[int]] = {}
    for one in known:
        if one.sign is Sign.NUMBER:
            rows = db.execute(
                "SELECT p.customer FROM conversations c JOIN profiles p ON p.id = c.profile WHERE c.id = ?"
                " AND p.customer IS NOT NULL",
                (int(one.value),),
            )
            for (number,) in rows:
                numbers.setdefault(number, set()).add(int(one.value))
        else:
            first = one.value.split()[0] if one.sign is Sign.NAME else one.value
            rows = db.execute("SELECT customer FROM customer_words WHERE word = ? LIMIT 500", (first.encode(),))
            for (number,) in rows:
                numbers.setdefault(number, set())
    return [_traits(read(db, number), frozenset(held), region) for number, held in numbers.items()]


def _traits(one: Customer, numbers: frozenset[int], region: str) -> Traits:
    return Traits(
        customer=one, phone=phones.canonical(one.phone, region), email=recognition.folded(one.email),
        name=recognition.folded(f"{one.first_name} {one.last_name}"), numbers=numbers,
    )  # fmt: skip


# Merging


def merge(
    db: Database, by: User, survivor: int, absorbed: int, why: str, versions: tuple[int | None, int | None],
    region: str, now: int,
) -> None:  # fmt: skip
    """Make two records of one person one: the survivor keeps its values, and gets those that it lacks; all profiles
    are its own from now on. Barred it is where either was."""
    if survivor == absorbed:
        raise ConflictError(f"customer {survivor} cannot be merged into itself")
    kept, gone = expected(db, survivor, versions[0]), expected(db, absorbed, versions[1])
    values = {name: getattr(kept, name) or getattr(gone, name) for name in FIELDS}
    employer = kept.company or gone.company
    for table in ("profiles", "matches"):
        db.execute(f"UPDATE {table} SET customer = ? WHERE customer = ?", (survivor, absorbed))
    db.execute("UPDATE companies SET contact = ? WHERE contact = ?", (survivor, absorbed))
    db.execute("UPDATE customers SET merged_into = ? WHERE merged_into = ?", (survivor, absorbed))
    db.execute(
        "UPDATE customers SET barred_at = coalesce(barred_at, (SELECT barred_at FROM customers WHERE id = ?))"
        " WHERE id = ?",
        (absorbed, survivor),
    )
    if kept.barred_at or gone.barred_at:
        for one in profiles(db, survivor):
            conversations.conclude(db, by, one.id, Step.BAR, why, now)
    save(db, survivor, values, None if employer is None else employer.id, region)
    forget(db, absorbed, survivor)
    log.changed(db, by.id, now, log.CUSTOMER, survivor, "merged", why, {"absorbed": absorbed})
    log.changed(db, by.id, now, log.CUSTOMER, absorbed, "absorbed", why, {"survivor": survivor})


def forget(db: Database, number: int, merged_into: int | None) -> None:
    """Empty a customer's record; the row stays, for the log names it."""
    blank = ", ".join(f"{name} = ''" for name in FIELDS)
    db.execute(
        f"UPDATE customers SET {blank}, company = NULL, barred_at = NULL, merged_into = ?, version = version + 1"
        " WHERE id = ?",
        (merged_into, number),
    )
    db.execute("DELETE FROM customer_words WHERE customer = ?", (number,))
