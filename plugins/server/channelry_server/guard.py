"""The guard for downloads: a customer's media must not make this server read its own network."""

import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from attrs import define
from yarl import URL

from channelry.errors import PermanentError
from channelry.secrets import one_line

REDIRECTS = 3
"""How many redirects of a download are followed."""

# RFC 6052: an IPv4 address in the last 32 bits, reached through a translator.
_NAT64 = IPv6Network("64:ff9b::/96")
# What another origin may still be told: nothing that says who we are.
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})


def site(url: URL) -> str:
    """Name a URL's origin for an error: paths and queries hold tokens, and even a host can be one."""
    return one_line(str(url.origin()))


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public Internet, also where IPv6 only wraps an IPv4 address."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.is_site_local or int(found) >> 32 in (0, 0xFFFF0000):  # fec0::/10, ::a.b.c.d, ::ffff:0:a.b.c.d
            return False
        wrapped = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in _NAT64:
            wrapped.append(IPv4Address(int(found) & 0xFFFFFFFF))
        if any(inner is not None and not is_public(str(inner)) for inner in wrapped):
            return False
        if found.ipv4_mapped is not None:
            return True
    return found.is_global and not found.is_multicast


def admit(url: URL, own: bool) -> None:
    """Refuse a URL that may not be downloaded from; `own` says that the connection's configuration names its origin.

    Names are checked later, when they are resolved (`PublicResolver`).
    """
    if own:
        return
    if url.scheme != "https":
        raise PermanentError(f"{site(url)}: only https is downloaded from", code="not_https")
    try:
        public = is_public(url.host or "")
    except ValueError:
        host = url.host or ""
        if ":" not in host and not host.replace(".", "").isdigit() and not host.lower().startswith("0x"):
            return  # a name; the rest are spellings of addresses (127.1, 2130706433) that some clients connect to
        public = False
    if not public:
        raise _not_public(url.host or "")


def redirected(url: URL, location: str, headers: Mapping[str, str]) -> tuple[URL, Mapping[str, str]]:
    """Give where a redirect leads and which headers may go there: none that identify us if the origin changes."""
    try:
        target = url.join(URL(location))
        origin = target.origin()
    except ValueError:
        raise PermanentError(f"{site(url)}: redirects to what is no URL", code="redirect") from None
    if not location or target.scheme not in ("http", "https"):
        raise PermanentError(f"{site(url)}: redirects to what is no web address", code="redirect")
    if origin != url.origin():
        headers = {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
    return target, headers


@define(eq=False)
class PublicResolver(AbstractResolver):
    """Resolves names, and refuses one that has any address which is not public.

    The connector connects to the addresses that were checked here, so a name that changes its mind gains nothing.
    """

    inner: AbstractResolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self.inner.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise _not_public(host)
        return found

    async def close(self) -> None:
        await self.inner.close()


def _not_public(host: str) -> PermanentError:
    return PermanentError(
        f"{one_line(host)}: not a public address; where files are meant to come from there, name it as base_url",
        code="not_public",
    )
