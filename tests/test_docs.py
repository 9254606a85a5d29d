"""The documentation is true: its examples run, its links lead somewhere, and what it says of the code comes from it."""

import html
import inspect
import json
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import click
import pytest
from attrs import frozen
from house import ROOT, graded, laid_out, started
from packaging.requirements import InvalidRequirement, Requirement
from test_layout import lines_of_code

from channelry import config, discovery, hookspecs
from channelry.cli import main
from channelry.discovery import available
from channelry_server import hooks as server_hooks

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\]\((?!https?://|#)(?P<path>[^)#\s]+)(?:#[^)]*)?\)")
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "plugins").rglob("README.md")))
TUTORIAL = ROOT / "docs/tutorial/channel.md"
MOST_LINES = 120
"""Lines of code of the tutorial's finished channel: what it takes beside the simulator, which is for tests."""


@frozen
class Snippet:
    """A fenced block: where its first line of code stands, its language and its text."""

    path: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def snippets(path: Path) -> Iterator[Snippet]:
    text = path.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        indent = len(match["indent"])
        code = "".join(line[indent:] or "\n" for line in match["code"].splitlines(keepends=True))
        yield Snippet(path.relative_to(ROOT), text[: match.start("code")].count("\n") + 1, match["language"], code)


SNIPPETS = [snippet for path in PAGES for snippet in snippets(path)]


def compiled(snippet: Snippet) -> Any:
    padded = "\n" * (snippet.line - 1) + snippet.code  # so that an error names the line of the page
    return compile(padded, snippet.path, "exec", dont_inherit=True)


CHECKS: dict[str, Callable[[Snippet], object]] = {
    "json": lambda snippet: json.loads(snippet.code),
    "python": compiled,
    "toml": lambda snippet: tomllib.loads(snippet.code),
}


def of(*languages: str) -> pytest.MarkDecorator:
    """Run a test with each snippet of these languages."""
    return pytest.mark.parametrize("snippet", [one for one in SNIPPETS if one.language in languages], ids=str)


@of(*CHECKS)
def test_an_example_is_well_formed(snippet: Snippet) -> None:
    CHECKS[snippet.language](snippet)


# --- Python ----------------------------------------------------------------------------------------------------------


def ran(path: Path) -> ModuleType:
    """Run the Python of a page from top to bottom, as the module that a reader would make of it."""
    module = ModuleType(re.sub(r"\W", "_", str(path.relative_to(ROOT).with_suffix(""))))
    sys.modules[module.__name__] = module
    for snippet in snippets(path):
        if snippet.language == "python":
            exec(compiled(snippet), module.__dict__)
    return module


GUIDES = [path for path in sorted((ROOT / "docs/how-to").glob("*.md")) if "```python" in path.read_text()]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_guides_code_runs_and_its_own_tests_pass(path: Path, backend: str) -> None:
    for name, test in list(vars(ran(path)).items()):
        if name.startswith("test_"):
            anyio.run(test, backend=backend) if inspect.iscoroutinefunction(test) else test()


# --- TOML ------------------------------------------------------------------------------------------------------------

DEPLOYMENTS = [
    one
    for one in SNIPPETS
    if one.language == "toml" and one.path.parts[0] in ("README.md", "docs")
    if "examples" not in one.path.parts  # a plugin's README shows parts of one, and an example is a plugin
    if tomllib.loads(one.code).keys() & {*config.SECTIONS}
]


def brought(path: Path) -> list[EntryPoint]:
    """Give the plugins that a page's code brings, by their class names in lower case, as if they were installed."""
    module = ran(path)
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    made = [one for one in classes if hasattr(one, "Config")]
    return [EntryPoint(one.__name__.lower(), f"{module.__name__}:{one.__name__}", discovery.GROUP) for one in made]


