"""What Slack's words for errors mean; all that are not here never work.

Source: the errors that stand at each method of https://docs.slack.dev/reference/methods
"""

from collections.abc import Mapping

from channelry.errors import AmbiguousError, AuthError, RecipientError, RetryableError, SendError

from .capabilities import DELETE, DELETE_FILE, REACT, UNREACT, USER

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
"""Slack's word for an error, and what it means to us."""
PASSING = frozenset(code for code, kind in ERRORS.items() if kind in (RetryableError, AmbiguousError))
"""Troubles that are over after a while."""
LIMITED = frozenset({"ratelimited", "rate_limited"})
EXPIRED = "token_expired"
EXPECTED: Mapping[str, frozenset[str]] = {
    DELETE: frozenset({"message_not_found"}),
    DELETE_FILE: frozenset({"file_not_found", "file_deleted"}),
    REACT: frozenset({"already_reacted"}),
    UNREACT: frozenset({"no_reaction"}),
    USER: frozenset({"user_not_found", "user_not_visible"}),
}
"""Refusals by a method that are no errors: what was asked for is so already, or nobody is there to tell of."""
