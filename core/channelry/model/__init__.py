"""Everything that travels through channelry, as frozen values."""

# fmt: off
# isort: skip_file
from .address import Address, Profile
from .capabilities import ButtonLimit, Capabilities, MediaLimit, Rate, RateScope, TextUnit
from .content import (
    Button, Contact, FormReply, Kind, Location, Media, Order, Part, Postback, Sticker, Template, Unsupported,
)
from .enrichment import Language, Match, Sentiment, Text
from .events import (
    EVENT_TYPES, AccountHealth, Activity, Announced, CallRecord, CallState, DeliveredUpTo, EchoSent, Event,
    IdentityChanged, MessageDeleted, MessageEdited, MessageReceived, Occurrence, OptedIn, OptedOut, Quote,
    ReactionChanged, ReadUpTo, Referral, StatusChanged, Surface, Thread, Typing, Unparsed,
)
from .outbound import (
    AnswerButton, Audience, Call, Delete, Edit, Hide, MarkRead, Outbound, React, SendMessage, ShowTyping, Target,
)
from .receipts import Accepted, NotTaken, Receipt, Reconciled, Resend, Status, Unknown
from .received import OK, Received, Request, Response

__all__ = [
    "EVENT_TYPES", "OK", "Accepted", "AccountHealth", "Activity", "Address", "Announced", "AnswerButton", "Audience",
    "Button", "ButtonLimit", "Call", "CallRecord", "CallState", "Capabilities", "Contact", "Delete", "DeliveredUpTo",
    "EchoSent", "Edit", "Event", "FormReply", "Hide", "IdentityChanged", "Kind", "Language", "Location",
    "MarkRead", "Match", "Media", "MediaLimit", "MessageDeleted", "MessageEdited", "MessageReceived",
    "NotTaken", "Occurrence", "OptedIn", "OptedOut", "Order", "Outbound", "Part", "Postback", "Profile",
    "Quote", "Rate", "RateScope", "React", "ReactionChanged", "ReadUpTo", "Receipt", "Received",
    "Reconciled", "Referral", "Request", "Resend", "Response", "SendMessage", "Sentiment", "ShowTyping",
    "Status", "StatusChanged", "Sticker", "Surface", "Target", "Template", "Text", "TextUnit", "Thread",
    "Typing", "Unknown", "Unparsed", "Unsupported",
]
