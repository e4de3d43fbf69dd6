"""Which web pages may talk to the graph (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

Headers = list[tuple[bytes, bytes]]

_METHODS: Final = b"GET, HEAD, POST, OPTIONS"
_EXPOSED: Final = b"x-request-id, retry-after, ratelimit, ratelimit-policy, www-authenticate, dpop-nonce"
_MAX_AGE_SECONDS: Final = b"3600"
# Any of these makes a browser ask first (a preflight), so a page of another site cannot have sent it unasked.
_PREFLIGHTED: Final = (
    "authorization",
    "x-api-key",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-graphql-client",
    "x-requested-with",
)
_ANY: Final = "*"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_BROWSER: Final = "Mozilla/"


@dataclass(frozen=True, slots=True)
class Origins:
    """The allow-list. A page of our own host is always allowed, as is whatever is no browser."""

    allowed: frozenset[str] = frozenset()
    """Such as https://app.example.org, in lower case, without a trailing slash; or `*` for any."""
    local: bool = False
    """Whether pages of this machine are allowed, whatever their port."""

    def allows(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return True
        if origin.lower() in self.allowed or _ANY in self.allowed:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        if self.local and parts.hostname in _LOCAL:
            return True
        # A proxy may have ended TLS before us, so only host and port can be compared.
        return parts.netloc.lower() == headers.get("host", "").lower() != ""

    def refuses_unasked(self, headers: Mapping[str, str]) -> bool:
        """Whether another site's page may have sent this without asking first (request forgery).

        Browsers say in Sec-Fetch-Site who sends. Old ones do not, but are known by a name that no page can
        change without asking first; what is no browser at all is nobody's tool.
        """
        if any(name in headers for name in _PREFLIGHTED):
            return False
        site = headers.get("sec-fetch-site")
        if site is None and "origin" not in headers:
            return headers.get("user-agent", "").startswith(_BROWSER)
        if site is None or site in {"none", "same-origin"}:
            return not self.allows(headers)
        return "origin" not in headers or not self.allows(headers)

    def response_headers(self, headers: Mapping[str, str]) -> Headers:
        """What lets the page read the answer."""
        origin = headers.get("origin")
        if origin is None or not self.allows(headers):
            return []
        allowing: Headers = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED),
        ]
        # What a browser adds by itself (cookies, certificates) is not for any page there is.
        if _ANY not in self.allowed:
            allowing.append((b"access-control-allow-credentials", b"true"))
        return allowing

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
