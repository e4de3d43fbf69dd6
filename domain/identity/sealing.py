"""Secrets that have to be read again, sealed with AES-256-GCM (NIST SP 800-38D) under a key kept elsewhere.

To rotate, put the new key before the old one; what is read under an old key is sealed anew when it is written
next, and the old one can go when nothing is left under it.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
MAX_ID_BYTES = 32


class SealError(Exception):
    """What was sealed cannot be opened: its key is gone, or it was changed. The message holds none of it."""


class Sealer:
    """Seals with the first key and opens with all. `about` binds a secret to what it belongs to."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Keys of 32 bytes by their id, the current one first."""
        self._keys = dict(keys)
        self._current = next(iter(self._keys))
        self._ciphers = {name: AESGCM(key) for name, key in self._keys.items()}
        self._digesting = {name: _derived(key, b"digests") for name, key in self._keys.items()}

    @staticmethod
    def of(text: str) -> "Sealer":
        """Keys from `id:base64,id:base64`, the current one first; raises `ValueError`, with none of a key."""
        keys: dict[str, bytes] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            name, _, encoded = part.partition(":")
            try:
                key = base64.b64decode(encoded.translate(_STANDARD), validate=True)
            except (binascii.Error, ValueError):
                raise ValueError("a sealing key is `id:` and 32 bytes in base64") from None
            if len(key) != KEY_BYTES or not 0 < len(name.encode()) <= MAX_ID_BYTES or name in keys:
                raise ValueError("a sealing key has an id of its own and 32 bytes in base64")
            keys[name] = key
        if not keys:
            raise ValueError("there is no sealing key")
        return Sealer(keys)

    def seal(self, secret: bytes, about: str) -> bytes:
        """The id of the key (its length first), a nonce, and what was sealed."""
        name, nonce = self._current.encode(), os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, secret, about.encode())
        return bytes([len(name)]) + name + nonce + sealed

    def open(self, sealed: bytes, about: str) -> bytes:
        """The secret; raises `SealError`."""
        start = 1 + sealed[0] if sealed else 0
        cipher = self._ciphers.get(sealed[1:start].decode(errors="replace"))
        if cipher is None:
            raise SealError("it was sealed under a key that is not known")
        nonce, rest = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, rest, about.encode())
        except (InvalidTag, ValueError):
            raise SealError("it was changed, or belongs to something else") from None

    def digests(self, text: str, about: str) -> list[bytes]:
        """Keyed hashes of a text, the current key's first: who has the database alone cannot guess it."""
        message = f"{about}\0{text}".encode()
        return [hmac.digest(key, message, hashlib.sha256) for key in self._digesting.values()]


_STANDARD = str.maketrans("-_", "+/")


def _derived(key: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"media-gateway " + use).derive(key)


def new_key() -> str:
    """A fresh key, as a setting has it."""
    return f"k1:{base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()}"
