"""WhatsApp as a channel: its configuration, what it carries and within which limits, and its hooks.

Limits: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages and …/throughput
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.model import (
    ButtonLimit,
    Call,
    Capabilities,
    Kind,
    Media,
    MediaLimit,
    Outbound,
    Rate,
    RateScope,
    Receipt,
    Received,
    Request,
    Resend,
    Status,
)
from channelry.secrets import Secret, Secrets
from channelry.services import Save, Services
from channelry_meta import Graph, verify

from . import account, receive, send
from .refusals import REFUSALS

_KIB, _MIB = 1024, 1024 * 1024
_LARGEST = 100 * _MIB
"""What WhatsApp lets anybody send; what a customer sends is not held to the limits of what we send."""


def _file(most: int, *types: str) -> MediaLimit:
    return MediaLimit(types=frozenset(types), upload=most, link=most, fetch=_LARGEST)


_BOTH_WAYS = frozenset(Kind(name) for name in (
    "text", "image", "audio", "voice", "video", "document", "sticker", "location", "contact", "buttons",
    "reaction",
))  # fmt: skip

CAPABILITIES = Capabilities(
    receives=_BOTH_WAYS | {Kind.FORM, Kind.ORDER, Kind.EDIT, Kind.DELETE, Kind.CALL},
    sends=_BOTH_WAYS | {Kind.TEMPLATE, Kind.READ, Kind.TYPING},
    text=4096,
    caption=1024,
    media={
        Kind.IMAGE: _file(5 * _MIB, "image/jpeg", "image/png"),
        Kind.AUDIO: _file(16 * _MIB, "audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
        Kind.VOICE: _file(16 * _MIB, "audio/ogg"),
        Kind.VIDEO: _file(16 * _MIB, "video/mp4", "video/3gpp"),
        Kind.DOCUMENT: _file(_LARGEST),
        Kind.STICKER: _file(500 * _KIB, "image/webp"),  # animated; a still one has 100 KiB
    },
    buttons=ButtonLimit(count=10, title=20, payload=200, text=1024, urls=True),  # from 4 on the rows of a list
    window=timedelta(hours=24),
    statuses=frozenset({Status.SENT, Status.DELIVERED, Status.READ, Status.PLAYED, Status.FAILED}),
    resend=Resend.CALLBACK,  # every status echoes `biz_opaque_callback_data`, which is our key
    rates=(
        Rate(RateScope.CONNECTION, 80, 1),
        Rate(RateScope.RECIPIENT, 10, 60),  # stated as 1 in 6 s, with bursts: an answer in parts goes out at once
    ),
    quotes=True,
)


@plugin
class WhatsApp:
    """One phone number of the WhatsApp Business Platform (Cloud API)."""

    @frozen(kw_only=True)
    class Config:
        """One number's configuration.

        - `phone_number_id`: Meta's id of the number (not the number itself).
        - `access_token`: of a system user, with whatsapp_business_messaging and whatsapp_business_management.
        - `app_secret`: of the app that the webhooks come from; two while it is replaced.
        - `verify_token`: any text; Meta shows it once, when the webhook is registered.
        - `waba_id`: the id of the WhatsApp Business Account; only `setup` needs it.
        - `menu`: what stands on the button that opens a list of more than three choices, 1 to 20 characters.
        - `api_version`, `base_url`: of the Graph API.
        """

        phone_number_id: str
        access_token: Secret
        app_secret: Secrets
        verify_token: Secret
        waba_id: str = ""
        menu: str = "Menu"
        api_version: str = "v26.0"
        base_url: str = "https://graph.facebook.com"

    capabilities: ClassVar[Capabilities] = CAPABILITIES
    origins: ClassVar[tuple[str, ...]] = ("https://lookaside.fbsbx.com",)  # where Meta serves files

    config: Config
    account: str = field(init=False)
    _secrets: tuple[bytes, ...] = field(init=False, repr=False)
    _token: bytes = field(init=False, repr=False)
    _graph: Graph = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account = config.phone_number_id
        self._secrets = tuple(secret.encode() for secret in config.app_secret)
        self._token = config.verify_token.encode()
        self._graph = Graph(config.base_url.rstrip("/"), config.api_version, config.access_token, REFUSALS)

    @hookimpl
    def verify(self, request: Request) -> None:
        verify(request, self._secrets, self._token)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        return send.compose(outbound, self.capabilities, self.config.menu)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(call, self._graph, self.account, services)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        limit = self.capabilities.media[media.kind].fetch or 0
        return await account.fetch(media, limit, self._graph, save, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        config = self.config
        await account.register(url, config.verify_token.reveal(), config.waba_id, self._graph, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.examine(self.config.phone_number_id, self.config.waba_id, self._graph, services)
