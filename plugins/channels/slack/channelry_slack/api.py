"""The Web API: methods, called with the workspace's token, and what their errors mean.

Source: https://docs.slack.dev/apis/web-api and the errors that stand at each method of
https://docs.slack.dev/reference/methods
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from channelry.errors import AmbiguousError, AuthError, PermanentError, RecipientError, RetryableError, SendError
from channelry.model import RateScope
from channelry.secrets import one_line
from channelry.services import HttpResponse, Services

from .tokens import Tokens

_ERRORS: Mapping[type[SendError], str] = {
    RetryableError: "ratelimited rate_limited service_unavailable request_timeout team_added_to_org",
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
UNDECIDED = frozenset({"internal_error", "fatal_error"})
"""Slack failed, and says that some of it may have been done."""


@frozen
class Answer:
    """What a method answered: most errors are `{"ok": false, "error": …}` with HTTP status 200."""

    method: str
    response: HttpResponse
    body: Mapping[str, Any]
    repeatable: bool
    retry_after: float | None

    @property
    def error(self) -> str:
        """Give Slack's word for an error, or `""`."""
        error = self.body.get("error")
        return error if isinstance(error, str) else ""

    def result(self) -> Mapping[str, Any]:
        """Give the answer's fields, or raise what the error means."""
        if self.response.status == 200 and self.body.get("ok") is True:
            return self.body
        code = one_line(self.error) or str(self.response.status)
        message = f"Slack: {self.method}: {code}"
        if needed := self.body.get("needed"):
            message += f": the token lacks {one_line(str(needed))}"
        kind = self._kind()
        if kind is not RetryableError:
            raise kind(message, code=code)
        scope = None
        if self.response.status == 429 or self.error in LIMITED:
            scope = RateScope.RECIPIENT if self.method == "chat.postMessage" else RateScope.CONNECTION
        raise RetryableError(message, code=code, retry_after=self.retry_after, scope=scope)

    def _kind(self) -> type[SendError]:
        status, error = self.response.status, self.error
        if status == 429:
            return RetryableError
        if error in ERRORS:
            return ERRORS[error]
        if error in UNDECIDED or (not error and (status < 300 or status in (500, 502, 504))):
            return RetryableError if self.repeatable else AmbiguousError
        if status >= 500:
            return RetryableError
        return AuthError if status in (401, 403) else PermanentError


@frozen
class Api:
    """The Web API of one workspace, whose methods are at `base_url`."""

    base_url: str
    tokens: Tokens

    async def ask(
        self,
        services: Services,
        method: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Answer:
        """Call a method, which reads by its query or writes by its body, and give its answer, whatever it is.

        With `repeatable` False its effect is seen by a customer, so a lost answer is ambiguous.
        """
        response = await services.http.request(
            "GET" if body is None else "POST",
            f"{self.base_url}/{method}",
            headers=await self.authorization(services),
            query=query,
            json=body,
            repeatable=repeatable,
        )
        found = response.json()
        wait = response.retry_after(services.clock.now())
        return Answer(method, response, found if isinstance(found, dict) else {}, repeatable, wait)

    async def read(self, services: Services, method: str, **query: str) -> Mapping[str, Any]:
        """Call a method that changes nothing, and give its result."""
        return (await self.ask(services, method, query=query)).result()

    async def authorization(self, services: Services) -> dict[str, str]:
        """Give the header that shows the token."""
        return {"Authorization": f"Bearer {(await self.tokens.token(self.base_url, services)).reveal()}"}
