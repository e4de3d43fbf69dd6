"""Keys that come, sign, and go."""

import json

import pytest

from domain.identity.keys import KeyMaterialError, SigningKey, SigningKeys, new_key, rotated

DAY = 86_400
NOW = 1_800_000_000


def kids(text: str) -> list[str]:
    return [key["kid"] for key in json.loads(text)["keys"]]


def test_a_new_key_signs_when_its_time_has_come() -> None:
    old, later = new_key(), {**new_key(), "nbf": NOW + 600}
    clock = [NOW]
    keys = SigningKeys(SigningKey.of(later), [SigningKey.of(old)], lambda: clock[0])

    assert keys.current.kid == old["kid"]
    assert len(keys.jwks()["keys"]) == 2
    clock[0] += 600
    assert keys.current.kid == later["kid"]


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_rotating_adds_a_key_and_keeps_the_old_one_for_a_day(algorithm: str) -> None:
    first = json.dumps(new_key())
    once, second_kid = rotated(first, algorithm, NOW, 600, DAY)
    soon, third_kid = rotated(once, "EdDSA", NOW + 3600, 600, DAY)
    late, fourth_kid = rotated(once, "EdDSA", NOW + 600 + DAY, 600, DAY)

    assert kids(once) == [second_kid, json.loads(first)["kid"]]
    assert kids(soon) == [third_kid, second_kid, json.loads(first)["kid"]]
    assert kids(late) == [fourth_kid, second_kid]
    assert json.loads(once)["keys"][0]["alg"] == algorithm


def test_other_keys_are_another_generation() -> None:
    keys, others = [SigningKeys(SigningKey.of(new_key())) for _ in range(2)]

    keys.adopt(others)

    assert keys.generation == 1
    assert keys.current.kid == others.current.kid


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(KeyMaterialError):
        SigningKey.of({**new_key(), "nbf": "soon"})
