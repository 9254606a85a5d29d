"""The rules of a conversation's life, without a store."""

from itertools import product

import pytest
from attrs import evolve

from channelry.model import Surface
from channelry_desk import states
from channelry_desk.errors import ClosedError, ConflictError, UndescribedError, UnsupportedError
from channelry_desk.moments import HOUR, MINUTE
from channelry_desk.states import (
    NEXT,
    Center,
    ConversationState,
    Hold,
    InteractionType,
    Reason,
    Standing,
    Step,
    Vocabulary,
)

PENDING, ACTIVE, WAITING, WRAP_UP, CLOSED = ConversationState
PENDING_ONE = Standing(
    id=1, connection="post", surface=Surface.DIRECT, type=InteractionType.MESSAGING, state=PENDING, assignee=None,
    queue=None, hold=Hold.NONE, description="", version=1, open_for=24 * HOUR, expires_at=24 * HOUR, due_at=24 * HOUR,
    assigned_at=None, worked=0, working_since=None, ended_at=None, closed_at=None, reason="",
)  # fmt: skip
ACTIVE_ONE = evolve(
    PENDING_ONE, state=ACTIVE, assignee=7, assignee_name="Ann Ng", assigned_at=1 * MINUTE, working_since=1 * MINUTE
)


def standing(state: ConversationState) -> Standing:
    waiting = states.moved(ACTIVE_ONE, Step.HOLD, 2 * MINUTE)
    return {
        PENDING: PENDING_ONE, ACTIVE: ACTIVE_ONE, WAITING: waiting,
        WRAP_UP: states.moved(ACTIVE_ONE, Step.END, 2 * MINUTE, wrap_up=5 * MINUTE),
        CLOSED: states.moved(ACTIVE_ONE, Step.CLOSE, 2 * MINUTE),
    }[state]  # fmt: skip


POSSIBLE = {
    (PENDING, Step.ACCEPT): ACTIVE,
    (PENDING, Step.REJECT): CLOSED,
    (PENDING, Step.ABANDON): CLOSED,
    (PENDING, Step.ASSIGN): ACTIVE,
    (PENDING, Step.ESCALATE): ACTIVE,
    (PENDING, Step.ROUTE): PENDING,
    (PENDING, Step.CLOSE): CLOSED,
    (PENDING, Step.BAR): CLOSED,
    (PENDING, Step.EXPIRE): CLOSED,
    (ACTIVE, Step.RELEASE): PENDING,
    (ACTIVE, Step.ASSIGN): ACTIVE,
    (ACTIVE, Step.ESCALATE): ACTIVE,
    (ACTIVE, Step.ROUTE): PENDING,
    (ACTIVE, Step.HOLD): WAITING,
    (ACTIVE, Step.END): WRAP_UP,
    (ACTIVE, Step.CLOSE): CLOSED,
    (ACTIVE, Step.BAR): CLOSED,
    (ACTIVE, Step.EXPIRE): CLOSED,
    (WAITING, Step.RELEASE): PENDING,
    (WAITING, Step.ASSIGN): ACTIVE,
    (WAITING, Step.ESCALATE): ACTIVE,
    (WAITING, Step.ROUTE): PENDING,
    (WAITING, Step.RESUME): ACTIVE,
    (WAITING, Step.RETURN): PENDING,
    (WAITING, Step.END): WRAP_UP,
    (WAITING, Step.CLOSE): CLOSED,
    (WAITING, Step.BAR): CLOSED,
    (WAITING, Step.EXPIRE): CLOSED,
    (WRAP_UP, Step.CLOSE): CLOSED,
    (WRAP_UP, Step.BAR): CLOSED,
}


@pytest.mark.row("D26")
@pytest.mark.parametrize(("state", "step"), list(product(ConversationState, Step)))
def test_a_step_leads_where_the_table_says_or_is_refused(state: ConversationState, step: Step) -> None:
    seen = standing(state)
    if (state, step) not in POSSIBLE:
        with pytest.raises(ConflictError, match=f"is {state}.* it cannot be {step}"):
            states.moved(seen, step, 3 * MINUTE)
        return
    after = states.moved(seen, step, 3 * MINUTE, assignee=8 if step in _GIVES else None, wrap_up=MINUTE)
    assert after.state is POSSIBLE[state, step]
    assert after.version == seen.version + 1
    assert (after.assignee is None) == (after.state is PENDING or (after.state is CLOSED and state is PENDING))
    assert (after.closed_at is None) == (after.state is not CLOSED)
    assert (after.working_since is None) == (after.state not in (ACTIVE, WRAP_UP))


_GIVES = {Step.ACCEPT, Step.ASSIGN, Step.ESCALATE}


@pytest.mark.row("D26")
def test_nothing_leads_out_of_closed() -> None:
    assert not any(CLOSED in leads for leads in NEXT.values())


@pytest.mark.row("S7")
@pytest.mark.row("A5")
@pytest.mark.parametrize(
    ("state", "reason", "centers", "record", "streams"),
    [
        (PENDING, "", "Pending", "New", "Open"),
        (ACTIVE, "", "Active", "Work in Progress", "Active"),
        (WAITING, "", "Active", "On Hold", "Waiting"),
        (WRAP_UP, "", "Active", "Wrap Up", "Wrap-up"),
        (CLOSED, Reason.DONE, "Closed", "Closed Complete", "Closed"),
        (CLOSED, Reason.ABANDONED, "Closed", "Closed Abandoned", "Closed"),
        (CLOSED, Reason.INACTIVE, "Closed", "Closed Abandoned", "Closed"),
    ],
)
def test_every_state_has_a_name_in_each_vocabulary(
    state: ConversationState, reason: str, centers: str, record: str, streams: str
) -> None:
    names = [states.named(state, reason, vocabulary) for vocabulary in Vocabulary]
    assert names == [centers, record, streams]


