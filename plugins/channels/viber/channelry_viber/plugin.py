"""The Viber channel: its configuration, and its hooks."""

from collections.abc import Sequence
from typing import Literal

from attrs import field, frozen
from attrs.validators import max_len, min_len

from channelry import hookimpl, plugin
from channelry.model import OK, Call, Capabilities, Media, Outbound, Receipt, Received, Request, Response
from channelry.secrets import Secrets
from channelry.services import Save, Services
from channelry_webapi import Client, Missing, Shown, fetch

from . import account, receive, send
from .capabilities import CARD, KEYBOARD

TOKEN = "x-viber-auth-token"
ORIGIN = "https://chatapi.viber.com"
SENDER_NAME = 28
"""Most characters of the name that customers see."""


@plugin
class Viber:
    """Viber by its REST bot API: one connection is one bot."""

    origins = (ORIGIN,)

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

    config: Config
    _client: Client = field(init=False, repr=False)
    _sender: dict[str, str] = field(init=False)
    _greeting: Response = field(init=False)

    def __attrs_post_init__(self) -> None:
        config = self.config
        token = Shown(config.auth_token[0], TOKEN, "") if config.auth_token else Missing("set auth_token")
        self._client = Client(config.base_url.rstrip("/"), token)
        avatar = {"avatar": config.sender_avatar} if config.sender_avatar else {}
        self._sender = {"name": config.sender_name, **avatar}
        greeting = {"sender": self._sender, "type": "text", "text": config.welcome}
        self._greeting = Response.json(greeting) if config.welcome else OK

    @property
    def capabilities(self) -> Capabilities:
        return CARD if self.config.buttons == "card" else KEYBOARD

    @hookimpl
    def verify(self, request: Request) -> None:
        receive.verify(request, self.config.auth_token)

    @hookimpl
    def parse(self, request: Request) -> Received:
        return receive.parse(request, self.config.welcome, self._greeting)

    @hookimpl
    async def fetch(self, media: Media, save: Save, services: Services) -> Media:
        return await fetch(services, media, save, self.capabilities)

    @hookimpl
    def compose(self, outbound: Outbound) -> Sequence[Call]:
        return send.compose(self.capabilities, outbound, self._sender, cards=self.config.buttons == "card")

    @hookimpl
    async def send(self, call: Call, services: Services) -> Receipt:
        return await send.send(self._client, call, services)

    @hookimpl
    async def setup(self, url: str, services: Services) -> None:
        await account.setup(self._client, url, services)

    @hookimpl
    async def check(self, services: Services) -> None:
        await account.check(self._client, services)
