"""What Messenger tells: webhooks of a Page in, events out.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from channelry.model import Address, Profile, Received, Request
from channelry.parsing import sequence, string
from channelry_meta import conversations, webhook

from .capabilities import SCHEME

OBJECT = "page"
"""What a webhook of Messenger is about."""


def parse(request: Request, app_id: str) -> Received:
    """Tell what a verified request means; `app_id` tells our own echoes from others."""
    return webhook.parse(request, OBJECT, partial(_entry, app_id))


def _entry(app_id: str, entry: Any, at: datetime, found: webhook.Found) -> None:
    conversations.read(entry, at, SCHEME, app_id, found)
    if "changes" in entry:  # of the Page's feed: comments, which are another channel's
        found += [f"field {string(change['field']):.40}" for change in sequence(entry["changes"])]


def profile(address: Address, found: Mapping[str, Any]) -> Profile:
    """Read the answer to a look-up of somebody who wrote."""
    first, last = string(found.get("first_name")), string(found.get("last_name"))
    return Profile(
        address=address,
        name=f"{first} {last}".strip(),
        first_name=first,
        last_name=last,
        picture=string(found.get("profile_pic")),
    )
