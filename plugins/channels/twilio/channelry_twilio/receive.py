"""Receiving: whether a request is Twilio's, and what the form in it means.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security and
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest, digest
from math import isfinite
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import orjson
from attrs import frozen

from channelry.errors import RejectedError
from channelry.model import (
    Event,
    FormReply,
    Kind,
    Location,
    Media,
    MessageReceived,
    OptedIn,
    OptedOut,
    Part,
    Postback,
    Profile,
    Quote,
    Received,
    Referral,
    Request,
    Response,
    Status,
    StatusChanged,
    Unparsed,
    Unsupported,
)

from . import addresses

SIGNATURE = b"x-twilio-signature"
SETTINGS = b"x-twilio-webhooks-signature-settings"
"""Names the shared key and the algorithm of a request that the auth token did not sign: `key=…,algorithm=…`."""
BODY_HASH = "bodySHA256"
REFERENCE, ACCOUNT = "ref", "account"
"""What we add to the URL of a status callback: the call's key, and the sender that it went out by."""

EMPTY = Response(200, b"<Response/>", "text/xml")
"""TwiML that does nothing; a body of plain text would be sent to the customer."""

OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
IN_WORDS = frozenset({"START", "UNSTOP"})
"""What Twilio acts on by itself where a number has no Advanced Opt-Out, which says so with `OptOutType`. YES counts
for Twilio too, but mostly answers a question: a consent that nobody gave must not be recorded.
Source: https://help.twilio.com/articles/223134027"""

_STATUSES = {
    "accepted": Status.QUEUED,
    "scheduled": Status.QUEUED,
    "queued": Status.QUEUED,
    "sending": Status.QUEUED,
    "sent": Status.SENT,
    "partially_delivered": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "undelivered": Status.FAILED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}
_INBOUND = frozenset({"receiving", "received"})
_KINDS = {"image": Kind.IMAGE, "audio": Kind.AUDIO, "video": Kind.VIDEO}
_PLAIN = frozenset({"", "text"})


def verify(request: Request, url: str, tokens: Sequence[bytes], shared_keys: Sequence[bytes]) -> None:
    """Raise RejectedError unless the request bears the MAC of one of the secrets.

    - `url`: as Twilio called it, with the query; whether the port is in it is tried both ways.
    - `tokens`: the account's auth tokens (SHA-1); `shared_keys`: for requests that name HMAC_SHA256.

    The MAC covers the URL and the form's fields, sorted; of JSON the URL holds the hash.
    """
    algorithm, secrets = _scheme(request.header(SETTINGS), tokens, shared_keys)
    signature = request.header(SIGNATURE)
    try:
        fields = _signed_fields(request, url)
        for spelling in _spellings(url):
            for secret in secrets:
                expected = b64encode(digest(secret, spelling.encode() + fields, algorithm))
                if compare_digest(expected, signature) and secret:
                    return
    except ValueError:  # a URL that is none, another body than its hash
        pass
    raise RejectedError("the request is not signed by Twilio")


def _scheme(settings: bytes, tokens: Sequence[bytes], shared_keys: Sequence[bytes]) -> tuple[str, Sequence[bytes]]:
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


def _signed_fields(request: Request, url: str) -> bytes:
    """Give what the MAC covers behind the URL: nothing of a GET, nothing of a body whose hash is in the URL."""
    if request.method == "GET":
        return b""
    if BODY_HASH in url and (hashes := parse_qs(urlsplit(url).query).get(BODY_HASH)):
        if not compare_digest(sha256(request.body).hexdigest().encode(), hashes[0].encode()):
            raise ValueError("another body")
        return b""
    return "".join(name + value for name, value in sorted(set(_form(request.body)))).encode()


@lru_cache(maxsize=8)
def _form(body: bytes) -> tuple[tuple[str, str], ...]:
    """Read a form as `parse_qsl` does, faster; verifying and parsing want the same one."""
    pairs = (pair.partition("=") for pair in body.decode(errors="replace").replace("+", " ").split("&") if pair)
    return tuple((unquote(name), unquote(value)) for name, _, value in pairs)


def parse(request: Request, account: str) -> Received:
    """Tell what a verified request means: a message, a status; `account` is the sender that is configured here."""
    try:
        fields = request.query() if request.method == "GET" else dict(_form(request.body))
        found = list(_Form(fields, account, request).read())
    except (ValueError, KeyError) as error:
        reason = f"missing field {error.args[0]}" if isinstance(error, KeyError) else str(error)
        found = [Unparsed.of(reason, request.body or request.path.encode(), request.received_at, account)]
    events = tuple(one for one in found if not isinstance(one, str))
    return Received(request, events, EMPTY, tuple(one for one in found if isinstance(one, str)))


