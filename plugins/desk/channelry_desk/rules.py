"""The rules of conversations and of the outbox: pure functions, the time always given."""

from datetime import timedelta
from enum import StrEnum
from random import Random

from channelry.model import (
    Activity,
    Address,
    CallRecord,
    Event,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    Resend,
    Status,
    Surface,
    Thread,
    Typing,
)

from .moments import HOUR
from .states import Center, center

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 3600.0
"""Seconds between attempts: doubled each time, up to the longest."""
REPEATED_WITHIN = 23 * HOUR
"""How long after a lost answer a call is sent again: the shortest that providers know a key for is a day (LINE's)."""


class CallState(StrEnum):
    """Where a call stands in the outbox.

    ready → sending → accepted | retry | ambiguous | failed | dead; ambiguous → accepted | ready | uncertain;
    a person moves uncertain to accepted, ready or dead. `failed`: the provider refused it. `dead`: given up.
    """

    READY = "ready"
    SENDING = "sending"
    RETRY = "retry"
    AMBIGUOUS = "ambiguous"
    ACCEPTED = "accepted"
    FAILED = "failed"
    DEAD = "dead"
    UNCERTAIN = "uncertain"


SETTLED = frozenset({CallState.ACCEPTED, CallState.FAILED, CallState.DEAD, CallState.UNCERTAIN})
"""States in which a call no longer holds up its conversation."""


def place(surface: Surface, thread: Thread | None, external_id: str) -> str:
    """Name the place that a message belongs to: `""` for direct messages, the first-level comment in public threads,
    the group or topic in private ones. A comment or a mention of which no more is told has a place of its own."""
    if thread is None:
        return external_id if center(surface) is Center.SOCIAL else ""
    if thread.private and surface is Surface.DIRECT:
        return thread.root
    return thread.parent if thread.depth > 1 and thread.parent else external_id


def joins_anybody(message: MessageReceived) -> bool:
    """Tell whether a message joins the conversation at its place whoever began it: an answer below a comment, or a
    comment that an answer below it has overtaken."""
    return message.thread is not None and not message.thread.private and message.thread.depth > 0


def own_place(message: MessageReceived) -> str:
    """Name the place of a message that answers nothing that is known: a mention has its own, `""` is that which it
    names, where all answers to the same meet."""
    return message.external_id if message.surface is Surface.MENTION else ""


def writer(event: Event) -> Address | None:
    """Give who wrote an event that a bar keeps out. What only tells of our messages, takes something back or moves an
    address is heard from everybody, and what the business wrote elsewhere is not theirs."""
    if isinstance(event, MessageReceived | Activity):
        return event.sender.address
    if isinstance(event, MessageEdited | ReactionChanged | Typing):
        return event.sender
    return event.caller if isinstance(event, CallRecord) and event.inbound else None


def join(known: str, reported: str) -> str:
    """Give the higher of two statuses, whatever order they came in."""
    return Status(known).highest(Status(reported)).value


def back_off(attempt: int, random: Random, retry_after: float | None = None) -> float:
    """Give the seconds until the next attempt: anything up to a limit that doubles, never sooner than was asked for."""
    jittered = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt, 20)))
    return max(jittered, retry_after or 0.0)


def window_end(last_inbound: int | None, window: timedelta | None) -> int | None:
    """Give when the channel's reply window closes, None where it never does."""
    if window is None or last_inbound is None:
        return None
    return last_inbound + round(window.total_seconds() * 1_000_000)


def after_lost_answer(resend: Resend) -> CallState:
    """Say what to do first with a call whose answer was lost: ready (send again), ambiguous (find out) or uncertain."""
    if resend is Resend.SAFE:
        return CallState.READY
    return CallState.UNCERTAIN if resend is Resend.NEVER else CallState.AMBIGUOUS


def forgotten(doubted_at: int | None, now: int) -> bool:
    """Tell whether the provider may have forgotten a call that is sent again, and would do it twice."""
    return doubted_at is not None and now - doubted_at >= REPEATED_WITHIN


class Decision(StrEnum):
    """What a person decides about an uncertain call."""

    SENT = "sent"
    RESEND = "resend"
    GIVE_UP = "give-up"


DECIDED = {Decision.SENT: CallState.ACCEPTED, Decision.RESEND: CallState.READY, Decision.GIVE_UP: CallState.DEAD}
