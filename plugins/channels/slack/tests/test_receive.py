"""What Slack tells, beyond the recorded payloads: who signed it when, what is the same message, where answers go."""

import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from channelry.errors import RejectedError
from channelry.model import Address, Event, MessageReceived, Postback, Request, Surface, Target, Unparsed
from channelry.secrets import Secret
from channelry_slack.plugin import Slack
from channelry_slack.simulator import SlackSimulator

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
VECTOR, SIGNED_AT = b'{"hello":"w\\u00f6rld"}', datetime.fromtimestamp(1_700_000_000, UTC)
SIGNED = b"v0=4e0535d12606820349ec4f8edb1681b5487fa59f4815bfe3ff2320161a315eeb"


def workspace(*secrets: str, team: str = "") -> Slack:
    config = Slack.Config(signing_secret=tuple(map(Secret, secrets)), bot_token=Secret("xoxb-token"), team_id=team)
    return Slack(config)


def vector(signature: bytes = SIGNED, at: bytes = b"1700000000", body: bytes = VECTOR, late: float = 0) -> Request:
    headers = ((b"x-slack-signature", signature), (b"x-slack-request-timestamp", at))
    return Request("POST", "/hooks/slack", headers, body, SIGNED_AT + timedelta(seconds=late))


def recorded(name: str) -> Any:
    return orjson.loads((Path(__file__).parent / "payloads" / f"{name}.json").read_bytes())["json"]


def parsed(body: Any, *headers: tuple[bytes, bytes]) -> tuple[Event, ...]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return workspace("s").parse(Request("POST", "/hooks/slack", headers, raw, NOW)).events


@pytest.mark.parametrize("secrets", [("slack_signing_secret",), ("new", "slack_signing_secret")])
@pytest.mark.parametrize("late", [-300, 0, 300])
def test_the_published_vector_is_accepted_within_five_minutes(secrets: tuple[str, ...], late: float) -> None:
    workspace(*secrets).verify(vector(late=late))


@pytest.mark.parametrize("late", [-301, 301, 86_400])
def test_a_request_of_another_time_is_rejected_however_well_it_is_signed(late: float) -> None:
    with pytest.raises(RejectedError):
        workspace("slack_signing_secret").verify(vector(late=late))


@pytest.mark.parametrize(
    "request_",
    [
        vector(b""),
        vector(SIGNED[:-1]),
        vector(SIGNED.upper()),
        vector(SIGNED.removeprefix(b"v0=")),
        vector(b"\xfc" * 67),
        vector(body=VECTOR + b" "),
        vector(at=b"1700000001"),
        vector(at=b""),
        vector(at=b"+1700000000"),
        Request("POST", "/hooks/slack", (), VECTOR, SIGNED_AT),
    ],
)
def test_a_bad_signature_is_rejected(request_: Request) -> None:
    with pytest.raises(RejectedError):
        workspace("slack_signing_secret").verify(request_)


@pytest.mark.parametrize("at", [b"", b"soon", b"1e9", "١٧٠٠٠٠٠٠٠٠".encode(), b"9" * 400])
def test_a_time_that_is_none_is_rejected_even_where_it_is_signed(at: bytes) -> None:
    signature = b"v0=" + hmac.new(b"s", b"v0:" + at + b":" + VECTOR, "sha256").hexdigest().encode()
    with pytest.raises(RejectedError):
        workspace("s").verify(vector(signature, at))


@pytest.mark.parametrize("secrets", [(), ("another",)])
def test_requests_of_another_app_are_rejected(secrets: tuple[str, ...]) -> None:
    with pytest.raises(RejectedError):
        workspace(*secrets).verify(vector())


def test_a_mention_and_the_message_that_holds_it_are_one_event() -> None:
    """Slack tells a channel's message twice, as a message and as a mention, in either order."""
    (message,), (mention,) = parsed(recorded("channel-mentioning")), parsed(recorded("app_mention"))
    assert message == mention
    assert isinstance(mention, MessageReceived)
    assert mention.surface is Surface.MENTION


def test_a_retry_has_the_key_of_the_first_attempt() -> None:
    for name in ("im", "message_changed", "reaction_added"):
        again = parsed(recorded(name), (b"x-slack-retry-num", b"1"), (b"x-slack-retry-reason", b"http_timeout"))
        assert [event.key for event in again] == [event.key for event in parsed(recorded(name))]


