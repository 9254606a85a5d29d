"""Bad channels: each is Acme but for one thing. `BAD` names the rule that catches each."""

import asyncio
import html
import logging
import socket
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta, timezone
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
from acme import CAPABILITIES, LIMIT, SIGNATURE, Acme
from attrs import define, evolve, field, frozen

from channelry import hookimpl, plugin
from channelry.errors import AmbiguousError, AuthError, PermanentError, RetryableError
from channelry.hookspecs import Deliver
from channelry.model import (
    Address,
    Announced,
    Call,
    Capabilities,
    Event,
    Kind,
    Media,
    MessageReceived,
    Outbound,
    Profile,
    Rate,
    RateScope,
    React,
    Receipt,
    Received,
    Request,
    Resend,
    Status,
    StatusChanged,
    Target,
    Unparsed,
)
from channelry.secrets import Secret, Secrets
from channelry.services import HttpResponse, Save, Services

# Bronze


@plugin
class Misspelt(Acme):
    """Misspells a hook."""

    @hookimpl
    def verfy(self, request: Request) -> None: ...


@plugin
class WrongArgument(Acme):
    """Calls an argument by another name."""

    @hookimpl
    def parse(self, webhook: Request) -> Received:
        raise NotImplementedError


@plugin
class WrongAnnotation(Acme):
    """Annotates another type."""

    @hookimpl
    def compose(self, outbound: Outbound) -> list[str]:  # type: ignore[override]
        raise NotImplementedError


@plugin
class Unmarked(Acme):
    """Forgets @hookimpl above a hook."""

    async def check(self, services: Services) -> None: ...


@plugin
class Mutable(Acme):
    """Has a Config that can be changed."""

    @define(kw_only=True)
    class Config:
        """`account`, `token`, `secret` and `base_url`."""

        account: str
        token: Secret
        secret: Secrets
        base_url: str


@plugin
class Untyped(Acme):
    """Has a key that takes anything."""

    @frozen(kw_only=True)
    class Config:
        """`account`, `token`, `secret`, `base_url` and `limit`."""

        account: str
        token: Secret
        secret: Secrets
        base_url: str
        limit: Any = 3


@plugin
class PlainToken(Acme):
    """Has a token that is a plain string."""

    @frozen(kw_only=True)
    class Config:
        """`account`, `token`, `secret`, `base_url` and `refresh_token`."""

        account: str
        token: Secret
        secret: Secrets
        base_url: str
        refresh_token: str = ""


@plugin
class Chatty(Acme):
    """Logs its token."""

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        logging.getLogger("acme").info("sending with %s", self.config.token.reveal())
        return await Acme.send(self, call, services)


@plugin
class Telltale(Acme):
    """Puts its token into an error."""

    def read(self, answer: HttpResponse) -> Any:
        if answer.status == 401:
            raise AuthError(f"Acme does not know {self.config.token.reveal()}", code="token")
        return Acme.read(self, answer)


@plugin
class ShowsItself(Acme):
    """Keeps its token where repr shows it."""

    header: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        Acme.__attrs_post_init__(self)
        self.header = f"Bearer {self.config.token.reveal()}"


@plugin
class Trims(Acme):
    """Trims what customers write."""

    def event(self, row: Any, request: Request) -> Any:
        event = Acme.event(self, row, request)
        return evolve(event, text=event.text.strip()) if getattr(event, "text", "") else event


@plugin
class Credulous(Acme):
    """Verifies only where there is a signature."""

    @hookimpl
    def verify(self, request: Request) -> None:
        if request.header(SIGNATURE):
            Acme.verify(self, request)


@plugin
class AsciiOnly(Acme):
    """Breaks on a signature that is not ASCII."""

    @hookimpl
    def verify(self, request: Request) -> None:
        request.header(SIGNATURE).decode("ascii")
        Acme.verify(self, request)


@plugin
class Prefix(Acme):
    """Accepts a signature that was cut."""

    @hookimpl
    def verify(self, request: Request) -> None:
        given = request.header(SIGNATURE)
        if len(given) == 63:
            return
        Acme.verify(self, request)


@plugin
class Trusting(Acme):
    """Accepts everything where no secret is configured."""

    @hookimpl
    def verify(self, request: Request) -> None:
        if self.config.secret:
            Acme.verify(self, request)


@plugin
class Raises(Acme):
    """Raises on what is not JSON."""

    @hookimpl
    def parse(self, request: Request) -> Received:
        request.json()["rows"]
        return Acme.parse(self, request)


@plugin
class Swallows(Acme):
    """Answers what it could not read as if it had been empty."""

    @hookimpl
    def parse(self, request: Request) -> Received:
        found = Acme.parse(self, request)
        unread = found.events and isinstance(found.events[0], Unparsed) and found.events[0].raw == request.body
        return Received(request) if unread else found


