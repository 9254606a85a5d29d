"""An invented past is one that the desk could have had."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from channelry.cli import main
from channelry_desk.fill import AGENTS, MESSAGES, PER_PERSON, Past, word
from channelry_desk.grants import SYSTEM
from channelry_desk.moments import micros
from channelry_desk.search import Wanted
from channelry_desk.sqlite import open_writer
from channelry_desk.states import ConversationState

from .conftest import START, House

pytestmark = pytest.mark.anyio


async def test_all_that_is_written_is_found_by_the_service(house: House) -> None:
    past = Past(400, ("post", "second"), micros(START))
    await house.desk.store.write(past.found)
    for part in past.steps():
        await house.desk.store.write(lambda db, part=part: past.write(db, part))  # type: ignore[misc]
    assert await house.desk.store.write(past.index)
    assert not await house.desk.store.write(past.index)
    service = house.desk.service
    assert len(await service.people.users(by=SYSTEM)) == AGENTS
    page = await service.search.conversations(by=SYSTEM, limit=1000)
    assert len(page.rows) == 400
    assert sum(one.state is not ConversationState.CLOSED for one in page.rows) == 4
    assert len({one.profile for one in page.rows}) == 400 // PER_PERSON
    assert len((await service.conversations.messages(by=SYSTEM, conversation=page.rows[0].id)).rows) == MESSAGES
    common = await service.search.conversations(by=SYSTEM, wanted=Wanted(text=word(1)), limit=1000)
    rare = await service.search.conversations(by=SYSTEM, wanted=Wanted(text=word(50)), limit=1000)
    assert len(common.rows) > 10 * len(rare.rows)
    written = await house.written("eve", "after all that")
    assert written == page.rows[0].id + 1


def test_the_command_fills_a_database(tmp_path: Path) -> None:
    open_writer(tmp_path / "desk.db").close()
    file = tmp_path / "channelry.toml"
    file.write_text('[desk]\ndatabase = "desk.db"\nfiles = "files"\n')
    done = CliRunner().invoke(main, ["desk", "fill", "20", "--config", str(file)])
    assert done.exit_code == 0, done.output
    db = open_writer(tmp_path / "desk.db")
    assert db.execute("SELECT count(*) FROM conversations").fetchone() == (20,)
    db.close()
    shown = CliRunner().invoke(main, ["desk", "conversations", "--json", "--limit", "1", "--config", str(file)])
    assert (shown.exit_code, '"state"' in shown.output) == (0, True), shown.exception
