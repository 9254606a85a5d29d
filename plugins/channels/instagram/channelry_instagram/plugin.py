"""Instagram as a channel: its configuration and its hooks."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.model import (
    Address,
    Announced,
    Call,
    Capabilities,
    Event,
    Outbound,
    Profile,
    Receipt,
    Received,
    Reconciled,
    Request,
)
from channelry.services import Services
from channelry_meta import Graph, account, comments
from channelry_meta.access import Settings

from . import receive, send, token
from .capabilities import CAPABILITIES, FIELDS, HUMAN_AGENT, PAGE_FIELDS, SCHEME


@plugin
class Instagram(account.Account):
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
        - `api_version`, `base_url`: of the Graph API; without `base_url` it is the one that belongs to the login.
        """

        ig_id: str
        page_id: str = ""
        human_agent: bool = False
        base_url: str = field()

        @base_url.default
        def _of_login(self) -> str:
            return "https://graph.facebook.com" if self.page_id else "https://graph.instagram.com"

    about: ClassVar[str] = receive.OBJECT

    config: Config

    @property
    def account(self) -> str:
        return self.config.ig_id

    @property
    def node(self) -> str:
        return self.config.page_id or self.config.ig_id

    @property
    def wanted(self) -> Sequence[str]:
        return PAGE_FIELDS if self.config.page_id else FIELDS

    @property
    def capabilities(self) -> Capabilities:
        return HUMAN_AGENT if self.config.human_agent else CAPABILITIES

    async def graph(self, services: Services) -> Graph:
        return self.config.graph() if self.config.page_id else await token.current(self.config, services)

    @hookimpl
    async def open(self, services: Services) -> None:
        await self.graph(services)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request, self.config.app_id)

    @hookimpl
    async def expand(self, event: Announced, services: Services) -> Sequence[Event]:
        graph, fields = await self.graph(services), receive.mention_fields(event)
        return [receive.mention(event, await account.look_up(self.account, fields, graph, services))]

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        if address.scheme != SCHEME:
            return None
        fields, graph = "name,username,profile_pic", await self.graph(services)
        found = await account.look_up(address.value, fields, graph, services)
        return None if found is None else receive.profile(address, found)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        limits = self.capabilities.of(outbound.target)
        return send.compose(outbound, limits, self.account, tagged=self.config.human_agent)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(call, await self.graph(services), self.account, self.node, services)

    @hookimpl
    async def reconcile(self, call: Call, services: Services) -> Reconciled:
        return await comments.reconcile(call, send.listing(self.account), await self.graph(services), services)

    async def direct(self, url: str, services: Services) -> None:
        """Do nothing: where webhooks of this object go is set in the app's dashboard only."""
