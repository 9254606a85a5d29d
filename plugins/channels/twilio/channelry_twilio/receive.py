"""Receiving: whether a request is Twilio's, and what the form in it means.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security and
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from math import isfinite
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from attrs import frozen

from channelry import model
from channelry.errors import RejectedError
from channelry.secrets import Secrets
from channelry_webapi import signatures
from channelry_webapi.parts import unsupported

from . import addresses

SIGNATURE = b"x-twilio-signature"
SETTINGS = b"x-twilio-webhooks-signature-settings"
"""Names the shared key and the algorithm of a request that the auth token did not sign: `key=…,algorithm=…`."""
BODY_HASH = "bodySHA256"
REFERENCE, ACCOUNT = "ref", "account"
"""What we add to the URL of a status callback: the call's key, and the sender that it went out by."""

EMPTY = model.Response(200, b"<Response/>", "text/xml")
"""TwiML that does nothing; a body of plain text would be sent to the customer."""

OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
IN_WORDS = frozenset({"START", "UNSTOP"})
"""What Twilio acts on by itself where a number has no Advanced Opt-Out, which says so with `OptOutType`. YES counts
for Twilio too, but mostly answers a question: a consent that nobody gave must not be recorded.
Source: https://help.twilio.com/articles/223134027"""

_REACHED = {
    model.Status.QUEUED: "accepted scheduled queued sending",
    model.Status.SENT: "sent partially_delivered",
    model.Status.DELIVERED: "delivered",
    model.Status.READ: "read",
    model.Status.FAILED: "undelivered failed canceled",
}
_STATUSES = {name: status for status, names in _REACHED.items() for name in names.split()}
_INBOUND = frozenset({"receiving", "received"})
_KINDS = {"image": model.Kind.IMAGE, "audio": model.Kind.AUDIO, "video": model.Kind.VIDEO}
_PLAIN = frozenset({"", "text"})


def verify(request: model.Request, url: str, tokens: Secrets, shared_keys: Secrets) -> None:
    """Raise RejectedError unless the request bears the MAC of one of the secrets.

    - `url`: as Twilio called it, with the query; whether the port is in it is tried both ways.
    - `tokens`: the account's auth tokens (SHA-1); `shared_keys`: for requests that name HMAC_SHA256.

    The MAC covers the URL and the form's fields, sorted; of JSON the URL holds the hash.
    """
    algorithm, secrets = _scheme(request.header(SETTINGS), tokens, shared_keys)
    try:
        fields = _signed_fields(request, url)
        keys = [secret.encode() for secret in secrets if secret.reveal()]
        signed = ((key, spelling.encode() + fields) for spelling in _spellings(url) for key in keys)
        expected = (b64encode(digest(key, text, algorithm)) for key, text in signed)
        signatures.require(request.header(SIGNATURE), expected, "Twilio")
    except ValueError:  # a URL that is none, another body than its hash
        raise RejectedError("the request is not signed by Twilio") from None


def _scheme(settings: bytes, tokens: Secrets, shared_keys: Secrets) -> tuple[str, Secrets]:
    if not settings:
        return "sha1", tokens
    named = dict(pair.strip().partition(b"=")[::2] for pair in settings.split(b","))
    algorithm = named.get(b"algorithm", b"HMAC_SHA1").upper()
    secrets = shared_keys if b"key" in named else tokens
    return {b"HMAC_SHA1": ("sha1", secrets), b"HMAC_SHA256": ("sha256", secrets)}.get(algorithm, ("sha1", ()))


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


def parse(request: model.Request, sender: str) -> model.Received:
    """Tell what a verified request means: a message, a status; `sender` is the one that is configured here."""
    found: list[model.Event | str]
    try:
        fields = request.query() if request.method == "GET" else dict(_form(request.body))
        found = list(_Form(fields, sender, request).read())
    except (ValueError, KeyError) as error:
        reason = f"missing field {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raw = request.body or request.path.encode()
        found = [model.Unparsed.of(reason, raw, request.received_at, sender)]
    events = tuple(one for one in found if not isinstance(one, str))
    return model.Received(request, events, EMPTY, tuple(one for one in found if isinstance(one, str)))


