"""One connection: its configuration, its credentials, and its requests to the REST bot API.

Source: https://developers.viber.com/docs/api/rest-bot-api/
"""

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen
from attrs.validators import max_len, min_len

from channelry import plugin
from channelry.errors import RetryableError
from channelry.model import Capabilities, RateScope
from channelry.secrets import Secrets
from channelry.services import Services
from channelry_webapi import Client, Missing, Shown, content, refusal, unreadable

from .capabilities import CARD, KEYBOARD, SENDER_NAME
from .refusals import REFUSALS, TOO_MANY

TOKEN = "x-viber-auth-token"
ORIGIN = "https://chatapi.viber.com"


@plugin
class Bot:
    """One bot, by its token."""

    @frozen(kw_only=True)
    class Config:
        """One bot.

        - `auth_token`: the bot's key, which also signs its callbacks. Of several all are accepted as signers, and
          the first is used for sending.
        - `sender_name`: who writes, as customers see it, at most 28 characters; `sender_avatar`: URL of a picture.
        - `welcome`: what a customer reads who opens the chat for the first time, or `""`.
        - `buttons`: `"keyboard"` below the chat, or on a `"card"` in it (5 at most, under 250 characters of text).
        - `base_url`: another server of the API.
        """

        auth_token: Secrets
        sender_name: str = field(validator=[min_len(1), max_len(SENDER_NAME)])
        sender_avatar: str = ""
        welcome: str = field(default="", validator=max_len(KEYBOARD.text))
        buttons: Literal["keyboard", "card"] = "keyboard"
        base_url: str = ORIGIN

    origins = (ORIGIN,)

    config: Config
    capabilities: Capabilities = field(init=False, repr=False)
    sender: Mapping[str, str] = field(init=False)
    client: Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        self.capabilities = CARD if config.buttons == "card" else KEYBOARD
        avatar = {"avatar": config.sender_avatar} if config.sender_avatar else {}
        self.sender = {"name": config.sender_name, **avatar}
        token = Shown(config.auth_token[0], TOKEN, "") if config.auth_token else Missing("set auth_token")
        self.client = Client(config.base_url.rstrip("/"), token)

    async def call(self, services: Services, method: str, body: Any, *, repeatable: bool = True) -> Mapping[str, Any]:
        """Make one request and give its answer, or raise what it means.

        Viber answers everything with HTTP 200, and tells by a status in the body; what stands before it does not.
        """
        answer = await self.client.ask(services, "POST", f"/pa/{method}", json=body, repeatable=repeatable)
        if not 200 <= answer.status < 300:
            raise refusal(answer, services, said=f"Viber: HTTP {answer.status}")
        found = content(answer)
        status = found.get("status")
        if type(status) is not int:
            raise unreadable(repeatable=repeatable)
        if status != 0:
            kind, scope = REFUSALS.get(status, RetryableError), RateScope.RECIPIENT if status == TOO_MANY else None
            said = f"Viber: {found.get('status_message', '')}"
            raise refusal(answer, services, kind, said=said, code=str(status), scope=scope)
        return found
