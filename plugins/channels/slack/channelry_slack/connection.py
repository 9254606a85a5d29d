"""One connection: its configuration, its credentials, and its requests to the Web API.

Sources: https://docs.slack.dev/apis/web-api and https://docs.slack.dev/authentication/using-token-rotation
"""

from collections.abc import Mapping
from typing import Any, Unpack

from attrs import field, frozen

from channelry import plugin
from channelry.errors import AmbiguousError, RetryableError
from channelry.model import RateScope
from channelry.secrets import Secret, Secrets
from channelry.services import HttpResponse, Services
from channelry_webapi import Client, Credentials, Grant, Missing, Options, Shown, Tokens, content, kind_of, refusal

from .capabilities import CAPABILITIES, POST
from .refusals import ERRORS, EXPECTED, EXPIRED, LIMITED, PASSING

FILES_ORIGIN = "https://files.slack.com"
PEOPLE, FILE = ("U", "W"), "F"
"""What the ids of people and of files begin with; Slack's messages are CHANNEL:TS, and no channel's id begins so."""
RENEWED_EARLY = 3600.0
"""Seconds before its end at which a token of twelve hours is renewed."""


@plugin
class Workspace:
    """One workspace, with our app in it."""

    @frozen(kw_only=True)
    class Config:
        """One workspace.

        - `signing_secret`: the app's, which signs requests; of several all are accepted.
        - `bot_token`: one that lasts (`xoxb-…`). Where tokens rotate, in its place `refresh_token` (`xoxe-1-…`), and
          the app's `client_id` and `client_secret`.
        - `team_id`: the workspace's id (`T…`), needed where workspaces share an endpoint.
        - `base_url`: where the API's methods are.
        """

        signing_secret: Secrets
        bot_token: Secret | None = None
        refresh_token: Secret | None = None
        client_id: str = ""
        client_secret: Secret | None = None
        team_id: str = ""
        base_url: str = "https://slack.com/api"

    capabilities = CAPABILITIES
    origins = (FILES_ORIGIN,)

    config: Config
    account: str = field(init=False)
    client: Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.account = self.config.team_id
        self.client = Client(self.config.base_url.rstrip("/"), self._credentials(), _expired)

    def _credentials(self) -> Credentials:
        config = self.config
        if config.bot_token:
            return Shown(config.bot_token)
        if not (config.refresh_token and config.client_secret):
            return Missing("set bot_token, or refresh_token, client_id and client_secret")
        url, app, secret = f"{config.base_url.rstrip('/')}/oauth.v2.access", config.client_id, config.client_secret
        grant = Grant(url=url, client_id=app, client_secret=secret, passing=PASSING, mend="install the app again")
        return Tokens(config.refresh_token, grant, RENEWED_EARLY)

    async def call(self, services: Services, method: str, **options: Unpack[Options]) -> Mapping[str, Any]:
        """Call a method, which reads by its `query` or writes by its `json`; give its answer, or raise what it means.

        With `repeatable` False the effect is seen by a customer, so a lost answer is ambiguous.
        """
        answer = await self.client.ask(services, "POST" if "json" in options else "GET", f"/{method}", **options)
        return result(answer, services, method, repeatable=options.get("repeatable", True))


def _expired(answer: HttpResponse) -> bool:
    """Tell whether a token ended before its time."""
    return content(answer).get("error") == EXPIRED


def result(answer: HttpResponse, services: Services, method: str, *, repeatable: bool = True) -> Mapping[str, Any]:
    """Give the fields of an answer, or raise what its error means: most come with HTTP status 200."""
    found, status = content(answer), answer.status
    error = found["error"] if isinstance(found.get("error"), str) else ""
    if status == 200 and (found.get("ok") is True or error in EXPECTED.get(method, ())):
        return found
    limited = status == 429 or error in LIMITED
    kind = RetryableError if limited else ERRORS.get(error, kind_of(status))
    if not error and (status < 300 or status in (500, 502, 504)):
        kind = AmbiguousError
    if kind is AmbiguousError and repeatable:
        kind = RetryableError
    scope = RateScope.RECIPIENT if method == POST else RateScope.CONNECTION
    lacks = f": the token lacks {found['needed']}" if found.get("needed") else ""
    said = f"Slack: {method}: {error or status}{lacks}"
    raise refusal(answer, services, kind, said=said, code=error, scope=scope if limited else None)
