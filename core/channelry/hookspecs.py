# mypy: disable-error-code="empty-body"
"""The hooks: the whole contract between channelry and a plugin, and the manual of who writes one.

A plugin is a class under `@plugin` with a nested frozen attrs class `Config`, which is made as `Plugin(config)`
and marks with `@hookimpl` the hooks that it implements, as methods. A channel also has
- `capabilities`: a `Capabilities` value, what it carries and within which limits, read from the instance: a
  property may make it depend on `config` (a higher rate, a right to answer for seven days);
- `account`: the provider's id of the account it is configured for (a phone number id, a page id); events of
  another account go to the connection that has it; `""`, or no such attribute: all events are its own;
- `origins`: the origins it calls (`("https://graph.facebook.com",)`); a `Config.base_url` is added by itself.

An implementation may take fewer arguments than its hook, by name. Annotations, where given, equal those below.
**Pure** hooks are plain functions that do no I/O, ask no clock and answer the same again for the same input.
The others may be `async def`, or plain functions, which then run in a thread and reach asynchronous services by
`anyio.from_thread.run`.
An **addressed** hook is called on one connection's plugin; of the last three groups the modes stand with them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

# fmt: off
# isort: off
from .model import (
    Address, Announced, Call, Event, Language, Match, Media, Outbound, Profile, Receipt, Received,
    Reconciled, Request, Sentiment, Text,
)
# isort: on
# fmt: on
from .plugin import hookspec
from .services import Save, Services

Deliver = Callable[[Received], Awaitable[None]]


@hookspec
async def open(services: Services) -> None:
    """Get ready: clients, tokens, warm-up. Tried again, with growing pauses, until it succeeds; webhooks are
    received meanwhile, and sending waits."""


@hookspec
async def close() -> None:
    """Let go of what `open` took."""


@hookspec
def verify(request: Request) -> None:
    """Raise RejectedError unless the request is the provider's: signature, token or handshake, over the raw bytes.

    Pure. Any other exception here is a rejection too, and nothing is stored. Two secrets are accepted while they
    rotate; none configured refuses everything.
    """


@hookspec
def parse(request: Request) -> Received:
    """Tell what a verified request means: its events, and its HTTP answer.

    Pure; replay parses without verifying. Time comes only from `request.received_at`, the own address only from
    `request.public_url`. A bad row becomes an `Unparsed` and its neighbours survive (`parsing.each`).
    On a shared endpoint each plugin whose `verify` accepted the request parses it once: rows that are not this
    channel's are left out, or named in `ignored`; the answer is the first that is not `OK`. A request without
    events (a handshake) is answered without the application. An exception here journals the whole request as one
    `Unparsed`.
    """


@hookspec
async def listen(deliver: Deliver, services: Services) -> None:
    """Fetch what does not come by webhook (polling, sockets), until cancelled.

    `await deliver(received)` returns once the events are durable; then move the cursor, in `services.state`. Wrap
    what was read in a `Request`, so that the journal has one shape and `parse` can replay it. When it returns or
    raises it is started again after a growing pause. As a plain function it runs in a thread, `deliver` blocks,
    and it ends by `anyio.from_thread.check_cancelled()` between polls.
    """


@hookspec
async def expand(event: Announced, services: Services) -> Sequence[Event]:
    """Fetch (a message, a mention's text) or accept (an invitation) what a webhook only named, repeatably, and give the
    events that take its place, perhaps none. Their keys are others than the announcement's, the same each time.

    Addressed, after the acknowledgement. A `PermanentError` ends it; it is tried again after all others."""


@hookspec
async def profile(address: Address, services: Services) -> Profile | None:
    """Look up the name and picture of somebody who wrote. Addressed, after the acknowledgement."""


@hookspec
async def fetch(media: Media, save: Save, services: Services) -> Media:
    """Download an inbound file piece by piece into `await save(bytes)`, and give it back with what became known
    (type, size, name). Addressed, after the acknowledgement. PermanentError when it is gone for good."""


@hookspec
def compose(outbound: Outbound) -> Sequence[Call]:
    """Turn an action into provider-visible calls, each with a key of its own derived from `outbound.key`.

    Pure; gives no calls where there is nothing to tell the provider. Begins with `capabilities.admit(outbound)`, so
    that what the channel cannot carry is a PermanentError before any socket opens; splits text that is longer than
    `capabilities.of(outbound.target).text` (`text.split`).
    """


@hookspec
async def send(call: Call, services: Services) -> Receipt:
    """Make one call. Preparatory requests (an upload, opening a conversation) are `repeatable`.

    Raises RetryableError, PermanentError, WindowClosedError, RecipientError, AuthError or AmbiguousError; any
    other exception, and a time-out, counts as ambiguous, for the call may have been taken.
    """


@hookspec
async def reconcile(call: Call, services: Services) -> Reconciled:
    """After an ambiguous send: ask the provider whether it has the call."""


@hookspec
async def setup(url: str, services: Services) -> None:
    """Register `url` as the webhook with the provider, while the server is serving (some call back at once)."""


@hookspec
async def check(services: Services) -> None:
    """Make sure that the credentials and the registration are good, with calls that change nothing.

    Returns, or raises AuthError or another SendError that names what is missing.
    """


@hookspec
async def recognize(profile: Profile, hints: Mapping[str, str]) -> Match | None:
    """Say which customer a profile belongs to, or None. First answer in the configured order.

    `hints`: what else is known: pre-chat answers, `"email"`, `"phone"`, …"""


@hookspec
async def detect_language(texts: Sequence[Text]) -> Sequence[Language | None]:
    """Name the language of each text, None where unsure; as many answers as texts, in their order.

    First answer per text in the configured order: what is still None goes on to the next plugin."""


@hookspec
async def score_sentiment(texts: Sequence[Text]) -> Sequence[Sentiment | None]:
    """Score the feeling of each text, which bears its language, None where unsure. As `detect_language`."""


@hookspec
async def observe(event: Event, connection: str) -> None:
    """See every event of a connection once it is recorded: metrics, audit, integrations. All plugins; results are
    ignored."""
