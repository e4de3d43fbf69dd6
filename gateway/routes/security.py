"""Headers that tell browsers what not to do with an answer."""

from typing import Final

SECURITY_HEADERS: Final = (
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"geolocation=(), microphone=(), camera=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
POLICY: Final = b"content-security-policy"
DEFAULT_POLICY: Final = (POLICY, b"default-src 'none'; frame-ancestors 'none'")
