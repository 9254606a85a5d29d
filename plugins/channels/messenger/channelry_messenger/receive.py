"""What Messenger tells: webhooks of a Page in, events out.

https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks
"""

from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from channelry import hookimpl
from channelry.model import Address, Profile, Received, Request
from channelry.parsing import mapping, sequence, string
from channelry.services import Services
from channelry_meta import conversations, webhook
from channelry_meta.account import told

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
    """Look up the name and picture of somebody who wrote; who is known by a reference only has none.

    Where the app may not look people up, the conversation names them.
    """
    if address.scheme != SCHEME:
        return None
    found = await told(address.value, "first_name,last_name,profile_pic", page.config.graph(), services) or {}
    first, last = string(found.get("first_name")), string(found.get("last_name"))
    name = f"{first} {last}".strip() or await _participant(page, address.value, services)
    picture = string(found.get("profile_pic"))
    if not (name or picture):
        return None
    return Profile(address=address, name=name, first_name=first, last_name=last, picture=picture)


async def _participant(page: Page, person: str, services: Services) -> str:
    """Give the name that the Page's conversation with somebody shows, or `""`. Its query is from general knowledge [k].

    https://developers.facebook.com/docs/graph-api/reference/page/conversations
    """
    edge, query = f"{page.account}/conversations", {"platform": "messenger", "user_id": person}
    found = await told(edge, "participants", page.config.graph(), services, **query) or {}
    people = [mapping(row.get("participants")).get("data") for row in sequence(found.get("data"))]
    return next((string(one.get("name")) for one in chain(*map(sequence, people)) if one.get("id") == person), "")
