"""`channelry send` and `channelry setup`, as they are typed."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import orjson
import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from channelry import cli, discovery, hookimpl, plugin
from channelry.cli import main
from channelry.errors import AuthError
from channelry.model import Call, Capabilities, Kind, Outbound, Receipt, SendMessage
from channelry.secrets import Secret
from channelry.services import Services

pytestmark = pytest.mark.row("F11")


@plugin
class Acme:
    @frozen
    class Config:
        token: Secret

    config: Config
    capabilities = Capabilities(text=10, sends=frozenset({Kind.TEXT, Kind.DOCUMENT}))

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
        assert url == services.public_url


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type a command where one plugin is installed and configured."""
    point = EntryPoint("acme", f"{__name__}:Acme", "channelry.plugins")
    monkeypatch.setattr(EntryPoint, "load", lambda self, load=EntryPoint.load: Acme if self == point else load(self))
    found = discovery.entry_points
    monkeypatch.setattr(
        discovery, "entry_points", lambda group: [point] if group == "channelry.plugins" else found(group=group)
    )
    (tmp_path / "channelry.toml").write_text(
        'allow_inline_secrets = true\n[server]\npublic_url = "https://care.example.com"\n'
        '[connections.well]\nplugin = "acme"\ntoken = "canary"\n'
    )
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    return invoke


def test_setup_registers_the_webhook_and_says_where(run: Any) -> None:
    result = run("setup", "well")
    assert (result.exit_code, result.stdout) == (0, "well is registered at https://care.example.com/hooks/well\n")
    missing = run("setup", "wel")
    assert missing.exit_code == 2
    assert "channelry.toml has no [connections.wel]; it has well" in missing.stderr


def test_send_prints_the_receipts(run: Any) -> None:
    result = run("send", "well", "--to", "ada", "--text", "hi", "--media", "https://e.org/bill.pdf", "--json")
    assert result.exit_code == 0
    ids = [row["external_ids"] for row in orjson.loads(result.stdout)]
    assert ids == [["acme/ada/hi"], ["acme/ada/bill.pdf"]]
    assert "phone/+49/hi" in run("send", "well", "--to", "phone:+49", "--text", "hi").stdout


@pytest.mark.row("F10")
def test_a_failed_send_is_one_line_without_secrets(run: Any) -> None:
    failed = run("send", "well", "--to", "nobody", "--text", "hi")
    assert (failed.exit_code, failed.stderr) == (1, "the token *** is not good\n")


@pytest.mark.parametrize("to", ["", " ", "phone:"])
def test_a_message_to_nobody_is_an_error_before_anything_is_opened(run: Any, to: str) -> None:
    result = run("send", "well", "--to", to, "--text", "hi")
    assert result.exit_code == 2
    assert f"--to {to!r} names nobody: expected VALUE, or SCHEME:VALUE" in result.stderr


@pytest.mark.parametrize("text", [[], ["--text", " "]])
def test_an_empty_message_is_an_error_before_anything_is_opened(run: Any, text: list[str]) -> None:
    result = run("send", "well", "--to", "ada", *text)
    assert result.exit_code == 2
    assert "there is nothing to send: say --text, or --media, or both" in result.stderr


@pytest.mark.parametrize("command", ["send", "setup"])
def test_help_has_examples(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert result.stdout.count("channelry ") >= 2


def test_without_an_http_client_the_extra_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = cli.entry_points
    monkeypatch.setattr(
        cli, "entry_points", lambda group, **name: [] if group == "channelry.http" else found(group=group, **name)
    )
    result = run("send", "well", "--to", "ada", "--text", "hi")
    assert result.exit_code == 1
    assert "pip install 'channelry[server]'" in result.stderr
