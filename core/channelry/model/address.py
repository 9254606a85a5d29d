"""Who writes, on one channel."""

from attrs import field, frozen


@frozen(slots=False)
class Address:
    """Where somebody can be reached on one channel. (Without slots it is made in three quarters of the time.)

    - `scheme`: the name space of `value`: `"phone"`, `"whatsapp"`, `"telegram"`, `"email"`, …
    - `value`: the provider's id, an opaque string (never a number: ids exceed 2^53).
    - `scope`: the account within which `value` is unique (a page, a bot), or `""`.
    - `display`: how people write it (`"+49 170 …"`, `"@eve"`), or `""`; it takes no part in equality.
    """

    scheme: str
    value: str
    scope: str = ""
    display: str = field(default="", eq=False)


@frozen(kw_only=True, slots=False)
class Profile:
    """What one channel tells of one person.

    - `address`: the stable address; `aliases`: further ones of the same person (a phone number beside an id).
    - `name`, `first_name`, `last_name`: as the provider gives them, or `""`.
    - `picture`: URL of an avatar, or `""`; most expire.
    - `locale`: BCP 47 or the provider's form of it, a hint only, or `""`.
    """

    address: Address
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    picture: str = ""
    locale: str = ""
    aliases: tuple[Address, ...] = ()
