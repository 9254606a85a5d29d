"""The Web API: methods, called with the workspace's token, and what their errors mean.

Sources: https://docs.slack.dev/apis/web-api, the errors that stand at each method of
https://docs.slack.dev/reference/methods, and https://docs.slack.dev/authentication/using-token-rotation
"""

from collections.abc import Mapping, Set
from typing import Any

from attrs import frozen

from channelry.errors import AmbiguousError, AuthError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.secrets import Secret
from channelry.services import HttpResponse, Services
from channelry_webapi import Client, Issued, granted
from channelry_webapi.answers import content, kind_of, refusal

_ERRORS: Mapping[type[SendError], str] = {
    RetryableError: "ratelimited rate_limited service_unavailable request_timeout team_added_to_org",
    AmbiguousError: "internal_error fatal_error",  # Slack failed, and says that some of it may have been done
    AuthError: (
        "invalid_auth not_authed token_revoked token_expired account_inactive missing_scope no_permission "
        "team_access_not_granted ekm_access_denied access_denied accesslimited org_login_required "
        "two_factor_setup_required not_allowed_token_type enterprise_is_restricted"
    ),
    RecipientError: (
        "channel_not_found user_not_found users_not_found is_archived not_in_channel cannot_dm_bot user_disabled "
        "user_not_visible restricted_action messages_tab_disabled"
    ),
}
ERRORS: Mapping[str, type[SendError]] = {code: kind for kind, codes in _ERRORS.items() for code in codes.split()}
"""Slack's word for an error, and what it means to us; all others never work."""
LIMITED = frozenset({"ratelimited", "rate_limited"})
RENEWED_EARLY = 3600.0
"""Seconds before its end at which a token of twelve hours is renewed."""


@frozen
class App:
    """The app whose tokens end, which has them renewed."""

    base_url: str
    client_id: str
    client_secret: Secret

    async def renew(self, refresh: Secret, services: Services) -> Issued:
        """Have the next token issued, and the next refresh token."""
        form = {"client_id": self.client_id, "client_secret": self.client_secret.reveal()}
        form |= {"grant_type": "refresh_token", "refresh_token": refresh.reveal()}
        passing = {code for code, kind in ERRORS.items() if kind in (RetryableError, AmbiguousError)}
        url = f"{self.base_url}/oauth.v2.access"
        return await granted(services, url, [*form.items()], passing=passing, mend="install the app again")


def expired(answer: HttpResponse) -> bool:
    """Tell whether a token ended before its time."""
    return content(answer).get("error") == "token_expired"


async def call(
    client: Client,
    services: Services,
    method: str,
    body: Any = None,
    *,
    query: Mapping[str, str] | None = None,
    expected: Set[str] = frozenset(),
    repeatable: bool = True,
) -> Mapping[str, Any]:
    """Call a method, which reads by its query or writes by its body; give its answer, or raise what it means.

    An answer with an `expected` error is given too. With `repeatable` False the effect is seen by a customer, so a
    lost answer is ambiguous.
    """
    verb, query = "GET" if body is None else "POST", query or {}
    answer = await client.ask(services, verb, f"/{method}", json=body, query=query, repeatable=repeatable)
    return result(answer, services, method, expected, repeatable)


def result(
    answer: HttpResponse, services: Services, method: str, expected: Set[str] = frozenset(), repeatable: bool = True
) -> Mapping[str, Any]:
    """Give the fields of an answer, or raise what its error means: most come with HTTP status 200."""
    found, status = content(answer), answer.status
    error = found["error"] if isinstance(found.get("error"), str) else ""
    if status == 200 and (found.get("ok") is True or error in expected):
        return found
    kind = ERRORS.get(error, kind_of(status)) if status != 429 else RetryableError
    if not error and (status < 300 or status in (500, 502, 504)):
        kind = AmbiguousError
    if kind is AmbiguousError and repeatable:
        kind = RetryableError
    limited = status == 429 or error in LIMITED
    scope = RateScope.RECIPIENT if method == "chat.postMessage" else RateScope.CONNECTION
    lacks = f": the token lacks {found['needed']}" if found.get("needed") else ""
    said, code = f"Slack: {method}: {error or status}{lacks}", error or str(status)
    raise refusal(answer, services, kind, said=said, code=code, scope=scope if limited else None)