@frozen
class _Form:
    """One form, the sender configured here, and the request."""

    fields: Mapping[str, str]
    sender: str
    request: model.Request

    def read(self) -> Iterator[model.Event | str]:
        get = self.fields.get
        sid = get("MessageSid") or get("SmsSid")
        status = (get("MessageStatus") or get("SmsStatus", "")).lower()
        if sid and "MessageStatus" not in self.fields and status in {"", *_INBOUND}:
            yield from self._message(sid)
        elif sid:
            yield f"status {status}" if status in _INBOUND else self._status(sid, status)
        elif "CallSid" in self.fields:
            yield "a telephone call"
        elif kind := get("EventType"):
            yield f"event {kind:.40}"
        else:
            raise KeyError("MessageSid")

    def _common(self, key: str, account: str) -> dict[str, Any]:
        """Give what every event has; Twilio tells no time."""
        return {"key": key, "account": account, "occurred_at": self.request.received_at}

    def _account(self, ours: str) -> str:
        """Tell which sender of ours it is: the configured one where it is named, else the service, else the number."""
        number, service = self.fields.get(ours, ""), self.fields.get("MessagingServiceSid", "")
        return self.sender if self.sender in (number, service) else service or number

    def _status(self, sid: str, name: str) -> model.Event:
        if name not in _STATUSES:
            raise ValueError("an unknown status")
        get, ours = self.fields.get, self.request.query()
        to = get("To")
        return model.StatusChanged(
            **self._common(f"{sid}:{name}", ours.get(ACCOUNT) or self._account("From")),
            external_id=sid,
            status=_STATUSES[name],
            reference=ours.get(REFERENCE, ""),
            recipient=addresses.read(to) if to else None,
            code=get("ErrorCode", ""),
            reason=get("ErrorMessage") or get("ChannelStatusMessage", ""),
        )

    def _message(self, sid: str) -> Iterator[model.Event]:
        get, account = self.fields.get, self._account("To")
        sender, text = addresses.profile(self.fields["From"], self.fields), get("Body", "")
        parts = (*self._files(), *self._special())
        if any(isinstance(part, model.Postback) and part.title == text for part in parts):
            text = ""  # it is what stands on the button
        kind = get("MessageType", "").lower()
        if not text and not parts and kind not in _PLAIN:
            parts = (unsupported(kind, dict(self.fields)),)
        quoted = get("OriginalRepliedMessageSid")
        yield model.MessageReceived(
            **self._common(sid, account),
            sender=sender,
            external_id=sid,
            text=text,
            parts=parts,
            reply_to=model.Quote(external_id=quoted) if quoted else None,
            referral=self._referral(),
            forwarded="true" in (get("Forwarded"), get("FrequentlyForwarded")),
        )
        if change := self._consent(sender.address):
            yield change(**self._common(f"{sid}:consent", account), sender=sender.address)

    def _files(self) -> Iterator[model.Part]:
        place = 0
        while url := self.fields.get(f"MediaUrl{place}"):
            media_type = self.fields.get(f"MediaContentType{place}", "")
            kind = _KINDS.get(media_type.partition("/")[0], model.Kind.DOCUMENT)
            yield model.Media(kind=kind, url=url, media_type=media_type)
            place += 1

    def _special(self) -> Iterator[model.Part]:
        """Give what only WhatsApp has: places, buttons, list rows, forms."""
        get = self.fields.get
        if "Latitude" in self.fields:
            latitude, longitude = float(self.fields["Latitude"]), float(self.fields["Longitude"])
            if not (isfinite(latitude) and isfinite(longitude)):
                raise ValueError("expected a place")
            label, address = get("Label", ""), get("Address", "")
            yield model.Location(latitude=latitude, longitude=longitude, name=label, address=address)
        if payload := get("ButtonPayload") or get("ButtonText"):
            yield model.Postback(payload=payload, title=get("ButtonText", ""))
        if row := get("ListId"):
            yield model.Postback(payload=row, title=get("ListTitle", ""))
        if answers := get("InteractiveData"):
            yield model.FormReply(name="flow", answers=answers)

    def _referral(self) -> model.Referral | None:
        if not self.fields.get("ReferralSourceType"):
            return None
        names = {"source": "SourceType", "ref": "SourceId", "url": "SourceUrl", "title": "Headline"}
        told = {ours: self.fields.get(f"Referral{name}", "") for ours, name in names.items()}
        return model.Referral(**told)

    def _consent(self, sender: model.Address) -> type[model.OptedIn | model.OptedOut] | None:
        """Tell whether the customer stopped us or let us again."""
        said = self.fields.get("OptOutType")
        if said is None and sender.scheme == addresses.PHONE:
            word = self.fields.get("Body", "").strip().upper()
            said = "STOP" if word in OUT_WORDS else "START" if word in IN_WORDS else ""
        return {"STOP": model.OptedOut, "START": model.OptedIn}.get((said or "").upper())
