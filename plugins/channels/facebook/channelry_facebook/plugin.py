"""A Page's comments as a channel: their configuration and their hooks."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import frozen

from channelry import hookimpl, plugin
from channelry.model import Announced, Call, Capabilities, Event, Outbound, Receipt, Received, Reconciled, Request
from channelry.services import Services
from channelry_meta import account, comments
from channelry_meta.access import Settings

from . import receive, send
from .capabilities import CAPABILITIES, FIELDS


@plugin
class Facebook(account.Account):
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

    about: ClassVar[str] = receive.OBJECT
    wanted: ClassVar[Sequence[str]] = FIELDS
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    config: Config

    @property
    def account(self) -> str:
        return self.config.page_id

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request)

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        what = comments.path(event.ids.get("comment") or event.ids["post"])
        fields = "message,from,created_time,permalink_url"
        return [receive.mention(event, await account.look_up(what, fields, self.config.graph(), services))]

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        return send.compose(outbound, self.capabilities.of(outbound.target))

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(call, self.config.graph(), self.account, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return await comments.reconcile(call, send.listing(self.account), self.config.graph(), services)
