"""An account at Meta (a Page, or Instagram's): its webhook, its credentials, its customers' names and files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from channelry.errors import AuthError, PermanentError, RecipientError
from channelry.model import Media
from channelry.secrets import Secret
from channelry.services import Save, Services

from .graph import Graph

LARGEST = 100 * 1024 * 1024
"""Bytes of a customer's file; it is not held to the limits of what we send."""


@frozen
class Subscription:
    """What an app wants to be told of: the `fields` of the object `about`, by the app of this id."""

    about: str
    fields: Sequence[str]
    app_id: str


async def fetch(media: Media, save: Save, services: Services) -> Media:
    """Download a customer's file by its link, which is signed and expires."""
    if not media.url:
        raise PermanentError("the file has no link to fetch it by", code="no_file")
    file = await services.http.download(media.url, save, limit=LARGEST)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


async def look_up(person: str, fields: str, graph: Graph, services: Services) -> Mapping[str, Any] | None:
    """Read what Meta tells of a person who wrote; None where it tells nothing, for want of consent or of a right.

    https://developers.facebook.com/documentation/business-messaging/messenger-platform/identity/user-profile
    """
    try:
        return await graph.call(services, "GET", person, query={"fields": fields})
    except (PermanentError, RecipientError, AuthError):
        return None


async def direct(url: str, verify_token: Secret, wanted: Subscription, app: Graph, services: Services) -> None:
    """Have the app's webhooks of an object sent to `url`, which Meta calls back at once; `app` shows the app's token.

    A subscription replaces what was there [k], so the fields of other channels of the same app are asked for again.
    """
    edge = f"{wanted.app_id}/subscriptions"
    known = await graph_data(app, edge, services)
    fields = [row.get("fields") for row in known if row.get("object") == wanted.about]
    subscription = {
        "object": wanted.about,
        "callback_url": url,
        "verify_token": verify_token.reveal(),
        "fields": _joined(wanted.fields, *fields),
    }
    await app.call(services, "POST", edge, json=subscription, repeatable=True)


async def subscribe(account: str, wanted: Subscription, graph: Graph, services: Services) -> None:
    """Have what happens on the account told to the app, beside what is told already."""
    edge = f"{account}/subscribed_apps"
    known = [row.get("subscribed_fields") for row in await _ours(edge, wanted, graph, services)]
    fields = {"subscribed_fields": _joined(wanted.fields, *known)}
    await graph.call(services, "POST", edge, json=fields, repeatable=True)


async def examine(account: str, wanted: Subscription, graph: Graph, services: Services) -> None:
    """Make sure that the token reaches the account, and that what happens there is told to the app."""
    await graph.call(services, "GET", account, query={"fields": "id"})
    told = await _ours(f"{account}/subscribed_apps", wanted, graph, services)
    missing = set(wanted.fields) - set(_joined(*(row.get("subscribed_fields") for row in told)).split(","))
    if missing:
        raise PermanentError(
            f"the app {wanted.app_id} is not told of {', '.join(sorted(missing))}; run: channelry setup",
            code="not_subscribed",
        )


async def _ours(edge: str, wanted: Subscription, graph: Graph, services: Services) -> list[Mapping[str, Any]]:
    return [row for row in await graph_data(graph, edge, services) if str(row.get("id")) == wanted.app_id]


async def graph_data(
    graph: Graph, edge: str, services: Services, query: Mapping[str, str] | None = None
) -> list[Mapping[str, Any]]:
    """Read the rows of an edge, without those that are none."""
    rows = (await graph.call(services, "GET", edge, query=query)).get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _joined(*lists: Any) -> str:
    """Write names of fields as one list; Meta gives them as texts or as objects with a name and a version."""
    names: dict[str, None] = {}
    for fields in lists:
        each: Iterable[Any] = fields if isinstance(fields, list | tuple) else ()
        names |= dict.fromkeys(str(one.get("name") if isinstance(one, dict) else one) for one in each)
    return ",".join(names)
