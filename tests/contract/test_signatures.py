"""The vendors' own libraries take for theirs what we take for theirs, whatever the body is (`nox -s contract`)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.discovery import available
from channelry.errors import RejectedError
from channelry.model import Request
from channelry_testing import connected
from channelry_testing.bench import installed

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
Judge: TypeAlias = Callable[[Any, Request], bool]
"""Tells by a vendor's library whether a request is signed with the secret of a simulator."""


def line(simulator: Any, request: Request) -> bool:
    from linebot.v3.webhook import SignatureValidator

    signature = request.header(b"x-line-signature").decode("latin-1")
    return bool(SignatureValidator(simulator.channel_secret).validate(request.body.decode(), signature))


def viber(simulator: Any, request: Request) -> bool:
    from viberbot import Api, BotConfiguration

    api = Api(BotConfiguration(auth_token=simulator.auth_token, name="Care", avatar=""))
    return bool(api.verify_signature(request.body, request.header(b"x-viber-content-signature").decode("latin-1")))


def whatsapp(simulator: Any, request: Request) -> bool:
    from pywa.utils import webhook_updates_validator

    signature = request.header(b"x-hub-signature-256").decode("latin-1")
    return signature.isascii() and webhook_updates_validator(simulator.app_secret, request.body, signature)


def twilio(simulator: Any, request: Request) -> bool:
    from twilio.request_validator import RequestValidator

    json = request.header(b"content-type") == b"application/json"
    fields = request.body.decode() if json else dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    algorithm = "HMAC_SHA256" if simulator.shared_key else None
    validator = RequestValidator(simulator.shared_key or simulator.auth_token)
    signature = request.header(b"x-twilio-signature").decode("latin-1")
    return bool(validator.validate(request.public_url, fields, signature, algorithm))


def slack(simulator: Any, request: Request) -> bool:
    from slack_sdk.signature import Clock, SignatureVerifier

    class Stopped(Clock):
        def now(self) -> float:
            return request.received_at.timestamp()

    headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
    return bool(SignatureVerifier(simulator.signing_secret, Stopped()).is_valid_request(request.body, headers))


TEXTS = st.text(max_size=40).map(str.encode)
FORMS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=6)
FORM, JSON = ((b"content-type", kind) for kind in (b"application/x-www-form-urlencoded", b"application/json"))
PEERS: Mapping[str, tuple[str, Judge, st.SearchStrategy[Any], tuple[bytes, bytes], Mapping[str, Any]]] = {
    "line": ("linebot", line, TEXTS, JSON, {}),
    "viber": ("viberbot", viber, TEXTS, JSON, {}),
    "whatsapp": ("pywa", whatsapp, st.binary(max_size=40), JSON, {}),
    "messenger": ("pywa", whatsapp, st.binary(max_size=40), JSON, {}),
    "twilio": ("twilio", twilio, FORMS.map(lambda fields: urlencode(fields).encode()), FORM, {}),
    "twilio json": ("twilio", twilio, TEXTS, JSON, {}),
    "twilio sha256": (
        "twilio", twilio, FORMS.map(lambda fields: urlencode(fields).encode()), FORM, {"shared_key": "a-shared-key"},
    ),
    "slack": ("slack_sdk", slack, TEXTS, JSON, {}),
}  # fmt: skip
"""By channel: the library, its judgement, bodies that it can read, their type, and what the simulator is made with."""


@cache
def pair(channel: str, **options: Any) -> tuple[Any, Any]:
    """Give a simulator and our plugin that shares its secrets."""
    simulator = available("channelry.simulators")[channel].load()(now=lambda: NOW, **options)
    return simulator, connected(installed(channel), simulator)


def accepted(plugin: Any, request: Request) -> bool:
    try:
        plugin.verify(request)
    except RejectedError:
        return False
    return True


@pytest.mark.parametrize("peer", PEERS)
def test_both_take_what_is_signed_and_neither_what_is_not(peer: str) -> None:
    library, judge, bodies, content_type, options = PEERS[peer]
    channel = peer.partition(" ")[0]
    if find_spec(library) is None or channel not in available("channelry.simulators"):
        pytest.skip(f"{library} and channelry-{channel} are not both installed: nox -s contract")
    simulator, plugin = pair(channel, **options)

    @settings(max_examples=300, deadline=None)
    @given(bodies, st.sampled_from(("right", "cut", "other", "none")))
    def agree(body: bytes, signature: str) -> None:
        request = simulator.signed(Request("POST", "/", (content_type,), body, NOW))
        if signature != "right":
            spoilt = {"cut": lambda value: value[:-2], "other": lambda value: value.swapcase(), "none": lambda _: b""}
            headers = tuple(
                (name, spoilt[signature](value)) if b"signature" in name and b"settings" not in name else (name, value)
                for name, value in request.headers
            )
            request = evolve(request, headers=headers)
        assert judge(simulator, request) is accepted(plugin, request) is (signature == "right")

    agree()
