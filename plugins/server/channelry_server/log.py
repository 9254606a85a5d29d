"""Logging: one line per record, whatever is in it."""

import logging
from datetime import UTC, datetime

from channelry.secrets import one_line

_MOST = 16_000  # characters: room for a traceback


class LineFormatter(logging.Formatter):
    """Writes a record, its traceback included, on one line: secrets masked, control characters escaped."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Give the time in UTC, as RFC 3339."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        try:
            line = super().format(record)
        except Exception as error:  # arguments that do not fit: logging would print them as they are
            line = f"{self.formatTime(record)} {record.levelname} {record.name}: {record.msg} ({type(error).__name__})"
        return one_line(line, _MOST)


def configure(level: str) -> None:
    """Send every record of at least this level to stderr, one line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLogger().level))  # we tell of start and end