@pytest.mark.parametrize("snippet", DEPLOYMENTS, ids=str)
def test_a_configuration_loads(snippet: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With plugins that are installed or stand on the same page, and with the secrets that it names."""
    more = brought(ROOT / snippet.path) if ROOT / snippet.path in GUIDES else []
    installed = discovery.entry_points
    monkeypatch.setattr(
        discovery, "entry_points", lambda group: [*installed(group=group), *(one for one in more if one.group == group)]
    )
    for name in re.findall(r'env = "(\w+)"', snippet.code):
        monkeypatch.setenv(name, "a-secret-value")
    code = re.sub(r'file = "[^"]*"', 'file = "secret"', snippet.code)
    (tmp_path / "secret").write_text("a-secret-value")
    (tmp_path / "channelry.toml").write_text(code)
    loaded = config.load_configuration(tmp_path / "channelry.toml")
    assert [entry.reason for entry in loaded.entries if entry.reason] == []


# --- Shell -----------------------------------------------------------------------------------------------------------


def words(line: str) -> Iterator[list[str]]:
    """Split a line into its commands, without redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    command: list[str] = []
    for token in lexer:
        if set(token) <= set("|&;"):
            yield command
            command = []
        else:
            command.append(token)
    yield command


@of("sh")
def test_a_shell_example_says_what_the_commands_understand(snippet: Snippet) -> None:
    """`channelry …` has arguments that exist, and what pip is to install has the extras that it names."""
    subprocess.run(["sh", "-n"], input=snippet.code, text=True, check=True)
    for line in snippet.code.splitlines():
        for command in words(line):
            match [Path(word).name if at == 0 else word for at, word in enumerate(command)]:
                case ["channelry", *arguments]:
                    understood(main, arguments)
                case ["pip", "install", *requirements]:
                    installable(requirements)


def understood(command: click.Command, arguments: list[str]) -> None:
    """Parse the arguments of a command, or of the command below it, without running anything."""
    if isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        inner = command.get_command(click.Context(command), arguments[0])
        assert inner is not None, f"there is no command {arguments[0]}"
        understood(inner, arguments[1:])
    else:
        redirected = next((at for at, word in enumerate(arguments) if set(word) <= set("<>")), len(arguments))
        command.make_context(command.name, arguments[:redirected])


def installable(requirements: list[str]) -> None:
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # an option, a file
            continue
        if requirement.name == "channelry":
            assert requirement.extras <= {*(metadata("channelry").get_all("Provides-Extra") or ())}


# --- The tutorial ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mattermost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution that the tutorial makes: what `channelry new` writes, and the page's files instead."""
    home = tmp_path_factory.mktemp("tutorial")
    command = [sys.executable, "-m", "channelry", "new", "channel", "mattermost"]
    subprocess.run(command, cwd=home, check=True, capture_output=True)
    folder = home / "channelry-mattermost"
    page = TUTORIAL.read_text(encoding="utf-8")
    for line in re.findall(r"^rm (.*)$", page, re.MULTILINE):
        for name in line.split():
            (folder / name).unlink()
    for path, code in re.findall(r"^\*\*(\S+/\S+)\*\*\n\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        assert (folder / path).parent.is_dir(), f"{path}: channelry new makes no such folder"
        (folder / path).write_text(code, encoding="utf-8")
    laid_out(folder)
    return folder


def test_the_tutorials_channel_is_short(mattermost: Path) -> None:
    modules = [mattermost / "channelry_mattermost" / f"{name}.py" for name in ("plugin", "receive", "send")]
    assert sum(map(lines_of_code, modules)) <= MOST_LINES


def test_the_tutorials_channel_reaches_gold(mattermost: Path) -> None:
    told = graded(mattermost)
    assert "channelry_mattermost.plugin:Mattermost: gold" in told, told
    assert " failed" not in told


def test_the_tutorial_ends_with_an_answered_message(mattermost: Path) -> None:
    server, provider = free_port(), free_port()
    written, _ = started(mattermost, "channelry", "simulate", "mattermost", "--port", str(provider)).communicate("")
    (mattermost / "channelry.toml").write_text(f"{written}\n[server]\nport = {server}\n")
    serving = started(mattermost, "channelry", "serve", "--app", "channelry_demo.echo:app", stdout=subprocess.DEVNULL)
    try:
        until_listening(server)
        customer = started(mattermost, "channelry", "simulate", "mattermost")
        told, _ = customer.communicate("Where is my parcel?\n/wait 1\n", timeout=60)
    finally:
        serving.terminate()
        serving.communicate(timeout=30)
    assert "← channel-of-491700000001 You wrote: Where is my parcel?" in told
    assert customer.returncode == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def until_listening(port: int) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)  # another process: no clock of ours moves it
    raise TimeoutError("the server does not listen")


# --- Links and the site ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_of_this_tree(path: Path) -> None:
    """On the site Sphinx checks them; this holds where the pages are read in the repository."""
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    dead = [match["path"] for match in LINK.finditer(prose) if not (path.parent / match["path"]).exists()]
    assert dead == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `nox -s docs` builds it: a warning is an error."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", "-d", str(out / "cache")]
    built = subprocess.run([*command, ".", str(out / "html")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return out / "html"


def text_of(page: Path) -> str:
    """Give what a reader sees of a page."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("module", [hookspecs, server_hooks], ids=lambda module: module.__name__)
def test_every_hook_stands_in_the_documentation_with_its_exact_signature(site: Path, module: ModuleType) -> None:
    page = text_of(site / "docs/reference/hooks.html")
    specified = re.findall(r"^@hookspec\n((?:async )?def [^:]+\(.*\) -> .+):$", inspect.getsource(module), re.MULTILINE)
    assert len(specified) == inspect.getsource(module).count("\n@hookspec\n")
    assert [signature for signature in specified if signature not in page] == []


def test_every_value_and_every_error_stands_in_the_documentation(site: Path) -> None:
    from channelry import errors, model

    values, raised = (text_of(site / f"docs/reference/{name}.html") for name in ("values", "errors"))
    classes = [name for name in model.__all__ if isinstance(getattr(model, name), type)]
    assert [name for name in classes if f"class {name}" not in values] == []
    named = [name for name, one in vars(errors).items() if isinstance(one, type) and one.__module__ == errors.__name__]
    assert [name for name in named if f"class {name}" not in raised] == []


def test_every_installed_plugin_has_a_page_with_its_configuration(site: Path) -> None:
    for name, found in available().items():
        (page,) = site.glob(f"plugins/*/{name}/README.html")
        keys = [one.alias for one in found.load().Config.__attrs_attrs__ if one.init]
        part = text_of(page).partition("From its code")[2]
        assert [key for key in keys if key not in part] == []


def test_every_channel_is_compared_and_says_what_happens_while_we_are_down(site: Path) -> None:
    page = text_of(site / "docs/reference/channels.html")
    compared, _, down = page.partition("When we are down")
    for name in available("channelry.simulators"):
        assert re.search(rf"^{name}$", compared, re.MULTILINE)
        assert re.search(rf"\b{name}\b", down)


def test_every_command_stands_in_the_documentation(site: Path) -> None:
    page = text_of(site / "docs/reference/command-line.html")
    context = click.Context(main)
    assert [name for name in main.list_commands(context) if f"Usage: channelry {name}" not in page] == []


def test_the_requirements_are_complete_and_name_no_vendor() -> None:
    page = (ROOT / "docs/reference/requirements.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z]\d+) \|", page, re.MULTILINE)
    numbers = {"A": 47, "T": 28, "S": 17, "C": 16, "D": 29, "F": 12}
    assert rows == [f"{letter}{n}" for letter, most in numbers.items() for n in range(1, most + 1)]
    assert not re.search(r"audite|tethr|servicenow|dynamics|microsoft|azure", page, re.IGNORECASE)
