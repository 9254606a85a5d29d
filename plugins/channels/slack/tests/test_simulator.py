"""The simulated Slack: it signs as Slack does and refuses what Slack refuses."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from channelry.config import load_configuration
from channelry.model import Request
from channelry.registry import examine
from channelry_slack import simulator_rules as rules
from channelry_slack.capabilities import CAPABILITIES
from channelry_slack.plugin import Slack
from channelry_slack.simulator import SlackSimulator
from channelry_testing import AsgiHttp

from .conftest import ORIGIN

pytestmark = pytest.mark.anyio

METADATA = "invalid_metadata_format"
POST = {"channel": "Ddi", "text": "hi"}
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Yes"}, "action_id": "a", "value": "y"}
PICTURE = {"type": "image", "image_url": "file:///x", "alt_text": "a"}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}


def actions(*elements: Any) -> dict[str, Any]:
    return {**POST, "blocks": [{"type": "actions", "elements": elements}]}


async def call(simulator: SlackSimulator, method: str, body: Any, token: str | None = None) -> Any:
    """Call the simulated Web API and give its answer."""
    headers = {"Authorization": f"Bearer {simulator.bot_token if token is None else token}"}
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    http = AsgiHttp({ORIGIN: simulator.app})
    return (await http.request("POST", f"{ORIGIN}/api/{method}", headers=headers, content=content)).json()


def test_it_signs_the_published_vector() -> None:
    at = datetime.fromtimestamp(1_700_000_000, UTC)
    unsigned = Request("POST", "/", ((b"x-slack-signature", b"old"),), b'{"hello":"w\\u00f6rld"}', at)
    signed = SlackSimulator(signing_secret="slack_signing_secret").signed(unsigned)
    assert (signed.header(b"x-slack-signature"), signed.header(b"x-slack-request-timestamp")) == (
        b"v0=4e0535d12606820349ec4f8edb1681b5487fa59f4815bfe3ff2320161a315eeb",
        b"1700000000",
    )


def test_the_plugin_fits_the_contract() -> None:
    examine("slack", Slack)


@pytest.mark.parametrize("token", ["", "another", "ü"])
async def test_it_refuses_who_does_not_show_the_token(simulator: SlackSimulator, token: str) -> None:
    for method in rules.REQUIRED:
        assert (await call(simulator, method, POST, token))["error"] == "invalid_auth"
    assert not simulator.ledger.taken


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("chat.postMessage", b"no JSON", "invalid_json"),
        ("chat.postMessage", {"text": "hi"}, "invalid_arguments"),
        ("chat.postMessage", POST | {"colour": "red"}, "invalid_arguments"),
        ("chat.postMessage", POST | {"text": ""}, "no_text"),
        ("chat.postMessage", POST | {"text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", POST | {"channel": "Udi"}, "channel_not_found"),
        ("chat.postMessage", POST | {"thread_ts": "1.2"}, "thread_not_found"),
        ("chat.postMessage", POST | {"blocks": [SECTION] * 51}, "invalid_blocks"),
        ("chat.postMessage", POST | {"blocks": ["x"]}, "invalid_blocks"),
        ("chat.postMessage", POST | {"blocks": [{"type": "hologram"}]}, "invalid_blocks"),
        ("chat.postMessage", POST | {"blocks": [SECTION | {"bold": True}]}, "invalid_blocks"),
        (
            "chat.postMessage",
            POST | {"blocks": [{"type": "image", "image_url": "x", "alt_text": "a"}]},
            "invalid_blocks",
        ),
        ("chat.postMessage", actions(), "invalid_blocks"),
        ("chat.postMessage", actions(BUTTON, BUTTON), "invalid_blocks"),
        ("chat.postMessage", actions(*[BUTTON | {"action_id": str(n)} for n in range(26)]), "invalid_blocks"),
        ("chat.postMessage", actions(BUTTON | {"value": "x" * 2001}), "invalid_blocks"),
        ("chat.postMessage", actions(BUTTON | {"colour": "red"}), "invalid_blocks"),
        ("chat.postMessage", actions(BUTTON | {"text": {"type": "plain_text", "text": "x" * 76}}), "invalid_blocks"),
        (
            "chat.postMessage",
            POST | {"metadata": {"event_type": "a b", "event_payload": {}}},
            "invalid_metadata_format",
        ),
        ("chat.postMessage", POST | {"metadata": {"event_type": "ab"}}, "invalid_metadata_format"),
        ("chat.update", {"channel": "Ddi", "ts": "1.2", "text": "x"}, "message_not_found"),
        ("chat.delete", {"channel": "Ddi", "ts": "1.2"}, "message_not_found"),
        ("reactions.add", {"channel": "Ddi", "timestamp": "1.2", "name": "+1"}, "message_not_found"),
        ("reactions.remove", {"channel": "Ddi", "timestamp": "1.2", "name": "+1"}, "no_reaction"),
        ("files.completeUploadExternal", {"files": [{"id": "F1"}], "channel_id": "Ddi"}, "file_not_found"),
        ("files.completeUploadExternal", {"files": [{"id": "F1"}] * 11, "channel_id": "Ddi"}, "invalid_arguments"),
        ("files.delete", {"file": "F1"}, "file_not_found"),
        ("chat.dance", {}, "invalid_arguments"),
    ],
)
async def test_it_refuses_what_slack_refuses(simulator: SlackSimulator, method: str, body: Any, error: str) -> None:
    assert await call(simulator, method, body) == {"ok": False, "error": error}
    assert not simulator.ledger.taken


async def test_the_app_changes_only_what_it_wrote(slack: Slack, simulator: SlackSimulator) -> None:
    (event,) = slack.parse(simulator.message("Udi", "hi")).events
    channel, _, ts = event.key.partition(":")
    for method, error in (("chat.update", "cant_update_message"), ("chat.delete", "cant_delete_message")):
        body = {"channel": channel, "ts": ts} | ({"text": "x"} if method == "chat.update" else {})
        assert (await call(simulator, method, body))["error"] == error


async def test_an_upload_of_another_length_is_refused(simulator: SlackSimulator) -> None:
    http, headers = AsgiHttp({ORIGIN: simulator.app}), {"Authorization": f"Bearer {simulator.bot_token}"}
    url = f"{ORIGIN}/api/files.getUploadURLExternal"
    for length, error in (("0", True), ("1000000001", True), ("5", False)):
        place = await http.request("GET", url, headers=headers, query={"filename": "a", "length": length})
        assert (place.json().get("error") == "file_upload_size_restricted") is error
    sent = await http.request("POST", place.json()["upload_url"], form=[("filename", "four")])
    assert sent.status == 400


def test_it_takes_no_less_and_no_more_than_the_plugin_declares() -> None:
    """Limits stand on both sides, for neither imports the other: here they are compared."""
    buttons = CAPABILITIES.buttons
    assert buttons is not None
    assert (buttons.count, buttons.title, buttons.payload, buttons.text) == (
        rules.BUTTONS,
        rules.BUTTON_TEXT,
        rules.BUTTON_VALUE,
        rules.SECTION,
    )
    assert CAPABILITIES.text <= rules.TEXT


@pytest.mark.parametrize("rotating", [False, True])
def test_its_settings_are_a_connection(rotating: bool, tmp_path: Any) -> None:
    simulator = SlackSimulator(rotating=rotating)
    lines = [f'{name} = "{value}"' for name, value in simulator.settings("http://slack.test").items()]
    path = tmp_path / "channelry.toml"
    path.write_text("\n".join(["allow_inline_secrets = true", "[connections.support]", *lines]))
    (entry,) = load_configuration(path).entries
    entry.cls(entry.config).verify(simulator.message("Udi", "hi"))
