"""The contract holds for shapes that our first channels do not have: three plugins as outsiders would write them."""

import base64
import hmac
import queue
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio.from_thread
import pytest
from attrs import frozen

from channelry import hookimpl, plugin
from channelry.errors import RejectedError
from channelry.hookspecs import Deliver
from channelry.hub import open_hub
from channelry.model import (
    Address,
    Call,
    Capabilities,
    Event,
    MessageReceived,
    Outbound,
    Profile,
    Received,
    Request,
    Response,
    SendMessage,
    Surface,
    Thread,
    Unparsed,
)
from channelry.parsing import each, identifier, mapping, received, string
from channelry.secrets import Secret, Secrets
from channelry.services import Services
from channelry_testing import FakeClock

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def request(body: bytes, path: str = "/hooks/x", public_url: str = "", **headers: str) -> Request:
    pairs = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Request("POST", path, pairs, body, NOON, public_url or f"https://care.example.com{path}")


# One: a form webhook whose signature covers the public URL, as an SMS gateway has it


@plugin
class FormSms:
    @frozen
    class Config:
        account_sid: str
        auth_token: Secret

    config: Config
    capabilities = Capabilities(text=1600)

    @hookimpl
    def verify(self, request: Request) -> None:
        signed = request.public_url + "".join(name + value for name, value in sorted(request.form()))
        mac = hmac.digest(self.config.auth_token.encode(), signed.encode(), "sha1")
        if not hmac.compare_digest(base64.b64encode(mac), request.header(b"x-twilio-signature")):
            raise RejectedError

    @hookimpl
    def parse(self, request: Request) -> Received:
        form = dict(request.form())
        address = Address("phone", form["From"])
        message = MessageReceived(
            key=form["MessageSid"],
            occurred_at=request.received_at,
            sender=Profile(address=address),
            external_id=form["MessageSid"],
            text=form["Body"],
        )
        return Received(request, (message,), Response(200, b"<Response/>", "text/xml"))


SMS = """
allow_inline_secrets = true
[server]
public_url = "https://care.example.com/"
[connections.sms]
plugin = "sms"
account_sid = "AC1"
auth_token = "twilio_auth_token"
"""
# The published vector: URL, sorted fields and SHA-1 as the vendor's validator computes them.
SMS_BODY = (
    b"From=%2B15005550006&To=%2B15005550001&Body=Hi+there&MessageSid=SM00000000000000000000000000000001&NumMedia=0"
)
SMS_SIGNATURE = "BnSqaDtLZWC1PzI97gQ5pI02rl0="


async def test_a_form_webhook_is_verified_over_the_public_url(
    install: Any, configure: Callable[..., Any], recorder: Any
) -> None:
    install("sms", FormSms)
    async with open_hub(configure(SMS), recorder.app) as hub:
        assert hub.webhook_url("sms") == "https://care.example.com/hooks/sms"
        good = request(SMS_BODY, "/hooks/sms?tenant=7", x_twilio_signature=SMS_SIGNATURE)
        answer = await hub.receive("sms", good)
        assert (answer.status, answer.body, answer.media_type) == (200, b"<Response/>", "text/xml")
        ((connection, event),) = recorder.events
        assert (connection, event.text, event.sender.address.value) == ("sms", "Hi there", "+15005550006")
        moved = request(SMS_BODY, "/hooks/sms?tenant=8", x_twilio_signature=SMS_SIGNATURE)
        assert (await hub.receive("sms", moved)).status == 401
        assert len(recorder.events) == 1


# Two: direct messages and comments of one page share the app's only callback


def signed_by_app(secrets: Secrets, request: Request) -> None:
    for secret in secrets:
        mac = hmac.digest(secret.encode(), request.body, "sha256").hex().encode()
        if hmac.compare_digest(mac, request.header(b"x-app-signature")):
            return
    raise RejectedError


@frozen
class PageConfig:
    page_id: str
    app_secret: Secrets


def profile_of(value: Any, page: str) -> Profile:
    return Profile(address=Address("page-user", identifier(value), page))


