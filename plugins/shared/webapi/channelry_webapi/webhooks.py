"""Where a provider posts its webhooks."""

from channelry.errors import PermanentError
from channelry.services import Services


def require_here(found: str, services: Services) -> None:
    """Raise PermanentError unless the URL that the provider has, or `""`, is this connection's."""
    if found != services.public_url:
        told = f"it is {found}" if found else "there is none"
        raise PermanentError(f"the webhook should be {services.public_url}, but {told}; set it up", code="webhook")
