"""One TOML file names everything; all its faults are told at once, each with what to do."""

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen, validators

from channelry import hookimpl, plugin
from channelry.config import Configuration, load_configuration
from channelry.discovery import extras
from channelry.errors import ConfigError
from channelry.model import Capabilities, Language, Received, Request, Text
from channelry.secrets import MASK, Secret, Secrets, redact


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@plugin
class Acme:
    @frozen(kw_only=True)
    class Config:
        number: str
        token: Secret
        app_secret: Secrets = ()
        port: int = field(default=1, validator=validators.ge(1))
        ratio: float = 0.5
        mode: Literal["webhook", "polling"] = "webhook"
        colour: Colour = Colour.RED
        names: tuple[str, ...] = ()

    config: Config
    capabilities = Capabilities(text=100)

    @hookimpl
    def verify(self, request: Request) -> None: ...

    @hookimpl
    def parse(self, request: Request) -> Received:
        return Received(request)


@plugin
class Guess:
    @frozen
    class Config:
        seed: int = 0

    config: Config

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        return [Language(code="en", confidence=1.0) for _ in texts]


@pytest.fixture(autouse=True)
def _installed(install: Any) -> None:
    install("acme", Acme)
    install("guess", Guess)


def faults(configure: Callable[[str], Configuration], text: str) -> list[tuple[str, str]]:
    """Give path and expectation of each fault of a file."""
    with pytest.raises(ConfigError) as raised:
        configure(text)
    return [(fault.path, fault.expected) for fault in raised.value.faults]


def test_a_good_file_gives_every_plugin_its_own_config(
    configure: Callable[[str], Configuration], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "t0ken")
    (tmp_path / "secret.txt").write_text("from-file\n")
    configuration = configure(
        """
        [connections.support]
        plugin = "acme"
        endpoint = "shared"
        languages = ["de", "pt-BR"]
        number = "491"
        token = { env = "ACME_TOKEN" }
        app_secret = [{ file = "secret.txt" }, { env = "ACME_TOKEN" }]
        ratio = 1
        colour = "blue"
        names = ["a", "b"]
        [enrichment]
        language = ["guess", "second"]
        [enrichment.second]
        plugin = "guess"
        seed = 7
        [server]
        public_url = "https://care.example.com/"
        """
    )
    support, first, second = configuration.entries
    assert (support.path, support.name, support.endpoint) == ("connections.support", "support", "shared")
    assert support.languages == ("de", "pt-BR")
    assert support.config == Acme.Config(
        number="491",
        token=Secret("t0ken"),
        app_secret=(Secret("from-file"), Secret("t0ken")),
        ratio=1.0,
        colour=Colour.BLUE,
        names=("a", "b"),
    )
    assert (first.config.seed, second.config.seed) == (0, 7)
    assert configuration.orders["detect_language"] == ("enrichment.guess", "enrichment.second")
    assert configuration.public_url == "https://care.example.com"


@pytest.mark.row("F3")
def test_nothing_is_loaded_that_the_file_does_not_name(install: Any, configure: Callable[[str], Configuration]) -> None:
    install("bomb", AssertionError("imported though nobody named it"))
    assert [entry.plugin for entry in configure('[enrichment]\nlanguage = ["guess"]').entries] == ["guess"]


def test_what_is_installed_already_is_not_advised_to_be_installed(
    install: Any, configure: Callable[[str], Configuration]
) -> None:
    """The extra of that name is there, but brings no plugin."""
    install("server", frozen(type("Server", (), {})), group="channelry.sections")
    with pytest.raises(ConfigError) as raised:
        configure('[connections.x]\nplugin = "server"\n[connections.y]\nplugin = "desk"')
    actions = [fault.action.partition(";")[0] for fault in raised.value.faults]
    assert actions == ["known are: acme, guess", "run: pip install 'channelry[desk]'"]


