"""Whether requests are Twilio's, what forms mean, and that no body breaks anything."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import digest
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channelry.codec import from_json, to_json
from channelry.errors import RejectedError
from channelry.model import Event, Location, MessageReceived, OptedOut, Request, StatusChanged, Unparsed
from channelry.secrets import Secret
from channelry_twilio.plugin import Twilio
from channelry_twilio.receive import EMPTY, _form

EVENT: Any = Event
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
PAYLOADS = {path.stem: json.loads(path.read_text()) for path in Path(__file__).parent.glob("payloads/*.json")}
ROWS = {"text", "media", "opt-out", "whatsapp", "other channels", "status", "not a message"}
FORM = b"content-type", b"application/x-www-form-urlencoded"


def twilio(*tokens: str, sender: str = "+15005550001", shared: tuple[str, ...] = (), **more: Any) -> Twilio:
    secrets, keys = (tuple(map(Secret, values)) for values in (tokens, shared))
    config = Twilio.Config(account_sid="AC01", auth_token=secrets, shared_key=keys, sender=sender, **more)
    return Twilio(config)


def request(payload: Mapping[str, Any]) -> Request:
    body = orjson.dumps(payload["json"]) if "json" in payload else urlencode(payload["form"]).encode()
    path = payload.get("path", "/")
    return Request(payload.get("method", "POST"), path, (FORM,), body, NOW, f"https://care.example.com{path}")


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_a_recorded_form_gives_the_events_written_by_hand(name: str) -> None:
    payload = PAYLOADS[name]
    sender = "whatsapp:+15005550001" if name.startswith("whatsapp") else "+15005550001"
    found = twilio(sender=sender).parse(request(payload))
    expected = [to_json(from_json(event, EVENT), EVENT) for event in payload["events"]]  # defaults filled in
    assert [to_json(event, EVENT) for event in found.events] == expected
    assert list(found.ignored) == payload["ignored"]
    assert {"status": found.answer.status, "body": found.answer.body.decode()} == payload["answer"]


def test_every_row_has_a_recorded_payload() -> None:
    assert {payload["row"] for payload in PAYLOADS.values()} == ROWS


def test_the_answer_is_twiml_that_says_nothing() -> None:
    """A body of plain text would be sent to the customer."""
    assert (EMPTY.media_type, EMPTY.body) == ("text/xml", b"<Response/>")


def test_one_form_is_the_number_s_and_the_service_s_each_for_its_own_connection() -> None:
    form = {"MessageSid": "SM1", "From": "+15005550006", "To": "+15005550001", "MessagingServiceSid": "MG01"}
    accounts = [twilio(sender=own).parse(request({"form": form})).events[0].account for own in ("+15005550001", "+111")]
    assert accounts == ["+15005550001", "MG01"]


@pytest.mark.parametrize(
    ("latitude", "degrees"),
    [
        ("+51.5", 51.5),
        ("051", 51),
        ("-5.", -5),
        ("0", 0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1e-05", 1e-5),
        ("4.0E-5", 4e-5),
    ],
)
def test_a_place_is_read_however_it_is_written(latitude: str, degrees: float) -> None:
    form = {"MessageSid": "SM1", "From": "+15005550006", "Latitude": latitude, "Longitude": "8.4"}
    (event,) = twilio().parse(request({"form": form})).events
    assert isinstance(event, MessageReceived)
    assert event.parts == (Location(latitude=degrees, longitude=8.4),)


@pytest.mark.parametrize("latitude", ["north of here", "inf", "nan", "1e999", "e5", ".", "5_1", " "])
def test_a_place_without_degrees_is_none_and_is_not_quoted(latitude: str) -> None:
    form = {"MessageSid": "SM1", "From": "+15005550006", "Latitude": latitude, "Longitude": "8.4"}
    (event,) = twilio().parse(request({"form": form})).events
    assert isinstance(event, Unparsed)
    assert event.reason == "expected a place"


@pytest.mark.parametrize("missing", [{"Latitude": ""}, {"Longitude": ""}, {"Latitude": "", "Longitude": ""}])
def test_an_empty_place_is_none_and_the_message_arrives(missing: dict[str, str]) -> None:
    form = {"MessageSid": "SM1", "From": "+15005550006", "Body": "hi", "Latitude": "51.5", "Longitude": "8.4"}
    (event,) = twilio().parse(request({"form": form | missing})).events
    assert isinstance(event, MessageReceived)
    assert (event.text, event.parts) == ("hi", ())


@pytest.mark.parametrize("status", ["received", "receiving", "Received"])
@pytest.mark.parametrize(
    "said", [{"Body": "hi"}, {"NumMedia": "0"}, {"Body": "", "NumMedia": "1", "MediaUrl0": "https://a/"}]
)
def test_a_message_may_name_its_status_as_statuses_do(status: str, said: dict[str, str]) -> None:
    form = {"MessageSid": "SM1", "From": "+15005550006", "To": "+15005550001", "MessageStatus": status}
    (event,) = twilio().parse(request({"form": form | said})).events
    assert isinstance(event, MessageReceived)
    assert (event.key, event.text) == ("SM1", said.get("Body", ""))
    assert twilio().parse(request({"form": form})).ignored == (f"status {status.lower()}",)


def test_a_status_is_one_whatever_else_it_bears() -> None:
    form = {"MessageSid": "SM1", "From": "+15005550001", "MessageStatus": "delivered", "Body": "hi", "NumMedia": "0"}
    (event,) = twilio().parse(request({"form": form})).events
    assert isinstance(event, StatusChanged)


def test_a_webhook_s_address_has_no_query_of_its_own() -> None:
    with pytest.raises(ValueError, match="webhook_url"):
        twilio(webhook_url="https://care.example.com/hooks/sms?tenant=7")


def test_statuses_of_one_message_differ_in_their_keys_and_a_repeated_one_does_not() -> None:
    def keys(*names: str) -> list[str]:
        forms = [{"MessageSid": "SM1", "MessageStatus": name, "From": "+15005550001"} for name in names]
        return [twilio().parse(request({"form": form})).events[0].key for form in forms]

    assert keys("delivered", "sent", "delivered") == ["SM1:delivered", "SM1:sent", "SM1:delivered"]


# Signatures

URL = "https://care.example.com/hooks/sms?tenant=7"
FIELDS = b"From=%2B15005550006&To=%2B15005550001&Body=Hi+there&MessageSid=SM00000000000000000000000000000001&NumMedia=0"
SHA1, SHA256 = b"BnSqaDtLZWC1PzI97gQ5pI02rl0=", b"UchWDA+sPrSuofQsBt5msot1zaAf1OJ+6f6atos1F60="
NAMED = b"x-twilio-webhooks-signature-settings", b"key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
TOKEN = "twilio_auth_token"


def signed(signature: bytes, *more: tuple[bytes, bytes], body: bytes = FIELDS, url: str = URL) -> Request:
    path = url.removeprefix("https://care.example.com")
    return Request("POST", path, (FORM, (b"x-twilio-signature", signature), *more), body, NOW, url)


@pytest.mark.parametrize(
    ("secrets", "asked"),
    [
        ({"tokens": (TOKEN,)}, signed(SHA1)),
        ({"tokens": ("new", TOKEN)}, signed(SHA1)),
        ({"tokens": (TOKEN, "old")}, signed(SHA1)),
        ({"tokens": ("other",), "shared": (TOKEN,)}, signed(SHA256, NAMED)),
        ({"tokens": (TOKEN,)}, signed(SHA256, (NAMED[0], b"algorithm=HMAC_SHA256"))),
    ],
    ids=["sha1", "second of two", "first of two", "shared key, sha256", "token, sha256"],
)
def test_the_published_signatures_are_accepted(secrets: dict[str, tuple[str, ...]], asked: Request) -> None:
    twilio(*secrets["tokens"], shared=secrets.get("shared", ())).verify(asked)


def test_a_json_body_is_signed_by_its_hash_in_the_url() -> None:
    url = "https://care.example.com/hooks/json?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    signature = b"oI6AxYbn+GSYW1m3VHYhDACOwMU="
    twilio(TOKEN).verify(signed(signature, body=b'{"a":1}', url=url))
    with pytest.raises(RejectedError):
        twilio(TOKEN).verify(signed(signature, body=b'{"a":2}', url=url))
    with pytest.raises(RejectedError):
        twilio(TOKEN).verify(signed(signature, body=b'{"a":1}', url=url.replace("015", "016")))


@pytest.mark.parametrize(
    "url", ["https://care.example.com:443/hooks/sms?tenant=7", "https://care.example.com/hooks/sms?tenant=7"]
)
def test_the_default_port_may_stand_in_the_url_or_not(url: str) -> None:
    twilio(TOKEN).verify(signed(SHA1, url=url))


def test_behind_a_proxy_that_maps_paths_the_configured_url_counts_with_the_query_that_came() -> None:
    asked = Request("POST", "/inner?tenant=7", signed(SHA1).headers, FIELDS, NOW, "http://10.0.0.7/inner?tenant=7")
    twilio(TOKEN, webhook_url="https://care.example.com/hooks/sms").verify(asked)
    with pytest.raises(RejectedError):
        twilio(TOKEN).verify(asked)


@pytest.mark.parametrize(
    "asked",
    [
        Request("POST", "/hooks/sms?tenant=7", (FORM,), FIELDS, NOW, URL),
        signed(b""),
        signed(SHA1[:-2]),
        signed(SHA1.lower()),
        signed("BnSqaDtLZWC1PzI97gQ5pI02rl0é".encode()),
        signed(b"\xff\xfe"),
        signed(SHA256),
        signed(SHA1, NAMED),
        signed(SHA1, (NAMED[0], b"algorithm=HMAC_MD5")),
        signed(SHA1, (NAMED[0], b"algorithm=")),
        signed(SHA1, body=FIELDS + b"&New=1"),
        signed(SHA1, body=FIELDS.replace(b"Hi", b"Ho")),
        signed(SHA1, body=b"\xff\xfe"),
        signed(SHA1, url=URL + "&x=1"),
        signed(SHA1, url="https://care.example.com:444/hooks/sms?tenant=7"),
        signed(SHA1, url="https://care.example.com:x/hooks/sms?tenant=7"),
        signed(SHA1, url="https://[care/hooks/sms?tenant=7"),
        signed(SHA1, url=""),
    ],
    ids=range(18),
)
def test_what_is_not_signed_is_refused(asked: Request) -> None:
    with pytest.raises(RejectedError):
        twilio(TOKEN, shared=("another",)).verify(asked)


@pytest.mark.parametrize("tokens", [(), ("",)])
def test_without_a_secret_everything_is_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(RejectedError):
        twilio(*tokens).verify(Request("GET", "/", ((b"x-twilio-signature", SHA1),), b"", NOW, "https://a/"))
    empty = b64encode(digest(b"", b"https://a/", "sha1"))
    with pytest.raises(RejectedError):
        twilio(*tokens).verify(Request("GET", "/", ((b"x-twilio-signature", empty),), b"", NOW, "https://a/"))


def test_an_opt_out_stands_beside_the_message_that_it_is() -> None:
    form = {"MessageSid": "SM1", "From": "+15005550006", "To": "+15005550001", "Body": "Stop"}
    message, out = twilio().parse(request({"form": form})).events
    assert isinstance(message, MessageReceived)
    assert isinstance(out, OptedOut)
    assert out.sender == message.sender.address
    assert len({message.key, out.key}) == 2


@settings(max_examples=1_000, deadline=None, derandomize=True)
@given(st.binary(max_size=40) | st.text("=&+%aé0 ;", max_size=20).map(str.encode))
def test_a_form_is_read_as_the_standard_library_reads_it(body: bytes) -> None:
    assert list(_form(body)) == parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
