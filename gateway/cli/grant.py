"""`media-gateway grant`: gives roles to accounts, the first administrator among them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from domain.identity.model import Account
    from gateway.settings import Settings


def grant(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="`admin` or `editor`.")],
    account: Annotated[str, typer.Option("--account", metavar="EMAIL", help="Whose role.")],
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the role away instead.")] = False,
) -> None:
    """Give an account a role; it counts within five seconds, and stands in the audit log.

    Whoever may run this reaches the database, so nobody is asked. Administrators do it in the graph.
    """
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.opening import configured  # noqa: PLC0415

    changed = asyncio.run(give(configured(), account, role, withdraw=withdraw))
    typer.echo(f"{changed.email}: {', '.join(changed.roles)}")


async def give(settings: "Settings", name: str, role: str, *, withdraw: bool = False) -> "Account":
    """The account called `name` with the role, or without it; raises `Failed` where there is no such."""
    from contextlib import AsyncExitStack  # noqa: PLC0415 - as above

    from domain.identity.administration import Administration  # noqa: PLC0415
    from domain.identity.attempts import LocalAttempts  # noqa: PLC0415
    from domain.identity.audit import Actor, Audit  # noqa: PLC0415
    from domain.identity.model import Role  # noqa: PLC0415
    from domain.identity.postgres import PostgresAccounts  # noqa: PLC0415
    from domain.identity.postgres_administration import PostgresAdministration  # noqa: PLC0415
    from domain.identity.postgres_audit import PostgresAudit  # noqa: PLC0415
    from domain.identity.recent import RecentAccounts  # noqa: PLC0415
    from domain.platform.postgres import Database  # noqa: PLC0415
    from gateway.cli.errors import Failed  # noqa: PLC0415
    from gateway.database import open_database_url  # noqa: PLC0415
    from gateway.identity import open_accounts, open_sessions  # noqa: PLC0415
    from gateway.time_and_ids import now  # noqa: PLC0415

    if role not in set(Role):
        raise Failed(f"There is no role {role}; there are: {', '.join(Role)}.")
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_database_url(settings))
        database = await stack.enter_async_context(Database.open(url, min_connections=1))
        recent = RecentAccounts(PostgresAccounts(database).accounts)
        audit = Audit(PostgresAudit(database), now)
        accounts = await open_accounts(database, recent, LocalAttempts(), audit, stack)
        found = await accounts.named(name)
        if found is None:
            raise Failed(f"No account is called {name}: register it first.")
        sessions = await open_sessions(settings, database, recent, audit, stack)
        administration = Administration(PostgresAdministration(database), sessions, recent, audit, now)
        wanted = set(found.roles) - {Role(role)} if withdraw else {*found.roles, Role(role)}
        return await administration.set_roles(
            found.id, sorted(wanted), Actor(user_agent="media-gateway grant")
        )
