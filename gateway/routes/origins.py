"""Which web pages may talk to the graph (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

Headers = list[tuple[bytes, bytes]]

_METHODS: Final = b"GET, HEAD, POST, OPTIONS"
_EXPOSED: Final = b"x-request-id, retry-after"
_MAX_AGE_SECONDS: Final = b"3600"
# Any of these makes a browser ask first (a preflight), so a page of another site cannot have sent it unasked.
_PREFLIGHTED: Final = (
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-graphql-client",
    "x-requested-with",
)


@dataclass(frozen=True, slots=True)
class Origins:
    """The allow-list. A page of our own host is always allowed, as is whatever is no browser."""

    allowed: frozenset[str] = frozenset()
    """Such as https://app.example.org, in lower case, without a trailing slash; or `*` for any."""

    def allows(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return True
        if origin.lower() in self.allowed or "*" in self.allowed:
            return True
        # A proxy may have ended TLS before us, so only host and port can be compared.
        try:
            return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
        except ValueError:
            return False

    def refuses_unasked(self, headers: Mapping[str, str]) -> bool:
        """Whether another site's page may have sent this without asking first (request forgery)."""
        if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
            return not self.allows(headers)
        if "origin" in headers and self.allows(headers):
            return False
        return not any(name in headers for name in _PREFLIGHTED)

    def response_headers(self, headers: Mapping[str, str]) -> Headers:
        """What lets the page read the answer."""
        origin = headers.get("origin")
        if origin is None or not self.allows(headers):
            return []
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", _EXPOSED),
        ]

    def preflight_headers(self, headers: Mapping[str, str]) -> Headers:
        """What lets the page send the request; nothing for a page that may not."""
        if "access-control-request-method" not in headers or not self.allows(headers):
            return []
        asked = headers.get("access-control-request-headers", "content-type")
        return [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", asked.encode("latin-1")),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        ]
