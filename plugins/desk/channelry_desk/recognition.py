"""Who a profile may belong to: what is known of it against what customers are on record with. Pure functions.

What a channel vouches for (a telephone number, an e-mail address that it delivers to) is proof; what somebody says of
themselves is a hint for the agent, who decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from attrs import frozen

from channelry.model import Profile

from . import phones
from .values import Candidate, Customer, numbered


class Sign(StrEnum):
    """What people are told apart by."""

    PHONE = "phone"
    EMAIL = "email"
    NUMBER = "number"
    NAME = "name"


WEIGHTS: Mapping[Sign, int] = {Sign.PHONE: 8, Sign.EMAIL: 8, Sign.NUMBER: 4, Sign.NAME: 1}
"""How much each counts in the order of candidates."""
PROOFS = frozenset({Sign.PHONE, Sign.EMAIL})
"""What proves who somebody is, where it is proven to be theirs."""


@frozen
class Identifier:
    """One thing known of a profile, folded; `proven`: not only by what the person says."""

    sign: Sign
    value: str
    proven: bool


@frozen(kw_only=True)
class Traits:
    """What a customer is on record with, folded; `numbers`: the ids of their conversations that were asked for."""

    customer: Customer
    phone: str
    email: str
    name: str
    numbers: frozenset[int] = frozenset()


def folded(text: str) -> str:
    """Give a text as it is compared: without differences of case and white space."""
    return " ".join(text.casefold().split())


def identifiers(
    profile: Profile, told: Mapping[str, str], vouched: Mapping[str, str], region: str
) -> tuple[Identifier, ...]:
    """Give what is known of a profile.

    - `told`: pre-chat answers: `phone`, `email`, `name`, `case`; hints, for anybody can type anything.
    - `vouched`: the same as the site says it of a visitor who has signed in; there phone and e-mail are proven.
    - `region`: the country of numbers that are written without one.
    """
    found = []
    for address in (profile.address, *profile.aliases):
        if address.scheme == Sign.PHONE:
            found.append(Identifier(Sign.PHONE, phones.of_channel(address.value, region), True))
        elif address.scheme == Sign.EMAIL:
            found.append(Identifier(Sign.EMAIL, folded(address.value), True))
    names = [f"{profile.first_name} {profile.last_name}", profile.name]
    for said, proven in ((vouched, True), (told, False)):
        answers = {folded(name): value for name, value in said.items()}
        found.append(Identifier(Sign.PHONE, phones.canonical(answers.get("phone", ""), region), proven))
        found.append(Identifier(Sign.EMAIL, folded(answers.get("email", "")), proven))
        number = numbered(answers.get("case", ""))
        found.append(Identifier(Sign.NUMBER, "" if number is None else str(number), False))
        names.append(answers.get("name", ""))
    found += [Identifier(Sign.NAME, folded(name), False) for name in names]
    return tuple(dict.fromkeys(one for one in found if one.value))


def ranked(known: Sequence[Identifier], customers: Iterable[Traits]) -> list[Candidate]:
    """Give those customers that something speaks for, the likeliest first, each with the evidence."""
    found = []
    for one in customers:
        speaks = [sign for sign in known if _matches(sign, one)]
        if speaks:
            signs = {sign.sign for sign in speaks}
            found.append(Candidate(
                customer=one.customer, evidence=tuple(str(sign) for sign in Sign if sign in signs),
                certain=any(sign.proven and sign.sign in PROOFS for sign in speaks),
                weight=sum(WEIGHTS[sign] for sign in signs),
            ))  # fmt: skip
    return sorted(found, key=lambda one: (not one.certain, -one.weight, one.customer.id))


def _matches(known: Identifier, one: Traits) -> bool:
    if known.sign is Sign.NUMBER:
        return int(known.value) in one.numbers
    return known.value == {Sign.PHONE: one.phone, Sign.EMAIL: one.email, Sign.NAME: one.name}[known.sign]


def certain(candidates: Sequence[Candidate]) -> Candidate | None:
    """Give the customer that a profile is linked to without asking: the only certain one."""
    sure = [one for one in candidates if one.certain]
    return sure[0] if len(sure) == 1 else None
