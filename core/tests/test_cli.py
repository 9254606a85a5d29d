"""The command line, as it is typed."""

import base64
import inspect
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from channelry import cli, hookimpl, instance, plugin
from channelry.cli import main
from channelry.errors import AuthError, RejectedError
from channelry.model import (
    Address,
    Call,
    Capabilities,
    Kind,
    MessageReceived,
    OptedIn,
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


def _annotated(self: Any, services: int) -> None: ...


def _unresolved(self: Any, services: "Sevices") -> None: ...  # type: ignore[name-defined]  # noqa: F821


async def _asynchronous(self: Any, request: Request) -> None: ...


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
            raise RejectedError("not the token")

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


def test_parse_traces_what_each_hook_did(run: Any) -> None:
    printed = orjson.loads(run("parse", "well", "--trace", stdin=capture()).stdout)
    assert [(one["hook"], one["outcome"]) for one in printed["trace"]] == [
        ("verify", "returned NoneType"),
        ("parse", "returned Received"),
    ]
    assert all(0 < one["seconds"] < 1 for one in printed["trace"])
    only = orjson.loads(run("parse", "well", "--trace", "--no-verify", stdin=capture()).stdout)
    assert [one["hook"] for one in only["trace"]] == ["parse"]
    assert only["events"] == printed["events"]


def test_a_trace_tells_why_a_request_was_rejected(run: Any) -> None:
    """On this side of the wire only: who sent it is told the same whatever was wrong."""
    result = run("parse", "well", "--trace", stdin=capture(headers={"x-token": "wrong"}))
    assert result.exit_code == 3
    (verify,) = orjson.loads(result.stdout)["trace"]
    assert verify["hook"] == "verify"
    assert verify["outcome"].startswith("RejectedError: not the token (test_cli.py:")


def test_parse_warns_of_events_that_are_of_another_account(run: Any, install: Any) -> None:
    @plugin
    class Owned:
        @frozen
        class Config: ...

        config: Config
        capabilities = Capabilities(text=10)
        account = "ours"

        @hookimpl
        def verify(self, request: Request) -> None: ...

        @hookimpl
        def parse(self, request: Request) -> Received:
            at, ada = request.received_at, Address("acme", "ada")
            accounts = ("ours", "theirs", "", "theirs")
            return Received(
                request,
                tuple(OptedIn(key=str(n), account=one, occurred_at=at, sender=ada) for n, one in enumerate(accounts)),
            )

    install("owned", Owned)
    Path("channelry.toml").write_text('[connections.o]\nplugin = "owned"\n')
    result = run("parse", "o", stdin=capture())
    assert result.exit_code == 0
    assert len(orjson.loads(result.stdout)["events"]) == 4
    assert result.stderr == "events of the account theirs: o is ours and gets none\n"


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
    assert (rows["unused"]["state"], rows["unused"]["reason"]) == (
        "not loaded",
        "No module named 'acme_sdk' → mend or upgrade channelry-unused; run: channelry plugins",
    )
    titles, acme, unused = run("plugins").stdout.splitlines()
    assert acme.split()[0] == "acme"
    assert acme[titles.index("used by") :].startswith("connections.well ")
    assert "acme_sdk" in unused


BAD = {
    "unknown hook": ({"prase": lambda self, request: None}, "hook prase: there is no such hook; did you mean parse?"),
    "unknown argument": (
        {"check": lambda self, sevices: None},
        "hook check: unknown argument 'sevices'; it has (services)",
    ),
    "wrong annotation": ({"check": _annotated}, "hook check: services is annotated int, expected Services"),
    "unresolvable annotation": ({"check": _unresolved}, "hook check: an annotation cannot be resolved"),
    "asynchronous verify": ({"verify": _asynchronous}, "hook verify: expected a plain function: the hook is pure"),
    "no hook": ({}, "hook (class): implements no hook; mark its methods with @channelry.hookimpl"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_plugin_that_breaks_the_contract_is_named_with_what_was_expected(what: str, run: Any, install: Any) -> None:
    methods, reason = BAD[what]
    config = {"Config": frozen(type("Config", (), {}))}
    install("bad", plugin(type("Bad", (), config | {name: hookimpl(one) for name, one in methods.items()})))
    Path("channelry.toml").write_text('[connections.b]\nplugin = "bad"\n')
    (row,) = [row for row in orjson.loads(run("plugins", "--json").stdout) if row["plugin"] == "bad"]
    assert row["state"] == "not loaded"
    assert row["reason"].startswith(f"bad: {reason}")
    assert row["reason"].endswith("→ mend or upgrade channelry-bad; run: channelry plugins")
    checked = run("check")
    assert checked.exit_code == 1
    assert f"bad: {reason}" in checked.stdout
    assert "run: channelry plugins" in checked.stderr or "see: channelry plugins" in checked.stderr


@pytest.mark.usefixtures("with_http")
@pytest.mark.parametrize(
    ("behaves", "reason"),
    [
        (lambda: 3, "connections.b: hook check: returned int, expected None"),
        (lambda: 1 / 0, "connections.b: hook check: ZeroDivisionError: division by zero (test_cli.py:"),
        (anyio.sleep_forever, "connections.b: hook check: no answer in 0.1 s"),
    ],
)
def test_a_check_that_breaks_the_contract_is_named(
    behaves: Any, reason: str, run: Any, install: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @plugin
    class Bad:
        @frozen
        class Config: ...

        config: Config
        capabilities = Capabilities(text=10)

        @hookimpl
        async def check(self) -> None:
            done = behaves()
            return await done if inspect.isawaitable(done) else done

        @hookimpl
        async def send(self, call: Call) -> Receipt:
            return Receipt()

    install("bad", Bad)
    monkeypatch.setattr(instance, "DEFAULT_TIMEOUT", 0.1)
    Path("channelry.toml").write_text('[connections.b]\nplugin = "bad"\n')
    result = run("check", "--live", "--json")
    assert result.exit_code == 1
    (row,) = orjson.loads(result.stdout)
    assert row["state"] == "failed"
    assert reason.removeprefix("connections.b: hook ") in row["reason"]
    assert "mend what is not ok, or upgrade its plugin" in result.stderr


BLOCKING = """
import time
from attrs import frozen
from channelry import hookimpl, plugin
from channelry.model import Call, Capabilities, Receipt

{}

@plugin
class Acme:
    @frozen
    class Config: ...

    config: Config
    capabilities = Capabilities(text=10)

    @hookimpl
    async def open(self) -> None:
        time.sleep(60)

    @hookimpl
    async def send(self, call: Call) -> Receipt:
        return Receipt()
"""


@pytest.mark.parametrize(
    ("words", "at_import", "who"),
    [
        (["plugins"], "time.sleep(60)", "acme: its import blocks"),
        (["check", "--live"], "", "connections.b: hook open blocks"),
    ],
)
def test_a_plugin_that_blocks_for_ever_is_named(words: list[str], at_import: str, who: str, tmp_path: Path) -> None:
    """Nothing else in the process runs any more, so a thread that watches ends it."""
    (tmp_path / "acme.py").write_text(BLOCKING.format(at_import))
    installed = tmp_path / "channelry_acme-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: channelry-acme\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(
        "[channelry.plugins]\nacme = acme:Acme\n[channelry.http]\nno = acme_http:no\n"
    )
    (tmp_path / "acme_http.py").write_text(HTTP)
    (tmp_path / "channelry.toml").write_text('[connections.b]\nplugin = "acme"\n')
    program = f"from channelry import cli\ncli.PATIENCE = 0.5\ncli.main({words})"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == f"{who}; expected it to end, or to await; mend or uninstall the plugin\n"


HTTP = """
from contextlib import asynccontextmanager
from channelry.services import NoHttp

@asynccontextmanager
async def no():
    yield lambda origins: NoHttp()
"""


def test_two_distributions_that_bring_one_name_are_named(run: Any, install: Any) -> None:
    """Which one is meant is for a person to decide, so neither is loaded."""
    install("acme", Acme, distribution="acme-by-others")
    (row,) = [row for row in orjson.loads(run("plugins", "--json").stdout) if row["plugin"] == "acme"]
    assert row["state"] == "not loaded"
    assert row["reason"].startswith("acme-by-others and channelry-acme both bring it: uninstall one")
    checked = run("check")
    assert checked.exit_code == 1
    assert "acme-by-others and channelry-acme both bring it" in checked.stdout


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


@pytest.mark.usefixtures("with_http")
def test_check_live_says_so_where_a_plugin_has_nothing_to_check(run: Any, install: Any) -> None:
    @plugin
    class Plain:
        @frozen
        class Config: ...

        config: Config
        capabilities = Capabilities(text=10)

        @hookimpl
        async def send(self, call: Call) -> Receipt:
            return Receipt()

    install("plain", Plain)
    Path("channelry.toml").write_text('[connections.p]\nplugin = "plain"\n')
    result = run("check", "--live", "--json")
    assert result.exit_code == 0
    assert [row["state"] for row in orjson.loads(result.stdout)] == ["nothing to check"]


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


@pytest.mark.parametrize(
    ("command", "extra"),
    [("serve", "server"), ("send", "server"), ("worker", "desk"), ("new", "testing"), ("enrich", "enrich")],
)
def test_a_command_that_is_not_installed_names_the_extra(
    run: Any, monkeypatch: pytest.MonkeyPatch, command: str, extra: str
) -> None:
    monkeypatch.setattr(cli, "entry_points", lambda group, name="": [])
    result = run(command, "--what", "ever")
    assert result.exit_code == 2
    assert f"no such command '{command}' here; run: pip install 'channelry[{extra}]'" in result.stderr
    assert "no such command" in run("sevre").stderr.lower()


def test_a_command_that_cannot_be_loaded_says_why_whatever_is_typed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "serve"

        def load(self) -> Any:
            raise ImportError("No module named 'uvicorn'")

    monkeypatch.setattr(cli, "entry_points", lambda group, name="serve": [Point()] if name == "serve" else [])
    result = run("serve", "--app", "mine:sink", "more")
    assert (result.exit_code, result.stderr) == (1, "Error: serve cannot be loaded: No module named 'uvicorn'\n")
    assert "No module named 'uvicorn'" in run("--help").stdout


def test_the_list_of_commands_cuts_no_sentence(run: Any) -> None:
    shown = run("--help").stdout
    assert "…" not in shown
    assert "..." not in shown.partition("Commands:")[2]
    assert "List the installed plugins: what brings them" in shown


def test_without_rich_the_table_is_plain(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rich", None)
    assert run("check").stdout.splitlines() == [
        "name              plugin  state  reason",
        "connections.well  acme    ok",
    ]
