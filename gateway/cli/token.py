"""`media-gateway token`: an access token for developers and scripts."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from domain.identity.model import AccessToken
    from gateway.settings import Settings


def token(
    account: Annotated[
        str,
        typer.Option("--account", metavar="EMAIL", help="Whose token: an address, or `demo` and the like."),
    ],
) -> None:
    """Print an access token of an account, to be sent as `Authorization: Bearer …`.

    Whoever may run this holds the signing key, so no password is asked for.
    """
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.screen import notes  # noqa: PLC0415

    issued = asyncio.run(issue(configured(), account))
    typer.echo(issued.value)
    notes().print(f"[dim]It holds until {issued.expires_at.astimezone():%Y-%m-%d %H:%M %Z}.[/dim]")


async def issue(settings: "Settings", name: str) -> "AccessToken":
    """A token of the account called `name`; raises `Failed` where there is none."""
    from contextlib import AsyncExitStack  # noqa: PLC0415 - as above

    from domain.identity.attempts import LocalAttempts  # noqa: PLC0415
    from domain.identity.audit import Actor, Audit  # noqa: PLC0415
    from domain.identity.model import Terms  # noqa: PLC0415
    from domain.identity.postgres import PostgresAccounts  # noqa: PLC0415
    from domain.identity.postgres_audit import PostgresAudit  # noqa: PLC0415
    from domain.identity.recent import RecentAccounts  # noqa: PLC0415
    from domain.platform.postgres import Database  # noqa: PLC0415
    from gateway.cli.errors import Failed  # noqa: PLC0415
    from gateway.database import open_database_url  # noqa: PLC0415
    from gateway.identity import open_accounts, open_sessions  # noqa: PLC0415
    from gateway.time_and_ids import now  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_database_url(settings))
        database = await stack.enter_async_context(Database.open(url, min_connections=1))
        recent = RecentAccounts(PostgresAccounts(database).accounts)
        audit = Audit(PostgresAudit(database), now)
        accounts = await open_accounts(database, recent, LocalAttempts(), audit, stack)
        found = await accounts.named(name)
        if found is None:
            raise Failed(
                f"No account is called {name}. `media-gateway import demo` brings some to try things with."
            )
        sessions = await open_sessions(settings, database, recent, audit, stack)
        tokens = await sessions.start(found, Actor(user_agent="media-gateway token"), Terms(methods=()))
        return tokens.access
