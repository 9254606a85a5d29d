"""What is like a provider's request and is none: forged signatures, changed bodies, batches with junk in them."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from attrs import evolve
from hypothesis import strategies as st

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


def mutations(body: bytes) -> st.SearchStrategy[bytes]:
    """Change a body: bytes cut in and out anywhere, and, where it is JSON, one value replaced or dropped anywhere."""
    noise = st.tuples(st.integers(0, len(body)), st.integers(0, 8), st.binary(max_size=8)).map(
        lambda change: body[: change[0]] + change[2] + body[change[0] + change[1] :]
    )
    try:
        value = orjson.loads(body)
    except ValueError:
        return noise | st.binary(max_size=60)
    places = list(_places(value))
    if not places:
        return noise

    @st.composite
    def changed(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
        mutant = copy.deepcopy(value)
        *path, last = draw(st.sampled_from(places))
        holder = mutant
        for key in path:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = draw(_JUNK)
        else:
            del holder[last]
        return orjson.dumps(mutant)

    return st.one_of(changed(), changed(), noise)


_JUNK: st.SearchStrategy[Any] = st.text(max_size=6) | st.sampled_from([
    None, True, 0, -1, 1.5, 2**63, 1e300, "", "\0", "😀", "-1", "1e9", "9" * 400, [], [None], [[]], [{}], {},
    {"id": 1.5},
])  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from _places(one, (*path, key))


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