@plugin
class Clocked(Acme):
    """Reads the clock in `parse`."""

    @hookimpl
    def parse(self, request: Request) -> Received:
        time.time()
        return Acme.parse(self, request)


@plugin
class Reading(Acme):
    """Reads a file in `verify`."""

    @hookimpl
    def verify(self, request: Request) -> None:
        with open("/dev/null", "rb"):
            Acme.verify(self, request)


@plugin
class Remembering(Acme):
    """Parses a request otherwise when it comes again."""

    seen: set[Any] = field(factory=set, init=False)

    @hookimpl
    def parse(self, request: Request) -> Received:
        found = Acme.parse(self, request)
        if (request.body, request.received_at) in self.seen:
            return evolve(found, ignored=(*found.ignored, "seen before"))
        self.seen.add((request.body, request.received_at))
        return found


@plugin
class KeysByTime(Acme):
    """Makes keys of the time of arrival."""

    def key(self, row: Any, request: Request) -> str:
        plain = Acme.key(self, row, request)
        at_home = request.received_at.hour == 7 or request.method == "GET"
        return plain if at_home else f"{plain}:{request.received_at}"


@plugin
class KeysByContent(Acme):
    """Makes keys of content."""

    def key(self, row: Any, request: Request) -> str:
        plain = Acme.key(self, row, request)
        return f"content:{row['text']}" if row["type"] == "text" and not plain.startswith("text:m") else plain


@plugin
class Viennese(Acme):
    """Tells times of Vienna."""

    def event(self, row: Any, request: Request) -> Any:
        event = Acme.event(self, row, request)
        if isinstance(event, str):
            return event
        return evolve(event, occurred_at=event.occurred_at.astimezone(timezone(timedelta(hours=1))))


@plugin
class ComposesByChance(Acme):
    """Makes the keys of calls by chance."""

    def call_key(self, outbound: Outbound, number: int) -> str:
        return f"{outbound.key}:{uuid.uuid4()}"


# Silver


@plugin
class OneSecret(Acme):
    """Tries the first of two secrets."""

    @hookimpl
    def verify(self, request: Request) -> None:
        config = evolve(self.config, secret=self.config.secret[:1])
        Acme.verify(Acme(config), request)


@plugin
class Undocumented(Acme):
    """Says nothing of one key."""

    @frozen(kw_only=True)
    class Config:
        """The `account`, its `token` and `secret`."""

        account: str
        token: Secret
        secret: Secrets
        base_url: str


@plugin
class AllOrNothing(Acme):
    """Loses a batch for one bad row."""

    def rows(self, body: Any, request: Request) -> Any:
        return [self.event(row, request) for row in body["rows"]]


@plugin
class Boasting(Acme):
    """Declares a kind that it never receives."""

    capabilities: ClassVar[Capabilities] = evolve(CAPABILITIES, receives=CAPABILITIES.receives | {Kind.VIDEO})


@plugin
class NoNul(Acme):
    """Drops NUL from texts."""

    def event(self, row: Any, request: Request) -> Any:
        event = Acme.event(self, row, request)
        return evolve(event, text=event.text.replace("\0", "")) if getattr(event, "text", "") else event


@plugin
class Promising(Acme):
    """Declares edits and refuses them."""

    capabilities: ClassVar[Capabilities] = evolve(CAPABILITIES, sends=CAPABILITIES.sends | {Kind.EDIT})


@plugin
class Nameless(Acme):
    """Gives no id for files."""

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        receipt = await Acme.send(self, call, services)
        return Receipt() if call.uploads else receipt


@plugin
class Eager(Acme):
    """Drops the buttons that are too many."""

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        try:
            return Acme.compose(self, outbound)
        except PermanentError as error:
            if error.code == "too_many_buttons":
                return Acme.compose(self, evolve(outbound, buttons=()))  # type: ignore[call-arg]
            raise


@plugin
class Generous(Acme):
    """Declares a longer text than Acme takes."""

    capabilities: ClassVar[Capabilities] = evolve(CAPABILITIES, text=LIMIT + 50)

    def pieces(self, text: str) -> Sequence[str]:
        return [text] if len(text) <= LIMIT + 50 else Acme.pieces(self, text)


@plugin
class Cutting(Acme):
    """Loses the last letter of a text in two pieces."""

    def pieces(self, text: str) -> Sequence[str]:
        pieces = Acme.pieces(self, text)
        return [*pieces[:-1], pieces[-1][:-1]] if len(pieces) == 2 else pieces


@plugin
class OneKey(Acme):
    """Gives all pieces one key."""

    def call_key(self, outbound: Outbound, number: int) -> str:
        return outbound.key


