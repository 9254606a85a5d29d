"""The commands, and what they print."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from channelry.cli import main
from channelry.config import load_configuration
from channelry.errors import ConfigError
from channelry.model import Address
from channelry_desk import tables
from channelry_desk.desk import desk, without_worker
from channelry_desk.grants import SYSTEM
from channelry_desk.sqlite import open_writer
from channelry_server.command import installed_application

from .conftest import START, Opening, message

pytestmark = pytest.mark.anyio

EVE = Address("post", "eve")


def configured(folder: Path, desk: str = "") -> list[str]:
    """Write a configuration whose paths are relative, and make the database beside it."""
    open_writer(folder / "desk.db").close()
    file = folder / "channelry.toml"
    file.write_text(f'[desk]\ndatabase = "desk.db"\nfiles = "files"\n{desk}')
    return ["--config", str(file)]


@pytest.mark.parametrize("command", ["conversations", "dead-letters", "uncertain", "users"])
def test_the_commands_print_tables_and_json(tmp_path: Path, command: str) -> None:
    words = configured(tmp_path)
    shown = CliRunner().invoke(main, ["desk", command, "--json", *words])
    assert (shown.exit_code, shown.output) == (0, "[]\n")
    shown = CliRunner().invoke(main, ["desk", command, *words])
    assert (shown.exit_code, shown.output) == (0, "none\n")
    assert "Examples:" in CliRunner().invoke(main, ["desk", command, "--help"]).output


def test_the_help_of_the_desk_cuts_no_sentence() -> None:
    shown = CliRunner().invoke(main, ["desk", "--help"]).output
    assert "..." not in shown.partition("Commands:")[2]
    assert "List what could not be understood or applied, with the" in shown


async def test_a_table_tells_who_wrote_and_how_it_stands(opening: Opening, capsys: pytest.CaptureFixture[str]) -> None:
    async with opening(brain={}) as house:
        await house.deliver(message("eve", "the parcel that I have been waiting for\nis broken", occurred_at=START))
        await house.desk.worker.enrichment.step()
        page = await house.desk.service.search.conversations(by=SYSTEM)
        tables.print_rows(tables.CONVERSATIONS, page.rows)
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == list(tables.CONVERSATIONS)
    assert row.startswith("1   post        Anonymous  Eve   eve ")
    assert "the parcel that I have been waiting for…" in row
    assert "+0.25" in row


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0.5, "+0.50"),
        (-0.254, "-0.25"),
        (START + timedelta(microseconds=123456), "2026-11-22 07:00:00+00:00"),
        ("a\r\nb", "a b"),
        (7, "7"),
    ],
)
def test_a_cell_is_short_and_on_one_line(value: object, shown: str) -> None:
    assert tables.cell(value) == shown


def test_the_commands_make_no_database(tmp_path: Path) -> None:
    words = configured(tmp_path)
    (tmp_path / "desk.db").unlink()
    shown = CliRunner().invoke(main, ["desk", "conversations", *words])
    assert shown.exit_code == 1
    assert shown.output == f"Error: {tmp_path}/desk.db is not there; start channelry serve first\n"
    assert [file.name for file in tmp_path.iterdir()] == ["channelry.toml"]


@pytest.mark.parametrize(
    ("words", "listing"),
    [
        (["replay", "7"], "dead-letters"),
        (["replay", "--journal", "7"], "dead-letters"),
        (["decide", "7", "sent", "--who", "eve"], "uncertain"),
    ],
)
def test_a_command_about_nothing_says_so_and_names_the_list(tmp_path: Path, words: list[str], listing: str) -> None:
    shown = CliRunner().invoke(main, ["desk", *words, *configured(tmp_path)])
    assert shown.exit_code == 1
    assert "there is no" in shown.output
    assert shown.output.endswith(f"; see: channelry desk {listing}\n")


def test_a_replay_of_nothing_is_refused_and_that_of_an_empty_period_says_so(tmp_path: Path) -> None:
    words = configured(tmp_path)
    assert "name dead letters" in CliRunner().invoke(main, ["desk", "replay", *words]).output
    shown = CliRunner().invoke(main, ["desk", "replay", "--since", "2026-11-01", *words])
    assert (shown.exit_code, shown.output) == (0, "0 requests of the journal: 0 events were new\n")


def test_judging_a_period_again_needs_a_provider_and_tells_how_far_it_is(tmp_path: Path) -> None:
    words = ["desk", "enrich", "--since", "2026-11-01", *configured(tmp_path)]
    shown = CliRunner().invoke(main, words)
    assert (shown.exit_code, shown.output.splitlines()) == (
        1, ["Error: no provider of language or sentiment is configured; see: channelry plugins"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ('database = "junk.db"', "junk.db: cannot be opened (file is not a database); see database in [desk]"),
        ('database = "desk.db"\nfiles = "junk.db"', "junk.db: cannot be opened (File exists); see files in [desk]"),
    ],
)
@pytest.mark.parametrize("command", [["serve"], ["desk", "conversations"]])
def test_a_store_that_cannot_be_opened_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], table: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("channelry_server.log.configure", lambda level: None)  # the tests' own logging stays
    (tmp_path / "junk.db").write_bytes(b"junk" * 1000)
    open_writer(tmp_path / "desk.db").close()
    (tmp_path / "channelry.toml").write_text(f"[server]\nport = 0\n[desk]\n{table}\n")
    shown = CliRunner().invoke(main, command)
    assert (shown.exit_code, isinstance(shown.exception, SystemExit)) == (1, True)
    assert shown.output.splitlines()[-1] == reason


def test_the_first_administrator_is_invited_by_a_command(tmp_path: Path) -> None:
    words = configured(tmp_path)
    invited = ["desk", "invite", "Eve@example.org", "Eve", "Ng", "--access", "administration", *words]
    shown = CliRunner().invoke(main, invited)
    assert shown.exit_code == 0
    assert shown.stderr == "Eve@example.org can set a password within 7 days, once, with this token:\n"
    assert len(shown.stdout.strip()) == 43
    (user,) = orjson.loads(CliRunner().invoke(main, ["desk", "users", "--json", *words]).stdout)
    assert (user["name"], user["email"], user["access"]) == ("Eve Ng", "eve@example.org", ["administration"])
    header, row = CliRunner().invoke(main, ["desk", "users", *words]).stdout.splitlines()
    assert header.split() == list(tables.USERS)
    assert "administration" in row
    again = CliRunner().invoke(main, ["desk", "invite", "eve@example.org", "Eve", "Ng", *words])
    assert again.stdout != shown.stdout
    (user,) = orjson.loads(CliRunner().invoke(main, ["desk", "users", "--json", *words]).stdout)
    assert user["access"] == ["administration"]


def test_whom_nothing_can_be_granted_is_not_invited(tmp_path: Path) -> None:
    words = configured(tmp_path)
    refused = CliRunner().invoke(main, ["desk", "invite", "ann@example.org", "Ann", "--connection", "nowhere", *words])
    assert refused.exit_code == 2
    assert "has no [connections.nowhere]; it has none" in refused.output
    assert CliRunner().invoke(main, ["desk", "users", *words]).stdout == "none\n"


def test_the_section_is_checked(tmp_path: Path) -> None:
    _, file = configured(tmp_path, "lanes = 0\njournal_day = 3\n")
    with pytest.raises(ConfigError, match="did you mean journal_days"):
        load_configuration(Path(file))
    _, file = configured(tmp_path, "lanes = 0\n")
    with pytest.raises(ConfigError, match=r"desk\.lanes: expected >= 1"):
        load_configuration(Path(file))


def test_serve_runs_the_desk_where_no_application_is_named() -> None:
    assert installed_application(no_worker=False) is desk
    assert installed_application(no_worker=True) is without_worker
