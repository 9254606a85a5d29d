"""Who wrote on X: accounts by their numeric id, with the names that came in the same webhook."""

from collections.abc import Mapping
from typing import Any

from channelry.model import Address, Profile
from channelry.parsing import identifier

SCHEME = "x"


def profile(user_id: str, people: Mapping[str, Any]) -> Profile:
    """Give somebody's profile, by the names of the older API (`screen_name`) and of the newer one."""
    # what is wrong with somebody's name costs the name and not the message
    row = {key: value for key, value in people.get(user_id, {}).items() if isinstance(value, str)}
    name = row.get("screen_name") or row.get("username")
    picture = row.get("profile_image_url_https") or row.get("profile_image_url", "")
    address = Address(SCHEME, user_id, "", f"@{name}" if name else "")
    return Profile(address=address, name=row.get("name", ""), picture=picture)


def named(user: Mapping[str, Any]) -> Profile:
    """Give the profile of a user of the older API, who has an id as a number, too, beside the one as a string."""
    user_id = identifier(user.get("id_str") or user["id"])
    return profile(user_id, {user_id: user})


def people(found: Any) -> dict[str, Any]:
    """Index the users of a webhook, a map by id or an array; the X Activity API puts each one under `data`."""
    rows = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    users = [row.get("data", row) for row in rows if isinstance(row, dict)]
    return {str(user["id"]): user for user in users if isinstance(user, dict) and isinstance(user.get("id"), str | int)}