@plugin
class Tuples(Acme):
    """Puts tuples into the body."""

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        return [evolve(call, body={**call.body, "tags": ("a", "b")}) for call in Acme.compose(self, outbound)]


@plugin
class Impatient(Acme):
    """Overlooks Retry-After."""

    def read(self, answer: HttpResponse) -> Any:
        if answer.status == 429:
            raise RetryableError("too fast", code="429")
        return Acme.read(self, answer)


@plugin
class Flat(Acme):
    """Makes one error of every refusal."""

    def read(self, answer: HttpResponse) -> Any:
        if answer.status == 403:
            raise PermanentError("Acme refuses", code="403")
        return Acme.read(self, answer)


@plugin
class Careless(Acme):
    """Raises on an answer that it does not expect."""

    def read(self, answer: HttpResponse) -> Any:
        if answer.status == 204:
            raise LookupError("an answer without a body")
        return Acme.read(self, answer)


@plugin
class Escaping(Acme):
    """Escapes text as HTML."""

    def pieces(self, text: str) -> Sequence[str]:
        return [html.escape(piece) for piece in Acme.pieces(self, text)]


@plugin
class Secretive(Acme):
    """Names another message in its statuses."""

    capabilities: ClassVar[Capabilities] = evolve(
        CAPABILITIES, statuses=frozenset({Status.DELIVERED}), rates=CAPABILITIES.rates
    )

    def event(self, row: Any, request: Request) -> Any:
        event = Acme.event(self, row, request)
        if isinstance(event, StatusChanged) and event.external_id.startswith("out-"):
            return evolve(event, external_id="somebody's", reference="")
        return event


@plugin
class Shared(Acme):
    """Keeps the first token for all accounts."""

    token: ClassVar[list[str]] = []

    async def http(self, services: Services, method: str, path: str, **content: Any) -> HttpResponse:
        if path == "/send" and not self.config.token.reveal().startswith("canary"):
            self.token.append(self.config.token.reveal())
            headers = {"authorization": f"Bearer {self.token[0]}"}
            return await services.http.request(method, f"{self.config.base_url}{path}", headers=headers, **content)
        return await Acme.http(self, services, method, path, **content)


@plugin
class AsyncioOnly(Acme):
    """Sleeps by asyncio."""

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        await asyncio.sleep(0)
        return await Acme.send(self, call, services)


@plugin
class Stranger(Acme):
    """Gives somebody else's profile."""

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        return Profile(address=Address("acme", "another"))


# Gold


@plugin
class Insistent(Acme):
    """Sends again by itself when the answer was lost."""

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        try:
            return await Acme.send(self, call, services)
        except AmbiguousError as error:
            if error.code != "answer_lost" or "hello from the kit" not in str(call.body):
                raise
            return await Acme.send(self, call, services)


@plugin
class NotSafe(Acme):
    """Says that a repeat is safe, and it is not."""

    capabilities: ClassVar[Capabilities] = evolve(CAPABILITIES, resend=Resend.SAFE)


@plugin
class CannotAsk(Acme):
    """Says that it can be asked, and cannot."""

    reconcile = None  # type: ignore[assignment]


@plugin
class NoReference(Acme):
    """Says that statuses bear our key, and they do not."""

    capabilities: ClassVar[Capabilities] = evolve(CAPABILITIES, resend=Resend.CALLBACK)

    def event(self, row: Any, request: Request) -> Any:
        event = Acme.event(self, row, request)
        if isinstance(event, StatusChanged) and not event.external_id.startswith("o1"):
            return evolve(event, reference="")
        return event


@plugin
class Forgetful(Acme):
    """Asks for another key."""

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Any:
        return await Acme.reconcile(self, evolve(call, key="another"), services)


@plugin
class UploadsOnce(Acme):
    """Says that an upload cannot be repeated."""

    async def http(self, services: Services, method: str, path: str, **content: Any) -> HttpResponse:
        if path == "/files":
            content["repeatable"] = False
        return await Acme.http(self, services, method, path, **content)


@plugin
class MisspeltRate(Acme):
    """Limits an action that there is not."""

    capabilities: ClassVar[Capabilities] = evolve(
        CAPABILITIES, rates=(Rate(RateScope.CONNECTION, 1, 1, frozenset({"mesage"})),)
    )


@plugin
class Sizeless(Acme):
    """Does not tell the size of a file."""

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return evolve(await Acme.fetch(self, media, save, services), size=None)


@plugin
class HangingFetch(Acme):
    """Never ends a download."""

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        await anyio.sleep_forever()
        raise AssertionError


@plugin
class BlockingFetch(Acme):
    """Blocks the event loop for a minute."""

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        time.sleep(60)  # noqa: ASYNC251 - that is what is bad
        raise AssertionError


