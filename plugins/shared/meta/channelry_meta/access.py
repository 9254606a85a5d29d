"""The way into one account: what its configuration says, made ready."""

from attrs import field, frozen

from channelry.model import Request
from channelry.secrets import Secret, Secrets
from channelry.services import Services

from . import account
from .codes import REFUSALS
from .graph import Graph
from .webhook import verify


@frozen(kw_only=True)
class Settings:
    """What every account of a Page or of Instagram is configured with.

    - `app_id`: of the app that sends and is sent webhooks.
    - `access_token`: of the account.
    - `app_secret`: of the app; two while it is replaced, the one to call Meta with first.
    - `verify_token`: any text; Meta shows it once, when the webhook is registered.
    - `api_version`, `base_url`: of the Graph API.
    """

    app_id: str
    access_token: Secret
    app_secret: Secrets
    verify_token: Secret
    api_version: str = "v26.0"
    base_url: str = "https://graph.facebook.com"


@frozen
class Access:
    """One account's secrets, as bytes to compare, and its ways into the Graph API: its own, and its app's."""

    settings: Settings
    graph: Graph = field(init=False)
    _secrets: tuple[bytes, ...] = field(init=False, repr=False)
    _token: bytes = field(init=False, repr=False)

    @graph.default
    def _own(self) -> Graph:
        return self.showing(self.settings.access_token)

    @_secrets.default
    def _app_secrets(self) -> tuple[bytes, ...]:
        return tuple(secret.encode() for secret in self.settings.app_secret)

    @_token.default
    def _verify_token(self) -> bytes:
        return self.settings.verify_token.encode()

    def verify(self, request: Request) -> None:
        """Raise RejectedError unless the request is Meta's."""
        verify(request, self._secrets, self._token)

    def showing(self, token: Secret) -> Graph:
        """Give the way in with another token."""
        settings = self.settings
        return Graph(settings.base_url.rstrip("/"), settings.api_version, token, REFUSALS)

    def app(self) -> Graph:
        """Give the app's own way in, by the token that its id and secret make together.

        https://developers.facebook.com/docs/facebook-login/guides/access-tokens#apptokens
        """
        secret = self.settings.app_secret[0].reveal() if self.settings.app_secret else ""
        return self.showing(Secret(f"{self.settings.app_id}|{secret}"))

    async def register(self, url: str, name: str, wanted: account.Subscription, services: Services) -> None:
        """Have the app's webhooks sent to `url`, and what happens on the account `name` told to the app."""
        await account.direct(url, self.settings.verify_token, wanted, self.app(), services)
        await account.subscribe(name, wanted, self.graph, services)