@plugin
class Direct:
    Config = PageConfig
    config: PageConfig
    capabilities = Capabilities(text=2000)

    @property
    def account(self) -> str:
        return self.config.page_id

    @hookimpl
    def verify(self, request: Request) -> None:
        signed_by_app(self.config.app_secret, request)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return received(request, lambda body: self._events(body, request))

    def _events(self, body: Any, request: Request) -> Iterator[Event | str]:
        for entry in body["entry"]:
            page = identifier(entry["id"])

            def message(row: Any, page: str = page) -> MessageReceived:
                mid = identifier(row["message"]["mid"])
                return MessageReceived(
                    account=page,
                    key=mid,
                    occurred_at=request.received_at,
                    sender=profile_of(row["sender"]["id"], page),
                    external_id=mid,
                    text=string(row["message"].get("text")),
                )

            yield from each(entry.get("messaging", []), message, request.received_at)


@plugin
class Feed:
    Config = PageConfig
    config: PageConfig
    capabilities = Capabilities(text=8000, surfaces=frozenset({Surface.COMMENT}))

    @property
    def account(self) -> str:
        return self.config.page_id

    @hookimpl
    def verify(self, request: Request) -> None:
        signed_by_app(self.config.app_secret, request)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return received(request, lambda body: self._events(body, request))

    def _events(self, body: Any, request: Request) -> Iterator[Event | str]:
        for entry in body["entry"]:
            page = identifier(entry["id"])

            def comment(row: Any, page: str = page) -> MessageReceived | str:
                value = mapping(row["value"])
                if value["item"] != "comment":
                    return f"feed {value['item']}"
                ident = identifier(value["comment_id"])
                return MessageReceived(
                    account=page,
                    key=f"{ident}:{value['verb']}",
                    occurred_at=request.received_at,
                    sender=profile_of(value["from"]["id"], page),
                    external_id=ident,
                    text=string(value.get("message")),
                    surface=Surface.COMMENT,
                    thread=Thread(root=identifier(value["post_id"]), depth=1, private=False),
                )

            yield from each(entry.get("changes", []), comment, request.received_at)


SHARED = """
allow_inline_secrets = true
[connections.direct-55]
plugin = "direct"
endpoint = "app"
page_id = "55"
app_secret = "s3cret"
[connections.direct-66]
plugin = "direct"
endpoint = "app"
page_id = "66"
app_secret = ["s3cret", "old-s3cret"]
[connections.feed-55]
plugin = "feed"
endpoint = "app"
page_id = "55"
app_secret = "s3cret"
"""
MIXED = (
    b'{"object":"page","entry":['
    b'{"id":"55","messaging":[{"sender":{"id":"P1"},"message":{"mid":"m1","text":"direct"}}],'
    b'"changes":[{"field":"feed","value":{"item":"comment","verb":"add","comment_id":"c1","post_id":"55_9",'
    b'"from":{"id":"P1"},"message":"comment"}},{"field":"feed","value":{"item":"like"}}]},'
    b'{"id":"66","messaging":[{"sender":{"id":"P2"},"message":{"mid":"m2"}},{"sender":{}}]},'
    b'{"id":"77","messaging":[{"sender":{"id":"P3"},"message":{"mid":"m3"}}]}]}'
)


def by_app(body: bytes, secret: bytes = b"s3cret") -> Request:
    return request(body, "/hooks/app", x_app_signature=hmac.digest(secret, body, "sha256").hex())


@pytest.mark.row("F9")
async def test_connections_that_share_an_endpoint_each_get_their_own_events(
    install: Any, configure: Callable[..., Any], recorder: Any
) -> None:
    install("direct", Direct)
    install("feed", Feed)
    async with open_hub(configure(SHARED), recorder.app) as hub:
        assert list(hub.endpoints) == ["app"]
        assert (await hub.receive("app", by_app(MIXED))).status == 200
        keys = {(connection, type(event).__name__, getattr(event, "text", "")) for connection, event in recorder.events}
        assert keys == {
            ("direct-55", "MessageReceived", "direct"),
            ("direct-66", "MessageReceived", ""),
            ("direct-55", "Unparsed", ""),  # a broken row has no account: the first of its kind keeps it
            ("feed-55", "MessageReceived", "comment"),
            ("", "MessageReceived", ""),  # page 77 is nobody's: journaled and counted
        }
        assert hub.counts["unclaimed", "app"] == 1
        assert hub.counts["ignored", "feed-55", "feed like"] == 1
        assert all(one.request.body == MIXED for one in recorder.received)


