"""Barring: what a profile, or every profile of a customer, writes is ignored until they are unbarred."""

from . import conversations, customers, log
from .database import Database
from .errors import BarredError
from .grants import User
from .states import Step


def bar_profile(db: Database, by: User, profile: int, barred: bool, why: str, now: int) -> None:
    """Ignore what a profile writes from now on, and close its open conversations; or (`barred` False) do so no more."""
    if barred and customers.read_profile(db, profile).barred_at is not None:
        return
    db.execute("UPDATE profiles SET barred_at = ? WHERE id = ?", (now if barred else None, profile))
    customers.read_profile(db, profile)
    log.changed(db, by.id, now, log.PROFILE, profile, "barred" if barred else "unbarred", why)
    if barred:
        conversations.conclude(db, by, profile, Step.BAR, why, now)


def bar_customer(db: Database, by: User, customer: int, barred: bool, why: str, now: int) -> None:
    """Bar every profile of a customer, those related later too; or (`barred` False) unbar every one of them."""
    seen = customers.expected(db, customer, None)
    if barred and seen.barred_at is not None:
        return
    db.execute(
        "UPDATE customers SET barred_at = ?, version = version + 1 WHERE id = ?", (now if barred else None, customer)
    )
    if not barred:
        db.execute("UPDATE profiles SET barred_at = NULL WHERE customer = ?", (customer,))
    log.changed(db, by.id, now, log.CUSTOMER, customer, "barred" if barred else "unbarred", why)
    if barred:
        for one in customers.profiles(db, customer):
            conversations.conclude(db, by, one.id, Step.BAR, why, now)


def require_unbarred(db: Database, profile: int) -> None:
    """Raise BarredError for a profile that is barred, or whose customer is: who is barred has no open conversation."""
    row = db.execute(
        "SELECT 1 FROM profiles p LEFT JOIN customers u ON u.id = p.customer"
        " WHERE p.id = ? AND (p.barred_at IS NOT NULL OR u.barred_at IS NOT NULL)",
        (profile,),
    ).fetchone()
    if row is not None:
        raise BarredError(f"profile {profile} is barred: unbar it first")
