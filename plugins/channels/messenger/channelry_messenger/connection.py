"""One connection: the configuration of a Page, and its limits."""

from attrs import frozen

from channelry import plugin
from channelry.model import Capabilities
from channelry_meta import account
from channelry_meta.access import PageSettings

from .capabilities import CAPABILITIES, FIELDS, HUMAN_AGENT, OBJECT


@plugin
class Page(account.Page):
    """One Facebook Page, in whose name messages are written."""

    @frozen(kw_only=True)
    class Config(PageSettings):
        """One Page's configuration.

        - `page_id`, `access_token`: of the Page; the token with pages_messaging and pages_manage_metadata.
        - `app_id`, `app_secret`: of the app that webhooks come from; two secrets while one is replaced.
        - `verify_token`: any text; Meta shows it once, when the webhook is registered.
        - `human_agent`: the app was given the right to answer for seven days by hand (the tag HUMAN_AGENT).
        - `api_version`, `base_url`: of the Graph API.
        """

        human_agent: bool = False

    about = OBJECT
    wanted = FIELDS

    config: Config

    @property
    def capabilities(self) -> Capabilities:
        return HUMAN_AGENT if self.config.human_agent else CAPABILITIES
