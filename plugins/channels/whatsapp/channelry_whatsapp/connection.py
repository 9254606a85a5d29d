"""One connection: the configuration of a number, and its way into the Graph API."""

from attrs import field, frozen
from attrs.validators import max_len, min_len

from channelry import plugin
from channelry_meta import Graph
from channelry_meta.access import Credentials, Signed

from .capabilities import CAPABILITIES, TITLE
from .refusals import REFUSALS


@plugin
class Number(Signed):
    """One phone number of the WhatsApp Business Platform."""

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
        menu: str = field(default="Menu", validator=[min_len(1), max_len(TITLE)])

    capabilities = CAPABILITIES
    origins = ("https://lookaside.fbsbx.com",)  # where Meta serves files

    config: Config

    @property
    def graph(self) -> Graph:
        """Give the account's way into the Graph API."""
        return self.config.graph(REFUSALS)

    @property
    def account(self) -> str:
        return self.config.phone_number_id
