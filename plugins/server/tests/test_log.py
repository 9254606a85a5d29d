"""Log lines: one per record, no secrets, nothing that a terminal would obey."""

import io
import logging

import pytest

from channelry.secrets import Secret
from channelry_server.log import LineFormatter

CANARY = "hunter2-hunter2"


@pytest.mark.row("F10")
@pytest.mark.parametrize("hostile", ["a\r\nb", "\x1b[31mred", "\x00", "\x85", "\u2028", "\x9b2J"])
def test_a_record_is_one_line_whatever_is_in_it(hostile: str) -> None:
    token = Secret(CANARY)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    log = logging.Logger(f"name-{hostile}")
    log.addHandler(handler)
    try:
        raise ValueError(f"{hostile} {token.reveal()}")
    except ValueError:
        log.exception("%s met %s", hostile, {"token": token.reveal()})
    (line,) = stream.getvalue().splitlines()
    assert stream.getvalue().endswith("\n")
    assert CANARY not in line
    assert line.isprintable()
    assert "ValueError" in line


@pytest.mark.row("F10")
def test_a_record_whose_arguments_do_not_fit_shows_none_of_them() -> None:
    token = Secret(CANARY)
    record = logging.LogRecord("channelry", logging.INFO, "", 0, "%d parcels", (token.reveal(),), None)
    assert LineFormatter().format(record).endswith("INFO channelry: %d parcels (TypeError)")


def test_a_line_begins_with_the_time_in_utc() -> None:
    record = logging.LogRecord("channelry", logging.INFO, "", 0, "hello", None, None)
    record.created = 1_764_000_000.5
    assert LineFormatter().format(record) == "2025-11-24T16:00:00.500+00:00 INFO channelry: hello"
