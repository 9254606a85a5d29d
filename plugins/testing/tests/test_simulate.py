"""`channelry simulate`: what is typed goes to the server signed, what is sent to the provider is shown."""

import hmac
import os
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE
from threading import Thread
from typing import Any

import orjson
import pytest
from attrs import define, field

from channelry.discovery import available
from channelry.model import MessageReceived
from channelry_testing import connected
from channelry_testing import simulate as simulating
from channelry_testing.receiving import posted

SIGNATURE = "x-our-channel-signature"


@define(eq=False)
class Care:
    """Stands for `channelry serve`: takes webhooks whose signature is good, and answers each message until it is taken.

    - `api`: where the simulated provider is; `statuses`: what that answered to each call.
    """

    api: str = ""
    secret: bytes = b"simulated-signing-secret"
    token: str = "simulated-token"
    url: str = ""
    texts: list[str] = field(factory=list)
    statuses: list[int] = field(factory=list)

    def take(self, signature: str, body: bytes) -> int:
        if not hmac.compare_digest(hmac.digest(self.secret, body, "sha256").hex(), signature):
            return 401
        (row,) = orjson.loads(body)["events"]
        self.texts.append(row["text"])
        Thread(target=self.answer, args=(row["from"]["id"], f"You wrote: {row['text']}")).start()
        return 200

    def answer(self, to: str, text: str) -> None:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        call = urllib.request.Request(f"{self.api}/messages", orjson.dumps({"to": to, "text": text}), headers)
        for _ in range(5):
            try:
                with urllib.request.urlopen(call, timeout=10) as taken:
                    self.statuses.append(taken.status)
                    return
            except urllib.error.HTTPError as refused:
                self.statuses.append(refused.code)
                refused.close()


