"""Instagram as a channel: its configuration, what it carries and within which limits, and its hooks.

Limits: https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/send-message
(2026-07-02) and https://developers.facebook.com/documentation/instagram-platform/private-replies (2026-06-30)
"""

from collections.abc import Sequence

from attrs import evolve, field, frozen

from channelry import hookimpl, plugin
from channelry.errors import AuthError, PermanentError
from channelry.model import (
    Address,
    Announced,
    ButtonLimit,
    Call,
    Capabilities,
    Event,
    Kind,
    Media,
    MediaLimit,
    Outbound,
    Profile,
    Rate,
    RateScope,
    Receipt,
    Received,
    Reconciled,
    Request,
    Resend,
    Status,
    Surface,
    TextUnit,
)
from channelry.services import Save, Services
from channelry_meta import Graph, account, comments, messages
from channelry_meta.access import Access, Settings
from channelry_meta.account import Subscription

from . import receive, send, token

_FACEBOOK, _INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"
"""Where the two logins' tokens are good."""
_MIB = 1024 * 1024


def _file(most: int, *types: str) -> MediaLimit:
    return MediaLimit(types=frozenset(types), upload=most, link=most, fetch=account.LARGEST)


_AUDIO = _file(25 * _MIB, "audio/aac", "audio/mp4", "audio/x-m4a", "audio/wav", "audio/x-wav")
_BOTH_WAYS = frozenset({Kind.TEXT, Kind.IMAGE, Kind.AUDIO, Kind.VIDEO, Kind.STICKER, Kind.BUTTONS, Kind.REACTION})
_ASIDE = Capabilities(
    text=1000,
    unit=TextUnit.BYTES,
    window=messages.HUMAN_AGENT_WINDOW,
    rates=(Rate(RateScope.CONNECTION, 750, 3600, frozenset({messages.PRIVATE})),),
)
CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.DOCUMENT, Kind.EDIT, Kind.DELETE},
    sends=_BOTH_WAYS | {Kind.VOICE, Kind.DOCUMENT, Kind.READ, Kind.TYPING},
    text=1000,
    unit=TextUnit.BYTES,
    media={
        Kind.IMAGE: _file(8 * _MIB, "image/png", "image/jpeg", "image/gif"),
        Kind.AUDIO: _AUDIO,
        Kind.VOICE: _AUDIO,
        Kind.VIDEO: _file(25 * _MIB, "video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"),
        Kind.DOCUMENT: _file(25 * _MIB, "application/pdf"),
        Kind.STICKER: MediaLimit(fetch=account.LARGEST),
    },
    buttons=ButtonLimit(count=13, title=20, payload=1000, text=1000),
    window=messages.WINDOW,
    statuses=frozenset({Status.SENT, Status.READ}),
    resend=Resend.NEVER,  # an echo bears no key of ours
    rates=(
        Rate(RateScope.CONNECTION, 300, 1, frozenset({messages.MESSAGE, messages.SIGN})),
        Rate(RateScope.CONNECTION, 10, 1, frozenset({messages.MEDIA})),
        *_ASIDE.rates,
    ),
    surfaces=frozenset({Surface.DIRECT, Surface.COMMENT, Surface.MENTION}),
    quotes=True,
    emoji=frozenset({send.LOVE}),
    schemes=(send.SCHEME,),
    public=Capabilities(
        sends=frozenset({Kind.TEXT, Kind.DELETE, Kind.HIDE}),
        text=2200,  # [k]
        resend=Resend.LOOKUP,
    ),
    aside=_ASIDE,
)
FIELDS = (
    "messages", "message_reactions", "message_edit", "messaging_postbacks", "messaging_referral", "messaging_seen",
    "messaging_handover", "standby", "comments", "live_comments", "mentions",
)  # fmt: skip
"""What an account is asked to tell, by the Instagram login."""
PAGE_FIELDS = ("messages",)
"""What its Page is asked to tell, by the Facebook login: any field of the Page makes its account's webhooks come."""


@plugin
class Instagram:
    """The messages, comments and mentions of one professional account of Instagram."""

    @frozen(kw_only=True)
    class Config(Settings):
        """One account's configuration.

        - `ig_id`: of the account, as webhooks name it.
        - `page_id`: of its Page, if `access_token` is a Page's (Facebook login); `""` for the token of an Instagram
          login, which is renewed by itself.
        - `app_id`, `app_secret`: of the app that webhooks come from; two secrets while one is replaced, or where
          both logins sign.
        - `verify_token`: any text; Meta shows it once, when the webhook is registered.
        - `human_agent`: the app was given the right to answer for seven days by hand (the tag HUMAN_AGENT).
        - `api_version`, `base_url`: of the Graph API; `""` for the one that belongs to the login.
        """

        ig_id: str
        page_id: str = ""
        human_agent: bool = False
        base_url: str = ""

    config: Config
    account: str = field(init=False)
    origins: tuple[str, ...] = field(init=False)
    _access: Access = field(init=False, repr=False)
    _node: str = field(init=False, repr=False)
    _wanted: Subscription = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account, self._node = config.ig_id, config.page_id or config.ig_id
        self.origins = (_FACEBOOK if config.page_id else _INSTAGRAM,)
        self._access = Access(evolve(config, base_url=config.base_url or self.origins[0]))
        self._wanted = Subscription(receive.OBJECT, PAGE_FIELDS if config.page_id else FIELDS, config.app_id)

    @property
    def capabilities(self) -> Capabilities:
        return _HUMAN_AGENT if self.config.human_agent else CAPABILITIES

    async def _graph(self, services: Services) -> Graph:
        return self._access.graph if self.config.page_id else await token.current(self._access, services)

    @hookimpl
    async def open(self, services: Services) -> None:
        await self._graph(services)

    @hookimpl
    def verify(self, request: Request) -> None:
        self._access.verify(request)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request, self.config.app_id)

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        graph, query = await self._graph(services), {"fields": receive.mention_fields(event)}
        try:
            found = await graph.call(services, "GET", self.account, query=query)
        except (PermanentError, AuthError):  # gone by now, or not for us to read
            found = None
        return [receive.mention(event, found)]

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        if address.scheme != send.SCHEME:
            return None
        graph = await self._graph(services)
        found = await account.look_up(address.value, "name,username,profile_pic", graph, services)
        return None if found is None else receive.profile(address, found)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.fetch(media, save, services)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        limits = self.capabilities.of(outbound.target)
        return send.compose(outbound, limits, self.account, tagged=self.config.human_agent)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(call, await self._graph(services), self.account, self._node, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return await comments.reconcile(call, send.listing(self.account), await self._graph(services), services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        # where webhooks of this object go is set in the app's dashboard only
        await account.subscribe(self._node, self._wanted, await self._graph(services), services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.examine(self._node, self._wanted, await self._graph(services), services)


_HUMAN_AGENT = evolve(CAPABILITIES, window=messages.HUMAN_AGENT_WINDOW)
