"""One connection: its configuration, its right to act for an account, and its requests to X's API.

Source: https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
"""

import re
from collections.abc import Mapping
from typing import Any, Unpack

from attrs import field, frozen, validators

from channelry import plugin
from channelry.model import Capabilities
from channelry.secrets import Secret, Secrets
from channelry.services import Services
from channelry_webapi import Client, Grant, OAuth1, Options, Tokens, content, unreadable
from channelry_webapi.credentials import Credentials, Missing, Shown

from .capabilities import DMS_A_QUARTER, of
from .refusals import refusal

ORIGIN = "https://api.x.com"
MEDIA_ORIGIN = "https://ton.twitter.com"
"""Where the files of direct messages are, which only the account may see; not in X's present pages."""
_NO_BEARER = "bearer_token is not set; only the app's own token may register webhooks"
_NO_RIGHT = "neither access_token and its secret nor client_id and refresh_token are set"
_ID = re.compile(r"[0-9]{1,20}")


@plugin
class Account:
    """One account on X, by its own right (`client`) and by that of the `app`, which alone registers webhooks."""

    @frozen(kw_only=True)
    class Config:
        """One account's configuration.

        - `user_id`: of the account, digits; not its name.
        - `consumer_secret`: of the app, which signs webhooks; two while it is replaced, the newer one first.
        - `consumer_key`, `access_token`, `access_token_secret`: OAuth 1.0a keys; or
        - `client_id`, `client_secret`, `refresh_token`: OAuth 2.0, the secret for confidential apps only.
        - `bearer_token`: the app's own; `setup` and `check` need it.
        - `post_length`: 280, or 25,000 with Premium.
        - `direct_messages`: how many the account may send in 15 minutes.
        - `base_url`: of the API.
        """

        user_id: str = field(validator=validators.matches_re(_ID))
        consumer_secret: Secrets
        consumer_key: str = ""
        access_token: Secret | None = None
        access_token_secret: Secret | None = None
        client_id: str = ""
        client_secret: Secret | None = None
        refresh_token: Secret | None = None
        bearer_token: Secret | None = None
        post_length: int = field(default=280, validator=validators.ge(280))
        direct_messages: int = field(default=DMS_A_QUARTER, validator=validators.ge(1))
        base_url: str = ORIGIN

    origins = (MEDIA_ORIGIN,)

    config: Config
    account: str = field(init=False)
    capabilities: Capabilities = field(init=False)
    client: Client = field(init=False, repr=False)
    app: Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config, base_url = self.config, self.config.base_url.rstrip("/")
        self.account, self.capabilities = config.user_id, of(config.post_length, config.direct_messages)
        self.client = Client(base_url, self._credentials())
        self.app = Client(base_url, Shown(config.bearer_token) if config.bearer_token else Missing(_NO_BEARER))

    def _credentials(self) -> Credentials:
        config, secrets = self.config, self.config.consumer_secret
        if config.access_token and config.access_token_secret and secrets:
            return OAuth1(config.consumer_key, secrets[0], config.access_token, config.access_token_secret)
        if not config.refresh_token:
            return Missing(_NO_RIGHT)
        url, app, secret = f"{config.base_url.rstrip('/')}/2/oauth2/token", config.client_id, config.client_secret
        grant = Grant(url=url, client_id=app, client_secret=secret, header=True, mend="authorize the app again")
        return Tokens(config.refresh_token, grant)

    async def call(
        self, services: Services, method: str, path: str, *, app: bool = False, **options: Unpack[Options]
    ) -> Mapping[str, Any]:
        """Make a request and give its answer's `data` (an array under `""`); 200 may bear errors in place of it."""
        answer = await (self.app if app else self.client).ask(services, method, path, **options)
        body, repeatable = content(answer), options.get("repeatable", True)
        if answer.status >= 300 or ("errors" in body and not body.get("data")):
            raise refusal(answer, services)
        if not (body or (repeatable and not answer.body)):
            raise unreadable(repeatable=repeatable)
        data = body.get("data")
        return data if isinstance(data, dict) else {"": data} if isinstance(data, list) else {}
