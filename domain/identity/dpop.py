"""Proof that a client holds the key its tokens are bound to (DPoP, RFC 9449)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, OKPKey, RSAKey

from domain.identity.attempts import Allowance, AttemptLimit
from domain.identity.keys import MIN_RSA_BITS

TYPE: Final = "dpop+jwt"
ALGORITHMS: Final = ("ES256", "EdDSA", "RS256")
MAX_CHARACTERS: Final = 4_096
MAX_ID: Final = 128
WINDOW_SECONDS: Final = 60
"""How far the client's clock may be from ours."""
NONCE_SECONDS: Final = 60
ONCE: Final = Allowance(attempts=1, seconds=2 * WINDOW_SECONDS + 10)
"""For as long as a proof would be accepted, its id is known."""

_KEYS: Final[Mapping[str, type[ECKey] | type[OKPKey] | type[RSAKey]]] = {
    "ES256": ECKey,
    "EdDSA": OKPKey,
    "RS256": RSAKey,
}
_CURVES: Final = {"ES256": "P-256", "EdDSA": "Ed25519"}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})


class InvalidProof(Exception):
    """The proof does not hold; why is for our own eyes."""


class NonceMissing(InvalidProof):
    """The proof holds but for the server's nonce, which is here, for the client to try again with."""

    def __init__(self, nonce: str) -> None:
        super().__init__("nonce")
        self.nonce = nonce


class Nonces:
    """What proofs have to contain where the server asks for it (RFC 9449, section 8), so that they cannot be
    made ahead. They are keyed hashes of the time, the same in every process, and each stands for one to two
    minutes.
    """

    def __init__(self, digests: Callable[[str], Sequence[bytes]], now: Callable[[], datetime]) -> None:
        """`digests` answers keyed hashes of a text, the current key's first."""
        self._digests = digests
        self._now = now

    def current(self) -> str:
        return _base64(self._digests(self._time(0))[0])

    def stands(self, nonce: object) -> bool:
        if not isinstance(nonce, str):
            return False
        known = (digest for ago in (0, 1) for digest in self._digests(self._time(ago)))
        return any(hmac.compare_digest(_base64(digest).encode(), nonce.encode()) for digest in known)

    def _time(self, ago: int) -> str:
        return str(int(self._now().timestamp()) // NONCE_SECONDS - ago)


class _Algorithms(jws.JWSRegistry):
    """Those that proofs may use; the parent warns of the name EdDSA at each use."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ALGORITHMS:
            raise InvalidProof("algorithm")
        return self.algorithms[name]


class Proofs:
    """Checks proofs, and accepts each once."""

    def __init__(
        self, attempts: AttemptLimit, now: Callable[[], datetime], nonces: Nonces | None = None
    ) -> None:
        """Every proof has to contain one of `nonces`, where they are given."""
        self._attempts = attempts
        self._now = now
        self._nonces = nonces
        self._registry = _Algorithms()

    async def thumbprint(self, proof: str, method: str, url: str, token: str | None = None) -> str:
        """The thumbprint (RFC 7638) of the key that signed `proof` for this request, which carries the access
        token `token` if one is given; raises `InvalidProof`.
        """
        try:
            thumbprint, claims = self._signed(proof)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise InvalidProof("form") from error
        self._refuse_other(claims, method, url, token)
        if self._nonces is not None and not self._nonces.stands(claims.get("nonce")):
            raise NonceMissing(self._nonces.current())
        used = hashlib.sha256(f"{thumbprint}\0{claims['jti']}".encode()).hexdigest()
        if await self._attempts.attempt(f"dpop:{used}", ONCE) > 0:
            raise InvalidProof("replay")
        return thumbprint

    def _signed(self, proof: str) -> tuple[str, Mapping[str, Any]]:
        """The key's thumbprint and what it vouches for."""
        if len(proof) > MAX_CHARACTERS:
            raise InvalidProof("size")
        found = jws.extract_compact(proof.encode(), registry=self._registry)
        header = found.headers()
        algorithm, jwk = header["alg"], header["jwk"]
        if header.get("typ") != TYPE or algorithm not in _KEYS or _PRIVATE & jwk.keys():
            raise InvalidProof("header")
        key = _KEYS[algorithm].import_key(jwk)
        if not _strong(key, algorithm) or not jws.validate_compact(found, key, registry=self._registry):
            raise InvalidProof("signature")
        claims = orjson.loads(found.payload)
        if not isinstance(claims, dict):
            raise InvalidProof("payload")
        return key.thumbprint(), claims

    def _refuse_other(self, claims: Mapping[str, Any], method: str, url: str, token: str | None) -> None:
        match claims:
            case {"jti": str(jti), "htm": str(htm), "htu": str(htu), "iat": int(iat) | float(iat)}:
                fits = htm == method and _place(htu) == _place(url) and 0 < len(jti) <= MAX_ID
            case _:
                raise InvalidProof("claims")
        if not fits or abs(self._now().timestamp() - iat) > WINDOW_SECONDS:
            raise InvalidProof("request")
        if token is not None and claims.get("ath") != _digest(token):
            raise InvalidProof("token")


def _strong(key: ECKey | OKPKey | RSAKey, algorithm: str) -> bool:
    if isinstance(key, RSAKey):
        return key.raw_value.key_size >= MIN_RSA_BITS
    return key.curve_name == _CURVES[algorithm]


def _digest(token: str) -> str:
    return _base64(hashlib.sha256(token.encode()).digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _place(url: str) -> tuple[str, str, int | None, str]:
    """What of a URL counts (RFC 9449, section 4.3): neither query nor fragment, nor how it is written."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidProof("url") from None
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or ""), (None if port == standard else port), (parts.path or "/")
