"""The way into one account: what its configuration says, and whether a webhook is its app's."""

from attrs import define, field, frozen

from channelry import hookimpl
from channelry.model import Request
from channelry.secrets import Secret, Secrets

from .codes import REFUSALS
from .graph import Graph
from .refusals import Refusals
from .webhook import verify


@frozen(kw_only=True)
class Credentials:
    """What every account at Meta is configured with.

    - `access_token`: of the account.
    - `app_secret`: of the app; two while it is replaced, the one to call Meta with first.
    - `verify_token`: any text; Meta shows it once, when the webhook is registered.
    - `api_version`, `base_url`: of the Graph API.
    """

    access_token: Secret
    app_secret: Secrets
    verify_token: Secret
    api_version: str = "v26.0"
    base_url: str = "https://graph.facebook.com"

    def graph(self, refusals: Refusals = REFUSALS, token: Secret | None = None) -> Graph:
        """Give the way into the Graph API, by the account's own token or by another one."""
        return Graph(self.base_url.rstrip("/"), self.api_version, token or self.access_token, refusals)


@frozen(kw_only=True)
class Settings(Credentials):
    """What every account of a Page or of Instagram is configured with; `app_id`: of the app that sends and is sent
    webhooks."""

    app_id: str

    def app(self) -> Graph:
        """Give the app's own way in, by the token that its id and secret make together.

        https://developers.facebook.com/docs/facebook-login/guides/access-tokens#apptokens
        """
        secret = self.app_secret[0].reveal() if self.app_secret else ""
        return self.graph(token=Secret(f"{self.app_id}|{secret}"))


@frozen(kw_only=True)
class PageSettings(Settings):
    """What every account of a Page is configured with, which is `page_id`."""

    page_id: str


@define(eq=False)
class Signed:
    """A channel whose webhooks Meta signs; its secrets are kept as bytes to compare."""

    config: Credentials
    _secrets: tuple[bytes, ...] = field(init=False, repr=False)
    _token: bytes = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._secrets = tuple(secret.encode() for secret in self.config.app_secret)
        self._token = self.config.verify_token.encode()

    @hookimpl
    def verify(self, request: Request) -> None:
        verify(request, self._secrets, self._token)
