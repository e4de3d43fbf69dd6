"""Rotates and lists the keys of the settings, wherever they lie."""

from datetime import UTC, datetime

from domain.identity.audit import SYSTEM, Audit
from domain.identity.keys import SigningKeys
from domain.identity.postgres_audit import PostgresAudit
from domain.platform.postgres import Database
from gateway.cli.errors import Failed
from gateway.database import open_database_url
from gateway.settings import Settings
from gateway.signing import fixed_keys, key_ring, keys_of, rotation_of
from gateway.time_and_ids import now


async def rotate(settings: Settings, algorithm: str, ahead: int, overlap: int) -> str:
    """Adds a key; answers its id. Raises `Failed` where the settings hold the keys."""
    async with open_database_url(settings) as url, Database.open(url, min_connections=1) as database:
        ring = key_ring(settings, database)
        if ring is None:
            raise Failed(
                "The keys come from MEDIA_GATEWAY_SIGNING_KEY: put the new one before the old one there, or "
                "leave it open, and the gateway keeps and rotates its own."
            )
        await keys_of(ring)
        audit = Audit(PostgresAudit(database), now)
        return await rotation_of(settings, ring, database, audit).rotate(algorithm, ahead, overlap, SYSTEM)


async def described(settings: Settings) -> list[str]:
    """A line for each key."""
    async with open_database_url(settings) as url, Database.open(url, min_connections=1) as database:
        ring = key_ring(settings, database)
        keys = fixed_keys(settings) if ring is None else await keys_of(ring)
    return [_line(keys, jwk["kid"], jwk["alg"]) for jwk in keys.jwks()["keys"]]


def _line(keys: SigningKeys, kid: str, algorithm: str) -> str:
    key = keys.find(kid)
    signs_from = 0 if key is None else key.signs_from
    since = f"{datetime.fromtimestamp(signs_from, UTC):%Y-%m-%d %H:%M} UTC" if signs_from else "the beginning"
    return f"{kid}  {algorithm}  {'signs' if key is keys.current else 'verifies'}, from {since}"
