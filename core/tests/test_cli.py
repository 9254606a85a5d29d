"""The command line, as it is typed."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from channelry import cli, hookimpl, plugin
from channelry.cli import main
from channelry.errors import AuthError, RejectedError
from channelry.model import (
    Address,
    Call,
    Capabilities,
    Kind,
    MessageReceived,
    Outbound,
    Profile,
    Receipt,
    Received,
    Request,
    Response,
    SendMessage,
    Unparsed,
)
from channelry.secrets import Secret
from channelry.services import NoHttp, Services

pytestmark = pytest.mark.row("F11")


@plugin
class Acme:
    @frozen
    class Config:
        token: Secret

    config: Config
    capabilities = Capabilities(text=10, sends=frozenset({Kind.TEXT, Kind.DOCUMENT}))

    @hookimpl
    def verify(self, request: Request) -> None:
        if request.header(b"x-token") != self.config.token.encode():
            raise RejectedError

    @hookimpl
    def parse(self, request: Request) -> Received:
        event = MessageReceived(
            key=request.path,
            occurred_at=request.received_at,
            sender=Profile(address=Address("acme", "ada")),
            external_id="1",
            text=request.body.decode(errors="replace"),
        )
        row = Unparsed.of("odd", b"{}", request.received_at)
        return Received(request, (event, row), Response(200, request.public_url.encode()))

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        assert isinstance(outbound, SendMessage)
        names = [outbound.text, *(part.name for part in outbound.parts)]  # type: ignore[union-attr]
        return [Call(key=str(n), to=outbound.target.to, action=name, body={}) for n, name in enumerate(names) if name]

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        if call.to.value == "nobody":
            raise AuthError(f"the token {self.config.token.reveal()} is not good", code="190")
        return Receipt((f"{call.to.scheme}/{call.to.value}/{call.action}",))

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        if services.name == "sick":
            raise AuthError("the token is not good", code="190")
        assert url == services.public_url

    @hookimpl
    async def check(self, services: Services) -> None:
        if services.name == "sick":
            raise AuthError("the token is not good", code="190")


@pytest.fixture
def run(install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type a command in a folder with a configuration file."""
    install("acme", Acme)
    install("unused", ImportError("No module named 'acme_sdk'"))
    (tmp_path / "channelry.toml").write_text(
        'allow_inline_secrets = true\n[server]\npublic_url = "https://care.example.com"\n'
        '[connections.well]\nplugin = "acme"\ntoken = "canary"\n'
    )
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str, stdin: bytes = b"") -> Result:
        return CliRunner().invoke(main, list(words), input=stdin)

    return invoke


