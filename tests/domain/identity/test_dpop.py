"""Proofs of possession, without a server: what of them is looked at, and the server's nonces."""

import base64
import hashlib
import uuid
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from domain.identity.attempts import LocalAttempts
from domain.identity.dpop import MAX_CHARACTERS, NONCE_SECONDS, InvalidProof, NonceMissing, Nonces, Proofs
from domain.identity.sealing import Sealer, new_key
from tests.accounts import Clock

URL = "https://gateway.example/oauth/token"
KEY = ECKey.generate_key("P-256")


def proof(clock: Clock, key: Any = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A good proof but for what is given."""
    shown = key.as_dict(private=False) if not isinstance(key, OctKey) else key.as_dict()
    headers: dict[str, Any] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": shown} | (header or {})
    found = {"jti": str(uuid.uuid4()), "htm": "POST", "htu": URL, "iat": int(clock.seconds())} | claims
    return jwt.encode(headers, found, key, algorithms=[headers["alg"]])


def digest(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def proofs(clock: Clock, nonces: Nonces | None = None) -> Proofs:
    return Proofs(LocalAttempts(clock.seconds), clock.now, nonces)


async def test_a_proof_names_its_key_once() -> None:
    clock = Clock()
    checking, shown = proofs(clock), proof(clock)

    assert await checking.thumbprint(shown, "POST", URL) == KEY.thumbprint()
    with pytest.raises(InvalidProof):
        await checking.thumbprint(shown, "POST", URL)


@pytest.mark.parametrize(
    ("key", "header"),
    [
        (OctKey.generate_key(256), {"alg": "HS256"}),
        (ECKey.generate_key("P-384"), {"alg": "ES384"}),
        (KEY, {"jwk": KEY.as_dict(private=True)}),
        (KEY, {"jwk": ECKey.generate_key("P-256").as_dict(private=False)}),
        (KEY, {"typ": "JWT"}),
        (KEY, {"typ": "at+jwt"}),
    ],
    ids=["shared secret", "unknown algorithm", "private key", "another key", "jwt", "access token"],
)
async def test_keys_and_headers_that_prove_nothing_are_refused(key: Any, header: dict[str, Any]) -> None:
    clock = Clock()
    with pytest.raises(InvalidProof):
        await proofs(clock).thumbprint(proof(clock, key, header), "POST", URL)


@pytest.mark.parametrize(
    ("claims", "method", "token"),
    [
        ({"htm": "GET"}, "POST", None),
        ({}, "GET", None),
        ({"htm": "post"}, "POST", None),
        ({}, "POST", "a token"),
        ({"ath": "x"}, "POST", "a token"),
        ({"ath": digest("another")}, "POST", "a token"),
    ],
)
async def test_a_proof_for_another_method_or_token_is_refused(
    claims: dict[str, Any], method: str, token: str | None
) -> None:
    clock = Clock()

    with pytest.raises(InvalidProof):
        await proofs(clock).thumbprint(proof(clock, **claims), method, URL, token)
    shown = proof(clock, ath=digest("a token"))
    assert await proofs(clock).thumbprint(shown, "POST", URL, "a token") == KEY.thumbprint()


async def test_a_weak_key_proves_nothing() -> None:
    clock = Clock()
    with pytest.warns(match="2048 bits"):
        shown = proof(clock, RSAKey.generate_key(1024), {"alg": "RS256"})

    with pytest.warns(match="2048 bits"), pytest.raises(InvalidProof):
        await proofs(clock).thumbprint(shown, "POST", URL)


async def test_an_unsigned_or_huge_proof_is_refused() -> None:
    clock = Clock()
    head, body, _ = proof(clock).split(".")
    unsigned = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ"

    for shown in (f"{unsigned}.{body}.", f"{head}.{body}.", "", "a.b.c", "x" * (MAX_CHARACTERS + 1)):
        with pytest.raises(InvalidProof):
            await proofs(clock).thumbprint(shown, "POST", URL)


@pytest.mark.parametrize(
    ("htu", "holds"),
    [
        ("HTTPS://GATEWAY.example:443/oauth/token?x=1#y", True),
        ("https://gateway.example:8443/oauth/token", False),
        ("http://gateway.example/oauth/token", False),
        ("https://gateway.example/oauth/token/", False),
        ("https://gateway.example/oauth/TOKEN", False),
    ],
)
async def test_addresses_are_compared_by_what_counts(htu: str, holds: bool) -> None:  # noqa: FBT001
    clock = Clock()
    shown = proof(clock, htu=htu)
    if holds:
        assert await proofs(clock).thumbprint(shown, "POST", URL)
        return
    with pytest.raises(InvalidProof):
        await proofs(clock).thumbprint(shown, "POST", URL)


async def test_a_nonce_stands_for_a_minute_or_two_in_every_process() -> None:
    clock, sealer = Clock(), Sealer.of(new_key())
    here, there = [
        proofs(clock, Nonces(lambda text: sealer.digests(text, "dpop"), clock.now)) for _ in range(2)
    ]
    with pytest.raises(NonceMissing) as missing:
        await here.thumbprint(proof(clock), "POST", URL)
    nonce = missing.value.nonce

    assert await there.thumbprint(proof(clock, nonce=nonce), "POST", URL)
    clock.turn(NONCE_SECONDS)
    assert await here.thumbprint(proof(clock, nonce=nonce), "POST", URL)
    clock.turn(NONCE_SECONDS)
    ahead = proof(clock, nonce=nonce, iat=int((clock.at + timedelta(seconds=5)).timestamp()))
    with pytest.raises(NonceMissing):
        await here.thumbprint(ahead, "POST", URL)


@pytest.mark.parametrize("nonce", ["", "x", None, 7, ["x"], "ä" * 43])
async def test_what_is_no_nonce_of_ours_is_answered_with_one(nonce: Any) -> None:
    clock, sealer = Clock(), Sealer.of(new_key())
    checking = proofs(clock, Nonces(lambda text: sealer.digests(text, "dpop"), clock.now))

    with pytest.raises(NonceMissing):
        await checking.thumbprint(proof(clock, nonce=nonce), "POST", URL)


async def test_clocks_may_differ_by_a_minute_and_no_more() -> None:
    clock = Clock()
    for seconds in (-59, 59):
        assert await proofs(clock).thumbprint(proof(clock, iat=clock.seconds() + seconds), "POST", URL)
    for seconds in (-61, 61):
        with pytest.raises(InvalidProof):
            await proofs(clock).thumbprint(proof(clock, iat=clock.seconds() + seconds), "POST", URL)
