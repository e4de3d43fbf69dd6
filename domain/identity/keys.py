"""The keys that access tokens are signed with: the current one signs, all of them verify.

A key may say from when on it signs (`nbf`, in seconds since 1970): so it is published before its first token,
and whoever keeps our keys for a while has it by then. To rotate, put the new key before the old one, and drop
the old one when its last token has lapsed; `domain.identity.key_rotation` does both.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey, RSAKey

Jwk: TypeAlias = dict[str, Any]

ALGORITHMS = {"OKP": ("EdDSA", "Ed25519"), "RSA": ("RS256",)}
"""By type of key; the first where the key names none. RFC 9864 renames EdDSA to Ed25519, but few verifiers
know the new name yet.
"""
MIN_RSA_BITS = 2048
RSA_BITS = 3072

_KEYS: dict[str, type[OKPKey] | type[RSAKey]] = {"OKP": OKPKey, "RSA": RSAKey}
_PUBLIC = ("kty", "crv", "x", "n", "e")
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)


class KeyMaterialError(Exception):
    """The text holds no key that tokens can be signed with; the message says why, never what it held."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key and the one algorithm it is used with."""

    kid: str
    algorithm: str
    key: OKPKey | RSAKey = field(repr=False)
    signs_from: int = 0
    """In seconds since 1970."""

    @staticmethod
    def of(jwk: Jwk) -> "SigningKey":
        """A key from a JWK (RFC 7517, RFC 8037); raises `KeyMaterialError`."""
        kind = str(jwk.get("kty"))
        if kind not in _KEYS or jwk.get("use", "sig") != "sig":
            raise KeyMaterialError("a signing key is an Ed25519 or RSA key for signatures")
        members = {name: jwk[name] for name in ("kty", *_KEYS[kind].value_registry) if name in jwk}
        try:
            key = _KEYS[kind].import_key(members)
            kid = jwk.get("kid") or key.thumbprint()
        except (JoseError, ValueError, TypeError, KeyError):
            raise KeyMaterialError("the signing key cannot be read") from None
        _refuse_weak(key)
        algorithm, signs_from = jwk.get("alg") or ALGORITHMS[kind][0], jwk.get("nbf", 0)
        if not isinstance(signs_from, int):
            raise KeyMaterialError("`nbf` of a signing key is a whole number of seconds")
        if algorithm not in ALGORITHMS[kind] or not isinstance(kid, str):
            raise KeyMaterialError(f"an {kind} key signs with {' or '.join(ALGORITHMS[kind])}")
        return SigningKey(kid, algorithm, key, signs_from)

    @property
    def public_jwk(self) -> Jwk:
        """What others verify with; never a private member."""
        members: Jwk = dict(self.key.as_dict(private=False))
        shown = {name: members[name] for name in _PUBLIC if name in members}
        return {**shown, "kid": self.kid, "alg": self.algorithm, "use": "sig"}


