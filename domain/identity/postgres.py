"""The accounts in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from asyncpg import UniqueViolationError

from domain.identity.model import Account, Role, Tier
from domain.identity.profile import Profile
from domain.identity.service import Credentials
from domain.platform.postgres import Database, Row

COLUMNS = """id, email, display_name, region, language, roles, tier, created_at,
             coalesce(suspended_at, closed_at) AS suspended_at,
             email_verified_at,
             EXISTS (SELECT FROM viewing_profile v WHERE v.account_id = account.id AND v.limiting),
             closed_at, sign_in_epoch"""
WIDTH = 13
NEW_EPOCH = "UPDATE account SET sign_in_epoch = sign_in_epoch + 1 WHERE id = $1"
"""Voids the sign-ins that are under way; waits for whoever holds the epoch."""


class PostgresAccounts:
    """Fills `AccountStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(self, ids: Sequence[str]) -> Mapping[str, Account]:
        rows = await self._database.rows(f"SELECT {COLUMNS} FROM account WHERE id = ANY($1::uuid[])", ids)
        return {row["id"]: account_of(row) for row in rows}

    async def credentials(self, email: str) -> Credentials | None:
        row = await self._database.row(
            f"SELECT {COLUMNS}, password_hash FROM account WHERE email = $1", email
        )
        return None if row is None else Credentials(account_of(row), row["password_hash"])

    async def demonstration(self, name: str) -> Account | None:
        row = await self._database.row(
            f"""SELECT {COLUMNS} FROM account
                 WHERE demonstration AND split_part(email, '@', 1) = $1 ORDER BY created_at, id LIMIT 1""",
            name,
        )
        return None if row is None else account_of(row)

    async def add(self, account: Account, password_hash: str) -> bool:
        added = await self._database.value(
            """INSERT INTO account (id, email, password_hash, display_name, region, language, roles, tier,
                                    created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
               ON CONFLICT (email) DO NOTHING RETURNING TRUE""",
            account.id,
            account.email,
            password_hash,
            account.display_name,
            account.region,
            account.language,
            list(account.roles),
            account.tier,
            account.created_at,
        )
        return added is True

    async def locked(self, account_id: str) -> Account | None:
        row = await self._database.row(f"SELECT {COLUMNS} FROM account WHERE id = $1 FOR UPDATE", account_id)
        return None if row is None else account_of(row)

    async def change_profile(self, account_id: str, profile: Profile) -> Account | None:
        row = await self._database.row(
            f"""UPDATE account SET display_name = coalesce($2, display_name), region = coalesce($3, region),
                                   language = coalesce($4, language)
                 WHERE id = $1 RETURNING {COLUMNS}""",
            account_id,
            profile.display_name,
            profile.region,
            profile.language,
        )
        return None if row is None else account_of(row)

    async def by_email(self, email: str) -> Account | None:
        row = await self._database.row(f"SELECT {COLUMNS} FROM account WHERE email = $1", email)
        return None if row is None else account_of(row)

    async def by_id(self, account_id: str) -> Account | None:
        return (await self.accounts([account_id])).get(account_id)

    async def verify_email(self, account_id: str, address: str, at: datetime) -> Account | None:
        row = await self._database.row(
            f"""UPDATE account SET email_verified_at = coalesce(email_verified_at, $3)
                 WHERE id = $1 AND email = $2 RETURNING {COLUMNS}""",
            account_id,
            address,
            at,
        )
        return None if row is None else account_of(row)

    async def change_email(self, account_id: str, address: str, at: datetime) -> Account | None:
        try:
            row = await self._database.row(
                f"""UPDATE account SET email = $2, email_verified_at = $3
                     WHERE id = $1 RETURNING {COLUMNS}""",
                account_id,
                address,
                at,
            )
        except UniqueViolationError:
            return None
        return None if row is None else account_of(row)

    async def password_hash(self, account_id: str) -> str | None:
        found = await self._database.value("SELECT password_hash FROM account WHERE id = $1", account_id)
        return None if found is None else str(found)

    async def set_password(
        self, account_id: str, password_hash: str, instead_of: str | None = None
    ) -> Account | None:
        row = await self._database.row(
            f"""UPDATE account SET password_hash = $2
                 WHERE id = $1 AND ($3::text IS NULL OR password_hash = $3) RETURNING {COLUMNS}""",
            account_id,
            password_hash,
            instead_of,
        )
        return None if row is None else account_of(row)

    async def renew_password_hash(self, account_id: str, old: str, new: str) -> None:
        await self._database.execute(
            "UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2", account_id, old, new
        )


def account_of(row: Row) -> Account:
    """An account from a row that begins with `COLUMNS`."""
    identity, email, name, region, language, roles, tier, created_at, *rest = row[:WIDTH]
    suspended_at, verified_at, limits, closed_at, sign_in_epoch = rest
    return Account(
        id=identity,
        email=email,
        display_name=name,
        region=region,
        language=language,
        roles=tuple(Role(role) for role in roles),
        tier=Tier(tier),
        created_at=created_at,
        suspended_at=suspended_at,
        email_verified_at=verified_at,
        has_limits=limits,
        closed_at=closed_at,
        sign_in_epoch=sign_in_epoch,
    )
