"""Accounts and the audit log in PostgreSQL, as administrators ask for them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from domain.identity.administration import (
    ACTIVITY,
    AccountFilter,
    AccountOrder,
    AccountStatus,
    AuditEntry,
    AuditFilter,
)
from domain.identity.api_keys import ApiKey
from domain.identity.clients import OAuthClient
from domain.identity.model import Account, LoginSession
from domain.identity.postgres import COLUMNS, account_of
from domain.identity.postgres_clients import COLUMNS as CLIENT_COLUMNS
from domain.identity.postgres_clients import client_of
from domain.identity.postgres_keys import COLUMNS as KEY_COLUMNS
from domain.identity.postgres_keys import key_of
from domain.identity.postgres_sessions import COLUMNS as SESSION_COLUMNS
from domain.identity.postgres_sessions import session_of
from domain.platform.paging import Cut, Keyset, Page, SortKey
from domain.platform.postgres import Database

_ID: Final = SortKey("id::text", "text")
ORDERS: Final = {
    AccountOrder.NEWEST: Keyset("accounts", (SortKey("created_at", "timestamptz", descending=True), _ID)),
    AccountOrder.EMAIL: Keyset("addresses", (SortKey("email", "text"), _ID)),
    AccountOrder.NAME: Keyset("names", (SortKey("lower(display_name)", "text"), _ID)),
}
CLIENTS: Final = Keyset("clients", (SortKey("created_at", "timestamptz"), SortKey("id", "text")))
ENTRIES: Final = Keyset("audit", (SortKey("id", "bigint", descending=True),))
ENTRY_COLUMNS: Final = """id, at, action, account_id, on_behalf_of, resource_type, resource_id, before, after,
                          address, user_agent, request_id"""
_ENTRY_WIDTH: Final = 12


class PostgresAdministration:
    """Fills `AdministrationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def locked(self, account_ids: Sequence[str]) -> Mapping[str, Account]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM account WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE",
            list(account_ids),
        )
        return {row["id"]: account_of(row) for row in rows}

    async def accounts(self, wanted: AccountFilter, order: AccountOrder, cut: Cut) -> Page[Account]:
        arguments: list[Any] = []
        conditions = ["email IS NOT NULL", *_of_accounts(wanted, arguments)]
        return await self._page("account", COLUMNS, conditions, arguments, ORDERS[order], cut, account_of)

    async def entries(self, wanted: AuditFilter, cut: Cut) -> Page[AuditEntry]:
        arguments: list[Any] = []
        conditions = _of_entries(wanted, arguments)
        return await self._page("audit_entry", ENTRY_COLUMNS, conditions, arguments, ENTRIES, cut, _entry_of)

    async def clients(self, search: str | None, cut: Cut) -> Page[OAuthClient]:
        arguments: list[Any] = []
        conditions = []
        if search:
            arguments.append(f"%{_literal(search.strip())}%")
            conditions.append("name ILIKE $1")
        return await self._page(
            "oauth_client", CLIENT_COLUMNS, conditions, arguments, CLIENTS, cut, client_of
        )

    async def sessions(self, account_ids: Sequence[str], now: datetime) -> Mapping[str, list[LoginSession]]:
        rows = await self._database.rows(
            f"""SELECT {SESSION_COLUMNS} FROM login_session s
                 WHERE s.account_id = ANY($1::uuid[]) AND s.ended_at IS NULL AND s.expires_at > $2
                 ORDER BY s.last_used_at DESC, s.id""",
            account_ids,
            now,
        )
        return _by_account(account_ids, map(session_of, rows))

    async def keys(self, account_ids: Sequence[str]) -> Mapping[str, list[ApiKey]]:
        rows = await self._database.rows(
            f"""SELECT {KEY_COLUMNS} FROM api_key WHERE account_id = ANY($1::uuid[])
                 ORDER BY created_at DESC, id""",
            account_ids,
        )
        return _by_account(account_ids, map(key_of, rows))

    async def activity(self, account_ids: Sequence[str]) -> Mapping[str, list[AuditEntry]]:
        rows = await self._database.rows(
            f"""SELECT e.* FROM unnest($1::uuid[]) AS wanted(id)
                 CROSS JOIN LATERAL (SELECT {ENTRY_COLUMNS} FROM audit_entry
                                      WHERE account_id = wanted.id ORDER BY id DESC LIMIT $2) e""",
            account_ids,
            ACTIVITY,
        )
        return _by_account(account_ids, map(_entry_of, rows))

    async def put(self, account: Account) -> None:
        await self._database.execute(
            "UPDATE account SET roles = $2, tier = $3, email_verified_at = $4 WHERE id = $1",
            account.id,
            [role.value for role in account.roles],
            account.tier.value,
            account.email_verified_at,
        )

    async def suspend(self, account_id: str, at: datetime) -> Account | None:
        row = await self._database.row(
            f"""UPDATE account SET suspended_at = $2 WHERE id = $1 AND suspended_at IS NULL
                RETURNING {COLUMNS}""",
            account_id,
            at,
        )
        return None if row is None else account_of(row)

    async def restore(self, account_id: str) -> Account | None:
        row = await self._database.row(
            f"""UPDATE account SET suspended_at = NULL WHERE id = $1 AND suspended_at IS NOT NULL
                RETURNING {COLUMNS}""",
            account_id,
        )
        return None if row is None else account_of(row)

    async def _page(  # noqa: PLR0913, PLR0917 - the parts of one statement
        self,
        table: str,
        columns: str,
        conditions: list[str],
        arguments: list[Any],
        keyset: Keyset,
        cut: Cut,
        build: Any,
    ) -> Page[Any]:
        where = " AND ".join(conditions) or "TRUE"
        counted = list(arguments)
        beyond, order = keyset.clauses(cut, arguments)
        rows = await self._database.rows(
            f"""SELECT {columns}, {keyset.select()} FROM {table}
                 WHERE {where} AND {beyond} ORDER BY {order} LIMIT {cut.size + 1}""",
            *arguments,
        )

        async def count() -> int:
            total = await self._database.value(f"SELECT count(*) FROM {table} WHERE {where}", *counted)
            return int(total)

        return keyset.page(rows, cut, build, count)


class _Owned(Protocol):
    @property
    def account_id(self) -> str | None: ...


T = TypeVar("T", bound=_Owned)


def _by_account(account_ids: Sequence[str], values: Iterable[T]) -> dict[str, list[T]]:
    """Each account's, in the order given."""
    found: dict[str, list[T]] = {account_id: [] for account_id in account_ids}
    for value in values:
        if value.account_id is not None:
            found[value.account_id].append(value)
    return found


def _of_accounts(wanted: AccountFilter, arguments: list[Any]) -> list[str]:
    conditions = []
    if wanted.search:
        arguments.append(f"%{_literal(wanted.search.strip())}%")
        conditions.append(f"(email ILIKE ${len(arguments)} OR display_name ILIKE ${len(arguments)})")
    if wanted.status is not None:
        stands = "IS NULL" if wanted.status is AccountStatus.ACTIVE else "IS NOT NULL"
        conditions.append(f"suspended_at {stands}")
    if wanted.role is not None:
        arguments.append(wanted.role.value)
        conditions.append(f"${len(arguments)} = ANY(roles)")
    return conditions


def _of_entries(wanted: AuditFilter, arguments: list[Any]) -> list[str]:
    conditions = []

    def add(condition: str, value: Any) -> None:
        if value is not None:
            arguments.append(value)
            conditions.append(condition.format(f"${len(arguments)}"))

    add("at >= {0}", wanted.since)
    add("at < {0}", wanted.until)
    add("(account_id = {0}::uuid OR on_behalf_of = {0}::uuid)", wanted.account_id)
    add("action = ANY({0}::text[])", None if wanted.actions is None else list(wanted.actions))
    add("resource_type = {0}", wanted.resource_type)
    add("resource_id = {0}", wanted.resource_id)
    return conditions


def _literal(text: str) -> str:
    """As LIKE finds it, sign by sign."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _entry_of(row: Any) -> AuditEntry:
    return AuditEntry(*list(row)[:_ENTRY_WIDTH])
