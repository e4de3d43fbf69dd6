"""Fetches what clients say of themselves, at the addresses that they are known by."""

import asyncio
import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson
import structlog

log = structlog.get_logger(__name__)

SECONDS: Final = 5.0
MAX_BYTES: Final = 5 << 10
FRESH_SECONDS: Final = 300.0
MAX_KEPT: Final = 1_000

_TRANSLATED: Final = [ipaddress.IPv6Network(network) for network in ("2002::/16", "2001::/32")]
"""Addresses of IPv4 in such of IPv6: 6to4, Teredo. Others that stand for them are not `_PUBLIC`."""

_PUBLIC: Final = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that anybody may reach. Python also takes for public what nothing is said of yet."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Refusal(Exception):
    """The document is not fetched, or not read; why is for our own eyes."""


async def addresses_of(host: str, port: int) -> list[str]:
    """The network addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Documents:
    """Asks each address at most once in five minutes.

    Whoever names a client makes us ask somewhere: so only over TLS, only where all addresses of the host are
    public, exactly the address that was looked at (a name may point elsewhere a moment later), without
    following redirects, for a few kilobytes and seconds.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        resolve: Resolve = addresses_of,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._resolve = resolve
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Any]] = OrderedDict()

    async def document(self, url: str) -> Any:
        """The JSON at `url`; nothing where there is none that may be read."""
        until, kept = self._kept.get(url, (0.0, None))
        if self._clock() < until:
            return kept
        try:
            async with asyncio.timeout(SECONDS):
                found = await self._fetched(url)
        except (Refusal, httpx.HTTPError, OSError, ValueError, TimeoutError) as error:
            log.info("client_document.refused", url=url, reason=str(error) or type(error).__name__)
            found = None
        self._kept[url] = (self._clock() + FRESH_SECONDS, found)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _fetched(self, url: str) -> Any:
        parts = urlsplit(url)
        host, port = str(parts.hostname), parts.port or 443
        addresses = await self._resolve(host, port)
        if not addresses or not all(map(_is_public, addresses)):
            raise Refusal("address")
        shown = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
        request = self._http.build_request(
            "GET",
            parts._replace(netloc=f"{shown}:{port}").geturl(),
            headers={"host": parts.netloc, "accept": "application/json", "accept-encoding": "identity"},
            extensions={"sni_hostname": host},
        )
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code != httpx.codes.OK:
                raise Refusal("status")
            if "json" not in response.headers.get("content-type", ""):
                raise Refusal("type")
            # What is packed may be a thousand times as large.
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Refusal("encoding")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise Refusal("size")
        finally:
            await response.aclose()
        return orjson.loads(body)


def _is_public(text: str) -> bool:
    """Whether anybody can be found there, and it is no way to an address within by another notation."""
    address = ipaddress.ip_address(text)
    reachable = address.is_global and not address.is_multicast
    if isinstance(address, ipaddress.IPv4Address):
        return reachable
    return reachable and address in _PUBLIC and not any(address in network for network in _TRANSLATED)
