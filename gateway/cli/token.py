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
    from domain.identity.audit import Actor  # noqa: PLC0415 - as above
    from domain.identity.model import Terms  # noqa: PLC0415
    from gateway.cli import identity  # noqa: PLC0415

    async with identity.opened(settings) as opened:
        found = await opened.account(name)
        by = Actor(user_agent="media-gateway token")
        return (await opened.sessions.start(found, by, Terms(methods=()))).access
