"""Who wrote on X: accounts by their numeric id, with the names that came in the same webhook."""

from collections.abc import Mapping
from typing import Any

from channelry.model import Address, Profile
from channelry.parsing import identifier, mapping, sequence, string

SCHEME = "x"


def address(user_id: str, username: str = "") -> Address:
    """Give somebody's address."""
    return Address(SCHEME, user_id, "", f"@{username}" if username else "")


def profile(user_id: str, people: Mapping[str, Any]) -> Profile:
    """Give somebody's profile, by the names of the older API (`screen_name`) and of the newer one."""
    row = mapping(people.get(user_id))
    name = string(row.get("screen_name")) or string(row.get("username"))
    picture = string(row.get("profile_image_url_https")) or string(row.get("profile_image_url"))
    return Profile(address=address(user_id, name), name=string(row.get("name")), picture=picture)


def people(found: Any) -> dict[str, Any]:
    """Index the users of a webhook, a map by id or an array; the X Activity API puts each one under `data`."""
    rows = found.values() if isinstance(found, dict) else sequence(found)
    users = [mapping(row).get("data", row) for row in rows]
    return {identifier(user["id"]): user for user in users if isinstance(user, dict) and "id" in user}
