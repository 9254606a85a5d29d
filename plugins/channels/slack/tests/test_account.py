"""The workspace's own affairs against the simulated Slack: credentials, tokens that rotate, names, files."""

from typing import Any

import orjson
import pytest
from attrs import evolve

from channelry.errors import AuthError, PermanentError, RetryableError
from channelry.model import Address, Kind, Media, Profile
from channelry.secrets import Secret
from channelry.services import Services
from channelry_slack.connection import FILES_ORIGIN
from channelry_slack.plugin import Slack
from channelry_slack.simulator import SlackSimulator
from channelry_testing import AsgiHttp, FakeClock, services

from .conftest import ORIGIN

pytestmark = pytest.mark.anyio

DI = Address("slack", "Udi", "T0000000001")


async def nothing(piece: bytes) -> None:
    raise AssertionError(piece)


def answering(*answers: Any, **headers: str) -> Services:
    """Give services to a Slack that gives these answers in their order, the last of them for ever."""
    left = list(answers)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        answer = left.pop(0) if len(left) > 1 else left[0]
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": sent})
        await send({"type": "http.response.body", "body": orjson.dumps(answer)})

    return services(http=AsgiHttp({ORIGIN: app, FILES_ORIGIN: app}))


async def test_check_finds_a_good_token(slack: Slack, simulator: SlackSimulator, desk: Services) -> None:
    await slack.check(desk)
    assert [entry.path for entry in simulator.ledger.entries] == ["/api/auth.test"]


async def test_check_tells_what_is_wrong(slack: Slack, simulator: SlackSimulator, desk: Services) -> None:
    config = slack.config
    with pytest.raises(PermanentError, match="workspace T0000000001, but team_id is T2"):
        await Slack(evolve(config, team_id="T2")).check(desk)
    with pytest.raises(AuthError, match="signing_secret"):
        await Slack(evolve(config, signing_secret=())).check(desk)
    with pytest.raises(AuthError, match="invalid_auth"):
        await Slack(evolve(config, bot_token=Secret("xoxb-another"))).check(desk)
    simulator.scopes = "chat:write,im:history,im:write,reactions:write,users:read"
    with pytest.raises(AuthError, match="lacks files:read, files:write"):
        await slack.check(desk)


async def test_a_person_has_a_name_a_picture_and_a_locale(slack: Slack, desk: Services) -> None:
    assert await slack.profile(DI, desk) == Profile(
        address=DI, name="Customer Udi", picture="https://avatars.example/Udi", locale="en-GB"
    )


async def test_a_mail_address_that_slack_shows_is_an_alias(slack: Slack) -> None:
    told = {"display_name": "", "real_name": "Di Dee", "first_name": "Di", "email": "Di@Example.com"}
    found = await slack.profile(DI, answering({"ok": True, "user": {"profile": told}}))
    assert found == Profile(address=DI, name="Di Dee", first_name="Di", aliases=(Address("email", "di@example.com"),))


async def test_apps_channels_and_strangers_have_no_profile(
    slack: Slack, simulator: SlackSimulator, desk: Services
) -> None:
    for value in ("B1", "C1"):
        assert await slack.profile(evolve(DI, value=value), desk) is None
    assert not simulator.ledger.entries
    assert await slack.profile(evolve(DI, value="Wgone"), desk) is None


async def test_a_file_is_downloaded_with_the_token(slack: Slack, simulator: SlackSimulator, desk: Services) -> None:
    saved: list[bytes] = []

    async def save(piece: bytes) -> None:
        saved.append(piece)

    media = await slack.fetch(Media(kind=Kind.IMAGE, id=simulator.hold(b"a file", "image/png")), save, desk)
    assert (b"".join(saved), media.media_type, media.size) == (b"a file", "image/png", 6)


async def test_a_file_of_another_service_is_fetched_without_the_token(slack: Slack, desk: Services) -> None:
    shown: list[list[bytes]] = []

    async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
        shown.append([name for name, _ in scope["headers"]])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a plan"})

    async def save(piece: bytes) -> None:
        assert piece == b"a plan"

    given = evolve(desk, http=AsgiHttp({"https://docs.example": elsewhere}))
    assert (await slack.fetch(Media(kind=Kind.DOCUMENT, url="https://docs.example/d/7"), save, given)).size == 6
    assert b"authorization" not in shown[0]


