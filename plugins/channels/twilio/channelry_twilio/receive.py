"""Receiving: whether a request is Twilio's, and what the form in it means.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security and
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from hashlib import sha256
from hmac import digest
from typing import TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from attrs import evolve

from channelry import hookimpl, model
from channelry.errors import RejectedError
from channelry.parsing import identifier, received
from channelry_webapi import kind_of_file, place, require, unsupported

from .capabilities import CONSENT, PHONE, STATUSES, WHATSAPP
from .connection import Sender

SIGNATURE = b"x-twilio-signature"
SETTINGS = b"x-twilio-webhooks-signature-settings"
"""Names the shared key and the algorithm of a request that the auth token did not sign: `key=…,algorithm=…`."""
BODY_HASH = "bodySHA256"
REFERENCE, ACCOUNT = "ref", "account"
"""What we add to the URL of a status callback: the call's key, and the sender that it went out by."""

EMPTY = model.Response(200, b"<Response/>", "text/xml")
"""TwiML that does nothing; a body of plain text would be sent to the customer."""

_ALGORITHMS = {b"HMAC_SHA1": "sha1", b"HMAC_SHA256": "sha256"}
_INBOUND = ("receiving", "received")

_Fields: TypeAlias = Mapping[str, str]


@hookimpl
def verify(sender: Sender, request: model.Request) -> None:
    """Raise RejectedError unless the request bears the MAC of one of the secrets.

    They are the auth tokens, or the shared keys for requests that name one. The MAC covers the URL as Twilio called it
    (behind a proxy that maps paths the configured one, with the query), and the form's fields, sorted; of JSON the URL
    holds the hash.
    """
    config, settings = sender.config, request.header(SETTINGS)
    named = dict(pair.strip().partition(b"=")[::2] for pair in settings.split(b",")) if settings else {}
    secrets = config.shared_key if b"key" in named else config.auth_token
    try:
        algorithm = _ALGORITHMS[named.get(b"algorithm", b"HMAC_SHA1").upper()]
        query = request.path.partition("?")[2] if config.webhook_url else ""
        url = (config.webhook_url or request.public_url) + (f"?{query}" if query else "")
        fields, keys = _signed_fields(request, url), [secret.encode() for secret in secrets if secret.reveal()]
        texts = (spelling.encode() + fields for spelling in _spellings(url))
        expected = (b64encode(digest(key, text, algorithm)) for text in texts for key in keys)
        require(request.header(SIGNATURE), expected, "Twilio")
    except (ValueError, KeyError):  # a URL that is none, another body than its hash, another algorithm
        raise RejectedError("the request bears no valid signature or token of Twilio") from None


def _spellings(url: str) -> Iterator[str]:
    """Give the URL as it is, then with its default port put in or left out."""
    yield url
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    if default is not None and parts.port in (None, default):
        host = parts.netloc.removesuffix(f":{default}")
        yield urlunsplit(parts._replace(netloc=host if parts.port else f"{host}:{default}"))


def _signed_fields(request: model.Request, url: str) -> bytes:
    """Give what the MAC covers behind the URL: nothing of a GET, nothing of a body whose hash is in the URL."""
    if request.method == "GET":
        return b""
    if BODY_HASH in url and (hashes := parse_qs(urlsplit(url).query).get(BODY_HASH)):
        if sha256(request.body).hexdigest() != hashes[0]:  # no secret: the MAC of the URL vouches for it
            raise ValueError("another body")
        return b""
    return "".join([name + value for name, value in sorted(set(_form(request.body)))]).encode()


@lru_cache(maxsize=8)
def _form(body: bytes) -> tuple[tuple[str, str], ...]:
    """Read a form as `parse_qsl` does, faster; verifying and parsing want the same one."""
    pairs = [pair.partition("=") for pair in body.decode(errors="replace").replace("+", " ").split("&") if pair]
    return tuple([(_plain(name), _plain(value)) for name, _, value in pairs])


def _plain(text: str) -> str:
    return unquote(text) if "%" in text else text  # which `unquote` asks too, but later


@hookimpl
def parse(sender: Sender, request: model.Request) -> model.Received:
    """Tell what a verified request means: a message, a status."""
    return evolve(received(request, partial(_read, sender.account, request), _fields), answer=EMPTY)


def _fields(request: model.Request) -> _Fields:
    return request.query() if request.method == "GET" else dict(_form(request.body))


def _read(configured: str, request: model.Request, form: _Fields) -> Iterable[model.Event | str]:
    """Read a form; `configured` is this connection's sender."""
    status = (form.get("MessageStatus") or form.get("SmsStatus", "")).lower()
    if not (sid := form.get("MessageSid") or form.get("SmsSid", "")):
        if not (kind := "call" if "CallSid" in form else form.get("EventType")):
            raise ValueError("expected a MessageSid")
        return [f"event {kind:.40}"]
    if status in ("", *_INBOUND) and ("MessageStatus" not in form or "Body" in form or "NumMedia" in form):
        return _message(form, sid, configured, request)
    return [f"status {status}" if status in _INBOUND else _status(form, sid, status, configured, request)]


