"""How Twilio spells who writes to whom: `+15005550006`, `whatsapp:+15005550006`, `whatsapp:US.13491208655302741918`."""

from collections.abc import Mapping

from channelry.model import Address, Profile

PHONE, WHATSAPP = "phone", "whatsapp"


def profile(spelled: str, fields: Mapping[str, str]) -> Profile:
    """Read a customer; a number has no name, a person on WhatsApp has."""
    if not spelled:
        raise ValueError("expected somebody who wrote")
    address = read(spelled)
    known = fields.get("WaId", "")  # the number of somebody whose user id is in its place
    number = f"+{known}" if known.isdecimal() else spelled.rpartition(":")[2]
    others = [Address(PHONE, number)] if address.scheme != PHONE and number.startswith("+") else []
    if (user := fields.get("ExternalUserId")) and user != address.value:  # WhatsApp's business-scoped id
        others.append(Address(address.scheme, user))
    return Profile(address=address, name=fields.get("ProfileName", ""), aliases=tuple(others))


def read(spelled: str) -> Address:
    """Read an address; WhatsApp knows numbers by their digits, as everywhere in WhatsApp's own API."""
    scheme, colon, value = spelled.partition(":")
    if not colon:
        return Address(PHONE, spelled)
    if scheme == WHATSAPP and value.startswith("+"):
        return Address(WHATSAPP, value[1:], "", value)
    return Address(scheme, value)


def spell(address: Address, sender: str) -> str:
    """Write an address as `sender` reaches it: a WhatsApp sender reaches a phone number on WhatsApp."""
    scheme = WHATSAPP if is_whatsapp(sender) else address.scheme
    if scheme == PHONE:
        return address.value
    value = f"+{address.value}" if scheme == WHATSAPP and address.value.isdecimal() else address.value
    return f"{scheme}:{value}"


def is_whatsapp(sender: str) -> bool:
    """Tell whether a sender is on WhatsApp."""
    return sender.startswith(f"{WHATSAPP}:")
