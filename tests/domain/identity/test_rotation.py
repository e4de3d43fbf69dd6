"""Keys that come, sign, and go."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest

from domain.identity.audit import SYSTEM, Actor
from domain.identity.key_file import KeyFile
from domain.identity.key_rotation import KeyRing, KeyRotation, Schedule
from domain.identity.keys import KeyMaterialError, SigningKey, SigningKeys, cleared, extended, new_key
from domain.identity.postgres_signing_keys import PostgresSigningKeys, take_turn
from domain.identity.sealing import Sealer
from domain.identity.sealing import new_key as new_sealing_key
from domain.platform.postgres import Database
from tests.accounts import Desk, new_id

DAY = 86_400
NOW = 1_800_000_000
SCHEDULE = Schedule(every=90 * DAY, ahead=3_600, overlap=DAY)


def kids(text: str) -> list[str]:
    return [key["kid"] for key in json.loads(text)["keys"]]


def test_a_new_key_signs_when_its_time_has_come() -> None:
    old, later = new_key(), new_key(signs_from=NOW + 600)
    clock = [NOW]
    keys = SigningKeys(SigningKey.of(later), [SigningKey.of(old)], lambda: clock[0])

    assert keys.current.kid == old["kid"]
    assert len(keys.jwks()["keys"]) == 2
    clock[0] += 600
    assert keys.current.kid == later["kid"]


@pytest.mark.parametrize("algorithm", ["EdDSA", "RS256"])
def test_a_key_is_added_before_the_others_and_they_stay_for_the_overlap(algorithm: str) -> None:
    first = new_key()

    text, kid = extended(json.dumps(first), algorithm, NOW + 600)
    soon, none = cleared(text, NOW + 600 + DAY - 1, DAY)
    late, gone = cleared(text, NOW + 600 + DAY, DAY)

    assert kids(text) == kids(soon) == [kid, first["kid"]]
    assert none == []
    assert (kids(late), gone) == ([kid], [first["kid"]])
    assert json.loads(text)["keys"][0]["alg"] == algorithm


def test_the_only_key_is_never_cleared_however_old() -> None:
    text = json.dumps(new_key(signs_from=1))

    assert cleared(text, NOW, 0) == (text, [])


def test_other_keys_are_another_generation() -> None:
    keys, others = [SigningKeys(SigningKey.of(new_key())) for _ in range(2)]

    keys.adopt(others)

    assert keys.generation == 1
    assert keys.current.kid == others.current.kid


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(KeyMaterialError):
        SigningKey.of({**new_key(), "nbf": "soon"})


@pytest.fixture(params=["file", "database"])
async def ring(request: pytest.FixtureRequest, tmp_path: Path, database: Database, desk: Desk) -> KeyRing:
    """Holds one key, which began to sign just now."""
    kept: KeyRing = PostgresSigningKeys(database, Sealer.of(new_sealing_key()))
    if request.param == "file":
        (tmp_path / "keys.json").write_text("")
        kept = KeyFile(tmp_path / "keys.json")
    else:
        await kept.read()
    first = new_key("RS256", int(desk.clock.now().timestamp()))
    await kept.write(json.dumps({"keys": [first]}))
    return kept


def rotation_on(ring: KeyRing, database: Database, desk: Desk) -> KeyRotation:
    return KeyRotation(ring, partial(take_turn, database), SCHEDULE, desk.service.audit, desk.clock.now)


async def recorded(database: Database) -> list[str]:
    rows = await database.rows(
        "SELECT action FROM audit_entry WHERE resource_type = 'signing_key' ORDER BY id"
    )
    return [row["action"] for row in rows]


async def test_a_key_is_replaced_after_its_time_and_dropped_after_its_tokens(
    ring: KeyRing, database: Database, desk: Desk
) -> None:
    rotation = rotation_on(ring, database, desk)
    first = kids(await ring.read())

    early = await rotation.run()
    desk.clock.turn(90 * DAY - 3_600)
    added = await rotation.run()
    both = kids(await ring.read())
    again = await rotation.run()
    desk.clock.turn(3_600 + DAY - 1)
    waiting = await rotation.run()
    desk.clock.turn(1)
    dropped = await rotation.run()

    assert (early, added, again, waiting, dropped) == (0, 1, 0, 0, 1)
    assert both[1:] == first
    assert kids(await ring.read()) == both[:1]
    assert await recorded(database) == ["signing_key.added", "signing_key.retired"]
    newest = SigningKeys.of(await ring.read()).keys[0]
    assert newest.algorithm == "RS256", "as the one before it"
    assert newest.signs_from == int(desk.clock.now().timestamp()) - DAY, "an hour after it was published"


async def test_of_many_processes_that_rotate_at_once_one_adds_a_key(
    ring: KeyRing, database: Database, desk: Desk
) -> None:
    desk.clock.turn(90 * DAY)

    done = await asyncio.gather(*(rotation_on(ring, database, desk).run() for _ in range(8)))

    assert sorted(done) == [0] * 7 + [1]
    assert len(kids(await ring.read())) == 2
    assert await recorded(database) == ["signing_key.added"]


async def test_a_key_whose_age_nobody_knows_counts_as_old(
    ring: KeyRing, database: Database, desk: Desk
) -> None:
    await ring.write(json.dumps(new_key()))

    assert await rotation_on(ring, database, desk).run() == 1


async def test_by_hand_a_key_comes_when_it_is_wanted(ring: KeyRing, database: Database, desk: Desk) -> None:
    root = Actor(new_id())

    kid = await rotation_on(ring, database, desk).rotate("EdDSA", 600, DAY, root)

    assert kids(await ring.read())[0] == kid
    entry = await database.row(
        "SELECT account_id, resource_id, after FROM audit_entry ORDER BY id DESC LIMIT 1"
    )
    assert entry is not None
    assert (entry["account_id"], entry["resource_id"]) == (root.account_id, kid)
    assert entry["after"]["algorithm"] == "EdDSA"


async def test_after_a_leak_the_keys_before_go_at_once(ring: KeyRing, database: Database, desk: Desk) -> None:
    leaked = kids(await ring.read())

    kid = await rotation_on(ring, database, desk).rotate("EdDSA", 0, 0, SYSTEM)

    assert kids(await ring.read()) == [kid]
    assert leaked != [kid]
    assert await recorded(database) == ["signing_key.added", "signing_key.retired"]


async def test_a_key_that_cannot_be_written_is_on_no_record(
    ring: KeyRing, database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_text: str) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(ring, "write", full)

    with pytest.raises(OSError, match="no space"):
        await rotation_on(ring, database, desk).rotate("EdDSA", 600, DAY, SYSTEM)

    assert await recorded(database) == []