@pytest.mark.parametrize("value", ['"en"', "{ en = 1 }", "3"])
def test_an_array_is_made_of_an_array_only(configure: Callable[[str], Configuration], value: str) -> None:
    """Not of a string's letters or a table's keys."""
    with pytest.raises(ConfigError) as raised:
        configure(
            f'allow_inline_secrets = true\n[connections.x]\nplugin = "acme"\nnumber = "1"\ntoken = "t"\nnames = {value}'
        )
    (fault,) = raised.value.faults
    assert (fault.path, fault.expected) == ("connections.x.names", "an array of a string")


GOLDEN = """\
{file}: conections: expected one of connections, enrichment, recognition, server, desk, allow_inline_secrets
  → did you mean connections?; then run: channelry check --config {file}
{file}: connections.Bad Name: expected a name of lower-case letters, digits, - and _
  → rename it; then run: channelry check --config {file}
{file}: connections.Bad Name.plugin: expected the name of a plugin, as plugin = "whatsapp"
  → run: channelry plugins; then run: channelry check --config {file}
{file}: connections.one.plugin: expected the name of an installed plugin, not 'acm'
  → did you mean acme?; then run: channelry check --config {file}
{file}: connections.two.plugin: expected the name of an installed plugin, not 'whatsapp'
  → run: pip install 'channelry[whatsapp]'; then run: channelry check --config {file}
{file}: connections.three.number: expected a string
  → run: channelry check --config {file}
{file}: connections.three.token: expected the environment variable NO_SUCH_NAME to be set (export NO_SUCH_NAME=…)
  → run: channelry check --config {file}
{file}: connections.three.port: expected a whole number
  → run: channelry check --config {file}
{file}: connections.three.mode: expected one of 'webhook', 'polling'
  → run: channelry check --config {file}
{file}: connections.three.colour: expected one of 'red', 'blue'
  → run: channelry check --config {file}
{file}: connections.three.prot: expected no such key
  → did you mean port?; then run: channelry check --config {file}
{file}: connections.four.number: expected the missing key, a string
  → add it; then run: channelry check --config {file}
{file}: connections.four.token: expected a secret: {{ env = "NAME" }} or {{ file = "PATH" }}
  → run: channelry check --config {file}
{file}: enrichment.language[0]: expected a plugin with the hook detect_language
  → remove acme2 here; then run: channelry check --config {file}
{file}: recognition.order: expected an array of names, as ["langdetect"]
  → run: channelry check --config {file}"""


