"""Who wrote on X: accounts by their numeric id, with the names that came in the same webhook."""

from collections.abc import Mapping
from typing import Any

from channelry.model import Address, Profile
from channelry.parsing import identifier

SCHEME = "x"


def profile(user_id: str, people: Mapping[str, Any]) -> Profile:
    """Give somebody's profile, by the names of the older API (`screen_name`) and of the newer one."""
    row = _row(people.get(user_id))
    name = _text(row.get("screen_name") or row.get("username"))
    picture = _text(row.get("profile_image_url_https") or row.get("profile_image_url"))
    address = Address(SCHEME, user_id, "", f"@{name}" if name else "")
    return Profile(address=address, name=_text(row.get("name")), picture=picture)


def named(user: Mapping[str, Any]) -> Profile:
    """Give the profile of a user of the older API, who has an id as a number, too, beside the one as a string."""
    user_id = identifier(user.get("id_str") or user["id"])
    return profile(user_id, {user_id: user})


def people(found: Any) -> Mapping[str, Any]:
    """Give the users of a webhook by their ids; they come so, or in an array."""
    if isinstance(found, dict):
        return found
    rows = map(_row, found) if isinstance(found, list) else ()
    return {str(row["id"]): row for row in rows if isinstance(row.get("id"), str | int)}


def _row(found: Any) -> Mapping[str, Any]:
    """Read a user, whom the X Activity API puts under `data`."""
    row = found.get("data", found) if isinstance(found, dict) else None
    return row if isinstance(row, dict) else {}


def _text(value: Any) -> str:
    """Give a text; what is wrong with somebody's name costs the name and not the message."""
    return value if isinstance(value, str) else ""
