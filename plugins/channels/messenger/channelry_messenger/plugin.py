"""Messenger as a channel: its configuration, what it carries and within which limits, and its hooks.

Limits: https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting
(2026-03-23) and …/send-messages
"""

from collections.abc import Sequence

from attrs import evolve, field, frozen

from channelry import hookimpl, plugin
from channelry.model import (
    Address,
    ButtonLimit,
    Call,
    Capabilities,
    Kind,
    Media,
    MediaLimit,
    Outbound,
    Profile,
    Rate,
    RateScope,
    Receipt,
    Received,
    Request,
    Resend,
    Status,
)
from channelry.services import Save, Services
from channelry_meta import account, messages
from channelry_meta.access import Access, Settings
from channelry_meta.account import Subscription

from . import receive
from .send import DIALECT

_MIB = 1024 * 1024


def _file(most: int, *types: str) -> MediaLimit:
    return MediaLimit(types=frozenset(types), upload=most, link=most, fetch=account.LARGEST)


_BOTH_WAYS = frozenset(
    {Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.DOCUMENT, Kind.STICKER, Kind.BUTTONS, Kind.REACTION}
)
_ASIDE = Capabilities(
    text=2000,
    window=messages.HUMAN_AGENT_WINDOW,
    resend=Resend.NEVER,
    rates=(Rate(RateScope.CONNECTION, 750, 3600, frozenset({messages.PRIVATE})),),
)
CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.LOCATION, Kind.EDIT, Kind.DELETE},
    sends=_BOTH_WAYS | {Kind.VOICE, Kind.READ, Kind.TYPING},
    text=2000,
    media={
        Kind.IMAGE: _file(8 * _MIB, "image/jpeg", "image/png", "image/gif", "image/webp"),
        Kind.AUDIO: _file(25 * _MIB),
        Kind.VOICE: _file(25 * _MIB),
        Kind.VIDEO: _file(25 * _MIB),
        Kind.DOCUMENT: _file(25 * _MIB),
        Kind.STICKER: MediaLimit(fetch=account.LARGEST),
    },
    buttons=ButtonLimit(count=13, title=20, payload=1000, text=640, urls=True),
    window=messages.WINDOW,
    statuses=frozenset({Status.SENT, Status.DELIVERED, Status.READ}),
    resend=Resend.CALLBACK,  # the echo of a message bears its `metadata`, which is our key
    rates=(
        Rate(RateScope.CONNECTION, 300, 1, frozenset({messages.MESSAGE, messages.SIGN})),
        Rate(RateScope.CONNECTION, 10, 1, frozenset({messages.MEDIA})),
        *_ASIDE.rates,
    ),
    quotes=True,
    schemes=(DIALECT.scheme,),
    aside=_ASIDE,
)
FIELDS = (
    "messages", "message_edits", "message_reactions", "message_deliveries", "message_reads", "message_echoes",
    "messaging_postbacks", "messaging_optins", "messaging_referrals", "messaging_handovers",
    "messaging_policy_enforcement", "standby",
)  # fmt: skip
"""What a Page is asked to tell of its conversations."""


@plugin
class Messenger:
    """The conversations of one Facebook Page."""

    @frozen(kw_only=True)
    class Config(Settings):
        """One Page's configuration.

        - `page_id`, `access_token`: of the Page; the token with pages_messaging and pages_manage_metadata.
        - `app_id`, `app_secret`: of the app that webhooks come from; two secrets while one is replaced.
        - `verify_token`: any text; Meta shows it once, when the webhook is registered.
        - `human_agent`: the app was given the right to answer for seven days by hand (the tag HUMAN_AGENT).
        - `api_version`, `base_url`: of the Graph API.
        """

        page_id: str
        human_agent: bool = False

    config: Config
    account: str = field(init=False)
    _access: Access = field(init=False, repr=False)
    _wanted: Subscription = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.account = self.config.page_id
        self._access = Access(self.config)
        self._wanted = Subscription(receive.OBJECT, FIELDS, self.config.app_id)

    @property
    def capabilities(self) -> Capabilities:
        return _HUMAN_AGENT if self.config.human_agent else CAPABILITIES

    @hookimpl
    def verify(self, request: Request) -> None:
        self._access.verify(request)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request, self.config.app_id)

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        found = await account.look_up(address.value, "first_name,last_name,profile_pic", self._access.graph, services)
        return None if found is None else receive.profile(address, found)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.fetch(media, save, services)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        limits = self.capabilities.of(outbound.target)
        return messages.compose(outbound, limits, DIALECT, tagged=self.config.human_agent)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await messages.send(call, self._access.graph, self.account, DIALECT, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        await self._access.register(url, self.account, self._wanted, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.examine(self.account, self._wanted, self._access.graph, services)


_HUMAN_AGENT = evolve(CAPABILITIES, window=messages.HUMAN_AGENT_WINDOW)
