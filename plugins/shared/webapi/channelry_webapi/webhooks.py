"""Where a provider posts its webhooks."""

from channelry.errors import PermanentError


def require_here(found: str, url: str) -> None:
    """Raise PermanentError unless the `url` of this connection is what the provider has; `""`: it has none."""
    if found != url:
        told = f"it is {found}" if found else "there is none"
        raise PermanentError(f"the webhook should be {url}, but {told}; set it up", code="webhook")
