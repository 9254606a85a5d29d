"""The hub: what arrives is recorded before it is acknowledged; a plugin that misbehaves harms nobody else."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
import pytest
import sniffio
from attrs import define, field, frozen

from channelry import hookimpl, plugin
from channelry.dispatch import FAILURES, Found
from channelry.errors import (
    AmbiguousError,
    ConfigError,
    PermanentError,
    PluginError,
    RejectedError,
    RetryableError,
    WindowClosedError,
)
from channelry.hub import open_hub
from channelry.model import (
    Accepted,
    Address,
    Call,
    Capabilities,
    Event,
    Kind,
    Language,
    Match,
    Media,
    MessageReceived,
    NotTaken,
    Outbound,
    Profile,
    Receipt,
    Received,
    Reconciled,
    Request,
    Response,
    SendMessage,
    Sentiment,
    Target,
    Text,
    Unknown,
)
from channelry.secrets import Secret
from channelry.services import NoHttp, Save, Services
from channelry.threads import MOST
from channelry_testing import FakeClock

pytestmark = pytest.mark.anyio
CLOCK = FakeClock()
TOKEN = Secret("canary-token")
ADA = Address("acme", "ada")
CALL = Call(key="k/0", to=ADA, action="say", body={})
TEXT = SendMessage(key="k", target=Target(to=ADA), text="hello")


def request(body: bytes = b"hi") -> Request:
    return Request("POST", "/hooks/a", (), body, CLOCK.now())


def message(text: str = "hi", account: str = "") -> MessageReceived:
    return MessageReceived(
        account=account, key=text, occurred_at=CLOCK.now(), sender=Profile(address=ADA), external_id=text, text=text
    )


@define(eq=False)
class Behaviour:
    """What the plugin of a test does at each hook; by default what it should."""

    verify: Callable[..., Any] = lambda request: None
    parse: Callable[..., Any] = lambda request: Received(request, (message(request.body.decode()),))
    compose: Callable[..., Any] = lambda: [CALL]
    send: Callable[..., Any] | None = None
    opens: Callable[..., Any] | None = None
    listen: Callable[..., Any] | None = None
    reconciled: Any = None
    closed: int = 0
    services: list[Services] = field(factory=list)


@plugin
class Acme:
    @frozen
    class Config:
        key: str
        token: Secret = TOKEN
        base_url: str = "http://127.0.0.1:9/x"

    config: Config
    capabilities = Capabilities(text=10, window=None)
    origins = ("https://api.acme.example",)

    @property
    def behaviour(self) -> Behaviour:
        return BEHAVIOURS[self.config.key]

    @hookimpl
    async def open(self, services: Services) -> None:
        self.behaviour.services.append(services)
        if self.behaviour.opens:
            await self.behaviour.opens()

    @hookimpl
    async def close(self) -> None:
        self.behaviour.closed += 1

    @hookimpl
    def verify(self, request: Request) -> None:
        return self.behaviour.verify(request)  # type: ignore[no-any-return]

    @hookimpl
    def parse(self, request: Request) -> Received:
        return self.behaviour.parse(request)  # type: ignore[no-any-return]

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        return self.behaviour.compose()  # type: ignore[no-any-return]

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        if self.behaviour.send is None:
            return Receipt(("x",))
        return await self.behaviour.send()  # type: ignore[no-any-return]

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return self.behaviour.reconciled  # type: ignore[no-any-return]

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        await save(b"bytes")
        return Media(kind=media.kind, id=media.id, size=5)

    @hookimpl
    async def check(self) -> None:
        raise PermanentError("no", code="no")


BEHAVIOURS: dict[str, Behaviour] = {}
TWO = '[connections.a]\nplugin = "acme"\nkey = "a"\n[connections.b]\nplugin = "acme"\nkey = "b"\n'


@pytest.fixture(autouse=True)
def _fresh(install: Any) -> None:
    BEHAVIOURS.update(a=Behaviour(), b=Behaviour())
    install("acme", Acme)


def opened(configure: Any, recorder: Any, text: str = TWO, **options: Any) -> Any:
    return open_hub(configure(text), recorder.app, **options)


async def test_a_webhook_is_recorded_then_answered(configure: Any, recorder: Any) -> None:
    BEHAVIOURS["a"].parse = lambda request: Received(request, (message(),), Response(200, b"challenge"))
    async with opened(configure, recorder) as hub:
        answer = await hub.receive("a", request())
        assert (answer.status, answer.body) == (200, b"challenge")
        assert recorder.events == [("a", message())]
        assert hub.counts["webhooks", "a", "200"] == hub.counts["events", "a", "MessageReceived"] == 1
        assert (await hub.receive("nowhere", request())).status == 404
    assert [one.closed for one in BEHAVIOURS.values()] == [1, 1]


def raising(error: BaseException) -> Callable[..., Any]:
    def function(*_: Any) -> Any:
        raise error

    return function


@pytest.mark.row("F7")
async def test_a_verify_that_returns_something_is_no_acceptance(configure: Any, recorder: Any) -> None:
    BEHAVIOURS["a"].verify = lambda request: False
    async with opened(configure, recorder) as hub:
        assert (await hub.receive("a", request())).status == 401


@pytest.mark.row("F7")
@pytest.mark.parametrize("error", [RejectedError("wrong"), KeyError("canary"), SystemExit(1), RecursionError()])
async def test_whatever_verify_raises_is_a_rejection_and_stores_nothing(
    configure: Any, recorder: Any, error: BaseException
) -> None:
    BEHAVIOURS["a"].verify = raising(error)
    async with opened(configure, recorder) as hub:
        answers = [await hub.receive("a", request()) for _ in range(FAILURES + 2)]
        assert {(answer.status, answer.body) for answer in answers} == {(401, b"rejected")}
        assert recorder.received == []
        BEHAVIOURS["a"].verify = lambda request: None
        assert (await hub.receive("a", request())).status == 200  # a pure hook is never quarantined
        crashed = not isinstance(error, RejectedError)
        assert hub.counts["failures", "connections.a", "verify"] == (FAILURES + 2 if crashed else 0)
        assert (await hub.receive("b", request())).status == 200


@pytest.mark.row("F7")
@pytest.mark.parametrize(
    "parse",
    [
        raising(KeyError("x")),
        raising(SystemExit(1)),
        lambda request: None,
        lambda request: [message()],
        lambda request: Received(request, ("not an event",)),
        lambda request: Received(request, (message() for _ in range(1))),
        lambda request: Received(request, (), b"answer"),
        lambda request: Received(request, (), ignored=None),
    ],
    ids=["raises", "exits", "none", "wrong type", "wrong event", "generator", "wrong answer", "wrong ignored"],
)
async def test_what_parse_crashes_on_is_journaled_whole(configure: Any, recorder: Any, parse: Any) -> None:
    BEHAVIOURS["a"].parse = parse
    async with opened(configure, recorder) as hub:
        assert (await hub.receive("a", request(b"raw"))).status == 200
        ((connection, event),) = recorder.events
        assert (connection, type(event).__name__, event.raw) == ("a", "Unparsed", b"raw")
        status = hub.status()[0]
        assert status.reason.startswith("parse: ")
        assert (await hub.receive("b", request())).status == 200


@pytest.mark.row("F10")
async def test_a_rejected_webhook_is_one_line_in_the_log_without_its_content(
    configure: Any, recorder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever looks for lost messages finds the endpoint; who sent it has written nothing into the log."""
    BEHAVIOURS["a"].verify = raising(RejectedError("canary"))
    caplog.set_level("INFO", "channelry")
    async with opened(configure, recorder) as hub:
        await hub.receive("a", request(b"canary"))
    assert [record.getMessage() for record in caplog.records] == ["a: a request was rejected"]


