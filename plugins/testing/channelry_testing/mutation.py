"""What is like a provider's request and is none: forged signatures, changed bodies, batches with junk in them."""

import copy
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from attrs import evolve

from channelry.model import Request


def forgeries(simulator: Any, good: Request) -> Iterator[tuple[str, Request]]:
    """Give requests that are not the provider's: each differs from a good one in its signature or its body."""
    proofs = _proofs(simulator, good)
    yield "a request without any header", evolve(good, headers=())
    for what, forge in _FORGERIES:
        headers = tuple((name, forge(value) if name in proofs else value) for name, value in good.headers)
        yield f"{what} {proofs[-1].decode()}", evolve(good, headers=headers)
    yield "garbage without a signature", evolve(good, headers=(), body=b"\xff\x00 no JSON")
    other = evolve(good, body=good.body + b" ")
    if simulator.signed(other).headers != good.headers:  # the signature covers the body
        yield "another body under the same signature", other


def halves(simulator: Any, good: Request) -> Iterator[Request]:
    """Give requests that lack one of the headers that sign them."""
    for name in _proofs(simulator, good):
        yield evolve(good, headers=tuple(pair for pair in good.headers if pair[0] != name))


def _proofs(simulator: Any, good: Request) -> list[bytes]:
    return [name for name, _ in simulator.signed(evolve(good, headers=())).headers]


_FORGERIES: Sequence[tuple[str, Callable[[bytes], bytes]]] = (
    ("an empty", lambda value: b""),
    ("a cut", lambda value: value[:-1]),
    ("a longer", lambda value: value + b"0"),
    ("a wrong", lambda value: value[:-1] + (b"0" if value[-1:] != b"0" else b"1")),
    ("a non-ASCII", lambda value: value[:-2] + "ö".encode()),
    ("an unreadable", lambda value: b"\xff\xfe\x00"),
)


def mutated(body: bytes, chance: Random) -> bytes:
    """Change a body: bytes cut in and out anywhere, or values replaced or dropped anywhere in its form or its JSON."""
    if chance.random() < 0.3:
        at, junk = chance.randrange(len(body) + 1), chance.randbytes(chance.randrange(9))
        return body[:at] + junk + body[at + chance.randrange(9) :]
    try:
        value = orjson.loads(body)
    except ValueError:
        fields = {name: _field(text) for name, text in parse_qsl(body.decode(errors="replace"), keep_blank_values=True)}
        disturb(fields, chance)
        written = {name: one if isinstance(one, str) else orjson.dumps(one) for name, one in fields.items()}
        return urlencode(written).encode()
    disturb(value, chance)
    return orjson.dumps(value)


def _field(text: str) -> Any:
    """Read what a field of a form holds: some hold JSON."""
    try:
        return orjson.loads(text) if text.startswith("{") else text
    except ValueError:
        return text


def disturb(value: Any, chance: Random) -> None:
    """Replace, drop or double one to three things in a JSON value, wherever they are."""
    for _ in range(chance.randint(1, 3)):
        holder: Any = None
        key: Any = None
        inner = value
        while isinstance(inner, dict | list) and inner and (holder is None or chance.random() < 0.8):
            holder, key = inner, chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
            inner = holder[key]
        match chance.randrange(3):
            case _ if holder is None:
                return
            case 0:
                holder[key] = copy.deepcopy(chance.choice(_JUNK))
            case 1:
                del holder[key]
            case _ if isinstance(holder, list):
                holder.append(copy.deepcopy(inner))


_JUNK: Sequence[Any] = (
    None, True, 0, -1, 1.5, 2**63, 2**64 - 1, 1e300, "", "\0", "é", "😀", "-1", "1e9", "9" * 400, [], [None], [[]],
    [{}], {}, {"id": 1.5},
)  # fmt: skip


def arrays(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the way to each array in a JSON value that is not empty."""
    if isinstance(value, list) and value:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from arrays(one, (*path, key))


BATCHES: Sequence[tuple[str, Callable[[list[Any]], list[Any]]]] = (
    ("after a null", lambda rows: [None, *rows]),
    ("before a number", lambda rows: [*rows, 1.5]),
    ("among junk", lambda rows: ["junk", *rows, [], {}]),
)


def changed_at(value: Any, path: Sequence[Any], change: Callable[[list[Any]], list[Any]]) -> Any:
    """Give a JSON value whose array at the end of `path` is changed."""
    if not path:
        return change(value)
    made = copy.deepcopy(value)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = change(holder[path[-1]])
    return made