@pytest.mark.row("F8")
def test_all_faults_of_a_file_are_told_at_once(configure: Callable[[str], Configuration], tmp_path: Path) -> None:
    assert "whatsapp" in extras()
    with pytest.raises(ConfigError) as raised:
        configure(
            """
            [conections.x]
            [connections."Bad Name"]
            [connections.one]
            plugin = "acm"
            [connections.two]
            plugin = "whatsapp"
            [connections.three]
            plugin = "acme"
            number = 5
            token = { env = "NO_SUCH_NAME" }
            port = "5"
            mode = "carrier pigeon"
            colour = "green"
            prot = 1
            [connections.four]
            plugin = "acme"
            token = "inline-canary"
            [enrichment]
            language = ["acme2"]
            [enrichment.acme2]
            plugin = "acme"
            number = "1"
            token = { env = "PATH" }
            [recognition]
            order = "crm"
            """
        )
    assert str(raised.value) == GOLDEN.format(file=tmp_path / "channelry.toml")
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("connections = 5", "connections"),
        ("connections.x = 5", "connections.x"),
        ("[connections.x]\nplugin = 5", "connections.x.plugin"),
        (
            '[connections.x]\nplugin = "acme"\nendpoint = "A B"\nnumber = "1"\ntoken = {env="PATH"}',
            "connections.x.endpoint",
        ),
        (
            '[connections.x]\nplugin = "acme"\nlanguages = "de"\nnumber = "1"\ntoken = {env="PATH"}',
            "connections.x.languages",
        ),
        (
            '[connections.x]\nplugin = "acme"\nlanguages = ["de", "pt_BR"]\nnumber = "1"\ntoken = {env="PATH"}',
            "connections.x.languages",
        ),
        (
            '[connections.x]\nplugin = "acme"\nlanguages = ["de", 7]\nnumber = "1"\ntoken = {env="PATH"}',
            "connections.x.languages",
        ),
        ('[enrichment]\nlanguage = ["guess"]\n[enrichment.guess]\nlanguages = []', "enrichment.guess.languages"),
        ('[connections.x]\nplugin = "acme"\nnumber = "1"\ntoken = {file="/no/such"}', "connections.x.token"),
        ('[connections.x]\nplugin = "acme"\nnumber = "1"\ntoken = {env="PATH"}\nport = true', "connections.x.port"),
        ('[connections.x]\nplugin = "acme"\nnumber = "1"\ntoken = {env="PATH"}\nport = 0', "connections.x.port"),
        ('[connections.x]\nplugin = "acme"\nnumber = "1"\ntoken = {env="PATH"}\nnames = [1]', "connections.x.names[0]"),
        ('[connections.x]\nplugin = "acme"\nnumber = "1"\ntoken = {env="PATH"}\nratio = "1"', "connections.x.ratio"),
        ('[enrichment]\nlanguage = ["nobody"]', "enrichment.language[0]"),
        ('[connections.x]\nplugin = "guess"', "connections.x.plugin"),
        ("[desc]\nx = 1", "desc"),
        ("= broken", "(file)"),
    ],
)
def test_each_fault_names_its_path(configure: Callable[[str], Configuration], text: str, path: str) -> None:
    assert [where for where, _ in faults(configure, text)] == [path]


def test_a_missing_file_is_a_named_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.toml: \(file\): expected a readable file"):
        load_configuration(tmp_path / "none.toml")


def test_inline_secrets_need_a_word_of_consent(configure: Callable[[str], Configuration]) -> None:
    table = '[connections.x]\nplugin = "acme"\nnumber = "1"\ntoken = "inline"\n'
    assert faults(configure, table) == [("connections.x.token", 'a secret: { env = "NAME" } or { file = "PATH" }')]
    (entry,) = configure(f"allow_inline_secrets = true\n{table}").entries
    assert entry.config.token == Secret("inline")


@pytest.mark.row("F7")
def test_a_plugin_that_cannot_be_imported_is_named_and_the_rest_is_read(
    install: Any, configure: Callable[[str], Configuration]
) -> None:
    install("broken", ImportError("No module named 'acme_sdk'"))
    install("exiting", SystemExit("bye"))
    configuration = configure(
        '[connections.a]\nplugin = "broken"\n[connections.b]\nplugin = "exiting"\n[enrichment]\nlanguage = ["guess"]'
    )
    assert [entry.reason for entry in configuration.entries if entry.cls is None] != []
    assert "acme_sdk" in configuration.entries[0].reason or isinstance(configuration.entries[0].reason, str)
    assert configuration.entries[2].cls is Guess


@pytest.mark.row("F10")
def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("canary/word")
    config = Acme.Config(number="1", token=secret)
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", repr(config), repr(Acme(config))):
        assert "canary" not in text
        assert MASK in text or "Secret" in text or "Acme" in text
    assert redact("https://x/canary/word and canary%2Fword") == f"https://x/{MASK} and {MASK}"
    pem = Secret("-----BEGIN 'canary'-----\ncanary\\line\n-----END-----")
    for spelled in (
        repr(pem.reveal()),
        f"{KeyError(pem.reveal())}",
        "canary\\line",
        __import__("json").dumps(pem.reveal()),
    ):
        assert "canary" not in redact(spelled)
    with pytest.raises(TypeError):
        __import__("pickle").dumps(secret)