@pytest.fixture
def care() -> Iterator[Care]:
    """Let somebody listen who answers, and find a port for the provider."""
    found = Care()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(found.take(self.headers[SIGNATURE], body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, socket.create_server(("127.0.0.1", 0)) as free:
        found.url = f"http://127.0.0.1:{server.server_port}/hooks/x"
        found.api = f"http://127.0.0.1:{free.getsockname()[1]}"
        free.close()
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def simulate(made: dict[str, Path], python: Any, care: Care, tmp_path: Path) -> Any:
    """Type `channelry simulate` and lines, in an empty folder."""

    def run(*words: str, lines: str = "") -> Any:
        command = ("-m", "channelry", "simulate", *words)
        return python(made["channel"], *command, cwd=tmp_path, stdin=lines)

    return run


def shown(ran: Any) -> list[Any]:
    """Read the JSON lines behind the printed settings."""
    return [orjson.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


def at(care: Care) -> tuple[str, ...]:
    return ("--to", care.url, "--port", care.api.rpartition(":")[2])


def test_a_conversation_is_shown_in_both_directions(simulate: Any, care: Care) -> None:
    ran = simulate(
        "our-channel",
        *at(care),
        "--json",
        lines="Where is it? 📦\n/wait 1\n/as 42\n \n//start mine\n/wait 2\n/ledger\n",
    )
    assert ran.returncode == 0, ran.stderr
    assert care.texts == ["Where is it? 📦", "/start mine"]
    rows = shown(ran)
    written = [(row["from"], row["text"], row["status"]) for row in rows if row["what"] == "written"]
    assert written == [("491700000001", "Where is it? 📦", 200), ("42", "/start mine", 200)]
    taken = [(row["to"], row["text"]) for row in rows if row["what"] == "taken"]
    assert taken == [("491700000001", "You wrote: Where is it? 📦"), ("42", "You wrote: /start mine")]
    assert [row["text"] for row in rows if row["what"] == "ledger"] == [text for _, text in taken]
    assert rows[-1] == {"what": "seen", "requests": 2}


def test_faults_are_planned_from_the_prompt(simulate: Any, care: Care) -> None:
    lines = "/fault rate-limited 2 3\n/fault unavailable\nhello\n/wait 1\n"
    ran = simulate("our-channel", *at(care), lines=lines)
    assert ran.returncode == 0, ran.stderr
    assert care.statuses == [429, 429, 503, 200]
    assert "planned 2\n" in ran.stdout
    assert [line for line in ran.stdout.splitlines() if "/messages" in line] == [
        "  POST /messages  [429]",
        "  POST /messages  [429]",
        "  POST /messages  [503]",
        "  POST /messages  [200]",
    ]


def test_without_a_configuration_it_prints_the_one_to_begin_with(simulate: Any, python: Any, made: Any) -> None:
    ran = simulate("our-channel", "--port", "0")
    assert ran.returncode == 0, ran.stderr
    table = tomllib.loads(ran.stdout)
    assert table["allow_inline_secrets"] is True
    assert table["connections"]["our-channel"]["base_url"].startswith("http://127.0.0.1:")
    (made["channel"] / "printed.toml").write_text(ran.stdout)
    checked = python(made["channel"], "-m", "channelry", "check", "--config", "printed.toml")
    assert checked.returncode == 0, checked.stderr


def test_a_configured_connection_lends_its_credentials_and_its_address(
    simulate: Any, care: Care, tmp_path: Path
) -> None:
    """Its webhooks are signed with the connection's own secret, its API is where `base_url` says, and they go where
    `[server]` listens, a table that only the server knows."""
    pytest.importorskip("channelry_server")
    port = care.url.rpartition(":")[2].partition("/")[0]
    written = (
        f'allow_inline_secrets = true\n[server]\nport = {port}\n[connections.support]\nplugin = "our-channel"\n'
        f'token = "t-own"\nsigning_secret = ["s-own", "s-old"]\nbase_url = "{care.api}"\n'
    )
    (tmp_path / "channelry.toml").write_text(written)
    care.secret, care.token = b"s-own", "t-own"
    ran = simulate("support", lines="hello\n/wait 1\n")
    assert ran.returncode == 0, ran.stderr
    assert (care.texts, care.statuses) == (["hello"], [200])
    assert "own" not in ran.stdout + ran.stderr
    for address in (care.api, "http://127.0.0.1:99999", "http://127.0.0.1:x", "http://[::1", "https://api.example"):
        (tmp_path / "channelry.toml").write_text(written.replace(care.api, address))
        elsewhere = simulate("support", "--port", "0")
        assert 'put into [connections.support]: base_url = "http://127.0.0.1:' in elsewhere.stderr


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("hello\n", "http://127.0.0.1:9/ does not answer; run: channelry serve, or say --to URL"),
        ("/fault hunger\n", "/fault hunger: expected a kind of fault: rate-limited, unavailable, "),
        ("/fault\n", "/fault: "),
        ("/wait many\n", "/wait many: "),
        ("/dance\n", "/dance is no command; "),
        ("/dance\n", "/fault KIND"),
    ],
)
def test_a_line_that_cannot_be_done_ends_a_script_with_the_reason(simulate: Any, lines: str, reason: str) -> None:
    ran = simulate("our-channel", "--port", "0", "--to", "http://127.0.0.1:9/", lines=f"{lines}/ledger\n")
    assert ran.returncode == 1
    assert reason in ran.stderr
    assert "seen" not in ran.stdout


def test_what_has_no_simulator_is_named_with_what_has(simulate: Any) -> None:
    ran = simulate("telegraph")
    assert ran.returncode == 2
    told = ran.stderr.partition("'telegraph' is neither a connection nor a channel with a simulator; known: ")[2]
    assert "our-channel" in told.strip().split(", ")


def test_at_a_terminal_the_prompt_comes_again_below_what_happens(made: dict[str, Path], care: Care) -> None:
    terminal, standard_input = os.openpty()
    command = [sys.executable, "-m", "channelry", "simulate", "our-channel", *at(care)]
    environ = os.environ | {"PYTHONPATH": str(made["channel"]), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        command, cwd=made["channel"], env=environ, stdin=standard_input, stdout=PIPE, stderr=PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        shown = process.stderr.read(len(b"491700000001> "))
        care.answer("42", "while it waits")
        while b"while it waits" not in process.stdout.readline():
            pass
        os.write(terminal, b"/quit\n")
        shown += process.communicate(timeout=60)[1]
    os.close(terminal)
    os.close(standard_input)
    assert shown.startswith(b"491700000001> \r491700000001> ")  # and the end of the line is wiped on a screen


@pytest.mark.parametrize("channel", sorted(available("channelry.simulators")))
def test_a_new_run_of_a_simulator_writes_new_messages(channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the provider's clock says the same: a desk that kept its file would take them for redeliveries."""
    now, found = datetime(2026, 11, 22, tzinfo=UTC), list[MessageReceived]()
    for began in (1_795_300_000.0, 1_795_300_060.0):
        monkeypatch.setattr(simulating, "time", partial(float, began))
        simulator = simulating.make_simulator(channel, None)
        simulator.now = lambda: now
        plugin = connected(available()[channel].load(), simulator)
        found += plugin.parse(posted(simulator, simulator.message("15005550006", "hello"))).events
    first, second = found
    assert first.key != second.key
    assert first.external_id != second.external_id
