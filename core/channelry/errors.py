"""The errors of the contract: one small tree.

A message names the thing, what was expected, and (for the user's own mistakes) the next command.
"""

from collections.abc import Sequence

from attrs import frozen


class ChannelryError(Exception):
    """The root of every error that channelry raises on purpose."""


@frozen
class Fault:
    """One thing wrong in a configuration: where (`connections.support.token`), what was expected, what to do."""

    path: str
    expected: str
    action: str


class ConfigError(ChannelryError):
    """A configuration that cannot be used; `faults` has all that is wrong with it, not only the first."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        self.file, self.faults = file, tuple(faults)
        lines = [f"{file}: {fault.path}: expected {fault.expected}\n  → {fault.action}" for fault in faults]
        super().__init__("\n".join(lines))


class PluginError(ChannelryError):
    """A plugin that broke the contract: it raised, hung, or returned something else than its hook promises."""

    def __init__(self, plugin: str, hook: str, reason: str) -> None:
        self.plugin, self.hook, self.reason = plugin, hook, reason
        super().__init__(f"{plugin}: hook {hook}: {reason}")


class RejectedError(ChannelryError):
    """`verify`: this request is not from the provider. The answer is 401, the same whatever was wrong."""


class SendError(ChannelryError):
    """A call that did not succeed; `code` is the provider's, or ours in lower case."""

    def __init__(self, message: str, *, code: str = "") -> None:
        self.code = code
        super().__init__(message)


class RetryableError(SendError):
    """Try again later, after `retry_after` seconds where the provider says so. It was certainly not taken.

    `scope`, a `RateScope`, says what has to wait: this call (None), all to the recipient, or (a quota) the whole
    connection or app.
    """

    def __init__(
        self, message: str, *, code: str = "", retry_after: float | None = None, scope: str | None = None
    ) -> None:
        self.retry_after, self.scope = retry_after, scope
        super().__init__(message, code=code)


class PermanentError(SendError):
    """This call will never succeed as it is."""


class WindowClosedError(SendError):
    """The provider's session window is closed: only a template gets through."""


class RecipientError(SendError):
    """The recipient does not exist, left, or blocked us."""


class AuthError(SendError):
    """The credentials or permissions of the connection do not suffice: stop sending and tell somebody."""


class AmbiguousError(SendError):
    """The request was written and its answer lost: it may or may not have been taken."""
