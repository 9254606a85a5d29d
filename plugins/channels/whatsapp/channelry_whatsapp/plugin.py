"""WhatsApp as a channel: its configuration and its hooks."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import frozen

from channelry import hookimpl, plugin
from channelry.model import Call, Capabilities, Media, Outbound, Receipt, Received, Request
from channelry.services import Save, Services
from channelry_meta import Graph
from channelry_meta.access import Credentials, Signed

from . import account, receive, send
from .capabilities import CAPABILITIES
from .refusals import REFUSALS


@plugin
class WhatsApp(Signed):
    """One phone number of the WhatsApp Business Platform (Cloud API)."""

    @frozen(kw_only=True)
    class Config(Credentials):
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
        waba_id: str = ""
        menu: str = "Menu"

    capabilities: ClassVar[Capabilities] = CAPABILITIES
    origins: ClassVar[tuple[str, ...]] = ("https://lookaside.fbsbx.com",)  # where Meta serves files

    config: Config

    @property
    def graph(self) -> Graph:
        """Give the account's way into the Graph API."""
        return self.config.graph(REFUSALS)

    @property
    def account(self) -> str:
        return self.config.phone_number_id

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        return send.compose(outbound, self.capabilities, self.config.menu)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(call, self.graph, self.account, services)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await account.fetch(media, self.graph, save, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        config = self.config
        await account.register(url, config.verify_token.reveal(), config.waba_id, self.graph, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.examine(self.account, self.config.waba_id, self.graph, services)