@pytest.mark.row("A2")
@pytest.mark.row("A3")
@pytest.mark.parametrize("surface", list(Surface))
def test_comments_and_mentions_are_the_social_centers_and_all_else_the_chat_centers(surface: Surface) -> None:
    social = surface in (Surface.COMMENT, Surface.MENTION)
    assert states.center(surface) is (Center.SOCIAL if social else Center.CHAT)


@pytest.mark.row("S1")
@pytest.mark.parametrize(
    ("surface", "scheme", "kind"),
    [
        (Surface.DIRECT, "phone", InteractionType.MESSAGING),
        (Surface.DIRECT, "webchat", InteractionType.CHAT),
        (Surface.COMMENT, "facebook", InteractionType.MESSAGING),
        (Surface.EMAIL, "email", InteractionType.MESSAGING),
        (Surface.CALL, "phone", InteractionType.PHONE),
        (Surface.WALK_UP, "walk-up", InteractionType.WALK_UP),
    ],
)
def test_the_type_follows_from_where_it_happens(surface: Surface, scheme: str, kind: InteractionType) -> None:
    assert states.interaction_type(surface, scheme) is kind


@pytest.mark.row("S10")
def test_the_duration_counts_who_works_and_neither_holds_nor_queues() -> None:
    seen = PENDING_ONE
    for step, minute, agent in (
        (Step.ACCEPT, 10, 1), (Step.HOLD, 13, None), (Step.RESUME, 20, None), (Step.ASSIGN, 24, 2),
        (Step.RELEASE, 25, None), (Step.ACCEPT, 40, 3),
    ):  # fmt: skip
        seen = states.moved(seen, step, minute * MINUTE, assignee=agent)
    assert (seen.worked, seen.working_since) == ((3 + 4 + 1) * MINUTE, 40 * MINUTE)
    assert seen.assigned_at == 10 * MINUTE
    wrapped = states.moved(seen, Step.END, 42 * MINUTE, wrap_up=5 * MINUTE)
    closed = states.moved(wrapped, Step.CLOSE, 45 * MINUTE)
    assert (closed.worked, closed.working_since, closed.ended_at) == (13 * MINUTE, None, 42 * MINUTE)


def test_a_clock_that_went_back_takes_no_duration_away() -> None:
    assert states.moved(ACTIVE_ONE, Step.HOLD, 0).worked == 0


@pytest.mark.row("A30")
@pytest.mark.parametrize(("now", "over"), [(24 * HOUR, False), (24 * HOUR + 1, True)])
def test_the_expiry_is_the_last_moment_that_is_not_over(now: int, over: bool) -> None:
    assert states.is_over(ACTIVE_ONE, now) is over
    after, step = states.looked_at(ACTIVE_ONE, now)
    assert step == (Step.EXPIRE if over else None)
    assert (after.state, after.reason) == ((CLOSED, Reason.INACTIVE) if over else (ACTIVE, ""))
    if over:
        with pytest.raises(ClosedError):
            states.require_open(ACTIVE_ONE, now)


def test_a_look_at_the_clock_comes_back_at_the_expiry_that_holds_now() -> None:
    after, _ = states.looked_at(evolve(ACTIVE_ONE, expires_at=30 * HOUR), 25 * HOUR)
    assert after.due_at == 30 * HOUR


@pytest.mark.row("D26")
def test_a_wrap_up_ends_by_itself_and_not_by_the_customers_silence() -> None:
    wrapped = states.moved(ACTIVE_ONE, Step.END, 24 * HOUR, wrap_up=5 * MINUTE)
    assert states.looked_at(wrapped, 24 * HOUR + 5 * MINUTE)[1] is None
    after, step = states.looked_at(wrapped, 24 * HOUR + 5 * MINUTE + 1)
    assert (after.state, after.reason, step) == (CLOSED, Reason.DONE, Step.CLOSE)


@pytest.mark.row("S8")
@pytest.mark.parametrize("kind", list(InteractionType))
def test_only_messaging_tells_what_it_waits_for(kind: InteractionType) -> None:
    seen = evolve(ACTIVE_ONE, type=kind)
    assert states.moved(seen, Step.HOLD, 1).hold is Hold.NONE
    if kind is InteractionType.MESSAGING:
        assert states.moved(seen, Step.HOLD, 1, hold=Hold.CUSTOMER).hold is Hold.CUSTOMER
    else:
        with pytest.raises(UnsupportedError, match=str(kind)):
            states.moved(seen, Step.HOLD, 1, hold=Hold.CUSTOMER)


@pytest.mark.parametrize(("present", "state"), [(True, ACTIVE), (False, PENDING)])
def test_a_customers_word_ends_the_waiting(present: bool, state: ConversationState) -> None:
    after = states.answered(standing(WAITING), present, 5 * MINUTE)
    assert (after.state, after.hold, after.assignee) == (state, Hold.NONE, 7 if present else None)


def test_another_version_is_a_conflict_that_names_who_has_it() -> None:
    states.expect(ACTIVE_ONE, None)
    states.expect(ACTIVE_ONE, 1)
    with pytest.raises(ConflictError, match="Ann Ng's: version 1, not 3"):
        states.expect(ACTIVE_ONE, 3)


def test_what_is_owed_and_what_a_center_lacks() -> None:
    with pytest.raises(UndescribedError, match="no short description"):
        states.require_described(ACTIVE_ONE, "closed")
    states.require_described(evolve(ACTIVE_ONE, description="a parcel"), "closed")
    comment = evolve(ACTIVE_ONE, surface=Surface.COMMENT)
    with pytest.raises(UnsupportedError, match="social center has no queues"):
        states.require_center(comment, Center.CHAT, "queues")