async def test_a_connection_takes_only_events_that_its_own_secrets_signed(
    install: Any, configure: Callable[..., Any], recorder: Any
) -> None:
    install("direct", Direct)
    install("feed", Feed)
    async with open_hub(configure(SHARED), recorder.app) as hub:
        assert (await hub.receive("app", by_app(MIXED, b"old-s3cret"))).status == 200
        owners = {event.key: connection for connection, event in recorder.events if isinstance(event, MessageReceived)}
        assert owners == {"m1": "", "m2": "direct-66", "m3": ""}  # 55 never had the old secret: who has it is not 55
        assert (await hub.receive("app", by_app(MIXED, b"wrong"))).status == 401


# Three: a synchronous SDK that blocks, listening in a thread


class BlockingSdk:
    """Hands out what is put in; blocks for a moment at most, as SDKs with a poll time-out do."""

    def __init__(self) -> None:
        self.items: queue.Queue[Any] = queue.Queue()

    def next(self) -> Any:
        try:
            return self.items.get(timeout=0.01)
        except queue.Empty:
            return None


SDK = BlockingSdk()


@plugin
class Threaded:
    @frozen
    class Config:
        greeting: str = "hello"

    config: Config
    capabilities = Capabilities(text=100)

    @hookimpl
    def parse(self, request: Request) -> Received:
        number = request.body.decode()
        event = MessageReceived(
            key=number,
            occurred_at=request.received_at,
            sender=Profile(address=Address("threaded", "someone")),
            external_id=number,
            text=self.config.greeting,
        )
        return Received(request, (event,))

    @hookimpl
    def listen(self, deliver: Deliver, services: Services) -> None:
        while True:
            anyio.from_thread.check_cancelled()
            item = SDK.next()
            if isinstance(item, Exception):
                raise item
            if item is not None:
                raw = Request("POST", "/", (), item, services.clock.now())
                deliver(self.parse(raw))

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        assert isinstance(outbound, SendMessage)
        return [Call(key=outbound.key, to=outbound.target.to, action="say", body={"text": outbound.text})]


async def test_a_synchronous_listener_delivers_from_its_thread_and_is_restarted(
    install: Any, configure: Callable[..., Any], recorder: Any
) -> None:
    install("threaded", Threaded)
    clock = FakeClock()
    configuration = configure('[connections.line]\nplugin = "threaded"\n')
    async with open_hub(configuration, recorder.app, clock=clock) as hub:
        SDK.items.put(b"1")
        await until(lambda: len(recorder.events) == 1)
        SDK.items.put(OSError("the line went dead"))
        await until(lambda: clock.sleepers == 1)
        (status,) = hub.status()
        assert status.state == "failing"
        assert "the line went dead" in status.reason
        SDK.items.put(b"2")
        await clock.advance(1)
        await until(lambda: len(recorder.events) == 2)
        assert [event.external_id for _, event in recorder.events] == ["1", "2"]
        assert hub.endpoints == {"line": [[hub.connections["line"]]]}
        assert hub.status()[0].state == "ready"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    with anyio.fail_after(10):
        while not condition():
            await anyio.lowlevel.checkpoint()
            await anyio.to_thread.run_sync(lambda: None)


async def test_an_unparsed_row_keeps_its_raw_bytes_and_a_stable_key(
    install: Any, configure: Callable[..., Any], recorder: Any
) -> None:
    install("direct", Direct)
    install("feed", Feed)
    async with open_hub(configure(SHARED), recorder.app) as hub:
        for _ in range(2):
            await hub.receive("app", by_app(b"{not json"))
        unparsed = [event for connection, event in recorder.events if connection == "direct-55"]
        assert len(unparsed) == 2
        assert unparsed[0] == unparsed[1]
        assert isinstance(unparsed[0], Unparsed)
        assert unparsed[0].raw == b"{not json"
