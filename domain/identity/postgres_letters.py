"""Letters that wait, and the tokens in their links, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from domain.identity.letters import ADDRESSEE, Letter, LetterKind
from domain.identity.links import LinkToken, Purpose
from domain.platform.postgres import Database, affected


class PostgresLetters:
    """Fills `Letters`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def post(self, letter: Letter) -> None:
        await self._database.execute(
            """INSERT INTO letter (id, kind, address, details, posted_at, due_at)
               VALUES ($1, $2, $3, $4, $5, $5)""",
            letter.id,
            letter.kind.value,
            letter.address,
            dict(letter.details),
            letter.posted_at,
        )

    async def claim(self, limit: int, now: datetime, again_at: datetime) -> Sequence[Letter]:
        rows = await self._database.rows(
            """UPDATE letter SET attempts = attempts + 1, due_at = $3
                WHERE id IN (SELECT id FROM letter WHERE due_at <= $2 ORDER BY due_at LIMIT $1
                                FOR UPDATE SKIP LOCKED)
            RETURNING id, kind, address, posted_at, details, attempts""",
            limit,
            now,
            again_at,
        )
        return [Letter(row[0], LetterKind(row[1]), *row[2:]) for row in rows]

    async def sent(self, letter_id: str) -> None:
        await self._database.execute("DELETE FROM letter WHERE id = $1", letter_id)

    async def failed(self, letter_id: str, reason: str, again_at: datetime | None) -> None:
        await self._database.execute(
            "UPDATE letter SET due_at = $3, failure = $2 WHERE id = $1", letter_id, reason, again_at
        )

    async def forget(self, before: datetime) -> int:
        async with self._database.transaction() as session:
            return affected(await session.execute("DELETE FROM letter WHERE posted_at < $1", before))


class PostgresLinkTokens:
    """Fills `LinkTokens`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, token: LinkToken, letter_id: str | None = None) -> bool:
        # Whoever withdraws the letter waits for this and finds the token, or this waits and finds no letter.
        added = await self._database.value(
            """WITH posted AS (SELECT id FROM letter WHERE id = $6 FOR KEY SHARE)
               INSERT INTO link_token (digest, purpose, account_id, address, expires_at)
               SELECT $1, $2, $3, $4, $5 WHERE $6::uuid IS NULL OR EXISTS (SELECT FROM posted)
               RETURNING TRUE""",
            token.digest,
            token.purpose.value,
            token.account_id,
            token.address,
            token.expires_at,
            letter_id,
        )
        return added is True

    async def find(self, digest: bytes, purpose: Purpose, now: datetime) -> LinkToken | None:
        row = await self._database.row(
            """SELECT account_id, address, expires_at FROM link_token
                WHERE digest = $1 AND purpose = $2 AND expires_at > $3""",
            digest,
            purpose.value,
            now,
        )
        return None if row is None else LinkToken(digest, purpose, *row)

    async def use(self, digest: bytes, purpose: Purpose, now: datetime) -> LinkToken | None:
        # Its row first: of two who use it at once, the second finds it gone.
        row = await self._database.row(
            """WITH used AS (
                   DELETE FROM link_token WHERE digest = $1 AND purpose = $2 AND expires_at > $3
                RETURNING account_id, address, expires_at
               ), others AS (
                   DELETE FROM link_token USING used
                    WHERE link_token.account_id = used.account_id AND purpose = $2 AND digest <> $1
               )
               SELECT account_id, address, expires_at FROM used""",
            digest,
            purpose.value,
            now,
        )
        return None if row is None else LinkToken(digest, purpose, *row)

    async def drop(self, account_id: str) -> None:
        await self._database.execute(
            "DELETE FROM letter WHERE kind = $1 AND details ->> $2 = $3",
            LetterKind.CHANGE_EMAIL.value,
            ADDRESSEE,
            account_id,
        )
        await self._database.execute("DELETE FROM link_token WHERE account_id = $1", account_id)

    async def forget(self, before: datetime) -> int:
        async with self._database.transaction() as session:
            return affected(await session.execute("DELETE FROM link_token WHERE expires_at < $1", before))
