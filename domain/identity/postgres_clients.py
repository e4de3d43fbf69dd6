"""Clients in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from domain.identity.clients import GrantType, OAuthClient
from domain.platform.postgres import Database, Row

COLUMNS: Final = (
    """id, name, secret_hash, redirect_uris, grants, scopes, trusted, bound, created_at, disabled_at"""
)


class PostgresClients:
    """Fills `ClientStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def clients(self, ids: Sequence[str]) -> Mapping[str, OAuthClient]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM oauth_client WHERE id = ANY($1::text[])", list(ids)
        )
        return {row["id"]: client_of(row) for row in rows}

    async def all(self) -> list[OAuthClient]:
        rows = await self._database.rows(f"SELECT {COLUMNS} FROM oauth_client ORDER BY created_at, id")
        return [client_of(row) for row in rows]

    async def add(self, client: OAuthClient) -> None:
        await self._database.execute(
            """INSERT INTO oauth_client (id, name, secret_hash, redirect_uris, grants, scopes, trusted, bound,
                                         created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
            client.id,
            client.name,
            client.secret_hash,
            list(client.redirect_uris),
            sorted(client.grants),
            sorted(client.scopes),
            client.trusted,
            client.bound,
            client.created_at,
        )

    async def keep(self, client: OAuthClient) -> None:
        await self._database.execute(
            """INSERT INTO oauth_client (id, name, redirect_uris, grants, scopes, trusted, bound, created_at)
               VALUES ($1, $2, $3, $4, $5, FALSE, $6, $7)
               ON CONFLICT (id) DO UPDATE
                  SET name = excluded.name, redirect_uris = excluded.redirect_uris, grants = excluded.grants,
                      scopes = excluded.scopes, bound = excluded.bound""",
            client.id,
            client.name,
            list(client.redirect_uris),
            sorted(client.grants),
            sorted(client.scopes),
            client.bound,
            client.created_at,
        )

    async def disable(self, client_id: str, at: datetime) -> bool:
        done = await self._database.value(
            """UPDATE oauth_client SET disabled_at = $2
                WHERE id = $1 AND disabled_at IS NULL RETURNING TRUE""",
            client_id,
            at,
        )
        return done is True


def client_of(row: Row) -> OAuthClient:
    """A client from a row of `COLUMNS`."""
    return OAuthClient(
        id=row[0],
        name=row[1],
        secret_hash=row[2],
        redirect_uris=tuple(row[3]),
        grants=frozenset(GrantType(grant) for grant in row[4]),
        scopes=frozenset(row[5]),
        trusted=row[6],
        bound=row[7],
        created_at=row[8],
        disabled_at=row[9],
    )
