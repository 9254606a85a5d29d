"""The workspace's own affairs: its credentials, its people's names, its files."""

from attrs import evolve

from channelry import hookimpl
from channelry.errors import AuthError, PermanentError
from channelry.model import Address, Media, Profile
from channelry.parsing import string
from channelry.services import Save, Services
from channelry_webapi import download, object_in

from .capabilities import SCOPES, USER
from .connection import PEOPLE, Workspace, result


@hookimpl
async def open(workspace: Workspace, services: Services) -> None:
    """Have a token before the first message needs it."""
    await workspace.client.credentials.headers(services, "", "")


@hookimpl
async def check(workspace: Workspace, services: Services) -> None:
    """Make sure that the token is good, of this workspace, and may do what is declared."""
    answer = await workspace.client.ask(services, "POST", "/auth.test", json={})
    team, account = string(result(answer, services, "auth.test").get("team_id")), workspace.account
    if not workspace.config.signing_secret:
        raise AuthError("signing_secret is not configured, so every request is refused", code="signing_secret")
    if account and team != account:
        raise PermanentError(f"the token is of workspace {team}, but team_id is {account}", code="team_id")
    granted = answer.headers.get("x-oauth-scopes", "")
    if granted and (missing := SCOPES.difference(scope.strip() for scope in granted.split(","))):
        names = ", ".join(sorted(missing))
        raise AuthError(f"the app lacks {names}; add them and install it again", code="missing_scope")


@hookimpl
async def profile(workspace: Workspace, address: Address, services: Services) -> Profile | None:
    """Ask for the name and picture of a person; a channel or an app has none."""
    if not address.value.startswith(PEOPLE):
        return None
    answer = await workspace.call(services, USER, query={"user": address.value, "include_locale": "true"})
    user = object_in(answer, "user")
    told = object_in(user, "profile")
    email = string(told.get("email")).lower()
    found = Profile(
        address=address,
        name=string(told.get("display_name") or told.get("real_name") or user.get("real_name")),
        first_name=string(told.get("first_name")),
        last_name=string(told.get("last_name")),
        picture=string(told.get("image_192") or told.get("image_72")),
        locale=string(user.get("locale")),
        aliases=(Address("email", email),) if email else (),
    )
    return found if user else None


@hookimpl
async def fetch(workspace: Workspace, media: Media, save: Save, services: Services) -> Media:
    """Download a file: one of Slack's from where it lies now, with the token, which no other server is shown."""
    url, held = media.url, bool(media.id and not media.url)
    if held:
        told = object_in(await workspace.call(services, "files.info", query={"file": media.id}), "file")
        url = string(told.get("url_private_download") or told.get("url_private"))
    file = await download(workspace, evolve(media, media_type=""), save, services, url)
    if held and file.media_type.startswith("text/html") and not media.media_type.startswith("text/html"):
        raise AuthError("Slack shows a login page in place of the file: files:read is missing", code="missing_scope")
    return evolve(file, media_type=media.media_type or file.media_type)