async def test_what_plugins_fail_at_is_told_to_who_takes_the_blame(configure: Any, recorder: Any) -> None:
    """An application that is stricter than the hub sets `blame`: pure hooks and others, each with its PluginError."""
    BEHAVIOURS["a"].parse = raising(KeyError("x"))
    blamed: list[Any] = []
    async with opened(configure, recorder) as hub:
        hub.blame = blamed.append
        await hub.receive("a", request())
        BEHAVIOURS["a"].send = raising(ValueError("y"))
        with pytest.raises(AmbiguousError):
            await hub.send("a", CALL)
    assert [(type(one), one.plugin, one.hook) for one in blamed] == [
        (PluginError, "connections.a", "parse"),
        (PluginError, "connections.a", "send"),
    ]


async def test_an_event_of_nobody_is_recorded_without_a_connection(
    configure: Any, recorder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "channelry")
    async with opened(configure, recorder) as hub:
        hub.connections["a"].account = "1"
        BEHAVIOURS["a"].parse = lambda request: Received(request, (message("x", "2"), message("y", "1")))
        await hub.receive("a", request())
        assert sorted((connection, event.text) for connection, event in recorder.events) == [("", "x"), ("a", "y")]
        assert hub.counts["unclaimed", "a"] == 1
        assert caplog.messages == ["a: events of accounts that no connection has: 1"]


