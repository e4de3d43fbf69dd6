"""Refresh tokens: opaque, kept as hashes, each good for one rotation (RFC 9700, section 4.14.2).

The token that follows another is made of it and of a salt that only the store has. So whoever repeats a
rotation, because its answer was lost or because two of its requests met, is given the same successor again:
a family never forks, and no token lies in the store that could be used.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

PREFIX: Final = "mg_rt_"
"""Tells people and scanners of secrets what it is."""
SECRET_BYTES: Final = 32
MAX_CHARACTERS: Final = 128


def new_token() -> str:
    """The first of a family: 256 random bits."""
    return _token(secrets.token_bytes(SECRET_BYTES))


def new_salt() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def successor(token: str, salt: bytes) -> str:
    """The token that takes the place of `token`."""
    return _token(hmac.digest(token.encode(errors="surrogatepass"), salt, "sha256"))


def fingerprint(token: str) -> bytes:
    """What the store keeps of a token. It is random, so nothing slower than SHA-256 is called for."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _token(secret: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
