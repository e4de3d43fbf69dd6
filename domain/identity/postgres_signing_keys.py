"""The signing keys in PostgreSQL, sealed; and whose turn it is to rotate them, wherever they lie."""

from typing import Final

from domain.identity.keys import first_key
from domain.identity.sealing import Sealer
from domain.platform.locks import Lock
from domain.platform.postgres import Database

ABOUT: Final = "signing keys"


class PostgresSigningKeys:
    """Fills `KeyRing`, for every process of the database. Each writing seals anew, under the current key."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def read(self) -> str:
        """The keys; the first one to ask makes the first. Raises `SealError`."""
        sealed = await self._database.value("SELECT sealed FROM signing_keys")
        if sealed is None:
            # Of several at once one is first, and all read what that one made.
            await self._database.execute(
                "INSERT INTO signing_keys (sealed) VALUES ($1) ON CONFLICT DO NOTHING",
                self._seal(first_key()),
            )
            sealed = await self._database.value("SELECT sealed FROM signing_keys")
        return self._sealer.open(sealed, ABOUT).decode()

    async def write(self, text: str) -> None:
        await self._database.execute("UPDATE signing_keys SET sealed = $1", self._seal(text))

    def _seal(self, text: str) -> bytes:
        return self._sealer.seal(text.encode(), ABOUT)


async def take_turn(database: Database) -> None:
    """Waits until no other process rotates keys, until the end of the transaction of this task."""
    await database.execute("SELECT pg_advisory_xact_lock($1)", Lock.ROTATE_KEYS)