async def test_a_sink_that_cannot_record_makes_the_provider_try_again(configure: Any, recorder: Any) -> None:
    recorder.fails = OSError("disk full")
    async with opened(configure, recorder) as hub:
        assert (await hub.receive("a", request())).status == 503
        recorder.fails = None
        assert (await hub.receive("a", request())).status == 200


async def test_accounts_that_cannot_be_told_apart_are_refused(configure: Any, recorder: Any) -> None:
    with pytest.raises(ConfigError, match=r"connections\.b: expected another account"):
        async with opened(configure, recorder, TWO.replace("key =", 'endpoint = "one"\nkey =')):
            raise AssertionError("opened")


async def test_a_message_is_refused_before_anything_is_sent(configure: Any, recorder: Any) -> None:
    async with opened(configure, recorder) as hub:
        assert hub.compose("a", TEXT) == [CALL]
        with pytest.raises(PermanentError, match="no connection 'c'"):
            hub.compose("c", TEXT)
        hub.connections["a"].plugin.__class__.capabilities = Capabilities(
            text=10, window=__import__("datetime").timedelta(hours=1), sends=frozenset({Kind.TEXT})
        )
        with pytest.raises(WindowClosedError):
            hub.compose("a", TEXT)
        Acme.capabilities = Capabilities(text=10)


@pytest.mark.row("F7")
@pytest.mark.parametrize("compose", [raising(KeyError("x")), lambda: None, lambda: ["call"]])
async def test_a_compose_that_crashes_refuses_the_message_only(configure: Any, recorder: Any, compose: Any) -> None:
    BEHAVIOURS["a"].compose = compose
    async with opened(configure, recorder) as hub:
        with pytest.raises(PermanentError, match=r"connections\.a: hook compose") as refused:
            hub.compose("a", TEXT)
        assert refused.value.code == "plugin_failed"
        assert hub.compose("b", TEXT) == [CALL]


async def test_a_send_is_accepted_or_fails_by_the_taxonomy(configure: Any, recorder: Any) -> None:
    async with opened(configure, recorder) as hub:
        assert await hub.send("a", CALL) == Receipt(("x",))

        async def limited() -> Receipt:
            raise RetryableError("slow down", retry_after=7)

        BEHAVIOURS["a"].send = limited
        with pytest.raises(RetryableError) as limit:
            await hub.send("a", CALL)
        assert limit.value.retry_after == 7
        assert hub.status()[0].state == "ready"  # the provider's answer is no failure of the plugin
        assert {key[2] for key in hub.counts if key[0] == "sends"} == {"accepted", "retryable"}


async def crash() -> Any:
    raise KeyError("canary-token")


async def wrong_type() -> Any:
    return "x"


async def hang() -> Any:
    await anyio.sleep_forever()