@pytest.fixture
def with_http(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def client() -> AsyncIterator[Any]:
        yield lambda origins: NoHttp()

    class Point:
        def load(self) -> Any:
            return client

    monkeypatch.setattr(cli, "entry_points", lambda group, name="": [Point()] if group == "channelry.http" else [])


CAPTURE = {
    "method": "POST",
    "path": "/hooks/well?x=1",
    "headers": {"X-Token": "canary"},
    "body": "héllo",
    "received_at": "2026-11-22T12:00:00Z",
}


def capture(**changes: Any) -> bytes:
    return orjson.dumps({key: value for key, value in {**CAPTURE, **changes}.items() if value is not None})


def test_parse_prints_status_answer_and_events(run: Any) -> None:
    result = run("parse", "well", stdin=capture())
    assert result.exit_code == 0
    printed = orjson.loads(result.stdout)
    assert (printed["status"], printed["answer"]) == (200, "https://care.example.com/hooks/well?x=1")
    first, second = printed["events"]
    assert (first["type"], first["text"], first["occurred_at"]) == (
        "MessageReceived",
        "héllo",
        "2026-11-22T12:00:00+00:00",
    )
    assert (second["type"], second["reason"], base64.b64decode(second["raw"])) == ("Unparsed", "odd", b"{}")
    assert run("parse", "well", "--json", stdin=capture()).stdout == result.stdout


def test_parse_takes_a_body_that_is_no_text(run: Any) -> None:
    body = base64.b64encode(b"\xff").decode()
    printed = orjson.loads(run("parse", "well", stdin=capture(body=None, body_base64=body)).stdout)
    assert printed["events"][0]["text"] == "�"


def test_parse_says_rejected_with_its_own_exit_status(run: Any) -> None:
    for headers in ({}, {"x-token": "wrong"}, {"x-token": "caña"}):
        result = run("parse", "well", stdin=capture(headers=headers))
        assert result.exit_code == 3
        assert orjson.loads(result.stdout) == {"status": 401, "answer": "rejected", "events": []}
    assert run("parse", "well", "--no-verify", stdin=capture(headers={})).exit_code == 0


@pytest.mark.parametrize(
    ("stdin", "reason"),
    [
        (b"", "standard input is no capture"),
        (b"[]", "standard input is no capture"),
        (capture(method=None), "the capture lacks 'method'"),
        (capture(body=None), "the capture lacks 'body'"),
        (capture(body=None, body_base64="!"), "standard input is no capture"),
        (capture(received_at="2026-11-22T12:00:00"), "no time zone"),
    ],
)
def test_a_broken_capture_is_explained(run: Any, stdin: bytes, reason: str) -> None:
    result = run("parse", "well", stdin=stdin)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert "channelry parse --help" in result.stderr


def test_an_unknown_connection_is_answered_with_the_known_ones(run: Any) -> None:
    result = run("parse", "wel", stdin=capture())
    assert result.exit_code == 2
    assert "it has well" in result.stderr


def test_plugins_tells_what_is_installed_and_why_something_is_not_loaded(run: Any) -> None:
    rows = {row["plugin"]: row for row in orjson.loads(run("plugins", "--json").stdout)}
    assert rows["acme"] == {
        "plugin": "acme",
        "distribution": "channelry-acme",
        "version": "1.0",
        "hooks": ["check", "compose", "parse", "send", "setup", "verify"],
        "order": [],
        "used_by": ["connections.well"],
        "state": "in use",
        "reason": "",
    }
    assert (rows["unused"]["state"], rows["unused"]["reason"]) == ("not loaded", "No module named 'acme_sdk'")
    table = run("plugins").stdout
    assert "channelry-acme" in table
    assert "acme_sdk" in table


def test_check_is_quiet_about_a_good_file_and_exact_about_a_bad_one(run: Any, tmp_path: Path) -> None:
    good = run("check", "--json")
    assert good.exit_code == 0
    assert orjson.loads(good.stdout) == [
        {"name": "connections.well", "plugin": "acme", "state": "ok", "reason": ""}
    ]  # fmt: skip
    (tmp_path / "other.toml").write_text('[connections.x]\nplugin = "acme"\n')
    bad = run("check", "--config", "other.toml")
    assert bad.exit_code == 2
    assert "other.toml: connections.x.token: expected the missing key, a secret" in bad.stderr
    assert "run: channelry check --config other.toml" in bad.stderr
    (tmp_path / "other.toml").write_text('[connections.x]\nplugin = "unused"\n')
    unloaded = run("check", "--config", "other.toml")
    assert unloaded.exit_code == 1
    assert "acme_sdk" in unloaded.stdout


@pytest.mark.usefixtures("with_http")
def test_check_live_asks_every_provider(run: Any, tmp_path: Path) -> None:
    with (tmp_path / "channelry.toml").open("a") as file:
        file.write('[connections.sick]\nplugin = "acme"\ntoken = "canary"\n')
    result = run("check", "--live", "--json")
    assert result.exit_code == 1
    rows = {row["name"]: (row["state"], row["reason"]) for row in orjson.loads(result.stdout)}
    assert rows == {"connections.well": ("ok", ""), "connections.sick": ("failed", "the token is not good")}


def test_without_an_http_client_the_extra_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda group, name="": [])
    result = run("check", "--live")
    assert result.exit_code == 1
    assert "pip install 'channelry[server]'" in result.stderr


@pytest.mark.parametrize("words", [(), ("plugins",), ("check",), ("parse",)])
def test_help_has_examples(run: Any, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert result.stdout.count("channelry ") >= 2


def test_without_rich_the_table_is_plain(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rich", None)
    assert run("check").stdout.splitlines() == [
        "name              plugin  state  reason",
        "connections.well  acme    ok",
    ]