@pytest.mark.parametrize(
    ("name", "to", "thread_ts"),
    [
        ("im", "D1", None),
        ("im-thread", "D1", "1795300900.000100"),
        ("mpim", "G1", None),
        ("channel", "C1", "1795300900.000100"),
        ("channel-thread", "C1", "1795300900.000100"),
    ],
)
def test_an_answer_goes_to_the_place_of_the_message(name: str, to: str, thread_ts: str | None) -> None:
    (message,) = parsed(recorded(name))
    assert isinstance(message, MessageReceived)
    target = Target.answering(message)
    assert target.to == Address("slack", to, "T1")
    assert target.context.get("thread_ts") == thread_ts


@pytest.mark.parametrize("body", [b"", b"no JSON", b"NaN", b"[]", b"3", b"{}", b'{"type":"event_callback"}', b"\xff"])
@pytest.mark.parametrize("form", [False, True])
def test_a_body_that_is_none_of_slacks_is_kept_whole(body: bytes, form: bool) -> None:
    headers = ((b"content-type", b"application/x-www-form-urlencoded; charset=utf-8"),) if form else ()
    (event,) = parsed(body, *headers)
    assert isinstance(event, Unparsed)
    assert event.raw == body


@pytest.mark.parametrize("kind", ["url_verification", "event_callback", "view_submission"])
def test_a_form_is_read_for_pressed_buttons_only(kind: str) -> None:
    """What else is in one is counted, and a handshake there answers nothing."""
    headers = ((b"content-type", b"application/x-www-form-urlencoded"),)
    body = b"payload=" + quote(f'{{"type":"{kind}","challenge":"x"}}').encode()
    found = workspace().parse(Request("POST", "/hooks/slack", headers, body, NOW))
    assert (found.events, found.ignored, found.answer.body) == ((), (f"request form {kind}",), b"")


@pytest.mark.row("F9")
def test_workspaces_that_share_an_endpoint_are_told_apart_by_their_team() -> None:
    """They share the app and its secret; each event bears the account that the hub maps to its connection."""
    for team in ("T1", "T2"):
        simulator = SlackSimulator(signing_secret="one", team_id=team)
        request = simulator.message("Udi", "hi")
        slack = workspace("one", team=team)
        slack.verify(request)
        (event,) = slack.parse(request).events
        assert slack.account == event.account == team


def test_a_shared_channels_message_belongs_to_the_workspace_that_the_app_is_in() -> None:
    """The team of the envelope may be that of who wrote."""
    (event,) = parsed(recorded("shared-channel"))
    assert event.account == "T1"


@pytest.mark.parametrize(
    ("more", "automatic"), [({"bot_id": None}, False), ({"bot_id": "B9"}, True), ({"bot_profile": None}, False)]
)
def test_a_program_is_who_has_a_bot_s_id(more: dict[str, Any], automatic: bool) -> None:
    row = {"type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": "hi", "ts": "1.2", **more}
    (found,) = parsed({"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "E1", "event": row})
    assert isinstance(found, MessageReceived)
    assert found.automatic is automatic


def test_what_the_app_wrote_is_known_by_its_profile_too() -> None:
    row = {"type": "message", "subtype": "bot_message", "channel": "D1", "bot_id": "B1", "text": "hi", "ts": "1.2"}
    row["bot_profile"] = {"app_id": "A1"}
    assert parsed({"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "E1", "event": row}) == ()


@pytest.mark.parametrize("shape", [{"container": None}, {"container": {"type": "message"}}, {}])
def test_a_pressed_button_is_found_by_its_message(shape: dict[str, Any]) -> None:
    pressed = {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}, "channel": {"id": "D1"},
               "message": {"ts": "1.2"}, "actions": [{"action_id": "yes", "type": "button"}], **shape}  # fmt: skip
    (found,) = parsed(pressed)
    assert isinstance(found, MessageReceived)
    assert found.parts == (Postback(payload="yes"),)


def test_a_button_of_a_home_tab_is_in_no_message() -> None:
    pressed = {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}, "container": {"type": "view"},
               "actions": [{"action_id": "yes", "type": "button"}]}  # fmt: skip
    found = workspace().parse(Request("POST", "/hooks/slack", (), orjson.dumps(pressed), NOW))
    assert (found.events, found.ignored) == ((), ("a button that is in no message",))
