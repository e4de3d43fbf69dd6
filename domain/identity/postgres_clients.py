"""Clients in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Final

from domain.identity.clients import GrantType, OAuthClient
from domain.identity.model import Tier
from domain.platform.postgres import Database, Row

COLUMNS: Final = """id, name, secret_hash, redirect_uris, grants, scopes, trusted, bound, created_at,
                    disabled_at, tier, old_secret_hash, old_secret_until"""


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
                                         created_at, tier)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
            client.id,
            client.name,
            client.secret_hash,
            list(client.redirect_uris),
            sorted(client.grants),
            sorted(client.scopes),
            client.trusted,
            client.bound,
            client.created_at,
            client.tier,
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

    async def locked(self, client_id: str) -> OAuthClient | None:
        row = await self._database.row(
            f"SELECT {COLUMNS} FROM oauth_client WHERE id = $1 FOR UPDATE", client_id
        )
        return None if row is None else client_of(row)

    async def put(self, client: OAuthClient) -> None:
        await self._database.execute(
            """UPDATE oauth_client
                  SET name = $2, secret_hash = $3, redirect_uris = $4, grants = $5, scopes = $6, trusted = $7,
                      bound = $8, disabled_at = $9, tier = $10, old_secret_hash = $11, old_secret_until = $12
                WHERE id = $1""",
            client.id,
            client.name,
            client.secret_hash,
            list(client.redirect_uris),
            sorted(client.grants),
            sorted(client.scopes),
            client.trusted,
            client.bound,
            client.disabled_at,
            client.tier,
            client.old_secret_hash,
            client.old_secret_until,
        )


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
        tier=Tier(row[10]),
        old_secret_hash=row[11],
        old_secret_until=row[12],
    )
