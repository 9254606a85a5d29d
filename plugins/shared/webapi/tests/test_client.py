"""Requests with credentials, downloads, and what answers mean."""

from binascii import hexlify
from hmac import digest
from typing import Any

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from channelry.errors import AmbiguousError, AuthError, PermanentError, RejectedError, RetryableError, SendError
from channelry.model import Capabilities, Kind, Media, MediaLimit, RateScope
from channelry.secrets import Secret, redact
from channelry.services import Downloaded, FilePart, HttpResponse, Services
from channelry_testing import services
from channelry_webapi import (
    Client,
    Issued,
    Missing,
    Shown,
    Tokens,
    basic,
    batches,
    download,
    fetch,
    require,
    require_hmac,
)
from channelry_webapi.answers import content, ids, named, object_in, refusal, rows_in, unreadable

pytestmark = pytest.mark.anyio
API = "https://api.acme.example"


@define
class Wire:
    """Stands for the network: answers with the given statuses in turn, and keeps what was asked."""

    statuses: list[int]
    asked: list[tuple[str, str, dict[str, Any]]] = field(factory=list)

    async def request(self, method: str, url: str, **options: Any) -> HttpResponse:
        self.asked.append((method, url, options))
        return HttpResponse(self.statuses.pop(0), {}, b"{}")

    async def download(self, url: str, save: Any, **options: Any) -> Downloaded:
        self.asked.append(("GET", url, options))
        await save(b"12345")
        return Downloaded("image/png", 5)


def over(wire: Any) -> Services:
    return services(http=wire)


def tokens() -> Tokens:
    made = iter(range(9))

    async def renew(_: Secret, __: Services) -> Issued:
        return Issued(Secret(f"access-{next(made)}"), 7200.0)

    return Tokens(Secret("origin"), renew)


def shown(wire: Wire) -> list[str]:
    return [options["headers"]["authorization"] for _, _, options in wire.asked]


async def test_a_request_bears_the_credentials_its_own_headers_and_its_query() -> None:
    wire = Wire([200])
    client = Client(API, Shown(Secret("T-1234")))
    await client.ask(over(wire), "GET", "/me", query={"q": "a b&c"}, headers={"x-key": "k"})
    (asked,) = wire.asked
    assert asked == (
        "GET",
        f"{API}/me?q=a+b%26c",
        {"headers": {"authorization": "Bearer T-1234", "x-key": "k"}, "repeatable": True},
    )


async def test_a_whole_url_stands_for_itself_and_what_is_not_repeatable_says_so() -> None:
    wire = Wire([200])
    await Client(API, basic("me", Secret("pass"))).ask(
        over(wire), "POST", "https://other.acme.example/x", json={}, repeatable=False
    )
    (asked,) = wire.asked
    headers = {"authorization": "Basic bWU6cGFzcw=="}
    assert asked == ("POST", "https://other.acme.example/x", {"headers": headers, "json": {}, "repeatable": False})


@pytest.mark.row("F10")
def test_basic_credentials_are_masked() -> None:
    credentials = basic("me", Secret("pass"))
    assert redact("Basic bWU6cGFzcw==") == "Basic ***"
    assert "bWU6" not in repr(credentials)


async def test_refused_tokens_are_replaced_once() -> None:
    wire = Wire([200, 401, 200, 401, 401])
    client, ours = Client(API, tokens()), over(wire)
    assert [(await client.ask(ours, "GET", "/")).status for _ in range(3)] == [200, 200, 401]
    assert shown(wire) == [f"Bearer access-{number}" for number in (0, 0, 1, 1, 2)]


async def test_what_says_that_a_token_is_refused_is_the_channels_word() -> None:
    wire = Wire([418, 200])
    client = Client(API, tokens(), lambda answer: answer.status == 418)
    assert (await client.ask(over(wire), "GET", "/")).status == 200


async def test_credentials_that_last_are_not_tried_twice() -> None:
    wire = Wire([401])
    assert (await Client(API, Shown(Secret("T-1234"))).ask(over(wire), "POST", "/")).status == 401


async def test_a_file_waits_for_the_new_credentials() -> None:
    """It is read once: what was refused is made again as a whole, by whoever sends."""

    async def content() -> Any:
        yield b""

    wire, client = Wire([401, 200]), Client(API, tokens())
    files, ours = [FilePart("file", "a", "b", content())], over(wire)
    with pytest.raises(RetryableError, match="refused, and are new now"):
        await client.ask(ours, "POST", "/", files=files, repeatable=False)
    assert (await client.ask(ours, "POST", "/", files=files, repeatable=False)).status == 200
    assert shown(wire) == ["Bearer access-0", "Bearer access-1"]


