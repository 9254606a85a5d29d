"""The simulated Twilio refuses what Twilio refuses, and signs as Twilio signs."""

from base64 import b64encode
from typing import Any

import pytest
from attrs import evolve

from channelry.model import MessageReceived, Request, StatusChanged
from channelry.secrets import Secret
from channelry.services import HttpResponse, Services
from channelry_twilio.connection import ORIGIN
from channelry_twilio.plugin import Twilio
from channelry_twilio.simulator import TwilioSimulator

pytestmark = pytest.mark.anyio

URL = "https://care.example.com/hooks/sms?tenant=7"
FIELDS = b"From=%2B15005550006&To=%2B15005550001&Body=Hi+there&MessageSid=SM00000000000000000000000000000001&NumMedia=0"
FORM = b"content-type", b"application/x-www-form-urlencoded"
EVE = "+15005550006"


@pytest.mark.parametrize(
    ("shared_key", "signature"),
    [("", b"BnSqaDtLZWC1PzI97gQ5pI02rl0="), ("twilio_auth_token", b"UchWDA+sPrSuofQsBt5msot1zaAf1OJ+6f6atos1F60=")],
)
async def test_it_signs_a_form_with_the_published_signature(
    simulator: TwilioSimulator, shared_key: str, signature: bytes
) -> None:
    simulator.auth_token, simulator.shared_key = "twilio_auth_token", shared_key
    signed = simulator.signed(Request("POST", "/hooks/sms?tenant=7", (FORM,), FIELDS, simulator.now(), URL))
    assert signed.header(b"x-twilio-signature") == signature


async def test_it_signs_json_by_the_hash_in_the_url(simulator: TwilioSimulator) -> None:
    simulator.auth_token = "twilio_auth_token"
    headers = ((b"content-type", b"application/json"),)
    asked = Request("POST", "/hooks/json", headers, b'{"a":1}', simulator.now(), "https://care.example.com/hooks/json")
    signed = simulator.signed(asked)
    assert signed.header(b"x-twilio-signature") == b"oI6AxYbn+GSYW1m3VHYhDACOwMU="
    assert simulator.signed(signed) == signed


@pytest.mark.parametrize("sender", ["+15005550001", "whatsapp:+15005550001", "MG0123456789abcdef0123456789abcdef"])
@pytest.mark.parametrize("shared_key", ["", "simulated-shared-key"])
async def test_what_a_customer_writes_is_signed_and_understood(
    simulator: TwilioSimulator, twilio: Twilio, shared_key: str
) -> None:
    simulator.shared_key = shared_key
    twilio = Twilio(evolve(twilio.config, shared_key=(Secret(shared_key),)))
    for request in (simulator.message(EVE, "héllo 😀"), simulator.message("15005550006", "héllo 😀")):
        twilio.verify(request)
        (event,) = twilio.parse(request).events
        assert isinstance(event, MessageReceived)
        assert (event.text, event.account, request.path) == ("héllo 😀", simulator.sender, "/")


async def test_any_body_can_be_signed(simulator: TwilioSimulator, twilio: Twilio) -> None:
    for kind in (FORM[1], b"application/json"):
        for body in (b"", b"\xff\xfe=%zz&&", b"{}"):
            headers = ((b"content-type", kind),)
            signed = simulator.signed(Request("POST", "/?x=1", headers, body, simulator.now(), f"{URL}&x=1"))
            twilio.verify(signed)
    bare = simulator.signed(Request("POST", "/?x=1", (FORM,), b"a=1", simulator.now()))
    twilio.verify(bare)


async def test_statuses_come_to_the_url_that_the_message_was_sent_with(
    simulator: TwilioSimulator, twilio: Twilio, desk: Services
) -> None:
    callback = "https://care.example.com/hooks/twilio?ref=k%3A0&account=%2B15005550001"
    await post(desk, simulator, To=EVE, From=simulator.sender, Body="hi", StatusCallback=callback)
    events = []
    for webhook in simulator.webhooks:
        twilio.verify(webhook)
        events += twilio.parse(webhook).events
    assert all(isinstance(event, StatusChanged) for event in events)
    told = [(event.status.value, event.reference) for event in events if isinstance(event, StatusChanged)]
    assert told == [("queued", "k:0"), ("sent", "k:0"), ("delivered", "k:0")]


async def post(desk: Services, simulator: TwilioSimulator, *more: tuple[str, str], **form: Any) -> HttpResponse:
    basic = b64encode(f"{simulator.account_sid}:{simulator.auth_token}".encode()).decode()
    url = f"{ORIGIN}/2010-04-01/Accounts/{simulator.account_sid}/Messages.json"
    headers = {"authorization": f"Basic {basic}"}
    return await desk.http.request("POST", url, headers=headers, form=[*form.items(), *more])


LINK = "https://files.example.com/a"
GOOD = {"To": EVE, "From": "+15005550001", "Body": "hi"}
REFUSED: list[tuple[dict[str, str], int]] = [
    (GOOD | {"Boddy": "hi"}, 20001),
    ({"From": "+15005550001", "Body": "hi"}, 21604),
    (GOOD | {"To": "12"}, 21211),
    (GOOD | {"To": "whatsapp:+15005550006"}, 21910),
    (GOOD | {"From": "+15005550002"}, 21606),
    ({"To": EVE, "From": "+15005550001"}, 21602),
    (GOOD | {"Body": "a" * 1601}, 21617),
    (GOOD | {"MediaUrl": "ftp://a/b"}, 21620),
    (GOOD | {"StatusCallback": "nowhere"}, 21620),
    (GOOD | {"ContentSid": "HX1"}, 21654),
]


@pytest.mark.parametrize(("form", "code"), REFUSED, ids=[str(code) for _, code in REFUSED])
async def test_what_twilio_would_refuse_is_refused(
    simulator: TwilioSimulator, desk: Services, form: dict[str, str], code: int
) -> None:
    answer = await post(desk, simulator, **form)
    assert (answer.status, answer.json()["code"]) == (400, code)
    assert simulator.ledger.taken == []


async def test_eleven_files_and_a_field_twice_are_refused(simulator: TwilioSimulator, desk: Services) -> None:
    assert (await post(desk, simulator, *[("MediaUrl", LINK)] * 11, **GOOD)).json()["code"] == 21623
    assert (await post(desk, simulator, ("Body", "again"), **GOOD)).json()["code"] == 20001
    assert (await post(desk, simulator, *[("MediaUrl", LINK)] * 10, **GOOD)).status == 201


async def test_who_wrote_stop_is_not_written_to_until_start(simulator: TwilioSimulator, desk: Services) -> None:
    simulator.message(EVE, "Stop")
    assert (await post(desk, simulator, **GOOD)).json()["code"] == 21610
    simulator.message(EVE, "START")
    assert (await post(desk, simulator, **GOOD)).status == 201


async def test_without_credentials_nothing_is_told(simulator: TwilioSimulator, desk: Services) -> None:
    url = f"{ORIGIN}/2010-04-01/Accounts/{simulator.account_sid}.json"
    for headers in ({}, {"authorization": "Basic QUM6eA=="}, {"authorization": "Bearer é"}):
        assert (await desk.http.request("GET", url, headers=headers)).status == 401


async def test_its_settings_are_a_connections(simulator: TwilioSimulator) -> None:
    settings = simulator.settings("http://127.0.0.1:1")
    assert settings.pop("plugin") == "twilio"
    for name in ("auth_token", "shared_key"):
        if name in settings:
            settings[name] = (Secret(settings[name]),)
    assert Twilio(Twilio.Config(**settings)).account == simulator.sender
