"""Headers that tell browsers what not to do with an answer."""

from typing import Final

from gateway.routes.origins import Headers

POLICY: Final = b"content-security-policy"
DEFAULT_POLICY: Final = (POLICY, b"default-src 'none'; frame-ancestors 'none'")
DATA_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    DEFAULT_POLICY,
)
"""For answers to programs: nothing is shown or loaded, whatever a browser is made to take them for."""
PAGE_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"geolocation=(), microphone=(), camera=()"),
)
"""For what a browser may show; the page's own policy comes with it."""
STAY_ENCRYPTED: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
"""Where TLS is in use only (RFC 6797, section 7.2); a proxy that ends it says so in X-Forwarded-Proto."""


def data_headers(scheme: str) -> Headers:
    return [*DATA_HEADERS, *_transport(scheme)]


def page_headers(scheme: str, policy: bytes = DEFAULT_POLICY[1]) -> Headers:
    return [*PAGE_HEADERS, (POLICY, policy), *_transport(scheme)]


def _transport(scheme: str) -> Headers:
    return [STAY_ENCRYPTED] if scheme in {"https", "wss"} else []