@frozen
class _Form:
    """One form, the sender configured here, and the request."""

    fields: Mapping[str, str]
    sender: str
    request: Request

    def read(self) -> Iterator[Event | str]:
        get = self.fields.get
        sid = get("MessageSid") or get("SmsSid")
        if not sid:
            if "CallSid" in self.fields:
                yield "a telephone call"
            elif "EventType" in self.fields:
                yield f"event {self.fields['EventType']:.40}"
            else:
                raise KeyError("MessageSid")
        elif "MessageStatus" in self.fields:
            yield self._status(sid)
        else:
            yield from self._message(sid)

    def _status(self, sid: str) -> Event | str:
        get, name = self.fields.get, self.fields["MessageStatus"].lower()
        if name in _INBOUND:
            return f"status {name}"
        if name not in _STATUSES:
            raise ValueError("an unknown status")
        to, ours = get("To"), self.request.query()
        return StatusChanged(
            account=ours.get(ACCOUNT) or self._account("From"),
            key=f"{sid}:{name}",
            occurred_at=self.request.received_at,
            external_id=sid,
            status=_STATUSES[name],
            reference=ours.get(REFERENCE, ""),
            recipient=addresses.read(to) if to else None,
            code=get("ErrorCode", ""),
            reason=get("ErrorMessage") or get("ChannelStatusMessage", ""),
        )

    def _message(self, sid: str) -> Iterator[Event]:
        fields, at, account = self.fields, self.request.received_at, self._account("To")
        sender, text = addresses.profile(fields["From"], fields), fields.get("Body", "")
        parts = (*self._files(), *self._special())
        if any(isinstance(part, Postback) and part.title == text for part in parts):
            text = ""  # it is what stands on the button
        kind = fields.get("MessageType", "").lower()
        if not text and not parts and kind not in _PLAIN:
            parts = (Unsupported(kind=kind, raw=orjson.dumps(dict(fields)).decode()),)
        quoted = fields.get("OriginalRepliedMessageSid")
        yield MessageReceived(
            account=account,
            key=sid,
            occurred_at=at,
            sender=sender,
            external_id=sid,
            text=text,
            parts=parts,
            reply_to=Quote(external_id=quoted) if quoted else None,
            referral=self._referral(),
            forwarded="true" in (fields.get("Forwarded"), fields.get("FrequentlyForwarded")),
        )
        if change := self._consent(sid, sender):
            yield change

    def _account(self, ours: str) -> str:
        """Tell which sender of ours it is: the configured one where it is named, else the service, else the number."""
        number, service = self.fields.get(ours, ""), self.fields.get("MessagingServiceSid", "")
        return self.sender if self.sender in (number, service) else service or number

    def _files(self) -> Iterator[Part]:
        place = 0
        while url := self.fields.get(f"MediaUrl{place}"):
            media_type = self.fields.get(f"MediaContentType{place}", "")
            kind = _KINDS.get(media_type.partition("/")[0], Kind.DOCUMENT)
            yield Media(kind=kind, url=url, media_type=media_type)
            place += 1

    def _special(self) -> Iterator[Part]:
        """Give what only WhatsApp has: places, buttons, list rows, forms."""
        get = self.fields.get
        if "Latitude" in self.fields:
            latitude, longitude = float(self.fields["Latitude"]), float(self.fields["Longitude"])
            if not (isfinite(latitude) and isfinite(longitude)):
                raise ValueError("expected a place")
            label, address = get("Label", ""), get("Address", "")
            yield Location(latitude=latitude, longitude=longitude, name=label, address=address)
        if payload := get("ButtonPayload") or get("ButtonText"):
            yield Postback(payload=payload, title=get("ButtonText", ""))
        if row := get("ListId"):
            yield Postback(payload=row, title=get("ListTitle", ""))
        if answers := get("InteractiveData"):
            yield FormReply(name="flow", answers=answers)

    def _referral(self) -> Referral | None:
        get = self.fields.get
        source = get("ReferralSourceType")
        if not source:
            return None
        ref, url, title = get("ReferralSourceId", ""), get("ReferralSourceUrl", ""), get("ReferralHeadline", "")
        return Referral(source=source, ref=ref, url=url, title=title)

    def _consent(self, sid: str, sender: Profile) -> Event | None:
        """Tell whether the customer stopped us or let us again."""
        said = self.fields.get("OptOutType")
        if said is None and sender.address.scheme == addresses.PHONE:
            word = self.fields.get("Body", "").strip().upper()
            said = "STOP" if word in OUT_WORDS else "START" if word in IN_WORDS else ""
        changes: dict[str, type[OptedIn] | type[OptedOut]] = {"STOP": OptedOut, "START": OptedIn}
        change = changes.get((said or "").upper())
        if change is None:
            return None
        at = self.request.received_at
        return change(account=self._account("To"), key=f"{sid}:consent", occurred_at=at, sender=sender.address)