@pytest.mark.row("F7")
@pytest.mark.parametrize(
    ("send", "reason"), [(crash, "KeyError"), (wrong_type, "returned str"), (hang, "no answer in 0.02 s")]
)
async def test_a_plugin_that_fails_is_quarantined_named_and_harms_nobody(
    configure: Any, recorder: Any, send: Any, reason: str
) -> None:
    clock = FakeClock()
    BEHAVIOURS["a"].send = send
    async with opened(configure, recorder, clock=clock, timeouts={"send": 0.02}) as hub:
        for _ in range(FAILURES):
            with pytest.raises(AmbiguousError):  # it may have sent before it failed
                await hub.send("a", CALL)
        with pytest.raises(RetryableError) as resting:
            await hub.send("a", CALL)
        assert resting.value.code == "quarantined"
        assert resting.value.retry_after == 1
        sick, well = hub.status()
        assert (sick.name, sick.state, well.state) == ("connections.a", "quarantined", "ready")
        assert sick.reason.startswith("send: ")
        assert reason in sick.reason
        assert "canary" not in sick.reason
        assert await hub.send("b", CALL) == Receipt(("x",))
        BEHAVIOURS["a"].send = None
        await clock.advance(1)
        assert await hub.send("a", CALL) == Receipt(("x",))
        assert hub.status()[0].state == "ready"


async def own_cancellation() -> Any:
    if sniffio.current_async_library() == "trio":
        raise asyncio.CancelledError
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@pytest.mark.row("F7")
async def test_a_cancellation_that_a_plugin_brings_along_is_its_own_failure(configure: Any, recorder: Any) -> None:
    BEHAVIOURS["a"].send = own_cancellation
    async with opened(configure, recorder) as hub:
        with pytest.raises(AmbiguousError, match="CancelledError"):
            await hub.send("a", CALL)
        assert await hub.send("b", CALL) == Receipt(("x",))


async def test_a_base_url_that_is_none_stops_only_its_connection(configure: Any, recorder: Any) -> None:
    def http(origins: frozenset[str]) -> Any:
        if "https://broken" in origins:
            raise ValueError("no URL")
        return NoHttp()

    text = TWO.replace('key = "a"', 'key = "a"\nbase_url = "https://broken"')
    async with opened(configure, recorder, text, http=http) as hub:
        assert [one.state for one in hub.status()] == ["not loaded", "ready"]
        assert await hub.send("b", CALL) == Receipt(("x",))


async def test_a_quarantine_grows_with_every_failure_after_it(configure: Any, recorder: Any) -> None:
    clock = FakeClock()
    BEHAVIOURS["a"].send = crash
    async with opened(configure, recorder, clock=clock) as hub:
        pauses = []
        for _ in range(FAILURES + 3):
            with pytest.raises(AmbiguousError):
                await hub.send("a", CALL)
            health = hub.connections["a"].hooks["send"].health
            rest = max(0.0, health.until - clock.monotonic())
            pauses.append(rest)
            await clock.advance(rest)
        assert pauses == [0, 0, 0, 0, 1, 2, 4, 8]


async def test_a_plugin_that_does_not_open_is_tried_again(configure: Any, recorder: Any) -> None:
    clock = FakeClock()
    BEHAVIOURS["a"].opens = crash
    async with opened(configure, recorder, clock=clock) as hub:
        assert (await hub.receive("a", request())).status == 200  # receiving needs no opening
        with pytest.raises(RetryableError, match="opening"):
            await hub.send("a", CALL)
        assert hub.status()[0].state in ("opening", "failing")
        BEHAVIOURS["a"].opens = None
        await clock.advance(1)
        assert await hub.send("a", CALL) == Receipt(("x",))


async def test_services_are_the_connection_s_own(configure: Any, recorder: Any) -> None:
    asked: list[frozenset[str]] = []

    def http(origins: frozenset[str]) -> Any:
        asked.append(origins)
        return f"client {len(asked)}"

    async with opened(configure, recorder, http=http) as hub:
        first, second = BEHAVIOURS["a"].services[0], BEHAVIOURS["b"].services[0]
        assert asked == [frozenset({"https://api.acme.example", "http://127.0.0.1:9"})] * 2
        assert (first.name, first.public_url) == ("a", "http://127.0.0.1:8080/hooks/a")
        assert await first.state.compare_and_set("cursor", None, "1")
        assert not await first.state.compare_and_set("cursor", None, "2")
        assert await second.state.get("cursor") is None
        assert hub.webhook_url("b") == second.public_url


