"""Messenger as a channel: its configuration and its hooks."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import frozen

from channelry import hookimpl, plugin
from channelry.model import Address, Call, Capabilities, Outbound, Profile, Receipt, Received, Request
from channelry.services import Services
from channelry_meta import account, messages
from channelry_meta.access import Settings

from . import receive
from .capabilities import CAPABILITIES, FIELDS, HUMAN_AGENT
from .send import DIALECT


@plugin
class Messenger(account.Account):
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

    about: ClassVar[str] = receive.OBJECT
    wanted: ClassVar[Sequence[str]] = FIELDS

    config: Config

    @property
    def account(self) -> str:
        return self.config.page_id

    @property
    def capabilities(self) -> Capabilities:
        return HUMAN_AGENT if self.config.human_agent else CAPABILITIES

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request, self.config.app_id)

    @hookimpl
    async def profile(self, address: Address, services: Services) -> Profile | None:
        fields = "first_name,last_name,profile_pic"
        found = await account.look_up(address.value, fields, self.config.graph(), services)
        return None if found is None else receive.profile(address, found)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        self.capabilities.admit(outbound)
        limits = self.capabilities.of(outbound.target)
        return messages.compose(outbound, limits, DIALECT, tagged=self.config.human_agent)

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await messages.send(call, self.config.graph(), self.account, DIALECT, services)