async def test_a_login_page_is_not_taken_for_the_file(slack: Slack, simulator: SlackSimulator, desk: Services) -> None:
    """Slack answers with one, and with status 200, where the token may not read files."""

    async def save(piece: bytes) -> None:
        pass

    file_id = simulator.hold(b"<html>Log in</html>", "text/html")
    with pytest.raises(AuthError, match="files:read"):
        await slack.fetch(Media(kind=Kind.IMAGE, id=file_id, media_type="image/png"), save, desk)
    page = await slack.fetch(Media(kind=Kind.DOCUMENT, id=file_id, media_type="text/html"), save, desk)
    assert page.size == 19


@pytest.mark.parametrize("media", [Media(kind=Kind.IMAGE, id="F0"), Media(kind=Kind.IMAGE)])
async def test_a_file_that_is_gone_is_a_permanent_error(slack: Slack, desk: Services, media: Media) -> None:
    with pytest.raises(PermanentError):
        await slack.fetch(media, nothing, desk)


def rotating(simulator: SlackSimulator, **changes: Any) -> Slack:
    simulator.rotating = True
    config = Slack.Config(
        signing_secret=(Secret(simulator.signing_secret),),
        refresh_token=Secret(simulator.refresh_token),
        client_id=simulator.client_id,
        client_secret=Secret(simulator.client_secret),
    )
    return Slack(evolve(config, **changes))


def renewals(simulator: SlackSimulator) -> int:
    return sum("oauth" in entry.path for entry in simulator.ledger.entries)


async def test_a_token_is_renewed_before_it_ends_each_time_by_the_newest_refresh_token(
    simulator: SlackSimulator, desk: Services, clock: FakeClock
) -> None:
    """In the connection's state, where other processes find it."""
    first = rotating(simulator)
    for hours, renewed in ((0, 1), (10.9, 1), (0.2, 2), (10.9, 2), (14, 3)):
        await clock.advance(hours * 3600)
        await first.open(desk)
        await Slack(first.config).check(desk)
        assert renewals(simulator) == renewed


async def test_a_token_that_ended_before_its_time_is_replaced_once(simulator: SlackSimulator) -> None:
    good = {"ok": True, "access_token": "xoxe.xoxb-1", "refresh_token": "xoxe-2", "expires_in": 43200}
    expired = {"ok": False, "error": "token_expired"}
    await rotating(simulator).check(answering(good, expired, good, {"ok": True, "team_id": "T0000000001"}))
    with pytest.raises(AuthError, match="token_expired"):
        await rotating(simulator).check(answering(good, expired, good, expired))


async def test_an_app_that_was_installed_anew_begins_with_the_configured_refresh_token(
    simulator: SlackSimulator, desk: Services
) -> None:
    await rotating(simulator).check(desk)
    simulator.refresh_token = "xoxe-1-anew"
    await rotating(simulator).check(desk)
    assert renewals(simulator) == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"refresh_token": Secret("xoxe-1-used")}, "install the app again: invalid_refresh_token"),
        ({"client_secret": Secret("another-client-secret")}, "install the app again: bad_client_secret"),
        ({"client_secret": None}, "set bot_token"),
        ({"refresh_token": None}, "set bot_token"),
    ],
)
async def test_without_the_right_to_a_token_nothing_is_asked(
    simulator: SlackSimulator, desk: Services, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(AuthError, match=told):
        await rotating(simulator, **changes).check(desk)


@pytest.mark.parametrize("answer", [[], {}, {"ok": True, "access_token": 3}, {"ok": False, "error": "ratelimited"}])
async def test_a_renewal_that_cannot_be_read_is_tried_again(simulator: SlackSimulator, answer: Any) -> None:
    with pytest.raises(RetryableError):
        await rotating(simulator).check(answering(answer))


@pytest.mark.row("F10")
def test_no_secret_shows(simulator: SlackSimulator) -> None:
    canary = Secret("canary-7f3a")
    slack = rotating(simulator, signing_secret=(canary,), bot_token=canary, refresh_token=canary, client_secret=canary)
    assert "canary" not in repr(slack)
