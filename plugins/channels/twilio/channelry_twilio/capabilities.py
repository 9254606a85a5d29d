"""What a sender at Twilio carries, and within which limits: a number, a Messaging Service, a WhatsApp sender."""

from datetime import timedelta

from attrs import evolve

from channelry.model import Capabilities, Kind, MediaLimit, Rate, RateScope, Resend, Status

from .addresses import PHONE, WHATSAPP, is_whatsapp

TEXT = 1600
"""Most characters of a body; longer ones are error 21617.
Source: https://www.twilio.com/docs/messaging/api/message-resource"""
MMS_FILES, MMS_BYTES = 10, 5 * 1024 * 1024
"""Most files of one MMS, and most bytes of all of them. Source: as above"""
WHATSAPP_BYTES = 16 * 1024 * 1024
"""Largest file of a WhatsApp message, which has one.
Source: https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages"""
WHATSAPP_CAPTION = 1024
"""Longest text under a file; WhatsApp's own limit, which Twilio's pages do not repeat."""

_FILES = (Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.DOCUMENT)
_SENT = frozenset({Kind.TEXT, *_FILES, Kind.TEMPLATE})
_MMS = MediaLimit(link=MMS_BYTES, fetch=WHATSAPP_BYTES)

SMS = Capabilities(
    receives=_SENT - {Kind.TEMPLATE},
    sends=_SENT,
    text=TEXT,
    caption=TEXT,
    media=dict.fromkeys(_FILES, _MMS),
    statuses=frozenset({Status.QUEUED, Status.SENT, Status.DELIVERED, Status.FAILED}),
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
    media=dict.fromkeys(_FILES, MediaLimit(link=WHATSAPP_BYTES, fetch=WHATSAPP_BYTES)),
    window=timedelta(hours=24),
    statuses=SMS.statuses | {Status.READ},
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
