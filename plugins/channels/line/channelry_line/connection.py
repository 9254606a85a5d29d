"""One connection: its configuration, its credentials, and its requests to the Messaging API.

Source: https://developers.line.biz/en/reference/messaging-api/#issue-stateless-channel-access-token
"""

from attrs import field, frozen

from channelry import plugin
from channelry.secrets import Secret, Secrets
from channelry_webapi import Client, Credentials, Grant, Missing, Shown, Tokens

from .capabilities import CAPABILITIES
from .refusals import refused

ORIGIN = "https://api.line.me"
DATA_ORIGIN = "https://api-data.line.me"
BOT = "/v2/bot"


@plugin
class Account:
    """One official account, by its one channel of the Messaging API."""

    @frozen(kw_only=True)
    class Config:
        """One channel.

        - `channel_secret`: what signs webhooks. Of several all are accepted, and the first is used for tokens.
        - `channel_access_token`: one that lasts; without it `channel_id` is needed, and short ones are issued.
        - `bot_user_id`: the account's own user id (`U…`); needed only where channels share an endpoint.
        - `preview_url`: an https picture of at most 1 MB, shown for videos and large pictures until they are opened;
          without it videos are sent as links.
        - `base_url`, `data_url`: other servers of the API and of customers' files.
        """

        channel_secret: Secrets
        channel_access_token: Secret | None = None
        channel_id: str = ""
        bot_user_id: str = ""
        preview_url: str = ""
        base_url: str = ORIGIN
        data_url: str = DATA_ORIGIN

    capabilities = CAPABILITIES

    config: Config
    account: str = field(init=False)
    origins: tuple[str, ...] = field(init=False)
    client: Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.account, self.origins = config.bot_user_id, (config.data_url,)
        self.client = Client(config.base_url.rstrip("/") + BOT, self._credentials(), refusal=refused)

    def _credentials(self) -> Credentials:
        config = self.config
        if config.channel_access_token:
            return Shown(config.channel_access_token)
        if not (config.channel_id and config.channel_secret):
            return Missing("set channel_access_token, or channel_id and channel_secret")
        url, mend = f"{config.base_url.rstrip('/')}/oauth2/v3/token", "check channel_id and channel_secret"
        grant = Grant(url=url, grant_type="client_credentials", client_id=config.channel_id, mend=mend)
        return Tokens(config.channel_secret[0], grant)
