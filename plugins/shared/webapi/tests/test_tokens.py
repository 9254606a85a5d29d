"""Tokens that end: renewed once, by one process, and never lost."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import orjson
import pytest
from attrs import define, evolve, field

from channelry.errors import AuthError, RetryableError, SendError
from channelry.secrets import Secret, redact
from channelry.services import HttpResponse, MemoryState, Services
from channelry_testing import FakeClock, services
from channelry_webapi import Grant, Issued, Tokens

pytestmark = pytest.mark.anyio


@define
class Provider:
    """Issues tokens of two hours, for the refresh token that it gave last, once."""

    refresh: str = "begin-0"
    issued: list[str] = field(factory=list)
    before: Callable[[], Awaitable[object]] = anyio.lowlevel.checkpoint
    after: Callable[[], Awaitable[object]] = anyio.lowlevel.checkpoint

    async def renew(self, refresh: Secret, _: Services) -> Issued:
        await self.before()
        if refresh.reveal() != self.refresh:
            raise AuthError("spent", code="token")
        self.issued.append(f"access-{len(self.issued)}")
        self.refresh = f"refresh-{len(self.issued)}"
        found = Issued(Secret(self.issued[-1]), 7200.0, Secret(self.refresh))
        await self.after()
        return found


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def tokens(provider: Provider) -> Tokens:
    return Tokens(Secret("begin-0"), provider.renew)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ours(clock: FakeClock) -> Services:
    return services(clock=clock)


def another(tokens: Tokens) -> Tokens:
    """Give those of another process, or of this one after a restart."""
    return Tokens(tokens.origin, tokens.renew, tokens.early)


async def test_a_token_is_asked_for_once_and_kept(tokens: Tokens, provider: Provider, ours: Services) -> None:
    got = [(await one.access(ours)).reveal() for one in (tokens, tokens, another(tokens))]
    assert got == ["access-0"] * 3
    assert provider.issued == ["access-0"]


async def test_before_it_ends_it_is_replaced_and_so_is_the_refresh_token(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    for _ in range(3):
        await tokens.access(ours)
        await clock.advance(7_150)
    assert provider.issued == ["access-0", "access-1", "access-2"]


async def test_without_a_next_refresh_token_the_last_one_is_good_again(ours: Services, clock: FakeClock) -> None:
    """So an app's secret serves for ever, and stays out of the state."""
    asked = []

    async def renew(refresh: Secret, _: Services) -> Issued:
        asked.append(refresh.reveal())
        return Issued(Secret(f"short-{len(asked)}"), 900.0)

    tokens = Tokens(Secret("app-secret"), renew)
    for _ in range(2):
        await tokens.access(ours)
        await clock.advance(900)
    assert asked == ["app-secret", "app-secret"]
    assert "app-secret" not in repr(vars(ours.state))


async def test_a_refused_token_is_replaced_once_for_all_who_were_refused(
    tokens: Tokens, provider: Provider, ours: Services
) -> None:
    shown = await tokens.headers(ours, "GET", "/")
    assert shown == {"authorization": "Bearer access-0"}
    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(tokens.replace, ours, shown)
    assert await tokens.headers(ours, "GET", "/") == {"authorization": "Bearer access-1"}
    assert len(provider.issued) == 2


async def test_a_hundred_who_ask_at_once_have_one_renewed(tokens: Tokens, provider: Provider, ours: Services) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(tokens.access, ours)
    assert len(provider.issued) == 1


