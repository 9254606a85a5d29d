"""One connection: the configuration of a Page."""

from attrs import frozen

from channelry import plugin
from channelry_meta import account
from channelry_meta.access import PageSettings

from .capabilities import CAPABILITIES, FIELDS, OBJECT


@plugin
class Page(account.Page):
    """One Facebook Page, on which people comment."""

    @frozen(kw_only=True)
    class Config(PageSettings):
        """One Page's configuration.

        - `page_id`, `access_token`: of the Page; the token with pages_manage_engagement, pages_read_user_content,
          pages_manage_metadata and, for private replies, pages_messaging.
        - `app_id`, `app_secret`: of the app that webhooks come from; two secrets while one is replaced.
        - `verify_token`: any text; Meta shows it once, when the webhook is registered.
        - `api_version`, `base_url`: of the Graph API.
        """

    about = OBJECT
    wanted = FIELDS
    capabilities = CAPABILITIES

    config: Config