class SigningKeys:
    """The current key, the previous ones, and those that sign later."""

    def __init__(
        self,
        first: SigningKey,
        others: Sequence[SigningKey] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self.generation = 0
        """Another one whenever other keys were adopted."""
        self._take((first, *others))

    @property
    def current(self) -> SigningKey:
        """The first private key whose time has come."""
        now = self._clock()
        for key in self._signing:
            if key.signs_from <= now:
                return key
        return self._signing[-1]

    def adopt(self, others: "SigningKeys") -> None:
        """Takes the keys of `others` in place of its own."""
        self._take(others.keys)
        self.generation += 1

    def _take(self, keys: Sequence[SigningKey]) -> None:
        if not keys[0].key.is_private:
            raise KeyMaterialError("the first signing key is the one that signs, and must be private")
        self.keys = tuple(keys)
        self._signing = [key for key in keys if key.key.is_private]
        self._by_id = {key.kid: key for key in keys}
        if len(self._by_id) != len(keys):
            raise KeyMaterialError("two signing keys have the same kid")

    @staticmethod
    def of(text: str) -> "SigningKeys":
        """Keys from a JWK, a JWK Set or PEM blocks, the current one first; raises `KeyMaterialError`."""
        first, *rest = [SigningKey.of(jwk) for jwk in _jwks_in(text)]
        return SigningKeys(first, rest)

    def find(self, kid: object) -> SigningKey | None:
        return self._by_id.get(kid) if isinstance(kid, str) else None

    def jwks(self) -> dict[str, list[Jwk]]:
        """The public keys, current first (RFC 7517, section 5)."""
        current = self.current
        others = [key for key in self.keys if key is not current]
        return {"keys": [key.public_jwk for key in (current, *others)]}


def new_key(algorithm: str = "EdDSA", signs_from: int | None = None) -> Jwk:
    """A fresh private key for EdDSA or RS256, named by its thumbprint (RFC 7638)."""
    key = RSAKey.generate_key(RSA_BITS) if algorithm == "RS256" else OKPKey.generate_key("Ed25519")
    since = {} if signs_from is None else {"nbf": signs_from}
    return {**key.as_dict(private=True), "kid": key.thumbprint(), "alg": algorithm, "use": "sig", **since}


def first_key() -> str:
    """The text of a fresh key that signs from now on."""
    return json.dumps(new_key(signs_from=int(time.time())))


def extended(text: str, algorithm: str, signs_from: int) -> tuple[str, str]:
    """The text of a JWK Set with one more key before the others, and its id; raises `KeyMaterialError`."""
    added = new_key(algorithm, signs_from)
    kept = [{**jwk, "kid": SigningKey.of(jwk).kid} for jwk in _jwks_in(text)]
    return _written([added, *kept]), added["kid"]


def cleared(text: str, now: int, overlap_seconds: int) -> tuple[str, list[str]]:
    """The text without the keys that were superseded for longer than `overlap_seconds`, and the ids of
    those; raises `KeyMaterialError`.
    """
    kept: list[Jwk] = []
    gone: list[str] = []
    superseded_at: int | None = None
    for jwk in _jwks_in(text):
        key = SigningKey.of(jwk)
        if superseded_at is None or now - superseded_at < overlap_seconds:
            kept.append({**jwk, "kid": key.kid})
        else:
            gone.append(key.kid)
        superseded_at = key.signs_from
    return (_written(kept), gone) if gone else (text, gone)


def _written(jwks: Sequence[Jwk]) -> str:
    text = json.dumps({"keys": jwks}, indent=2)
    SigningKeys.of(text)
    return text


def _refuse_weak(key: OKPKey | RSAKey) -> None:
    if isinstance(key, RSAKey):
        if key.raw_value.key_size < MIN_RSA_BITS:
            raise KeyMaterialError(f"an RSA signing key has at least {MIN_RSA_BITS} bits")
    elif key.curve_name != "Ed25519":
        raise KeyMaterialError("of the Edwards curves, Ed25519 is the one that signs tokens")


def _jwks_in(text: str) -> list[Jwk]:
    text = text.strip()
    found = _read_json(text) if text.startswith("{") else [_read_pem(block) for block in _pem_blocks(text)]
    if not found:
        raise KeyMaterialError("a signing key is PEM, a JWK or a JWK Set")
    return found


def _read_json(text: str) -> list[Jwk]:
    try:
        value = json.loads(text)
    except ValueError:
        raise KeyMaterialError("the signing key is not valid JSON") from None
    jwks = value.get("keys", [value])
    if not isinstance(jwks, list) or not all(isinstance(jwk, dict) for jwk in jwks):
        raise KeyMaterialError("`keys` of the signing key is a list of JWKs")
    return jwks


def _pem_blocks(text: str) -> list[str]:
    # Environment files often carry a PEM on one line, its line breaks written as \n.
    return _PEM.findall(text.replace("\\n", "\n"))


def _read_pem(block: str) -> Jwk:
    for kind in _KEYS.values():
        try:
            key = kind.import_key(block)
        except (JoseError, ValueError, TypeError):
            continue
        return dict(key.as_dict(private=key.is_private))
    raise KeyMaterialError("the PEM holds no Ed25519 or RSA key, or is encrypted")
