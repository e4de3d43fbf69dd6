"""From settings to the keys that tokens are signed with."""

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.identity.audit import Audit
from domain.identity.keys import new_key
from domain.identity.postgres_audit import PostgresAudit
from domain.identity.sealing import new_key as new_sealing_key
from domain.platform.postgres import Database
from gateway.settings import Settings, SettingsError
from gateway.signing import fixed_keys, key_ring, keys_of, open_keys, rotation_jobs
from gateway.time_and_ids import now

PRODUCTION = {
    "mode": "production",
    "issuer": "https://gateway.example",
    "database_url": "postgresql://gateway@db/gateway",
    "allowed_origins": ("https://app.example",),
}


def settings(folder: Path, **given: Any) -> Settings:
    options = {"_env_file": None, "data_dir": folder, "demo_catalogue": False, "background_work": False}
    return Settings(**(options | given))


def made_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_development_keeps_its_key_and_says_so(tmp_path: Path, database: Database) -> None:
    with capture_logs() as lines:
        async with open_keys(settings(tmp_path), database) as first:
            pass
        async with open_keys(settings(tmp_path), database) as second:
            pass

    assert first.jwks() == second.jwks()
    assert [line["event"] for line in lines] == ["signing_key.made", "signing_key.kept"]
    assert lines[0]["path"] == str(tmp_path / "signing-key.json")
    assert json.loads((tmp_path / "signing-key.json").read_text())["d"] not in str(lines)


async def test_a_key_of_the_settings_is_used_and_none_is_made(tmp_path: Path, database: Database) -> None:
    jwk = new_key()
    given = settings(tmp_path, signing_key=json.dumps(jwk))

    async with open_keys(given, database) as keys:
        assert keys.current.kid == jwk["kid"]

    assert made_in(tmp_path) == []
    assert await database.value("SELECT count(*) FROM signing_keys") == 0
    assert key_ring(given, database) is None


def test_a_bad_key_is_a_setting_that_is_named_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MEDIA_GATEWAY_SIGNING_KEY") as refusal:
        fixed_keys(settings(tmp_path, signing_key="hunter2"))

    assert "hunter2" not in str(refusal.value)


async def test_a_spoilt_key_file_says_what_to_do(tmp_path: Path, database: Database) -> None:
    (tmp_path / "signing-key.json").write_text("{")
    ring = key_ring(settings(tmp_path), database)

    assert ring is not None
    with pytest.raises(SettingsError, match="delete the file"):
        await keys_of(ring)


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path, database: Database) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError, match="MEDIA_GATEWAY_DATA_DIR"):
        key_ring(settings(tmp_path / "file"), database)


async def test_in_production_every_process_has_the_keys_of_the_database(
    tmp_path: Path, database: Database
) -> None:
    given = settings(tmp_path, **PRODUCTION, sealing_keys=new_sealing_key())

    async with open_keys(given, database) as here, open_keys(given, database) as there:
        assert here.jwks() == there.jwks()

    kept = await database.value("SELECT sealed FROM signing_keys")
    assert str(here.current.key.as_dict(private=True)["d"]).encode() not in kept
    assert b"kid" not in kept
    assert made_in(tmp_path) == []


async def test_keys_that_another_sealing_key_sealed_are_refused_by_name(
    tmp_path: Path, database: Database
) -> None:
    async with open_keys(settings(tmp_path, **PRODUCTION, sealing_keys=new_sealing_key()), database):
        pass
    ring = key_ring(settings(tmp_path, **PRODUCTION, sealing_keys=new_sealing_key()), database)

    assert ring is not None
    with pytest.raises(SettingsError, match="MEDIA_GATEWAY_SEALING_KEYS"):
        await keys_of(ring)


@pytest.mark.parametrize(
    ("given", "names"),
    [({}, ["keys.rotate"]), ({"signing_key_seconds": 0}, []), ({"signing_key": json.dumps(new_key())}, [])],
)
def test_the_worker_rotates_what_the_gateway_keeps_unless_told_not_to(
    tmp_path: Path, database: Database, given: dict[str, Any], names: list[str]
) -> None:
    jobs = rotation_jobs(settings(tmp_path, **given), database, Audit(PostgresAudit(database), now))

    assert [job.name for job in jobs] == names


@pytest.mark.parametrize(
    "given",
    [
        {"access_token_seconds": 86_400, "signing_key_overlap_seconds": 86_400},
        {"signing_key_seconds": 600, "signing_key_ahead_seconds": 600},
    ],
)
def test_a_key_outlives_its_tokens_and_signs_some_time(tmp_path: Path, given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="SIGNING_KEY"):
        settings(tmp_path, **given)
