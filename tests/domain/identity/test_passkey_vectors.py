"""What real authenticators have answered, as the `webauthn` library's own tests recorded it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from webauthn.helpers import base64url_to_bytes

from domain.identity.passkeys import Passkey, PasskeyRefused, RelyingParty

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("webauthn_vectors.json").read_text(encoding="utf-8")
)["vectors"]
DRAFT = Passkey("p1", "a1", b"", b"", 0, (), False, "Key", datetime(2026, 3, 1, tzinfo=UTC), None)  # noqa: FBT003
GOOD = [vector for vector in VECTORS if vector["accepted"]]


def answered(vector: dict[str, Any], **changes: Any) -> Any:
    """What we make of an answer, as we were its relying party; raises `PasskeyRefused`."""
    vector = vector | changes
    party = RelyingParty(vector["domain"], "Somebody", (vector["origin"],))
    nonce = base64url_to_bytes(vector["challenge"])
    if "publicKey" not in vector:
        return party.created(vector["credential"], nonce, DRAFT)
    key = base64url_to_bytes(vector["publicKey"])
    return party.used(
        vector["credential"], nonce, replace(DRAFT, public_key=key, sign_count=vector["signCount"])
    )


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_answers_of_real_authenticators_are_accepted(vector: dict[str, Any]) -> None:
    found = answered(vector)

    if isinstance(found, Passkey):
        assert found.credential_id == base64url_to_bytes(vector["credential"]["id"])
        assert found.public_key
    else:
        assert found > vector["signCount"]


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS if not vector["accepted"]], ids=lambda vector: vector["name"]
)
def test_answers_that_do_not_verify_the_user_or_the_key_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(PasskeyRefused):
        answered(vector)


OTHERS: list[dict[str, Any]] = [
    {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"origin": "https://evil.example"},
    {"domain": "evil.example"},
    {"signCount": 2**31},
]


@pytest.mark.parametrize(
    ("vector", "change"),
    [
        pytest.param(vector, change, id=f"{vector['name']} {[*change]}")
        for vector in GOOD
        for change in OTHERS
        if "publicKey" in vector or "signCount" not in change  # a new passkey was not used before
    ],
)
def test_a_good_answer_to_anything_else_is_refused(vector: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(PasskeyRefused):
        answered(vector, **change)
