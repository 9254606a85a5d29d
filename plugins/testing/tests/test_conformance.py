"""The kit itself: reasons are demanded, what is missing is named, what hangs is told of, the report says all."""

import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import anyio
import orjson
import pytest

from channelry_testing import ChannelConformance, EnricherConformance, RecognizerConformance, conformance, overrides
from channelry_testing.bench import connected, installed
from channelry_testing.conformance import inline, run
from channelry_testing.guard import Watchdog, watching_network, watching_purity
from channelry_testing.payloads import read_payloads

pytest_plugins = ["pytester"]
sys.path.insert(0, str(Path(__file__).parent / "bad"))
from acme import Acme, AcmeSimulator  # noqa: E402

Failed = pytest.fail.Exception


def refused(**members: Any) -> str:
    """Make a class with these members and give what is said against it."""
    with pytest.raises(TypeError) as raised:
        type("TestAcme", (ChannelConformance,), members)
    return str(raised.value)


def test_a_rule_is_not_replaced_without_a_reason() -> None:
    said = refused(test_compose_is_pure=lambda self: None)
    assert "TestAcme.test_compose_is_pure takes the place of the kit's rule 'pure-compose'" in said
    assert "@overrides" in said


@pytest.mark.parametrize("reason", ["", "  ", "no", None, 7])
def test_a_reason_has_to_say_something(reason: Any) -> None:
    assert "needs a written reason" in refused(test_compose_is_pure=overrides(reason)(lambda self: None))
    assert "needs a written reason" in refused(exempt={"rates": reason})


@pytest.mark.parametrize("member", [None, 7, property(lambda self: None)])
def test_a_rule_cannot_be_taken_away(member: Any) -> None:
    assert "takes the place of" in refused(test_compose_is_pure=member)


def test_an_exemption_names_a_rule() -> None:
    assert "did you mean pure-compose?" in refused(exempt={"purecompose": "a reason that is long enough"})
    assert "the rules are accounts, " in refused(exempt={"xyzzy": "a reason that is long enough"})


@pytest.mark.parametrize("kind", [ChannelConformance, EnricherConformance, RecognizerConformance])
def test_every_rule_has_its_manual(kind: type[conformance.Conformance]) -> None:
    """What it checks, why, and how to mend a failure."""
    for one in kind.rules.values():
        assert "Why: " in one.manual, one.code
        assert "Mend: " in one.manual, one.code
    tests = [name for name in dir(kind) if name.startswith("test_")]
    assert sorted(one.test for one in kind.rules.values()) == sorted(tests)


def test_a_class_that_inherits_keeps_reason_and_rule() -> None:
    class Own(ChannelConformance):
        @overrides("the provider signs nothing at all")
        def test_compose_is_pure(self) -> None: ...

    class Further(Own):
        exempt: ClassVar = {"rates": "the provider names no rates"}

    assert Further.rules["pure-compose"].reason == "the provider signs nothing at all"
    assert ChannelConformance.rules["pure-compose"].reason == ""


SUITE = """
import pytest
from channelry_testing import {kind}, overrides

class TestNothing({kind}):
    {body}
"""


def report(pytester: pytest.Pytester, kind: str, body: str = "pass") -> tuple[pytest.RunResult, dict[str, Any]]:
    pytester.makepyfile(test_it=SUITE.format(kind=kind, body=body))
    ran = pytester.runpytest_inprocess(
        "--channelry-report", "--channelry-report-json=out.json", "-p", "no:cacheprovider"
    )
    (card,) = orjson.loads((pytester.path / "out.json").read_bytes())
    return ran, card


@pytest.mark.parametrize("kind", ["ChannelConformance", "EnricherConformance", "RecognizerConformance"])
def test_what_the_author_has_not_given_is_named(pytester: pytest.Pytester, kind: str) -> None:
    ran, card = report(pytester, kind)
    assert card["grade"] == "none"
    assert {one["state"] for one in card["rules"].values()} == {"failed"}
    ran.stdout.fnmatch_lines(["*TestNothing names no plugin*", "*next step: add to TestNothing: @pytest.fixture*"])


def test_the_report_names_grade_states_and_reasons(pytester: pytest.Pytester) -> None:
    body = 'exempt = {"rates": "the provider names no rates"}\n\n    ' + "\n    ".join(
        ['@overrides("Acme is proved by its own test")', "def test_compose_is_pure(self): pass"]
    )
    ran, card = report(pytester, "ChannelConformance", body)
    assert card["rules"]["pure-compose"] == {
        "grade": "bronze", "state": "failed", "reason": card["rules"]["pure-compose"]["reason"]
    }  # fmt: skip
    assert card["rules"]["rates"] == {"grade": "gold", "state": "exempt", "reason": "the provider names no rates"}
    ran.stdout.fnmatch_lines(
        ["*rule config (bronze)*", "Config is a frozen attrs class*", "*TestNothing: none*", "bronze  config*failed: *",
         "gold    rates*exempt: the provider names no rates"]
    )  # fmt: skip