async def test_one_process_renews_at_a_time(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    """The other one tries again in a second; while the old token lives, it uses that."""
    second = another(tokens)

    async def meanwhile() -> None:
        provider.before = anyio.lowlevel.checkpoint
        with pytest.raises(RetryableError) as raised:
            await second.access(ours)
        assert raised.value.retry_after == 1.0

    provider.before = meanwhile
    await tokens.access(ours)
    await clock.advance(7_150)

    async def again() -> None:
        provider.before = anyio.lowlevel.checkpoint
        assert (await second.access(ours)).reveal() == "access-0"

    provider.before = again
    assert (await tokens.access(ours)).reveal() == "access-1"
    assert len(provider.issued) == 2


async def test_processes_that_renew_at_the_same_moment_spend_no_refresh_token_twice(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    """Each look at the state takes a while, so that all of them look before one writes."""

    class Slow(MemoryState):
        async def get(self, key: str) -> str | None:
            await anyio.lowlevel.checkpoint()
            return await super().get(key)

        async def compare_and_set(self, key: str, old: str | None, new: str | None) -> bool:
            await anyio.lowlevel.checkpoint()
            return await super().compare_and_set(key, old, new)

    slow, outcomes = evolve(ours, state=Slow()), list[str]()

    async def ask(process: Tokens) -> None:
        try:
            outcomes.append((await process.access(slow)).reveal())
        except RetryableError as error:
            outcomes.append(error.code)

    for round_ in range(3):
        outcomes.clear()
        async with anyio.create_task_group() as tasks:
            for process in [another(tokens) for _ in range(5)]:
                for _ in range(5):
                    tasks.start_soon(ask, process)
        assert set(outcomes) <= {f"access-{round_}", "token"}
        assert f"access-{round_}" in outcomes
        await clock.advance(7_200)
    assert len(provider.issued) == 3


async def test_a_process_that_died_over_it_holds_nobody_up_for_more_than_a_minute(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    class Dying(MemoryState):
        async def compare_and_set(self, key: str, old: str | None, new: str | None) -> bool:
            if self._values.get(key) is not None:
                raise KeyboardInterrupt  # whatever comes after the lease never happens
            return await super().compare_and_set(key, old, new)

    dying = Dying()
    provider.before = _fail(RetryableError("down"))
    with pytest.raises(KeyboardInterrupt):
        await another(tokens).access(evolve(ours, state=dying))
    survivor = MemoryState()
    survivor._values.update(dying._values)
    ours, provider.before = evolve(ours, state=survivor), anyio.lowlevel.checkpoint
    with pytest.raises(RetryableError):
        await tokens.access(ours)
    await clock.advance(61)
    assert (await tokens.access(ours)).reveal() == "access-0"


def _fail(error: SendError) -> Callable[[], Awaitable[object]]:
    async def fail() -> object:
        raise error

    return fail


async def test_who_loses_the_race_leaves_the_winners_token(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    """A process that slept through its lease comes back with an answer; what stands there is the newer one."""
    second = another(tokens)

    async def asleep() -> None:
        provider.after = anyio.lowlevel.checkpoint
        provider.refresh = "begin-0"  # the provider lets the old one live for a while, as some do
        await clock.advance(61)
        assert (await second.access(ours)).reveal() == "access-1"

    provider.after = asleep
    with pytest.raises(RetryableError):
        await tokens.access(ours)
    assert (await tokens.access(ours)).reveal() == "access-1"


async def test_while_a_token_lives_it_serves_on_where_renewing_fails(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    """And for a minute nobody tries again; once it has ended everybody is told, and the next one tries at once."""
    tokens = Tokens(tokens.origin, provider.renew, early=3600.0)
    await tokens.access(ours)
    tried = 0

    async def down() -> None:
        nonlocal tried
        tried += 1
        raise RetryableError("down", code="503")

    provider.before = down
    for wait, attempts in ((3_700, 1), (30, 1), (31, 2)):
        await clock.advance(wait)
        assert ((await tokens.access(ours)).reveal(), tried) == ("access-0", attempts)
    await clock.advance(3_600)
    for attempts in (3, 4):
        with pytest.raises(RetryableError, match="down"):
            await tokens.access(ours)
        assert tried == attempts
    provider.before = anyio.lowlevel.checkpoint
    assert (await tokens.access(ours)).reveal() == "access-1"


async def test_a_spent_refresh_token_asks_for_a_person_and_a_new_one_begins_a_new_chain(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    await tokens.access(ours)
    provider.refresh = "begin-1"
    await clock.advance(7_200)
    for _ in range(2):
        with pytest.raises(AuthError):
            await tokens.access(ours)
    anew = Tokens(Secret("begin-1"), provider.renew)
    assert (await anew.access(ours)).reveal() == "access-1"
    assert (await another(anew).access(ours)).reveal() == "access-1"


async def test_a_process_with_the_old_configuration_does_not_end_the_new_chain(
    tokens: Tokens, provider: Provider, ours: Services
) -> None:
    await tokens.access(ours)
    provider.refresh = "begin-1"
    anew = Tokens(Secret("begin-1"), provider.renew)
    got = [(await one.access(ours)).reveal() for one in (anew, tokens, anew)]
    assert got == ["access-1", "access-0", "access-1"]


async def test_a_cancelled_caller_does_not_lose_the_next_refresh_token(
    tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock
) -> None:
    with anyio.CancelScope() as scope:

        async def cancel() -> None:
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        provider.after = cancel
        await tokens.access(ours)
        await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    await clock.advance(7_200)
    assert (await tokens.access(ours)).reveal() == "access-1"


async def test_a_cancelled_caller_holds_up_nobody_who_waits(tokens: Tokens, provider: Provider, ours: Services) -> None:
    started, got = anyio.Event(), []

    async def first() -> None:
        with anyio.CancelScope() as scope:

            async def cancel() -> None:
                started.set()
                scope.cancel()
                await anyio.lowlevel.checkpoint()

            provider.before = cancel
            await tokens.access(ours)

    async def second() -> None:
        await started.wait()
        got.append((await tokens.access(ours)).reveal())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        tasks.start_soon(second)
    assert (got, provider.issued) == (["access-0"], ["access-0"])


async def test_a_provider_that_never_answers_is_given_up(
    tokens: Tokens, provider: Provider, ours: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channelry_webapi.tokens.PATIENCE", 0.0)
    provider.before = anyio.sleep_forever
    with pytest.raises(RetryableError, match="in time"):
        await tokens.access(ours)
    monkeypatch.undo()
    provider.before = anyio.lowlevel.checkpoint
    assert (await tokens.access(ours)).reveal() == "access-0"


def test_tokens_outlive_their_event_loop(tokens: Tokens, provider: Provider, ours: Services, clock: FakeClock) -> None:
    """One connection is closed, and opened again in another loop, also of the other kind."""

    async def both() -> set[str]:
        got: set[str] = set()

        async def one() -> None:
            got.add((await tokens.access(ours)).reveal())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)
        await clock.advance(7_200)
        return got

    loops = ("asyncio", "trio", "asyncio")
    assert [anyio.run(both, backend=loop) for loop in loops] == [{"access-0"}, {"access-1"}, {"access-2"}]


@pytest.mark.row("F10")
async def test_tokens_are_masked_in_every_text(tokens: Tokens, provider: Provider, ours: Services) -> None:
    """Also those that another process has had issued."""
    await tokens.access(ours)
    second = another(tokens)
    await second.access(ours)
    assert redact(f"{provider.issued[0]} and {provider.refresh}") == "*** and ***"
    assert "access-0" not in repr(second)


@define(eq=False)
class Endpoint:
    """A token endpoint that gives one answer; `asked` is how."""

    status: int
    body: Any
    asked: list[Any] = field(factory=list)

    async def request(self, *_: Any, **options: Any) -> HttpResponse:
        self.asked.append(options)
        return HttpResponse(self.status, {}, orjson.dumps(self.body))


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, {"access_token": "A1", "expires_in": 900, "refresh_token": "R1"}, ("A1", 900.0, "R1")),
        (200, {"ok": True, "access_token": "A1"}, ("A1", 3600.0, None)),
        (200, {}, RetryableError),
        (200, [], RetryableError),
        (200, {"ok": False, "error": "invalid_refresh_token"}, AuthError),
        (200, {"ok": False, "error": "internal_error"}, RetryableError),
        (400, {"error": "invalid_grant", "error_description": "It was used.\nTwice."}, AuthError),
        (400, [], AuthError),
        (302, [], RetryableError),
        (408, [], RetryableError),
        (401, {"error": "invalid_client"}, AuthError),
        (429, {}, RetryableError),
        (503, {}, RetryableError),
    ],
)
async def test_what_a_token_endpoint_answers(status: int, body: Any, found: Any) -> None:
    grant = Grant(url="/token", client_id="app", passing={"internal_error"}, mend="install the app again")
    asked = grant(Secret("R0"), services(http=Endpoint(status, body)))
    if isinstance(found, tuple):
        issued = await asked
        assert (issued.access.reveal(), issued.seconds, issued.refresh and issued.refresh.reveal()) == found
        return
    with pytest.raises(SendError) as raised:
        await asked
    assert type(raised.value) is found
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "reason"), [({}, "HTTP 400"), ({"message": "no such app"}, "no such app"), ({"error": "e"}, "e")]
)
async def test_what_a_token_endpoint_says_is_repeated(body: Any, reason: str) -> None:
    with pytest.raises(AuthError, match=f"; do so: {reason}$"):
        await Grant(url="/token", client_id="app", mend="do so")(Secret("R0"), services(http=Endpoint(400, body)))


@pytest.mark.row("F10")
async def test_the_apps_secret_is_masked_in_every_spelling() -> None:
    class Echoing:
        async def request(self, *_: Any, headers: Any, **__: Any) -> HttpResponse:
            return HttpResponse(401, {}, orjson.dumps({"error_description": f"bad {headers['authorization']}"}))

    http: Any = Echoing()
    grant = Grant(url="/token", client_id="cid", client_secret=Secret("cl1ent-s3cret"), header=True, mend="do so")
    with pytest.raises(AuthError) as raised:
        await grant(Secret("R0"), services(http=http))
    assert str(raised.value).endswith("bad Basic ***")


@pytest.mark.parametrize(
    ("given", "form", "authorization"),
    [
        ({"grant_type": "client_credentials"}, "grant_type=client_credentials client_id=app client_secret=R0", None),
        ({}, "grant_type=refresh_token client_id=app refresh_token=R0", None),
        (
            {"client_secret": Secret("hush")},
            "grant_type=refresh_token client_id=app refresh_token=R0 client_secret=hush",
            None,
        ),
        ({"header": True}, "grant_type=refresh_token client_id=app refresh_token=R0", None),
        (
            {"grant_type": "client_credentials", "header": True},
            "grant_type=client_credentials client_id=app",
            "Basic YXBwOlIw",
        ),
        (
            {"client_secret": Secret("hush"), "header": True},
            "grant_type=refresh_token client_id=app refresh_token=R0",
            "Basic YXBwOmh1c2g=",
        ),
    ],
)
async def test_what_a_token_endpoint_is_asked(given: Any, form: str, authorization: str | None) -> None:
    """RFC 6749: 4.4.2, 6, and 2.3.1 for how an app shows its secret."""
    http = Endpoint(200, {"access_token": "A1"})
    await Grant(url="/token", client_id="app", mend="", **given)(Secret("R0"), services(http=http))
    (asked,) = http.asked
    assert " ".join(map("=".join, asked["form"])) == form
    assert (asked["headers"] or {}).get("authorization") == authorization
