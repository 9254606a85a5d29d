"""The workspace's own affairs: its credentials, its people's names, its files."""

from attrs import evolve

from channelry.errors import AuthError, PermanentError
from channelry.model import Address, Capabilities, Media, Profile
from channelry.parsing import mapping, string
from channelry.secrets import Secrets
from channelry.services import Save, Services
from channelry_webapi import Client, fetch

from .api import call, result

FILES_ORIGIN = "https://files.slack.com"
SCOPES = frozenset(
    {"chat:write", "files:read", "files:write", "im:history", "im:write", "reactions:write", "users:read"}
)
"""What the token must be allowed for everything that is declared; channels and mentions need further ones."""
PEOPLE = ("U", "W")
"""What the ids of people begin with."""
_NO_USER = frozenset({"user_not_found", "user_not_visible"})


async def check(client: Client, account: str, secrets: Secrets, services: Services) -> None:
    """Make sure that the token is good, of this workspace, and may do what is declared."""
    answer = await client.ask(services, "POST", "/auth.test", json={})
    team = string(result(answer, services, "auth.test").get("team_id"))
    if not secrets:
        raise AuthError("signing_secret is not configured, so every request is refused", code="signing_secret")
    if account and team != account:
        raise PermanentError(f"the token is of workspace {team}, but team_id is {account}", code="team_id")
    granted = answer.headers.get("x-oauth-scopes", "")
    if granted and (missing := SCOPES.difference(scope.strip() for scope in granted.split(","))):
        names = ", ".join(sorted(missing))
        raise AuthError(f"the app lacks {names}; add them and install it again", code="missing_scope")


async def profile(client: Client, address: Address, services: Services) -> Profile | None:
    """Ask for the name and picture of a person; a channel or an app has none."""
    if not address.value.startswith(PEOPLE):
        return None
    query = {"user": address.value, "include_locale": "true"}
    answer = await call(client, services, "users.info", query=query, expected=_NO_USER)
    user = mapping(answer.get("user"))
    told = mapping(user.get("profile"))
    email = string(told.get("email")).lower()
    found = Profile(
        address=address,
        name=string(told.get("display_name")) or string(told.get("real_name")) or string(user.get("real_name")),
        first_name=string(told.get("first_name")),
        last_name=string(told.get("last_name")),
        picture=string(told.get("image_192") or told.get("image_72")),
        locale=string(user.get("locale")),
        aliases=(Address("email", email),) if email else (),
    )
    return found if user else None


async def download(client: Client, media: Media, save: Save, capabilities: Capabilities, services: Services) -> Media:
    """Download a file: one of Slack's from where it lies now, with the token, which no other server is shown."""
    url = media.url
    if media.id and not url:
        told = mapping((await call(client, services, "files.info", query={"file": media.id})).get("file"))
        url = string(told.get("url_private_download")) or string(told.get("url_private"))
    headers, wanted = await client.shown(services, url, FILES_ORIGIN), media.media_type
    untyped = evolve(media, media_type="")
    file = await fetch(services, untyped, save, capabilities, url=url, headers=headers)
    if headers and file.media_type.startswith("text/html") and not wanted.startswith("text/html"):
        raise AuthError("Slack shows a login page in place of the file: files:read is missing", code="missing_scope")
    return evolve(file, media_type=wanted or file.media_type)
