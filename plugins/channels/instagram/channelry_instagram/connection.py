"""One connection: the configuration of an account, its limits, and its way into the Graph API."""

from collections.abc import Sequence

from attrs import field, frozen

from channelry import hookimpl, plugin
from channelry.model import Capabilities
from channelry.services import Services
from channelry_meta import Graph, account
from channelry_meta.access import Settings

from . import token
from .capabilities import CAPABILITIES, FIELDS, HUMAN_AGENT, OBJECT, PAGE_FIELDS


@plugin
class Professional(account.Account):
    """One professional account of Instagram."""

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

    about = OBJECT

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
        """Have a token that lasts before the first message needs it."""
        await self.graph(services)

    async def direct(self, url: str, services: Services) -> None:
        """Do nothing: where webhooks of this object go is set in the app's dashboard only."""
