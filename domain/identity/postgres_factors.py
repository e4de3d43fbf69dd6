"""Second factors, questions that stand and proofs, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from domain.identity.challenges import Challenge, Purpose
from domain.identity.factors import Enrolled, Totp
from domain.identity.passkeys import Passkey
from domain.identity.postgres import NEW_EPOCH
from domain.platform.postgres import Database, Row, affected

PASSKEY = """id, account_id, credential_id, public_key, sign_count, transports, synced, name, created_at,
             last_used_at"""


class PostgresFactors:
    """Fills `FactorStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enrolled(self, account_id: str) -> Enrolled:
        rows = await self._database.rows(
            f"""SELECT totp.confirmed_at,
                       (SELECT count(*) FROM backup_code b WHERE b.account_id = $1) AS codes, p.*
                  FROM (SELECT) AS one
                  LEFT JOIN totp_factor totp ON totp.account_id = $1
                  LEFT JOIN (SELECT {PASSKEY} FROM passkey) p ON p.account_id = $1
                 ORDER BY p.created_at, p.id""",
            account_id,
        )
        passkeys = tuple(_passkey(row, 2) for row in rows if row["id"] is not None)
        return Enrolled(rows[0][0], rows[0][1], passkeys)

    async def totp(self, account_id: str) -> Totp | None:
        row = await self._database.row(
            "SELECT sealed, confirmed_at, last_step FROM totp_factor WHERE account_id = $1", account_id
        )
        return None if row is None else Totp(*row)

    async def set_totp(self, account_id: str, sealed: bytes, at: datetime) -> bool:
        written = await self._database.value(
            """INSERT INTO totp_factor (account_id, sealed, created_at, last_step) VALUES ($1, $2, $3, 0)
               ON CONFLICT (account_id) DO UPDATE SET sealed = $2, created_at = $3, last_step = 0
                WHERE totp_factor.confirmed_at IS NULL RETURNING TRUE""",
            account_id,
            sealed,
            at,
        )
        return written is True

    async def use_step(self, account_id: str, step: int, confirm_at: datetime | None) -> bool:
        used = await self._database.value(
            """UPDATE totp_factor SET last_step = $2, confirmed_at = coalesce(confirmed_at, $3)
                WHERE account_id = $1 AND last_step < $2 RETURNING TRUE""",
            account_id,
            step,
            confirm_at,
        )
        return used is True

    async def remove_totp(self, account_id: str) -> bool:
        confirmed = await self._database.value(
            "DELETE FROM totp_factor WHERE account_id = $1 RETURNING confirmed_at IS NOT NULL", account_id
        )
        await self._database.execute(NEW_EPOCH, account_id)
        return confirmed is True

    async def set_backup_codes(self, account_id: str, digests: Sequence[bytes]) -> None:
        await self._database.execute(
            """WITH gone AS (DELETE FROM backup_code WHERE account_id = $1 RETURNING account_id),
                    voided AS (UPDATE account SET sign_in_epoch = sign_in_epoch + 1
                                WHERE id IN (SELECT account_id FROM gone))
               INSERT INTO backup_code (account_id, digest) SELECT $1, unnest($2::bytea[])""",
            account_id,
            digests,
        )

    async def use_backup_code(self, account_id: str, digests: Sequence[bytes]) -> bool:
        used = await self._database.value(
            "DELETE FROM backup_code WHERE account_id = $1 AND digest = ANY($2::bytea[]) RETURNING TRUE",
            account_id,
            digests,
        )
        return used is True

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        row = await self._database.row(
            f"SELECT {PASSKEY} FROM passkey WHERE credential_id = $1", credential_id
        )
        return None if row is None else _passkey(row)

    async def add_passkey(self, passkey: Passkey) -> bool:
        added = await self._database.value(
            f"""INSERT INTO passkey ({PASSKEY}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)
                ON CONFLICT (credential_id) DO NOTHING RETURNING TRUE""",
            passkey.id,
            passkey.account_id,
            passkey.credential_id,
            passkey.public_key,
            passkey.sign_count,
            list(passkey.transports),
            passkey.synced,
            passkey.name,
            passkey.created_at,
        )
        return added is True

    async def passkey_used(self, passkey_id: str, sign_count: int, at: datetime) -> bool:
        found = await self._database.value(
            """UPDATE passkey SET sign_count = greatest(sign_count, $2), last_used_at = $3 WHERE id = $1
               RETURNING TRUE""",
            passkey_id,
            sign_count,
            at,
        )
        return found is True

    async def remove_passkey(self, account_id: str, passkey_id: str) -> Passkey | None:
        row = await self._database.row(
            f"DELETE FROM passkey WHERE account_id = $1 AND id = $2 RETURNING {PASSKEY}",
            account_id,
            passkey_id,
        )
        await self._database.execute(NEW_EPOCH, account_id)
        return None if row is None else _passkey(row)


class PostgresChallenges:
    """Fills `Challenges`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, challenge: Challenge) -> None:
        await self._database.execute(
            """INSERT INTO challenge (digest, purpose, account_id, nonce, expires_at)
               VALUES ($1, $2, $3, $4, $5)""",
            challenge.digest,
            challenge.purpose.value,
            challenge.account_id,
            challenge.nonce,
            challenge.expires_at,
        )

    async def find(self, digest: bytes, purpose: Purpose, now: datetime) -> Challenge | None:
        row = await self._database.row(
            """SELECT account_id, nonce, expires_at FROM challenge
                WHERE digest = $1 AND purpose = $2 AND expires_at > $3""",
            digest,
            purpose.value,
            now,
        )
        return None if row is None else Challenge(digest, purpose, *row)

    async def close(self, digest: bytes) -> bool:
        closed = await self._database.value("DELETE FROM challenge WHERE digest = $1 RETURNING TRUE", digest)
        return closed is True

    async def forget(self, before: datetime) -> int:
        async with self._database.transaction() as session:
            return affected(await session.execute("DELETE FROM challenge WHERE expires_at < $1", before))


class PostgresProofs:
    """Fills `Proofs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def until(self, session_id: str) -> datetime | None:
        until: datetime | None = await self._database.value(
            "SELECT until FROM session_proof WHERE session_id = $1", session_id
        )
        return until

    async def prove(self, session_id: str, until: datetime) -> None:
        await self._database.execute(
            """INSERT INTO session_proof (session_id, until) VALUES ($1, $2)
               ON CONFLICT (session_id) DO UPDATE SET until = $2""",
            session_id,
            until,
        )


def _passkey(row: Row, start: int = 0) -> Passkey:
    (
        identity, account_id, credential_id, public_key, sign_count, transports, synced, name, created_at,
        last_used_at,
    ) = row[start : start + 10]  # fmt: skip
    return Passkey(
        identity,
        account_id,
        credential_id,
        public_key,
        sign_count,
        tuple(transports),
        synced,
        name,
        created_at,
        last_used_at,
    )
