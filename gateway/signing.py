"""From the settings to the keys that tokens are signed with, and their rotation.

They lie in the settings themselves, in a file, or sealed in the database: then every process has the same.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from domain.identity.audit import Audit
from domain.identity.key_file import KeyFile, kept_key
from domain.identity.key_rotation import KeyRing, KeyRotation, Schedule
from domain.identity.keys import KeyMaterialError, SigningKeys
from domain.identity.postgres_signing_keys import PostgresSigningKeys, take_turn
from domain.identity.sealing import SealError
from domain.platform.errors import GatewayError
from domain.platform.postgres import Database
from gateway.background import in_background
from gateway.second_factors import sealer_of
from gateway.settings import PREFIX, Settings, SettingsError
from gateway.worker import Job

log = structlog.get_logger(__name__)

KEY_FILE: Final = "signing-key.json"
LOOK_EVERY_SECONDS: Final = 2.0
ROTATE_EVERY_SECONDS: Final = 60.0


@asynccontextmanager
async def open_keys(settings: Settings, database: Database) -> AsyncIterator[SigningKeys]:
    """The keys, which follow those of the other processes; raises `SettingsError`."""
    ring = key_ring(settings, database)
    if ring is None:
        yield fixed_keys(settings)
        return
    keys = await keys_of(ring)
    async with in_background(_follow(ring, keys)):
        yield keys


def key_ring(settings: Settings, database: Database) -> KeyRing | None:
    """Where keys are that can be rotated; None where the settings hold them. Raises `SettingsError`."""
    if settings.signing_key is not None:
        return None
    if settings.signing_key_file is None and not settings.development:
        return PostgresSigningKeys(database, sealer_of(settings))
    path = key_file(settings)
    if settings.signing_key_file is None:
        try:
            kept = kept_key(path)
        except OSError as error:
            raise _unusable(path, error) from None
        log.info("signing_key.made" if kept.made else "signing_key.kept", path=str(path))
    return KeyFile(path)


def key_file(settings: Settings) -> Path:
    return settings.signing_key_file or settings.data_dir.resolve() / KEY_FILE


async def keys_of(ring: KeyRing) -> SigningKeys:
    """The keys as they are; raises `SettingsError`."""
    path = ring.path if isinstance(ring, KeyFile) else None
    try:
        return SigningKeys.of(await ring.read())
    except KeyMaterialError as error:
        mend = "; delete the file to have a new one made" if path is not None else ""
        raise SettingsError(f"{path or 'the database'}: {error}{mend}") from None
    except SealError as error:
        raise SettingsError(f"the signing keys cannot be opened: {error}; see {PREFIX}SEALING_KEYS") from None
    except OSError as error:
        raise _unusable(path, error) from None


def fixed_keys(settings: Settings) -> SigningKeys:
    """The keys that the settings hold; raises `SettingsError`."""
    held = "" if settings.signing_key is None else settings.signing_key.get_secret_value()
    try:
        return SigningKeys.of(held)
    except KeyMaterialError as error:
        raise SettingsError(f"{PREFIX}SIGNING_KEY: {error}") from None


def rotation_of(settings: Settings, ring: KeyRing, database: Database, audit: Audit) -> KeyRotation:
    return KeyRotation(
        ring=ring,
        take_turn=partial(take_turn, database),
        schedule=Schedule(
            every=settings.signing_key_seconds,
            ahead=settings.signing_key_ahead_seconds,
            overlap=settings.signing_key_overlap_seconds,
        ),
        audit=audit,
        now=audit.now,
    )


def rotation_jobs(settings: Settings, database: Database, audit: Audit) -> tuple[Job, ...]:
    ring = key_ring(settings, database)
    if ring is None or settings.signing_key_seconds == 0:
        return ()
    rotation = rotation_of(settings, ring, database, audit)
    pause = min(ROTATE_EVERY_SECONDS, settings.signing_key_ahead_seconds / 2)
    return (Job("keys.rotate", every_seconds=pause, run=rotation.run),)


async def _follow(ring: KeyRing, keys: SigningKeys) -> None:
    """Adopts the keys whenever others are there, until cancelled; broken ones are not taken."""
    read = None
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            text = await ring.read()
            if text != read:
                keys.adopt(SigningKeys.of(text))
                log.info("signing_keys.read", kid=keys.current.kid)
            read = text
        except (OSError, GatewayError, KeyMaterialError, SealError) as error:
            log.warning("signing_keys.unreadable", error=str(error))
        except Exception:
            # As where the table is missing while migrations go down and up.
            log.exception("signing_keys.unreadable")


def _unusable(path: Path | None, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path} cannot be used ({error.strerror}); set {PREFIX}SIGNING_KEY or {PREFIX}DATA_DIR"
    )