@pytest.mark.parametrize("known", [Accepted(Receipt(("x",))), NotTaken(), Unknown("busy")])
async def test_an_ambiguous_call_is_reconciled(configure: Any, recorder: Any, known: Any) -> None:
    BEHAVIOURS["a"].reconciled = known
    async with opened(configure, recorder) as hub:
        assert await hub.reconcile("a", CALL) == known


async def test_fetch_check_and_what_a_channel_lacks(configure: Any, recorder: Any) -> None:
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    async with opened(configure, recorder) as hub:
        fetched = await hub.fetch("a", Media(kind=Kind.IMAGE, id="1"), save)
        assert (fetched.size, saved) == (5, [b"bytes"])
        with pytest.raises(PermanentError, match="no"):
            await hub.check("a")
        assert await hub.profile("a", ADA) is None
        assert await hub.expand("a", message()) == (message(),)
        with pytest.raises(PermanentError, match="no hook setup"):
            await hub.setup("a")


@plugin
class Sync:
    """A synchronous SDK that hangs until it is let go."""

    @frozen
    class Config:
        pass

    config: Config
    capabilities = Capabilities(text=10)

    @hookimpl
    def send(self, call: Call) -> Receipt:
        ENTERED.append(threading.current_thread().name)
        RELEASE.wait(10)
        return Receipt(("late",))


ENTERED: list[str] = []
RELEASE = threading.Event()


@pytest.mark.row("F7")
async def test_a_hanging_thread_keeps_its_token_until_it_ends(install: Any, configure: Any, recorder: Any) -> None:
    install("sync", Sync)
    ENTERED.clear()
    RELEASE.clear()
    clock = FakeClock()
    async with opened(
        configure, recorder, '[connections.s]\nplugin = "sync"\n', clock=clock, timeouts={"send": 0.02}
    ) as hub:
        for _ in range(MOST + 3):
            with pytest.raises((AmbiguousError, RetryableError)):
                await hub.send("s", CALL)
            await clock.advance(300)
        assert len(ENTERED) == MOST
        RELEASE.set()
        hook = hub.connections["s"].hooks["send"]
        hook.timeout = 10
        assert await hub.send("s", CALL) == Receipt(("late",))


