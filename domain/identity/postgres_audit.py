"""The audit log in PostgreSQL, where triggers refuse what would change it: see migration 0007."""

from contextlib import AbstractAsyncContextManager

from domain.identity.audit import Entry
from domain.platform.postgres import Database


class PostgresAudit:
    """Fills `AuditLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def writing(self) -> AbstractAsyncContextManager[object]:
        return self._database.transaction()

    async def add(self, entry: Entry) -> None:
        by = entry.by
        await self._database.execute(
            """INSERT INTO audit_entry (at, action, account_id, on_behalf_of, resource_type, resource_id,
                                        before, after, address, user_agent, request_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
            entry.at,
            entry.action.value,
            by.account_id,
            by.on_behalf_of,
            entry.action.resource_type,
            entry.resource_id,
            entry.before,
            entry.after,
            by.address,
            by.user_agent,
            by.request_id,
        )

    async def forget(self, account_id: str) -> int:
        blanked = await self._database.rows(
            """UPDATE audit_entry SET before = NULL, after = NULL, address = NULL, user_agent = NULL
                WHERE (account_id = $1 OR on_behalf_of = $1
                       OR resource_type = 'account' AND resource_id = $1::text)
                  AND NOT EXISTS (SELECT FROM account WHERE id = $1)
            RETURNING id""",
            account_id,
        )
        return len(blanked)