@pytest.mark.parametrize(
    ("method", "status", "body", "found"),
    [
        ("GET", 200, b'{"id": 1}', {"id": 1}),
        ("GET", 200, b"{}", {}),
        ("POST", 201, b' {"id": 1}\n', {"id": 1}),
        ("POST", 200, b"{}", {}),
        ("DELETE", 204, b"", {}),
        ("GET", 200, b"", AmbiguousError),
        ("POST", 200, b"<html>", AmbiguousError),
        ("POST", 200, b'{"id": 1', AmbiguousError),
        ("POST", 200, b"[]", AmbiguousError),
        ("POST", 302, b"", PermanentError),
        ("POST", 401, b"", AuthError),
        ("POST", 408, b"", RetryableError),
        ("POST", 503, b"{}", RetryableError),
    ],
)
async def test_a_call_gives_an_object_or_raises_what_the_answer_means(
    method: str, status: int, body: bytes, found: Any
) -> None:
    class Scripted:
        async def request(self, *_: Any, **__: Any) -> HttpResponse:
            return HttpResponse(status, {}, body)

    calling = Client(API, Shown(Secret("T-1234"))).call(over(Scripted()), method, "/", repeatable=False)
    if isinstance(found, dict):
        assert await calling == found
        return
    with pytest.raises(found):
        await calling


async def test_what_is_not_there_is_an_empty_object() -> None:
    ours = over(Wire([200, 404, 500]))
    client = Client(API, Shown(Secret("T-1234")))
    assert [await client.look_up(ours, "/1") for _ in range(2)] == [{}, {}]
    with pytest.raises(RetryableError):
        await client.look_up(ours, "/1")


async def test_what_a_refusal_means_is_the_channels_word() -> None:
    def gone(answer: HttpResponse, _: Services) -> SendError:
        return PermanentError(f"gone for good ({answer.status})", code="gone")

    client = Client(API, Shown(Secret("T-1234")), refusal=gone)
    with pytest.raises(PermanentError, match="gone for good"):
        await client.call(over(Wire([503])), "GET", "/")


async def test_without_credentials_nothing_is_asked() -> None:
    wire = Wire([])
    with pytest.raises(AuthError, match="set bot_token"):
        await Client(API, Missing("set bot_token")).ask(over(wire), "GET", "/")
    assert wire.asked == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{API}/files/1", True),
        ("https://files.acme.example/1", True),
        ("https://api.acme.example.evil.example/1", False),
        ("https://api.acme.example@evil.example/1", False),
        ("http://api.acme.example/1", False),
        ("https://cdn.example/1", False),
        ("", False),
    ],
)
async def test_only_our_own_servers_see_the_credentials(url: str, expected: bool) -> None:
    client = Client(f"{API}/v2", Shown(Secret("T-1234")))
    assert bool(await client.shown(over(Wire([])), url, "https://files.acme.example")) is expected


IMAGES = Capabilities(text=1, media={Kind.IMAGE: MediaLimit(fetch=10), Kind.VIDEO: MediaLimit(link=10)})


@frozen
class Linked:
    """A connection whose customers' files have links."""

    client: Client
    capabilities: Capabilities = IMAGES


async def test_a_file_is_fetched_with_its_limit_and_gets_its_size_and_type() -> None:
    saved = bytearray()

    async def save(piece: bytes) -> None:
        saved.extend(piece)

    wire, linked = Wire([]), Linked(Client(f"{API}/v2", Shown(Secret("T-1234"))))
    media = Media(kind=Kind.IMAGE, id="1", url="https://cdn.example/1")
    found = await fetch(linked, media, save, over(wire))
    assert (found.media_type, found.size, found.url, saved) == ("image/png", 5, "https://cdn.example/1", b"12345")
    found = await download(linked, found, save, over(wire), f"{API}/1")
    assert (found.url, found.size) == ("https://cdn.example/1", 5)
    assert [(url, options) for _, url, options in wire.asked] == [
        ("https://cdn.example/1", {"headers": {}, "limit": 10}),
        (f"{API}/1", {"headers": {"authorization": "Bearer T-1234"}, "limit": 10}),
    ]
    for bad in (Media(kind=Kind.IMAGE, id="1"), Media(kind=Kind.VIDEO, url="https://cdn.example/1")):
        with pytest.raises(PermanentError, match="no link"):
            await fetch(linked, bad, save, over(wire))


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ("", ()),
        ("aaa", ("aa", "a")),
        ("aXYb", ("a", "X", "Y", "b")),
        ("Xaab", ("X", "aa", "b")),
        ("abXcde", ("ab", "X", "cd", "e")),
    ],
)
def test_neighbours_go_together_in_order(pieces: str, expected: tuple[str, ...]) -> None:
    """Here two at once, and capitals alone."""
    assert tuple("".join(batch) for batch in batches(pieces, 2, str.islower)) == expected