def _account(form: _Fields, ours: str, configured: str) -> str:
    """Tell which sender of ours it is: the configured one where it is named, else the service, else the number."""
    number, service = form.get(ours, ""), form.get("MessagingServiceSid", "")
    return configured if configured in (number, service) else service or number


def _status(form: _Fields, sid: str, name: str, configured: str, request: model.Request) -> model.Event:
    if name not in STATUSES:
        raise ValueError("an unknown status")
    ours, to = request.query(), form.get("To")
    return model.StatusChanged(
        account=ours.get(ACCOUNT) or _account(form, "From", configured),
        key=f"{sid}:{name}",
        occurred_at=request.received_at,
        external_id=sid,
        status=STATUSES[name],
        reference=ours.get(REFERENCE, ""),
        recipient=_address(to) if to else None,
        code=form.get("ErrorCode", ""),
        reason=form.get("ErrorMessage") or form.get("ChannelStatusMessage", ""),
    )


def _message(form: _Fields, sid: str, configured: str, request: model.Request) -> Iterator[model.Event]:
    """Read a message, and beside it what it says of the customer's consent. Twilio tells no time."""
    account, at = _account(form, "To", configured), request.received_at
    sender, text, parts = _profile(form), form.get("Body", ""), tuple(_parts(form))
    if any(isinstance(part, model.Postback) and part.title == text for part in parts):
        text = ""  # it is what stands on the button
    kind = form.get("MessageType", "").lower()
    if not text and not parts and kind not in ("", "text"):
        parts = (unsupported(kind, form),)
    quoted = form.get("OriginalRepliedMessageSid")
    yield model.MessageReceived(
        account=account,
        key=sid,
        occurred_at=at,
        sender=sender,
        external_id=sid,
        text=text,
        parts=parts,
        reply_to=model.Quote(external_id=quoted) if quoted else None,
        referral=_referral(form) if form.get("ReferralSourceType") else None,
        forwarded="true" in (form.get("Forwarded"), form.get("FrequentlyForwarded")),
    )
    if change := _consent(form, sender.address):
        yield change(account=account, key=f"{sid}:consent", occurred_at=at, sender=sender.address)


def _profile(form: _Fields) -> model.Profile:
    """Read a customer; a number has no name, a person on WhatsApp has."""
    address = _address(spelled := identifier(form["From"]))
    known = form.get("WaId", "")  # the number of somebody whose user id is in its place
    number = f"+{known}" if known.isdecimal() else spelled.rpartition(":")[2]
    others = [model.Address(PHONE, number)] if address.scheme != PHONE and number.startswith("+") else []
    if (user := form.get("ExternalUserId")) and user != address.value:  # WhatsApp's business-scoped id
        others.append(model.Address(address.scheme, user))
    return model.Profile(address=address, name=form.get("ProfileName", ""), aliases=tuple(others))


def _address(spelled: str) -> model.Address:
    """Read an address: `+15005550006`, `whatsapp:+15005550006`, `whatsapp:US.13491208655302741918`.

    WhatsApp knows numbers by their digits, as everywhere in WhatsApp's own API.
    """
    scheme, colon, value = spelled.partition(":")
    if not colon:
        return model.Address(PHONE, spelled)
    if scheme == WHATSAPP and value.startswith("+"):
        return model.Address(WHATSAPP, value[1:], "", value)
    return model.Address(scheme, value)


def _parts(form: _Fields) -> Iterator[model.Part]:
    """Give the files, and what only WhatsApp has: places, buttons, list rows, forms."""
    number = 0
    while url := form.get(f"MediaUrl{number}"):
        media_type = form.get(f"MediaContentType{number}", "")
        yield model.Media(kind=kind_of_file(media_type), url=url, media_type=media_type)
        number += 1
    if form.get("Latitude") and form.get("Longitude"):
        degrees = {name: _degrees(form[name.capitalize()]) for name in ("latitude", "longitude")}
        yield place({**degrees, "name": form.get("Label"), "address": form.get("Address")})
    if payload := form.get("ButtonPayload") or form.get("ButtonText"):
        yield model.Postback(payload=payload, title=form.get("ButtonText", ""))
    if row := form.get("ListId"):
        yield model.Postback(payload=row, title=form.get("ListTitle", ""))
    if answers := form.get("InteractiveData"):
        yield model.FormReply(name="flow", answers=answers)


def _degrees(text: str) -> float:
    if not re.fullmatch(r"[-+]?([0-9]{1,3}(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?", text):
        raise ValueError("expected a place")
    return float(text)


def _referral(form: _Fields) -> model.Referral:
    names = {"source": "SourceType", "ref": "SourceId", "url": "SourceUrl", "title": "Headline"}
    return model.Referral(**{ours: form.get(f"Referral{name}", "") for ours, name in names.items()})


def _consent(form: _Fields, sender: model.Address) -> type[model.OptedIn | model.OptedOut] | None:
    """Tell whether the customer stopped us or let us again."""
    word = form.get("OptOutType") or (form.get("Body", "").strip() if sender.scheme == PHONE else "")
    return CONSENT.get(word.upper())
