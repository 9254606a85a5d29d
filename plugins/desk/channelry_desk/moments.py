"""Times as the store keeps them: whole microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

MILLISECOND = 1_000
SECOND = 1_000 * MILLISECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Give an aware time as the store keeps it; exact to the microsecond."""
    return round(moment.timestamp() * SECOND)


def moment(stored: int) -> datetime:
    """Give a stored time, aware, UTC."""
    return _EPOCH + timedelta(microseconds=stored)


def moment_or_none(stored: int | None) -> datetime | None:
    """Give a stored time that may be missing."""
    return None if stored is None else moment(stored)
