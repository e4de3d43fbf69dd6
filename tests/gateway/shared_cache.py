"""A cache between clients and a server, as RFC 9111 has it: what it is allowed to do, it does."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

Fetch = Callable[[str, Mapping[str, str]], Awaitable[httpx.Response]]


@dataclass
class Stored:
    response: httpx.Response
    asked_with: dict[str, str]
    """The headers of the request."""
    since: float

    def selected_by(self, headers: Mapping[str, str]) -> bool:
        """Section 4.1: all that it varies by is as it was."""
        names = [name.strip() for name in self.response.headers.get("vary", "").split(",") if name.strip()]
        return "*" not in names and all(self.asked_with.get(name) == headers.get(name) for name in names)


@dataclass
class SharedCache:
    """Answers a GET from what it stored, as long as that is fresh, whoever asks."""

    fetch: Fetch
    now: float = 0.0
    hits: int = 0
    revalidated: int = 0
    stored: dict[str, list[Stored]] = field(default_factory=dict)

    async def get(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        headers = {name.lower(): value for name, value in headers.items()}
        known = self.stored.setdefault(url, [])
        found = next((one for one in known if one.selected_by(headers)), None)
        if found is not None and self._is_fresh(found):
            self.hits += 1
            return found.response
        asked = dict(headers)
        if found is not None and "etag" in found.response.headers:
            asked["if-none-match"] = found.response.headers["etag"]
        response = await self.fetch(url, asked)
        if found is not None and response.status_code == httpx.codes.NOT_MODIFIED:
            self.revalidated += 1
            found.response.headers.update(response.headers)
            found.since = self.now
            return found.response
        if may_be_stored(response, headers):
            self.stored[url] = [one for one in known if one is not found]
            self.stored[url].append(Stored(response, headers, self.now))
        return response

    def _is_fresh(self, found: Stored) -> bool:
        told = directives(found.response)
        return "no-cache" not in told and self.now - found.since < int(told.get("max-age", "0"))


def may_be_stored(response: httpx.Response, headers: Mapping[str, str]) -> bool:
    """Section 3, for a shared cache."""
    told = directives(response)
    if {"no-store", "private"} & told.keys() or response.status_code != httpx.codes.OK:
        return False
    if "authorization" in headers and not {"public", "s-maxage", "must-revalidate"} & told.keys():
        return False
    return "max-age" in told or "public" in told


def directives(response: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition("=") for part in response.headers.get("cache-control", "").split(","))
    return {name.lower(): value for name, _, value in parts if name}
