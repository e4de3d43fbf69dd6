"""What verifies Ed25519 is held to the vectors of RFC 8032, section 7.1, and to OpenSSL's verdict."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from domain.identity.signatures import Signed, verifier

VECTORS = {
    "empty": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        """e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
           5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b""",
    ),
    "one octet": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        """92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
           085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00""",
    ),
    "two octets": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        """6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
           18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a""",
    ),
}
ORDER = 2**252 + 27742317777372353535851937790883648493


def signed_by(key: Ed25519PrivateKey) -> Signed:
    return verifier(OKPKey.import_key(key))


def openssl_accepts(key: Ed25519PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    secret, message, signature = map(bytes.fromhex, VECTORS[name])
    signed = signed_by(Ed25519PrivateKey.from_private_bytes(secret))

    assert signed(message, signature)
    assert not signed(message + b"\0", signature)


def test_the_key_of_another_does_not_vouch() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

    assert not signed_by(other)(b"to whom it may concern", key.sign(b"to whom it may concern"))


def test_a_signature_has_one_form() -> None:
    """Adding the order of the group to S gives the same equation (RFC 8032, section 5.1.7)."""
    key = Ed25519PrivateKey.generate()
    signature = key.sign(b"once")
    s = int.from_bytes(signature[32:], "little")
    other = signature[:32] + (s + ORDER).to_bytes(32, "little")

    assert signed_by(key)(b"once", signature)
    assert not signed_by(key)(b"once", other)


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 128])
def test_another_length_is_no_signature(length: int) -> None:
    assert not signed_by(Ed25519PrivateKey.generate())(b"whatever", b"\1" * length)


@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=300),
    flipped=st.none() | st.integers(0, 64 * 8 - 1),
)
def test_it_judges_as_openssl_does(seed: bytes, message: bytes, flipped: int | None) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    signature = bytearray(key.sign(message))
    if flipped is not None:
        signature[flipped // 8] ^= 1 << flipped % 8

    verdict = signed_by(key)(message, bytes(signature))

    assert verdict == openssl_accepts(key.public_key(), message, bytes(signature))
    assert verdict == (flipped is None)
