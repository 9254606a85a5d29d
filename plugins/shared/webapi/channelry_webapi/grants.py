"""A provider's OAuth 2.0 token endpoint, which issues access tokens.

Source: RFC 6749, 4.4, 5 and 6
"""

from collections.abc import Set
from typing import Literal

from attrs import frozen

from channelry.errors import AuthError, RetryableError
from channelry.secrets import Secret, one_line
from channelry.services import Services

from .answers import content, kind_of
from .credentials import basic
from .tokens import Issued

LIFE = 3600.0
"""Seconds that a token lives where the provider does not say."""


@frozen(kw_only=True)
class Grant:
    """Has tokens issued at `url`, for what `Tokens` began with or the last refresh token; what they renew by.

    - `grant_type`: what tokens are issued for: a refresh token, or the app's secret.
    - `client_id`: the app's; `client_secret`: beside a refresh token, None for an app that can keep none.
    - `header`: whether the app's secret stands in the header `Authorization` and not in the form.
    - `passing`: the endpoint's words for troubles that pass; `mend`: what a person does about the others.

    AuthError where a person has to act, else RetryableError.
    """

    url: str
    grant_type: Literal["client_credentials", "refresh_token"] = "refresh_token"
    client_id: str
    client_secret: Secret | None = None
    header: bool = False
    passing: Set[str] = frozenset()
    mend: str

    async def __call__(self, bearer: Secret, services: Services) -> Issued:
        form = [("grant_type", self.grant_type), ("client_id", self.client_id)]
        secret, headers = self.client_secret, None
        if self.grant_type == "refresh_token":
            form.append(("refresh_token", bearer.reveal()))
        else:
            secret = bearer
        app = basic(self.client_id, secret) if secret and self.header else None  # alive till the end, so it is masked
        if app:
            headers = await app.headers(services, "POST", self.url)
        elif secret:
            form.append(("client_secret", secret.reveal()))
        answer = await services.http.request("POST", self.url, headers=headers, form=form, repeatable=True)
        found = content(answer)
        access, refresh, seconds = (found.get(name) for name in ("access_token", "refresh_token", "expires_in"))
        if answer.status == 200 and isinstance(access, str) and access:
            lives = float(seconds) if isinstance(seconds, int | float) else LIFE
            return Issued(Secret(access), lives, Secret(refresh) if isinstance(refresh, str) and refresh else None)
        error = one_line(str(found.get("error", "")))
        passes = kind_of(answer.status) is RetryableError or error in self.passing
        if passes or (answer.status < 400 and not error):
            raise RetryableError(f"no new access token: {error or f'HTTP {answer.status}'}", code="token")
        said = one_line(str(found.get("error_description") or error or found.get("message") or f"HTTP {answer.status}"))
        raise AuthError(f"no new access token; {self.mend}: {said}", code="token")
