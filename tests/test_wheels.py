"""Our wheels as a stranger meets them: in an empty environment, from a folder of wheels, without this tree.

`nox -s alone` builds the wheelhouse and runs this; CHANNELRY_WHEELHOUSE names another.
"""

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import frozen
from house import OURS, ROOT, is_ours

SECRET = "a secret of nobody"
CONFIGURATION = """
[server]
public_url = "https://care.example.org"

[connections.support]
plugin = "whatsapp"
app_secret = { env = "APP_SECRET" }
verify_token = { env = "APP_SECRET" }
access_token = { env = "APP_SECRET" }
phone_number_id = "2002"
"""
WEBHOOK = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "1001",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "messaging_product": "whatsapp",
                        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "2002"},
                        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "15557654321"}],
                        "messages": [
                            {
                                "from": "15557654321",
                                "id": "wamid.A1",
                                "timestamp": "1762077600",
                                "type": "text",
                                "text": {"body": "Where is my parcel?"},
                            }
                        ],
                    },
                }
            ],
        }
    ],
}
RENAMED = {
    "channelry_telegram": "acme_telegram",  # the package
    "channelry-telegram": "acme-telegram",  # the distribution
    '\ntelegram = "acme': '\nacme = "acme',  # its entry points, in pyproject.toml
    'name="telegram"': 'name="acme"',  # and where its tests look for them
}


@frozen
class Environment:
    """An empty virtual environment that installs from the wheelhouse and nowhere else."""

    folder: Path
    wheelhouse: Path

    @classmethod
    def create(cls, folder: Path, wheelhouse: Path) -> "Environment":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        return cls(folder, wheelhouse)

    def pip(self, *arguments: str) -> str:
        """Run pip on this environment, deaf to what the machine sets for it."""
        command = [sys.executable, "-m", "pip", "--isolated", "--python", str(self.folder), *arguments]
        environ = os.environ | {"PIP_CONFIG_FILE": os.devnull}
        ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def install(self, *requirements: str) -> None:
        constraints = str(ROOT / "constraints.txt")
        self.pip("install", "--no-index", "--find-links", str(self.wheelhouse), "-c", constraints, *requirements)

    def run(self, *command: str, cwd: Path, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        program = str(self.folder / "bin" / command[0])
        return subprocess.run(
            [program, *command[1:]],
            cwd=cwd,
            env=os.environ | environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def wheelhouse() -> Path:
    if "CHANNELRY_WHEELHOUSE" not in os.environ:
        pytest.skip("needs a wheelhouse; run: nox -s alone")
    return Path(os.environ["CHANNELRY_WHEELHOUSE"])


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory, wheelhouse: Path) -> Environment:
    environment = Environment.create(tmp_path_factory.mktemp("stranger"), wheelhouse)
    environment.install("channelry[whatsapp]")
    return environment


def capture(body: str, signature: str) -> str:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    return json.dumps({"method": "POST", "path": "/hooks/support", "headers": headers, "body": body})


@pytest.mark.row("F2")
def test_an_extra_brings_its_channel_and_no_other(stranger: Environment) -> None:
    """Of ours: the core, what Meta's channels share, and WhatsApp; no server, no test tools."""
    installed = {package["name"] for package in json.loads(stranger.pip("list", "--format", "json"))}
    assert {name for name in installed if is_ours(name)} == {OURS, "channelry-meta", "channelry-whatsapp"}
    assert not installed & {"aiohttp", "pytest", "rich", "starlette", "uvicorn"}


@pytest.mark.row("F2")
def test_the_command_line_reads_a_captured_webhook(stranger: Environment, tmp_path: Path) -> None:
    """Signed as Meta signs, it is one message; with one digit of the signature wrong it is refused."""
    (tmp_path / "channelry.toml").write_text(CONFIGURATION)
    body = json.dumps(WEBHOOK)
    signature = "sha256=" + hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()

    parsed = stranger.run(
        *("channelry", "parse", "support"), cwd=tmp_path, stdin=capture(body, signature), APP_SECRET=SECRET
    )
    assert parsed.returncode == 0, parsed.stderr
    answer = json.loads(parsed.stdout)
    assert answer["status"] == 200
    assert [event["type"] for event in answer["events"]] == ["MessageReceived"]
    assert answer["events"][0]["text"] == "Where is my parcel?"

    wrong = signature[:-1] + ("0" if signature[-1] != "0" else "1")
    refused = stranger.run(
        *("channelry", "parse", "support"), cwd=tmp_path, stdin=capture(body, wrong), APP_SECRET=SECRET
    )
    assert refused.returncode == 3, refused.stderr
    assert json.loads(refused.stdout)["status"] == 401
    assert json.loads(refused.stdout)["events"] == []


@pytest.mark.row("F4")
def test_one_of_our_plugins_works_unchanged_under_a_strangers_name(wheelhouse: Path, tmp_path: Path) -> None:
    """Copied out of the tree, renamed, and installed by plain pip, Telegram passes its own tests as acme."""
    acme = tmp_path / "acme"
    shutil.copytree(ROOT / "plugins/channels/telegram", acme, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    (acme / "channelry_telegram").rename(acme / "acme_telegram")
    for path in (path for path in acme.rglob("*") if path.suffix in {".md", ".py", ".toml"}):
        text = path.read_text(encoding="utf-8")
        for ours, theirs in RENAMED.items():
            text = text.replace(ours, theirs)
        path.write_text(text, encoding="utf-8")

    environment = Environment.create(tmp_path / "venv", wheelhouse)
    environment.install(f"{acme}[simulator,test]")
    listed = environment.run("channelry", "plugins", "--json", cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    (row,) = json.loads(listed.stdout)
    assert (row["plugin"], row["distribution"], row["state"]) == ("acme", "acme-telegram", "installed")
    quiet = ("-q", "--tb=short", "--maxfail=3", "-p", "no:cacheprovider")
    tested = environment.run("python", "-m", "pytest", *quiet, "tests", cwd=acme)
    assert tested.returncode == 0, tested.stdout


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory, wheelhouse: Path) -> Environment:
    environment = Environment.create(tmp_path_factory.mktemp("author"), wheelhouse)
    environment.install("channelry[testing]")
    return environment


@pytest.mark.row("F6")
@pytest.mark.parametrize(
    ("kind", "extras"), [("channel", "simulator,test"), ("recognizer", "test"), ("enricher", "test")]
)
def test_what_the_scaffold_writes_installs_by_plain_pip_and_passes_the_kit(
    kind: str, extras: str, author: Environment, wheelhouse: Path, tmp_path: Path
) -> None:
    """As it is written, in an environment of its own; the report gives it silver at least."""
    written = author.run("channelry", "new", kind, "our-own", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    assert f"pip install -e '.[{extras}]'" in written.stdout
    folder = tmp_path / "channelry-our-own"
    environment = Environment.create(tmp_path / "venv", wheelhouse)
    environment.install(f"{folder}[{extras}]")
    listed = environment.run("channelry", "plugins", "--json", cwd=tmp_path)
    (row,) = json.loads(listed.stdout)
    assert (row["plugin"], row["distribution"], row["state"]) == ("our-own", "channelry-our-own", "installed")
    tested = environment.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--channelry-report", cwd=folder)
    assert tested.returncode == 0, tested.stdout
    (title,) = [line for line in tested.stdout.splitlines() if line.startswith("===") and "OurOwn" in line]
    assert title.strip("= ").endswith(("silver", "gold"))