@given(st.text(alphabet="aX"), st.integers(1, 4))
def test_no_piece_is_lost_and_no_batch_too_large(pieces: str, most: int) -> None:
    found = list(batches(pieces, most, str.islower))
    assert [one for batch in found for one in batch] == list(pieces)
    assert all(len(batch) <= most and (len(batch) == 1 or "X" not in batch) for batch in found)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PermanentError),
        (401, AuthError),
        (403, AuthError),
        (404, PermanentError),
        (429, RetryableError),
        (500, RetryableError),
        (503, RetryableError),
    ],
)
def test_what_a_status_means_where_the_provider_says_no_more(status: int, kind: type[SendError]) -> None:
    error = refusal(HttpResponse(status, {}, b""), over(Wire([])))
    assert (type(error), str(error), error.code) == (kind, f"HTTP {status}", str(status))


def test_a_refusal_has_the_providers_words_its_code_and_its_wait() -> None:
    limited = HttpResponse(429, {"retry-after": "7"}, b"")
    error = refusal(limited, over(Wire([])), said="slow\ndown", code="E1")
    assert isinstance(error, RetryableError)
    assert (str(error), error.code, error.retry_after, error.scope) == ("slow\\x0adown", "E1", 7, RateScope.CONNECTION)
    error = refusal(limited, over(Wire([])), RetryableError, retry_after=9.0, scope=RateScope.APP)
    assert isinstance(error, RetryableError)
    assert (error.retry_after, error.scope) == (9.0, RateScope.APP)
    assert type(refusal(limited, over(Wire([])), PermanentError)) is PermanentError


def test_an_answer_without_an_id_is_an_answer_lost() -> None:
    assert (named(7, repeatable=False), named("x", repeatable=True)) == ("7", "x")
    for repeatable, kind in ((True, RetryableError), (False, AmbiguousError)):
        assert type(unreadable(repeatable=repeatable)) is kind
        for value in (None, "", 1.5, {}):
            with pytest.raises(kind):
                named(value, repeatable=repeatable)


def test_the_ids_of_rows_are_all_there_or_none() -> None:
    for rows in (None, [], {}, 3, "x", ["x"], [{}], [{"id": "m1"}, {"id": None}], {"id": "m1"}):
        assert ids(rows) == ()
    assert ids([{"id": "m1"}, {"id": 2}]) == ("m1", "2")


def test_what_stands_in_an_answer_is_an_object_or_objects_always() -> None:
    answer = {"user": {"id": 1}, "name": "x", "rows": [{"id": 1}, "x", None], "row": {"id": 1}}
    assert object_in(answer, "user") == {"id": 1}
    assert rows_in(answer, "rows") == [{"id": 1}]
    for name in ("name", "rows", "none"):
        assert object_in(answer, name) == {}
    for name in ("name", "row", "none"):
        assert rows_in(answer, name) == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"1"])
def test_content_is_an_object_always(body: bytes) -> None:
    assert content(HttpResponse(200, {}, body)) == {}


@pytest.mark.parametrize(
    ("given", "expected", "good"),
    [
        (b"a", [b"a"], True),
        (b"b", [b"a", b"b"], True),
        (b"c", [b"a", b"b"], False),
        (b"", [], False),
        (b"a", [], False),
        (b"", [b""], False),
        (b"\xff", [b"a"], False),
    ],
)
def test_a_signature_is_one_of_those_expected(given: bytes, expected: list[bytes], good: bool) -> None:
    if good:
        return require(given, expected, "Acme")
    with pytest.raises(RejectedError, match="no valid signature or token of Acme"):
        require(given, expected, "Acme")
    return None


MAC = "6910dd4ebee0899b4aa2da917e24098e3dcfe47773eed8989457dab83aeaef33"
"""Of the body below, by the key `meta_app_secret`."""


@pytest.mark.parametrize("keys", [("meta_app_secret",), ("new", "meta_app_secret"), ("meta_app_secret", "new")])
def test_a_mac_by_one_of_the_secrets_is_good(keys: tuple[str, ...]) -> None:
    body, secrets = b'{"hello":"w\\u00f6rld"}', tuple(map(Secret, keys))
    require_hmac(MAC.encode(), body, secrets, hexlify, "Acme")
    for mac, signed, wrong in ((MAC.upper(), body, secrets), (MAC, body + b" ", secrets), (MAC, body, ())):
        with pytest.raises(RejectedError, match="no valid signature or token of Acme"):
            require_hmac(mac.encode(), signed, wrong, hexlify, "Acme")


def test_a_mac_may_be_of_another_kind_and_an_empty_secret_makes_none() -> None:
    mac = digest(b"key", b"body", "sha1").hex().encode()
    require_hmac(mac, b"body", (Secret(""), Secret("key")), hexlify, "Acme", "sha1")
    nobodys = digest(b"", b"body", "sha256").hex().encode()
    for secrets in ((), (Secret(""),), (Secret(""), Secret("key"))):
        with pytest.raises(RejectedError):
            require_hmac(nobodys, b"body", secrets, hexlify, "Acme")
