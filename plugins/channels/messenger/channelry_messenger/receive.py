"""What Messenger tells: webhooks of a Page in, events out.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks
"""

from datetime import datetime
from functools import partial
from typing import Any

from channelry import hookimpl
from channelry.model import Address, Profile, Received, Request
from channelry.parsing import sequence, string
from channelry.services import Services
from channelry_meta import conversations, webhook
from channelry_meta.account import look_up

from .capabilities import OBJECT, SCHEME
from .connection import Page


@hookimpl
def parse(page: Page, request: Request) -> Received:
    """Tell what a verified request means; the app's id tells our own echoes from others."""
    return webhook.parse(request, OBJECT, partial(_entry, page.config.app_id))


def _entry(app_id: str, entry: Any, at: datetime, found: webhook.Found) -> None:
    conversations.read(entry, at, SCHEME, app_id, found)
    if "changes" in entry:  # of the Page's feed: comments, which are another channel's
        found += [f"field {string(change['field']):.40}" for change in sequence(entry["changes"])]


@hookimpl
async def profile(page: Page, address: Address, services: Services) -> Profile | None:
    """Look up the name and picture of somebody who wrote; who is known by a reference only has none."""
    if address.scheme != SCHEME:
        return None
    found = await look_up(address.value, "first_name,last_name,profile_pic", page.config.graph(), services)
    if found is None:
        return None
    first, last = string(found.get("first_name")), string(found.get("last_name"))
    return Profile(
        address=address,
        name=f"{first} {last}".strip(),
        first_name=first,
        last_name=last,
        picture=string(found.get("profile_pic")),
    )
