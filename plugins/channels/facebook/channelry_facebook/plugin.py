"""A Page's comments as a channel: their configuration, what they carry and within which limits, and their hooks.

Limits: https://developers.facebook.com/docs/graph-api/reference/comment and
https://developers.facebook.com/documentation/business-messaging/messenger-platform/discovery/private-replies
"""

from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.errors import AuthError, PermanentError
from channelry.model import (
    Announced,
    Call,
    Capabilities,
    Event,
    Kind,
    Media,
    MediaLimit,
    Outbound,
    Rate,
    RateScope,
    Receipt,
    Received,
    Reconciled,
    Request,
    Resend,
    Surface,
)
from channelry.services import Save, Services
from channelry_meta import account, comments, messages
from channelry_meta.access import Access, Settings
from channelry_meta.account import Subscription

from . import receive, send

_TEXT = 8000  # [k]
_PICTURE = MediaLimit(
    types=frozenset({"image/jpeg", "image/png", "image/gif"}),
    link=4 * 1024 * 1024,  # of a photo, as the Graph API states it [k]
    fetch=account.LARGEST,
)
_RATES = (Rate(RateScope.CONNECTION, 750, 3600, frozenset({messages.PRIVATE})),)
CAPABILITIES = Capabilities(
    receives=frozenset({Kind.TEXT, Kind.IMAGE, Kind.VIDEO, Kind.EDIT, Kind.DELETE}),
    sends=frozenset(),  # conversations are Messenger's
    text=_TEXT,
    media={Kind.IMAGE: _PICTURE, Kind.VIDEO: MediaLimit(fetch=account.LARGEST)},
    resend=Resend.LOOKUP,
    rates=_RATES,
    surfaces=frozenset({Surface.COMMENT, Surface.MENTION}),
    schemes=(receive.SCHEME,),
    public=Capabilities(
        sends=frozenset({Kind.TEXT, Kind.IMAGE, Kind.EDIT, Kind.DELETE, Kind.HIDE, Kind.REACTION}),
        text=_TEXT,
        caption=_TEXT,
        media={Kind.IMAGE: _PICTURE},
        resend=Resend.LOOKUP,
        emoji=frozenset({send.LIKE}),
    ),
    aside=Capabilities(text=2000, window=messages.HUMAN_AGENT_WINDOW, resend=Resend.NEVER, rates=_RATES),
)
FIELDS = ("feed", "mention")
"""What a Page is asked to tell of its feed."""


@plugin
class Facebook:
    """The comments and mentions of one Facebook Page."""

    @frozen(kw_only=True)
    class Config(Settings):
        """One Page's configuration.

        - `page_id`, `access_token`: of the Page; the token with pages_manage_engagement, pages_read_user_content,
          pages_manage_metadata and, for private replies, pages_messaging.
        - `app_id`, `app_secret`: of the app that webhooks come from; two secrets while one is replaced.
        - `verify_token`: any text; Meta shows it once, when the webhook is registered.
        - `api_version`, `base_url`: of the Graph API.
        """

        page_id: str

    capabilities: ClassVar[Capabilities] = CAPABILITIES

    config: Config
    account: str = field(init=False)
    _access: Access = field(init=False, repr=False)
    _wanted: Subscription = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.account = self.config.page_id
        self._access = Access(self.config)
        self._wanted = Subscription(receive.OBJECT, FIELDS, self.config.app_id)

    @hookimpl
    def verify(self, request: Request) -> None:
        self._access.verify(request)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        what = event.ids.get("comment") or event.ids["post"]
        query = {"fields": "message,from,created_time,permalink_url"}
        try:
            found = await self._access.graph.call(services, "GET", comments.path(what), query=query)
        except (PermanentError, AuthError):  # gone by now, or not for us to read
            found = None
        return [receive.mention(event, found)]

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.fetch(media, save, services)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        return send.compose(outbound, self.capabilities.of(outbound.target))

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(call, self._access.graph, self.account, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return await comments.reconcile(call, send.listing(self.account), self._access.graph, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        await self._access.register(url, self.account, self._wanted, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.examine(self.account, self._wanted, self._access.graph, services)