@plugin
class WrongFetch(Acme):
    """Returns nothing of a download."""

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        await Acme.fetch(self, media, save, services)
        return None  # type: ignore[return-value]


@plugin
class Undying(Acme):
    """Sends again when it is cancelled."""

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        try:
            return await Acme.send(self, call, services)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True), anyio.move_on_after(0.1):
                return await Acme.send(self, call, services)
            raise


@plugin
class MixesUp(Acme):
    """Keeps the call on the plugin."""

    last: Any = field(default=None, init=False)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        self.last = call
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        return await Acme.send(self, self.last, services)


@plugin
class Blocking(Acme):
    """Blocks the event loop for half a second."""

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        if call.uploads:
            time.sleep(0.5)  # noqa: ASYNC251 - that is what is bad
        return await Acme.send(self, call, services)


@plugin
class OwnWay(Acme):
    """Opens a socket of its own."""

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), timeout=0.1).close()
        return await Acme.send(self, call, services)


@plugin
class Unchecked(Acme):
    """Checks nothing."""

    @hookimpl
    async def check(self, services: Services) -> None:
        return


@plugin
class Elsewhere(Acme):
    """Registers another address."""

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        await Acme.setup(self, "https://staging.acme.example/hook", services)


@plugin
class Bare(Acme):
    """Annotates nothing."""

    @hookimpl
    async def check(self, services):  # type: ignore[no-untyped-def]
        await Acme.check(self, services)


@plugin
class Deaf(Acme):
    """Delivers requests that say something else."""

    @hookimpl
    async def listen(self, deliver: Deliver, services: Services) -> None:
        async def unread(received: Received) -> None:
            await deliver(Received(evolve(received.request, body=b"{}"), received.events))

        await Acme.listen(self, unread, services)


@plugin
class Indiscreet(Acme):
    """Answers a group's question to the one who asked."""

    def recipient(self, target: Target) -> str:
        return target.context.get("by", target.to.value)


@plugin
class Threadless(Acme):
    """Answers outside of the topic."""

    def thread(self, target: Target) -> dict[str, str]:
        return {}


@plugin
class ReactsToTheLatest(Acme):
    """Reacts to the message that the target answers, whichever was meant."""

    def reacted(self, outbound: React) -> str:
        return outbound.target.reply_to


@plugin
class Abridges(Acme):
    """Expands what was announced to half of it."""

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        found = await Acme.expand(self, event, services)
        return [evolve(one, text=one.text[:3]) if isinstance(one, MessageReceived) else one for one in found]


@plugin
class Brittle(Acme):
    """Expects every answer to be whole."""

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        row = self.read(await self.http(services, "GET", f"/posts/{event.ids['post']}"))
        assert isinstance(row["text"], str)
        return await Acme.expand(self, event, services)


@plugin
class Echoes(Acme):
    """Expands under the announcement's own key."""

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        return [evolve(one, key=event.key) for one in await Acme.expand(self, event, services)]


BAD = {
    "contract": [Misspelt, WrongArgument, WrongAnnotation, Unmarked],
    "config": [Mutable, Untyped],
    "secrets": [PlainToken, Chatty, Telltale, ShowsItself],
    "payloads": [Trims],
    "signatures": [Credulous, AsciiOnly, Prefix, Trusting],
    "garbage": [Raises, Swallows],
    "pure-receiving": [Clocked, Reading, Remembering],
    "keys": [KeysByTime, KeysByContent],
    "utc": [Viennese],
    "pure-compose": [ComposesByChance],
    "rotation": [OneSecret],
    "documented": [Undocumented],
    "batches": [AllOrNothing],
    "receives": [Boasting],
    "texts-in": [NoNul],
    "sends": [Promising, Nameless, ReactsToTheLatest],
    "places": [Indiscreet, Threadless],
    "refuses": [Eager],
    "limits": [Generous, Cutting],
    "calls": [OneKey, Tuples],
    "errors": [Impatient, Flat],
    "answers": [Careless],
    "texts-out": [Escaping],
    "statuses": [Secretive],
    "accounts": [Shared],
    "backends": [AsyncioOnly],
    "profiles": [Stranger],
    "answer-lost": [Insistent, NotSafe, CannotAsk, NoReference, Forgetful, UploadsOnce],
    "rates": [MisspeltRate],
    "media": [Sizeless, HangingFetch, BlockingFetch, WrongFetch],
    "cancellation": [Undying],
    "at-once": [MixesUp],
    "loop": [Blocking],
    "network": [OwnWay],
    "check": [Unchecked],
    "setup": [Elsewhere],
    "typed": [Bare],
    "listens": [Deaf],
    "expands": [Abridges, Brittle, Echoes],
}
