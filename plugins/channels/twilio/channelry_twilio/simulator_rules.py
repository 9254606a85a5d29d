"""What the simulated Twilio takes: the fields of a message, their limits, and who can be written to.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

import re
from collections.abc import Container, Mapping, Sequence

from attrs import frozen

BODY, FILES = 1600, 10
"""Most characters of a body, most files of a message."""

FIELDS = frozenset({
    "To", "From", "MessagingServiceSid", "Body", "MediaUrl", "StatusCallback", "ContentSid", "ContentVariables",
    "PersistentAction", "ValidityPeriod", "SendAt", "ScheduleType", "SmartEncoded", "ProvideFeedback", "MaxPrice",
})  # fmt: skip
_REPEATED = frozenset({"MediaUrl", "PersistentAction"})
_TO = re.compile(r"\+[1-9][0-9]{6,14}|whatsapp:(\+[1-9][0-9]{6,14}|[A-Z]{2}\.[A-Za-z0-9]+)")
_WEB = re.compile(r"https?://[^/\s]+/?\S*")


@frozen
class Refused(Exception):
    """Twilio refuses: its code, its words, the HTTP status."""

    code: int
    reason: str
    status: int = 400


def admit(form: Sequence[tuple[str, str]], sender: str, stopped: Container[str]) -> Mapping[str, str]:
    """Give a message's fields, or refuse them: unknown, missing, too long, for somebody who cannot be written to."""
    seen: dict[str, str] = {}
    for name, value in form:
        if name not in FIELDS or (name in seen and name not in _REPEATED):
            raise Refused(20001, f"Unknown parameter {name}")
        seen[name] = value
    to, own = seen.get("To", ""), "MessagingServiceSid" if sender.startswith("MG") else "From"
    if not to:
        raise Refused(21604, "A 'To' phone number is required.")
    if not _TO.fullmatch(to):
        raise Refused(21211, f"The 'To' number {to} is not a valid phone number.")
    if seen.get(own) != sender:
        raise Refused(21606, "The 'From' phone number provided is not a valid message-capable Twilio phone number")
    if own == "From" and to.startswith("whatsapp:") != sender.startswith("whatsapp:"):
        raise Refused(21910, "Invalid From and To pair. From and To should be of the same channel")
    if to in stopped:
        raise Refused(21610, "Attempt to send to unsubscribed recipient")
    if not any(name in seen for name in ("Body", "MediaUrl", "ContentSid")):
        raise Refused(21602, "Message body is required.")
    if len(seen.get("Body", "")) > BODY:
        raise Refused(21617, "The concatenated message body exceeds the 1600 character limit")
    links = [value for name, value in form if name == "MediaUrl"]
    if len(links) > (1 if to.startswith("whatsapp:") else FILES):
        raise Refused(21623, "Number of media files exceeds allowed limit")
    for link in [*links, *filter(None, [seen.get("StatusCallback")])]:
        if not _WEB.fullmatch(link):
            raise Refused(21620, f"Invalid URL {link}")
    if "ContentSid" in seen and not re.fullmatch(r"HX[0-9a-f]{32}", seen["ContentSid"]):
        raise Refused(21654, "ContentSid is not valid")
    return seen
