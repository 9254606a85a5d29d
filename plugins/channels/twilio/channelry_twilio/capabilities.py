"""What a sender at Twilio carries, and within which limits: a number, a Messaging Service, a WhatsApp sender."""

from collections.abc import Mapping
from datetime import timedelta

from attrs import evolve

from channelry.model import Capabilities, Kind, MediaLimit, OptedIn, OptedOut, Rate, RateScope, Resend, Status

PHONE, WHATSAPP = "phone", "whatsapp"
MESSAGE, TYPING = "message", "typing"
"""The actions."""

TEXT = 1600
"""Most characters of a body; longer ones are error 21617.
Source: https://www.twilio.com/docs/messaging/api/message-resource"""
MMS_FILES, MMS_BYTES = 10, 5 * 1024 * 1024
"""Most files of one MMS, and most bytes of all of them. Source: as above"""
WHATSAPP_BYTES = 16 * 1024 * 1024
"""Largest file of a WhatsApp message, which has one.
Source: https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages"""
WHATSAPP_PICTURE = 5 * 1024 * 1024
"""Largest picture of a WhatsApp message; WhatsApp's own limit.
Source: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media"""
WHATSAPP_CAPTION, CAPTIONED = 1024, frozenset({Kind.IMAGE, Kind.VIDEO})
"""Longest text under a file, and the files that it stands under; WhatsApp's own limit, which Twilio's pages do not
repeat."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Characters that take two septets, which are never parted."""
_GSM_7, _UCS_2 = (160, 153), (70, 67)
"""Units (septets, UTF-16) of a segment that stands alone, and of one of several.
Source: https://www.twilio.com/docs/glossary/what-sms-character-limit, 3GPP TS 23.038, 6.2.1"""

NUMBER = ("/IncomingPhoneNumbers", "PhoneNumber", "incoming_phone_numbers", "phone_number")
SHORT_CODE = ("/SMS/ShortCodes", "ShortCode", "short_codes", "short_code")
"""Where the account keeps its numbers and its short codes: the path, the query that asks for one, the list, the field.
Sources: https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource and
https://www.twilio.com/docs/messaging/api/short-code-resource"""

STATUSES = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending"), Status.QUEUED),
    **dict.fromkeys(("sent", "partially_delivered"), Status.SENT),
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    **dict.fromkeys(("undelivered", "failed", "canceled"), Status.FAILED),
}
"""How far a message has got, in Twilio's words.
Source: https://www.twilio.com/docs/messaging/api/message-resource"""

CONSENT: Mapping[str, type[OptedIn | OptedOut]] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), OptedOut),
    **dict.fromkeys(("START", "UNSTOP"), OptedIn),
}
"""What Twilio acts on by itself where a number has no Advanced Opt-Out, which says so with `OptOutType`. YES counts
for Twilio too, but mostly answers a question: a consent that nobody gave must not be recorded.
Source: https://help.twilio.com/articles/223134027"""

_FILES = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.DOCUMENT)
_SENT = frozenset({Kind.TEXT, *_FILES, Kind.VOICE, Kind.TEMPLATE})
_MMS = MediaLimit(link=MMS_BYTES, fetch=WHATSAPP_BYTES)

SMS = Capabilities(
    receives=frozenset({Kind.TEXT, *_FILES}),
    sends=_SENT,
    text=TEXT,
    caption=TEXT,
    media=dict.fromkeys((*_FILES, Kind.VOICE), _MMS),  # a voice message is sent as any other sound
    statuses=frozenset(STATUSES.values()) - {Status.READ},
    # The list of messages can be asked, and every status bears our key in its URL: whichever comes first settles it.
    resend=Resend.LOOKUP,
    # One a second is a US long code's; other numbers have more, and Twilio queues what comes faster for four hours.
    # Source: https://help.twilio.com/articles/115002943027
    rates=(Rate(RateScope.CONNECTION, 1, 1),),
    schemes=(PHONE,),
    initiates=True,
)
SERVICE = evolve(SMS, receives=SMS.receives | {Kind.LOCATION, Kind.BUTTONS, Kind.FORM}, schemes=(PHONE, WHATSAPP))
"""A Messaging Service's, whose pool may hold WhatsApp senders too."""
BY_WHATSAPP = evolve(
    SERVICE,
    sends=_SENT | {Kind.LOCATION, Kind.TYPING},
    caption=WHATSAPP_CAPTION,
    media={
        **dict.fromkeys((*_FILES, Kind.VOICE), MediaLimit(link=WHATSAPP_BYTES, fetch=WHATSAPP_BYTES)),
        Kind.IMAGE: MediaLimit(link=WHATSAPP_PICTURE, fetch=WHATSAPP_BYTES),
    },
    window=timedelta(hours=24),
    statuses=frozenset(STATUSES.values()),
    # Source: https://www.twilio.com/docs/whatsapp/api#rate-limiting
    rates=(Rate(RateScope.CONNECTION, 80, 1),),
    schemes=(WHATSAPP, PHONE),
)


def of(sender: str, messages_per_second: int | None) -> Capabilities:
    """Give those of a sender, at the rate that Twilio has granted it where that is not the usual one."""
    found = BY_WHATSAPP if is_whatsapp(sender) else SERVICE if is_service(sender) else SMS
    if messages_per_second is None:
        return found
    return evolve(found, rates=(Rate(RateScope.CONNECTION, messages_per_second, 1),))


def is_service(sender: str) -> bool:
    """Tell whether a sender is a Messaging Service, which picks one of its numbers for each message."""
    return sender.startswith("MG")


def is_whatsapp(who: str) -> bool:
    """Tell whether a sender, or somebody who is written to, is on WhatsApp."""
    return who.startswith(f"{WHATSAPP}:")


def segments(text: str) -> int:
    """Count the segments that a text message is sent in: what it costs, and what carriers may lose.

    One character beyond GSM-7 makes all of it UCS-2. An empty text is one.
    """
    basic = (_BASIC | _EXTENDED).issuperset(text)
    alone, joined = _GSM_7 if basic else _UCS_2
    doubles = [character in _EXTENDED if basic else character > "\uffff" for character in text]
    if len(text) + sum(doubles) <= alone:
        return 1
    taken, left = 1, joined
    for double in doubles:
        left -= 1 + double
        if left < 0:
            taken, left = taken + 1, joined - 1 - double
    return taken
