"""An account at Meta (a Page, or Instagram's): its webhook, its credentials, its customers' names and files."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import define, evolve

from channelry import hookimpl
from channelry.errors import AuthError, PermanentError, RecipientError
from channelry.model import Media
from channelry.services import Save, Services

from .access import PageSettings, Settings, Signed
from .codes import ENDED
from .graph import Graph
from .limits import LARGEST


@define(eq=False)
class Account(Signed, ABC):
    """What channels of a Page or of an Instagram account have alike; `about`: the object that their webhooks name."""

    about: ClassVar[str]

    config: Settings

    @property
    @abstractmethod
    def account(self) -> str:
        """Give the account's id, as webhooks have it."""

    @property
    @abstractmethod
    def wanted(self) -> Sequence[str]:
        """Name the fields that the app is to be told of."""

    @property
    def node(self) -> str:
        """Give the id that the account is called by."""
        return self.account

    async def graph(self, services: Services) -> Graph:
        """Give the account's way into the Graph API."""
        return self.config.graph()

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        """Download a customer's file by its link, which is signed and expires."""
        if not media.url:
            raise PermanentError("the file has no link to fetch it by", code="no_file")
        return await download(media.url, media, save, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        """Have the app's webhooks sent to `url`, and what happens on the account told to the app."""
        await self.direct(url, services)
        await self.subscribe(services)

    async def direct(self, url: str, services: Services) -> None:
        """Have the app's webhooks of this object sent to `url`, which Meta calls back at once.

        A subscription replaces what was there [k], so the fields of other channels of the same app are asked for too.
        """
        app, edge = self.config.app(), f"{self.config.app_id}/subscriptions"
        known = [row.get("fields") for row in await rows(app, edge, services) if row.get("object") == self.about]
        subscription = {
            "object": self.about,
            "callback_url": url,
            "verify_token": self.config.verify_token.reveal(),
            "fields": _joined(self.wanted, *known),
        }
        await app.call(services, "POST", edge, json=subscription, repeatable=True)

    async def subscribe(self, services: Services) -> None:
        """Have what happens on the account told to the app, beside what is told already."""
        graph, fields = await self.graph(services), _joined(self.wanted, *await self._told(services))
        asked = {"subscribed_fields": fields}
        await graph.call(services, "POST", f"{self.node}/subscribed_apps", json=asked, repeatable=True)

    @hookimpl
    async def check(self, services: Services) -> None:
        """Make sure that the token reaches the account, and that what happens there is told to the app."""
        await (await self.graph(services)).call(services, "GET", self.node, query={"fields": "id"})
        missing = set(self.wanted) - set(_joined(*await self._told(services)).split(","))
        if missing:
            names = ", ".join(sorted(missing))
            raise PermanentError(
                f"the app {self.config.app_id} is not told of {names}; run: channelry setup", code="not_subscribed"
            )

    async def _told(self, services: Services) -> list[Any]:
        """Give the fields that our app is told of, as Meta lists them."""
        found = await rows(await self.graph(services), f"{self.node}/subscribed_apps", services)
        return [row.get("subscribed_fields") for row in found if str(row.get("id")) == self.config.app_id]


@define(eq=False)
class Page(Account):
    """What channels of a Page have alike."""

    config: PageSettings

    @property
    def account(self) -> str:
        return self.config.page_id


async def download(
    url: str, media: Media, save: Save, services: Services, headers: Mapping[str, str] | None = None
) -> Media:
    """Download a customer's file, and give it with the type and size that it has."""
    file = await services.http.download(url, save, headers=headers, limit=LARGEST)
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


async def told(what: str, fields: str, graph: Graph, services: Services, **query: str) -> Mapping[str, Any] | None:
    """Read what Meta tells of a post or a person; None where it tells nothing, for want of consent or of a right.

    AuthError where it would, but the token has ended.
    https://developers.facebook.com/documentation/business-messaging/messenger-platform/identity/user-profile
    """
    try:
        return await graph.call(services, "GET", what, query={"fields": fields, **query})
    except (PermanentError, RecipientError, AuthError) as error:
        if error.code.partition("/")[0] == ENDED:
            raise
        return None


async def rows(graph: Graph, edge: str, services: Services) -> list[Mapping[str, Any]]:
    """Read the rows of an edge, without those that are none."""
    found = (await graph.call(services, "GET", edge)).get("data")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _joined(*lists: Any) -> str:
    """Write names of fields as one list; Meta gives them as texts or as objects with a name and a version."""
    names: dict[str, None] = {}
    for fields in lists:
        each: Iterable[Any] = fields if isinstance(fields, list | tuple) else ()
        names |= dict.fromkeys(str(one.get("name") if isinstance(one, dict) else one) for one in each)
    return ",".join(names)
