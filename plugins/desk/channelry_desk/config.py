"""The `[desk]` table of the configuration."""

from typing import Any

from attrs import field, frozen
from attrs.validators import ge, gt, le, matches_re

from channelry.secrets import Secret


def _without_password(config: Any, attribute: Any, value: str) -> None:
    if "://" in value and not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("expected a file or postgresql://user@host/database")
    if "://" in value and ":" in value.partition("://")[2].rpartition("@")[0]:
        raise ValueError("expected no password in the address; put it in database_password")


@frozen(kw_only=True)
class DeskConfig:
    """What the desk keeps, where, and how patiently it sends.

    - `database`: the SQLite file, or `postgresql://user@host/database` (then `channelry-desk[postgresql]` is needed);
      `database_password`: where that server asks for one. `files`: the folder of downloaded media. Relative paths
      start at the folder of the configuration file.
    - `journal_days`: how long raw requests are kept; those of open dead letters stay longer.
    - `auto_close_hours`: how long a conversation stays open without a message from the customer.
    - `lanes`: conversations that are written to at once; `lease_seconds`: how long one call may take before another
      worker considers its answer lost.
    - `callback_seconds`: how long an uncertain call waits for the provider's status; `lookups`: how often the provider
      is asked what became of one, before a person is.
    - `give_up_days`: how long a call is retried where the channel has no reply window.
    - `enrichment_duty`: the share of time, to 1, that judging language and sentiment may take; at work all the time it
      halves the speed of intake.
    - `media_limit`: the most bytes of one downloaded or uploaded file.
    - `region`: the country (two letters, ISO 3166) of telephone numbers that are written without one.
    """

    database: str = field(default="channelry.db", validator=_without_password)
    database_password: Secret | None = None
    files: str = "channelry-files"
    journal_days: float = field(default=30.0, validator=gt(0.0))
    auto_close_hours: float = field(default=24.0, validator=gt(0.0))
    lanes: int = field(default=32, validator=ge(1))
    lease_seconds: float = field(default=120.0, validator=gt(0.0))
    callback_seconds: float = field(default=3600.0, validator=gt(0.0))
    lookups: int = field(default=10, validator=ge(1))
    give_up_days: float = field(default=14.0, validator=gt(0.0))
    enrichment_duty: float = field(default=0.2, validator=[gt(0.0), le(1.0)])
    media_limit: int = field(default=100 * 1024 * 1024, validator=ge(1))
    region: str = field(default="", validator=matches_re("([A-Za-z]{2})?"))