def test_what_is_skipped_otherwise_is_not_done(pytester: pytest.Pytester) -> None:
    body = '@overrides("Acme is proved by its own test")\n    def test_compose_is_pure(self): pytest.skip("later")'
    _, card = report(pytester, "ChannelConformance", f"{body}\n\n    @pytest.fixture\n    def plugin(self): return 3")
    assert card["rules"]["pure-compose"]["state"] in ("not run", "waits")


# What hangs, blocks, reads, reaches out


def test_a_plain_function_that_hangs_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "MOST_SECONDS", 0.2)
    over = threading.Event()
    with pytest.raises(Failed, match=r"(?s)Acme.verify does not come back.*over\.wait\(\)"):
        inline(lambda: over.wait(), doing="Acme.verify")
    over.set()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_hangs_on_a_loop_is_told_with_its_hook(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setattr(conformance, "MOST_SECONDS", 0.2)

    async def main() -> None:
        await anyio.sleep(1)

    with pytest.raises(Failed, match=r"Acme\.send does not come back"):
        run(main, doing=partial(str, "Acme.send"), backend=backend)


def test_a_verdict_comes_out_of_the_groups_that_task_groups_make() -> None:
    async def main() -> None:
        async with anyio.create_task_group():
            conformance.fail("it is wrong", "right", "mend it")

    with pytest.raises(Failed, match="it is wrong"):
        run(main, doing=partial(str, "x"))


def impure() -> list[str]:
    with watching_purity() as found:
        time.time()
        time.monotonic()
        open(__file__).close()
    return [one.split()[0] for one in found]


def test_reads_are_noted_with_their_place() -> None:
    assert impure() == ["time", "monotonic", "open"]
    with watching_purity() as found:
        sorted([3, 1])
    assert found == []


def test_nothing_gets_out_while_the_network_is_watched() -> None:
    with watching_network() as found, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 9))
    assert "127.0.0.1" in found[0]


async def _stand(seconds: float) -> int:
    dog = Watchdog()
    async with anyio.create_task_group() as group:
        await group.start(dog.beat)
        await anyio.sleep(0.05)
        time.sleep(seconds)  # noqa: ASYNC251 - that is what is noticed
        await anyio.sleep(0.05)
        group.cancel_scope.cancel()
    return len(dog.stalls)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(("seconds", "stalls"), [(0.0, 0), (0.8, 1)])
def test_a_loop_that_stands_still_is_noticed_once(backend: str, seconds: float, stalls: int) -> None:
    assert anyio.run(_stand, seconds, backend=backend) == stalls


# What is no payload, no plugin, no settings


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "is no recorded payload"),
        ("{}", "KeyError: 'row'"),
        ('{"row": "text", "events": []}', ""),
        ('{"row": "text", "body": "x", "event": []}', "unknown keys event"),
        ('{"row": "text", "json": {}, "events": [{"type": "Nothing"}]}', "is no recorded payload"),
        ('{"row": "text", "json": {}, "events": [{"type": "Typing", "kye": 1}]}', "is no recorded payload"),
    ],
)
def test_a_file_that_is_no_payload_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "one.json").write_text(content)
    if said:
        with pytest.raises(Failed, match=f"(?s)one.json.*{said}|{said}"):
            read_payloads(tmp_path)
    else:
        (payload,) = read_payloads(tmp_path)
        assert (payload.row, payload.request.body) == ("text", b"")


def test_a_form_is_sent_as_one(tmp_path: Path) -> None:
    form = '{"row": "r", "form": {"Body": "é 1", "To": "x"}, "method": "PUT", "path": "/a?b=1", "events": []}'
    (tmp_path / "one.json").write_text(form)
    (payload,) = read_payloads(tmp_path)
    assert payload.request.form() == [("Body", "é 1"), ("To", "x")]
    assert (payload.request.method, payload.request.path) == ("PUT", "/a?b=1")
    assert payload.request.header(b"content-type") == b"application/x-www-form-urlencoded"


def test_a_plugin_that_is_not_installed_is_named_with_the_next_step() -> None:
    with pytest.raises(Failed, match=r"no plugin 'no-such' is installed(?s:.*)next step: known are: "):
        installed("no-such")


def test_settings_that_are_no_config_are_named() -> None:
    class Odd(AcmeSimulator):
        def settings(self, base_url: str) -> dict[str, Any]:
            return {"plugin": "acme", "tokn": "x"}

    with pytest.raises(Failed, match=r"(?s)settings of Odd are no Config of Acme.*connections\.test\.tokn"):
        connected(Acme, Odd())
