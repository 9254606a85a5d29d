"""How soon `channelry serve` is ready, and how much memory it then holds. Linux: it reads /proc."""

import http.client
import sqlite3
import tempfile
import time
from pathlib import Path

import people
import sample
from measure import Figure, interleaved
from processes import serve
from rules import importing

WHOLE = sample.TELEGRAM + sample.ENRICHED
"""Both channels, and the enrichers."""
IDLE = 3.0
"""Seconds after which a server is at rest."""


def ready() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        configuration = people.configuration(Path(folder), WHOLE)

        def ours() -> float:
            began = time.perf_counter()
            with serve(Path(folder), configuration):
                return time.perf_counter() - began

        base, mine, _ = interleaved(importing("import uvicorn"), ours, 9)
    more = mine - base
    return Figure("serve, both channels, ready", f"{more:.2f} s more ({mine:.2f} : {base:.2f})", "≤ 1 s", more <= 1)


def memory() -> Figure:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve(folder, people.configuration(folder, WHOLE)) as (port, pid):
            time.sleep(IDLE)
            before = megabytes(pid)
            write(port)
            while not judged(folder / "channelry.db"):
                time.sleep(0.1)
            time.sleep(IDLE)
            after = megabytes(pid)
    met = before <= 60 and after <= 130
    return Figure("idle memory before, after detection", f"{before:.1f} MB, {after:.1f} MB", "≤ 60, 130", met)


def write(port: int) -> None:
    """Write as a customer."""
    body = sample.webhook(1, "wamid.first")
    asking = http.client.HTTPConnection("127.0.0.1", port)
    asking.request("POST", "/hooks/support", body, {"x-hub-signature-256": sample.sign(body)})
    assert asking.getresponse().status == 200
    asking.close()


def megabytes(pid: int) -> float:
    """Give the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6


def judged(database: Path) -> bool:
    """Tell whether there is a message with a language and a sentiment."""
    db = sqlite3.connect(database)
    try:
        statement = "SELECT 1 FROM messages WHERE language IS NOT NULL AND sentiment IS NOT NULL"
        return db.execute(statement).fetchone() is not None
    finally:
        db.close()
