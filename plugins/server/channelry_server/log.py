"""Logging: one line per record, whatever is in it."""

import logging
import time

from channelry.secrets import one_line

_MOST = 16_000  # characters: room for a traceback
_SILENT = ("uvicorn.access",)


class LineFormatter(logging.Formatter):
    """Writes a record, its traceback included, on one line: secrets masked, control characters escaped."""

    converter = time.gmtime
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt=None)
        self.default_time_format = "%Y-%m-%dT%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        return one_line(super().format(record), _MOST)


def configure(level: str) -> None:
    """Send every record of at least this level to stderr, one line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
