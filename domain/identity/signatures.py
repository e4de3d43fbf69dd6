"""Whether a key signed something: asked once for each token, by the library that is fastest at it.

For Ed25519 that is ed25519-zebra, which takes a third of OpenSSL's time and two thirds of libsodium's. It
judges by ZIP 215: of keys that are well made, as ours are, it accepts what RFC 8032 does.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from ed25519_zebra import ed_verify
from joserfc.jwk import OKPKey, RSAKey

Signed: TypeAlias = Callable[[bytes, bytes], bool]
"""Whether a message has this signature; other lengths of it are a `ValueError`, or just no."""

_PADDING: Final = PKCS1v15()
_HASH: Final = SHA256()


def verifier(key: OKPKey | RSAKey) -> Signed:
    """Answers for Ed25519 (RFC 8037) or RS256 (RFC 7518, section 3.3), whichever is the key's."""
    if isinstance(key, RSAKey):
        return partial(_by_rsa, key.public_key)
    return partial(_by_ed25519, key.public_key.public_bytes_raw())


def _by_ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    accepted: bool = ed_verify(signature, message, key)
    return accepted


def _by_rsa(key: RSAPublicKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, message, _PADDING, _HASH)
    except InvalidSignature:
        return False
    return True
