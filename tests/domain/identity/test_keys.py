"""Signing keys: what is read, what is refused, what is published."""

import json
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import OctKey, OKPKey

from domain.identity import key_file
from domain.identity.key_file import KeptKey, kept_key
from domain.identity.keys import KeyMaterialError, SigningKey, SigningKeys, new_key

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k"}


def pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def public_pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        (json.dumps(new_key()), "EdDSA"),
        (json.dumps(new_key() | {"alg": "Ed25519"}), "Ed25519"),
        (json.dumps({"keys": [new_key()]}), "EdDSA"),
        (pem(ED25519), "EdDSA"),
        (pem(ED25519).replace("\n", "\\n"), "EdDSA"),
        (pem(RSA), "RS256"),
    ],
)
def test_pem_jwk_and_jwk_sets_are_read(text: str, algorithm: str) -> None:
    keys = SigningKeys.of(f"\n {text} ")

    assert keys.current.algorithm == algorithm
    assert [jwk["alg"] for jwk in keys.jwks()["keys"]] == [algorithm]


def test_a_key_without_a_name_gets_its_thumbprint() -> None:
    # The example of RFC 8037, appendix A.1 to A.3.
    jwk = {
        "kty": "OKP",
        "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }

    assert SigningKey.of(jwk).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "{",
        "{}",
        '{"keys": []}',
        '{"keys": "none"}',
        '{"keys": [1]}',
        json.dumps({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}),
        json.dumps(new_key() | {"use": "enc"}),
        json.dumps(new_key() | {"alg": "HS256"}),
        json.dumps(new_key() | {"alg": "none"}),
        json.dumps(new_key() | {"kid": 7}),
        json.dumps(new_key() | {"d": "short"}),
        json.dumps({name: value for name, value in new_key().items() if name != "d"}),
        json.dumps(OKPKey.generate_key("Ed448").as_dict(private=True)),
        pem(x25519.X25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1())),
        public_pem(ED25519),
        pem(ED25519).replace("M", "N", 1),
        pem(ED25519) * 2,
    ],
)
def test_what_cannot_sign_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(KeyMaterialError) as refusal:
        SigningKeys.of(text)

    assert not text or text not in str(refusal.value)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_short_rsa_keys_are_refused() -> None:
    with pytest.raises(KeyMaterialError, match="2048"):
        SigningKeys.of(pem(rsa.generate_private_key(65537, 1024)))


def test_only_public_members_are_published() -> None:
    odd = new_key() | {"p": "secret", "comment": "secret"}
    keys = SigningKeys.of(json.dumps({"keys": [odd]}))

    published = [*keys.jwks()["keys"], *SigningKeys.of(pem(RSA)).jwks()["keys"]]

    assert all(not PRIVATE_MEMBERS & set(jwk) for jwk in published)
    assert [sorted(jwk) for jwk in published] == [
        ["alg", "crv", "kid", "kty", "use", "x"],
        ["alg", "e", "kid", "kty", "n", "use"],
    ]


def test_the_first_of_several_keys_signs_and_all_are_published() -> None:
    keys = SigningKeys.of(pem(ED25519) + pem(RSA) + public_pem(ed25519.Ed25519PrivateKey.generate()))

    assert keys.current.algorithm == "EdDSA"
    assert [jwk["kty"] for jwk in keys.jwks()["keys"]] == ["OKP", "RSA", "OKP"]


@pytest.mark.parametrize("kid", [None, 1, "", "unknown", ["a"], {}])
def test_a_key_is_found_by_its_name_alone(kid: object) -> None:
    assert SigningKeys.of(json.dumps(new_key())).find(kid) is None


def test_a_symmetric_key_is_never_taken_for_a_signing_key() -> None:
    with pytest.raises(KeyMaterialError):
        SigningKey.of(dict(OctKey.generate_key(256).as_dict(private=True)))


def test_no_representation_shows_the_key() -> None:
    jwk = new_key()

    assert jwk["d"] not in repr(SigningKey.of(jwk))


def test_development_makes_its_key_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "signing-key.json"

    first, second = kept_key(path), kept_key(path)

    assert (first.made, second.made) == (True, False)
    assert first.text == second.text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_key_that_another_process_made_meanwhile_is_the_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "signing-key.json"

    def overtaken() -> str:
        path.write_text("the other's")
        return json.dumps(new_key())

    monkeypatch.setattr(key_file, "first_key", overtaken)

    assert kept_key(path) == KeptKey("the other's", made=False)
    assert path.read_text() == "the other's"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_processes_that_start_at_once_end_with_one_key(tmp_path: Path) -> None:
    path = tmp_path / "signing-key.json"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
        kept: list[KeptKey] = list(processes.map(kept_key, [path] * 16))

    assert len({key.text for key in kept}) == 1
    assert sum(key.made for key in kept) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
