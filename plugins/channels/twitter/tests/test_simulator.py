"""The simulated X refuses what X refuses, and signs as X signs."""

from typing import Any

import pytest

from channelry.model import MessageReceived, Request, Surface
from channelry.secrets import Secret
from channelry.services import HttpResponse, Services
from channelry_twitter.connection import ORIGIN
from channelry_twitter.plugin import Twitter
from channelry_twitter.simulator import TwitterSimulator

pytestmark = pytest.mark.anyio

BODY = rb'{"hello":"w\u00f6rld"}'


async def test_it_signs_with_the_published_signature(simulator: TwitterSimulator) -> None:
    simulator.consumer_secret = "x_consumer_secret"
    signed = simulator.signed(Request("POST", "/", (), BODY, simulator.now()))
    assert signed.header(b"x-twitter-webhooks-signature") == b"sha256=5DgFux6WLVzAHKrpvNSyikRW4TEEkam8R9IGT8OeH6A="


@pytest.mark.row("A3")
async def test_what_a_customer_writes_is_signed_and_understood(simulator: TwitterSimulator, twitter: Twitter) -> None:
    told = []
    for request in (
        simulator.message("222", "héllo 😀"),
        simulator.mention("222", "@us héllo 😀"),
        simulator.mention("222", "@us héllo 😀", "8000"),
    ):
        twitter.verify(request)
        (event,) = twitter.parse(request).events
        assert isinstance(event, MessageReceived)
        assert (event.sender.address.value, event.sender.name, event.account) == ("222", "Customer 222", "111")
        told.append((event.surface, event.text, request.path))
    assert told == [
        (Surface.DIRECT, "héllo 😀", "/"),
        (Surface.MENTION, "@us héllo 😀", "/"),
        (Surface.COMMENT, "@us héllo 😀", "/"),
    ]


async def test_its_challenge_is_taken_and_any_body_can_be_signed(simulator: TwitterSimulator, twitter: Twitter) -> None:
    twitter.verify(simulator.challenge())
    twitter.verify(simulator.signed(simulator.challenge()))
    for body in (b"", b"\xff\xfe", b"{}"):
        twitter.verify(simulator.signed(Request("POST", "/", (), body, simulator.now())))


async def post(desk: Services, simulator: TwitterSimulator, path: str, body: Any, method: str = "POST") -> HttpResponse:
    simulator.oauth2 = True
    simulator.access["token"] = desk.clock.now().timestamp() + 60
    headers = {"authorization": "Bearer token"}
    return await desk.http.request(method, f"{ORIGIN}{path}", headers=headers, json=body)


DM, POST, UPLOAD = "/2/dm_conversations/with/222/messages", "/2/tweets", "/2/media/upload/initialize"
IMAGE = {"media_type": "image/png", "total_bytes": 9, "media_category": "tweet_image"}
REFUSED: list[tuple[str, Any, int, str]] = [
    (DM, {}, 400, "text or attachments"),
    (DM, [], 400, "object"),
    (DM, {"text": "a" * 10_001}, 400, "too long"),
    (DM, {"text": "a", "txet": "b"}, 400, "unknown field txet"),
    (DM, {"attachments": [{"media_id": "1"}, {"media_id": "2"}]}, 400, "one attachment"),
    (DM, {"attachments": [{"media_id": "1"}]}, 400, "invalid"),
    (POST, {}, 400, "text or media"),
    (POST, {"text": "a" * 281}, 403, "too long"),
    (POST, {"text": "日" * 141}, 403, "too long"),
    (POST, {"text": "a", "reply": {"to": "1"}}, 400, "unknown field to"),
    (POST, {"text": "a", "media": {"media_ids": ["1"]}}, 400, "invalid"),
    (UPLOAD, IMAGE | {"media_category": "tweet_document"}, 400, "media_category"),
    (UPLOAD, IMAGE | {"total_bytes": 5_000_001}, 400, "total_bytes"),
    (UPLOAD, IMAGE | {"name": "x"}, 400, "unknown field name"),
    ("/2/media/upload/1/finalize", {}, 404, "Not Found"),
    ("/2/users/112/likes", {"tweet_id": "1"}, 403, "not permitted"),
]


@pytest.mark.parametrize(("path", "body", "status", "said"), REFUSED, ids=range(len(REFUSED)))
async def test_what_x_would_refuse_is_refused(
    simulator: TwitterSimulator, desk: Services, path: str, body: Any, status: int, said: str
) -> None:
    answer = await post(desk, simulator, path, body)
    assert answer.status == status
    assert said in answer.body.decode()
    assert simulator.ledger.taken == []


async def test_five_pictures_or_two_videos_are_too_many(simulator: TwitterSimulator, desk: Services) -> None:
    simulator.uploads.update({str(n): "tweet_image" for n in range(5)} | {"8": "tweet_video", "9": "tweet_video"})
    for ids, status in ((["0", "1", "2", "3", "4"], 400), (["8", "9"], 400), (["8", "0"], 400), (["0", "1"], 201)):
        assert (await post(desk, simulator, POST, {"text": "a", "media": {"media_ids": ids}})).status == status


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer wrong", "Bearer é", 'OAuth oauth_token="simulated-access-token"', "Basic QQ==", "OAuth"],
)
@pytest.mark.parametrize("path", ["/2/users/me", "/2/webhooks", "/2/activity/subscriptions"])
async def test_without_credentials_nothing_is_told(
    simulator: TwitterSimulator, desk: Services, path: str, authorization: str
) -> None:
    answer = await desk.http.request("GET", f"{ORIGIN}{path}", headers={"authorization": authorization})
    assert answer.status == 401


async def test_an_access_token_ends_after_two_hours(simulator: TwitterSimulator, desk: Services) -> None:
    assert (await post(desk, simulator, DM, {"text": "a"})).status == 201
    simulator.access["token"] = desk.clock.now().timestamp()
    answer = await desk.http.request("GET", f"{ORIGIN}/2/users/me", headers={"authorization": "Bearer token"})
    assert answer.status == 401


@pytest.mark.parametrize("oauth2", [False, True])
async def test_its_settings_are_a_connections(simulator: TwitterSimulator, oauth2: bool) -> None:
    simulator.oauth2 = oauth2
    settings = simulator.settings("http://127.0.0.1:1")
    assert settings.pop("plugin") == "twitter"
    secrets = {name for name in settings if "secret" in name or "token" in name}
    settings |= {name: Secret(settings[name]) for name in secrets}
    settings["consumer_secret"] = (settings["consumer_secret"],)
    assert Twitter(Twitter.Config(**settings)).account == simulator.user_id