@plugin
class Recogniser:
    @frozen
    class Config:
        answer: str = ""

    config: Config

    @hookimpl
    async def recognize(self, profile: Profile, hints: Mapping[str, str]) -> Match | None:
        if self.config.answer == "crash":
            raise OSError
        if not self.config.answer:
            return None
        return Match(customer=self.config.answer, evidence=hints.get("email", "profile"), exact=True)

    @hookimpl
    def detect_language(self, texts: Sequence[Text]) -> Sequence[Language | None]:
        if self.config.answer == "down":
            raise RetryableError("the service is down")
        if self.config.answer == "short":
            return [Language(code="xx", confidence=1)]
        if self.config.answer == "odd":
            return [Language(code="de", confidence=1.5) for _ in texts]
        return [
            Language(code=self.config.answer, confidence=1) if self.config.answer in t.text else None for t in texts
        ]

    @hookimpl
    async def score_sentiment(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        return ["not a sentiment" for _ in texts]  # type: ignore[misc]

    @hookimpl
    async def observe(self, event: Event) -> None:
        OBSERVED.append(self.config.answer)


OBSERVED: list[str] = []
ORDERS = """
[recognition]
order = ["broken", "silent", "crm", "late"]
[recognition.broken]
plugin = "r"
answer = "crash"
[recognition.silent]
plugin = "r"
[recognition.crm]
plugin = "r"
answer = "42"
[recognition.late]
plugin = "r"
answer = "43"
[enrichment]
language = ["short", "de", "en"]
sentiment = ["de"]
[enrichment.short]
plugin = "r"
answer = "short"
[enrichment.de]
plugin = "r"
answer = "de"
[enrichment.en]
plugin = "r"
answer = "en"
"""


async def test_the_first_recognizer_that_answers_wins_and_a_broken_one_is_passed_over(
    install: Any, configure: Any, recorder: Any
) -> None:
    install("r", Recogniser)
    async with opened(configure, recorder, ORDERS) as hub:
        found = await hub.recognize(Profile(address=ADA), {"email": "a@b"})
        assert found == Match(customer="42", evidence="a@b", exact=True)
        assert hub.counts["failures", "recognition.broken", "recognize"] == 1


async def test_each_text_is_answered_by_the_first_that_knows_it(install: Any, configure: Any, recorder: Any) -> None:
    install("r", Recogniser)
    async with opened(configure, recorder, ORDERS) as hub:
        texts = [Text(text="de one"), Text(text="en two"), Text(text="what?"), Text(text="de en")]
        found, outcomes = await hub.enrich("detect_language", texts)
        codes = [(one.answer and one.answer.code, one.by) for one in found]
        assert codes == [("de", "enrichment.de"), ("en", "enrichment.en"), (None, ""), ("de", "enrichment.de")]
        assert [one.plugin for one in outcomes] == ["enrichment.short", "enrichment.de", "enrichment.en"]
        assert hub.counts["failures", "enrichment.short", "detect_language"] == 1  # too few answers: none believed
        assert (await hub.enrich("score_sentiment", texts))[0] == [Found()] * 4
        assert hub.counts["failures", "enrichment.de", "score_sentiment"] == 1


async def test_an_enricher_that_gives_what_is_no_answer_is_not_believed(
    install: Any, configure: Any, recorder: Any
) -> None:
    install("r", Recogniser)
    orders = (
        ORDERS.replace('["short", "de", "en"]', '["odd", "de"]') + '[enrichment.odd]\nplugin = "r"\nanswer = "odd"\n'
    )
    async with opened(configure, recorder, orders, clock=FakeClock()) as hub:
        for _ in range(FAILURES):
            ((found,), _outcomes) = await hub.enrich("detect_language", [Text(text="de")])
            assert found.by == "enrichment.de"
        states = {one.name: (one.state, one.reason) for one in hub.status()}
        assert states["enrichment.odd"][0] == "quarantined"
        assert "'confidence' must be <= 1" in states["enrichment.odd"][1]


async def test_an_enricher_whose_service_is_down_is_passed_over_then_left_alone(
    install: Any, configure: Any, recorder: Any
) -> None:
    install("r", Recogniser)
    orders = (
        ORDERS.replace('["short", "de", "en"]', '["down", "de"]') + '[enrichment.down]\nplugin = "r"\nanswer = "down"\n'
    )
    clock = FakeClock()
    async with opened(configure, recorder, orders, clock=clock) as hub:
        for _ in range(FAILURES + 2):
            ((found,), _) = await hub.enrich("detect_language", [Text(text="de")])
            assert found == Found(Language(code="de", confidence=1.0), "enrichment.de")
        assert hub.counts["failures", "enrichment.down", "detect_language"] == FAILURES
        states = {one.name: (one.state, one.reason) for one in hub.status()}
        state, reason = states["enrichment.down"]
        assert state == "quarantined"
        assert reason.startswith("detect_language: RetryableError: the service is down (test_hub.py:")


async def test_every_observer_sees_a_recorded_event(install: Any, configure: Any, recorder: Any) -> None:
    install("r", Recogniser)
    OBSERVED.clear()
    async with opened(configure, recorder, ORDERS) as hub:
        await hub.observe(message(), "support")
        assert sorted(OBSERVED) == ["", "42", "43", "crash", "de", "en", "short"]


async def test_cancellation_passes_through_a_call(configure: Any, recorder: Any) -> None:
    BEHAVIOURS["a"].send = hang
    async with opened(configure, recorder) as hub:
        with anyio.move_on_after(0.02) as scope:
            await hub.send("a", CALL)
        assert scope.cancelled_caught
        assert hub.status()[0].state == "ready"


def test_a_plugin_error_names_plugin_hook_and_reason() -> None:
    assert str(PluginError("connections.a", "send", "hangs")) == "connections.a: hook send: hangs"
