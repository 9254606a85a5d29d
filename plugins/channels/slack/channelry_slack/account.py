"""The workspace's own affairs: its credentials, its people's names, its files."""

from urllib.parse import urlsplit

from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Address, Capabilities, Media, Profile
from channelry.parsing import mapping, string
from channelry.secrets import Secrets
from channelry.services import Save, Services

from .api import Api

SCOPES = frozenset(
    {"chat:write", "files:read", "files:write", "im:history", "im:write", "reactions:write", "users:read"}
)
"""What the token must be allowed for everything that is declared; channels and mentions need further ones."""
PEOPLE = ("U", "W")
"""What the ids of people begin with."""
_NO_FILE = frozenset({"file_not_found", "file_deleted"})
_NO_USER = frozenset({"user_not_found", "user_not_visible"})


async def check(api: Api, account: str, secrets: Secrets, services: Services) -> None:
    """Make sure that the token is good, of this workspace, and may do what is declared."""
    answer = await api.ask(services, "auth.test", {})
    team = string(answer.result().get("team_id"))
    if not secrets:
        raise AuthError("signing_secret is not configured, so every request is refused", code="signing_secret")
    if account and team != account:
        raise PermanentError(f"the token is of workspace {team}, but team_id is {account}", code="team_id")
    granted = answer.response.headers.get("x-oauth-scopes", "")
    missing = SCOPES.difference(scope.strip() for scope in granted.split(","))
    if granted and missing:
        names = ", ".join(sorted(missing))
        raise AuthError(f"the app lacks {names}; add them and install it again", code="missing_scope")


async def profile(api: Api, address: Address, services: Services) -> Profile | None:
    """Ask for the name and picture of a person; a channel or an app has none."""
    if not address.value.startswith(PEOPLE):
        return None
    answer = await api.ask(services, "users.info", query={"user": address.value, "include_locale": "true"})
    if answer.error in _NO_USER:
        return None
    user = mapping(answer.result().get("user"))
    told = mapping(user.get("profile"))
    email = string(told.get("email")).lower()
    return Profile(
        address=address,
        name=string(told.get("display_name")) or string(told.get("real_name")) or string(user.get("real_name")),
        first_name=string(told.get("first_name")),
        last_name=string(told.get("last_name")),
        picture=string(told.get("image_192") or told.get("image_72")),
        locale=string(user.get("locale")),
        aliases=(Address("email", email),) if email else (),
    )


async def fetch(
    api: Api, media: Media, save: Save, capabilities: Capabilities, origins: tuple[str, ...], services: Services
) -> Media:
    """Download a file: one of Slack's from where it lies now, with the token, which no other server is shown."""
    limit = capabilities.media[media.kind].fetch
    if limit is None or not (media.id or media.url):
        raise PermanentError("the file has neither id nor link", code="no_file")
    url = media.url or await _address(api, media.id, services)
    parts = urlsplit(url)
    ours = f"{parts.scheme}://{parts.netloc}" in origins
    file = await services.http.download(
        url, save, headers=await api.authorization(services) if ours else None, limit=limit
    )
    if ours and file.media_type.startswith("text/html") and not media.media_type.startswith("text/html"):
        raise AuthError("Slack shows a login page in place of the file: files:read is missing", code="missing_scope")
    return evolve(media, media_type=media.media_type or file.media_type, size=file.size)


async def _address(api: Api, file_id: str, services: Services) -> str:
    answer = await api.ask(services, "files.info", query={"file": file_id})
    if answer.error in _NO_FILE:
        raise PermanentError("the file is gone", code=answer.error)
    file = mapping(answer.result().get("file"))
    url = string(file.get("url_private_download")) or string(file.get("url_private"))
    if not url:
        raise PermanentError("Slack gives no link to the file", code="no_file")
    return url
