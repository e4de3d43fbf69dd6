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
    from domain.identity.audit import Actor  # noqa: PLC0415 - as above
    from domain.identity.model import Role  # noqa: PLC0415
    from gateway.cli import identity  # noqa: PLC0415
    from gateway.cli.errors import Failed  # noqa: PLC0415

    if role not in set(Role):
        raise Failed(f"There is no role {role}; there are: {', '.join(Role)}.")
    async with identity.opened(settings) as opened:
        found = await opened.account(name)
        wanted = set(found.roles) - {Role(role)} if withdraw else {*found.roles, Role(role)}
        by = Actor(user_agent="media-gateway grant")
        return await opened.administration.set_roles(found.id, sorted(wanted), by)
