"""`media-gateway clients`: the applications that may ask for access."""

from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, help="Register applications that act for accounts, or for themselves."
)


@app.command(
    epilog="Example: [bold]media-gateway clients add 'Living room TV' --grant device_code "
    "--grant refresh_token --scope read:content --scope playback:control[/bold]"
)
def add(  # noqa: PLR0913 - what there is to say of a client
    name: Annotated[str, typer.Argument(help="What people are shown when they allow it.")],
    *,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="Where browsers are sent back to, exactly; may be given several times."),
    ] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option(
            help="How it gets tokens: authorization_code, refresh_token, device_code, client_credentials or "
            "token_exchange; the first two if open."
        ),
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="The most that it may be granted.")] = None,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="It runs on a server and keeps a secret.")
    ] = False,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="It is one of our own: ordinary scopes need no consent.")
    ] = False,
    dpop: Annotated[
        bool, typer.Option("--dpop", help="Its tokens must be bound to a key that it holds (RFC 9449).")
    ] = False,
    tier: Annotated[
        str, typer.Option(help="What a service may spend: free, premium or enterprise.")
    ] = "free",
) -> None:
    """Register an application; prints its id, and its secret this once."""
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from domain.identity.model import Tier  # noqa: PLC0415
    from domain.identity.registrations import Registration  # noqa: PLC0415
    from gateway.cli.errors import Failed  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.registering import URNS, register  # noqa: PLC0415
    from gateway.cli.screen import notes  # noqa: PLC0415

    if tier not in set(Tier):
        raise Failed(f"There is no tier {tier}: it is free, premium or enterprise.")
    grants = grant or ["authorization_code", "refresh_token"]
    wanted = Registration(
        name=name,
        redirect_uris=redirect_uri or [],
        grants=[URNS.get(short, short) for short in grants],
        scopes=scope or [],
        confidential=confidential,
        trusted=trusted,
        bound=dpop,
        tier=Tier(tier),
    )
    client, secret = asyncio.run(register(configured(), wanted))
    typer.echo(f"client_id={client.id}")
    if secret is not None:
        typer.echo(f"client_secret={secret}")
        notes().print("[dim]The secret is shown this once; only its hash is kept.[/dim]")


@app.command("list")
def list_clients() -> None:
    """List the applications, oldest first."""
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.registering import described, registered  # noqa: PLC0415
    from gateway.cli.screen import results  # noqa: PLC0415

    screen = results()
    clients = asyncio.run(registered(configured()))
    for client in clients:
        screen.print(described(client), markup=False)
    if not clients:
        screen.print("No application is registered.")


@app.command("rotate-secret")
def rotate_secret(
    client_id: Annotated[str, typer.Argument(help="Its id.")],
    keep_old: Annotated[
        int, typer.Option(min=0, max=604_800, help="Seconds for which the old secret holds, too.")
    ] = 0,
) -> None:
    """Give an application another secret; prints it this once."""
    import asyncio  # noqa: PLC0415 - as above
    from datetime import timedelta  # noqa: PLC0415

    from gateway.cli import registering  # noqa: PLC0415
    from gateway.cli.opening import configured  # noqa: PLC0415

    secret = asyncio.run(registering.rotate_secret(configured(), client_id, timedelta(seconds=keep_old)))
    typer.echo(f"client_secret={secret}")


@app.command()
def remove(client_id: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """Let an application in no more: its tokens end, and it gets no others."""
    import asyncio  # noqa: PLC0415 - as above

    from gateway.cli.opening import configured  # noqa: PLC0415
    from gateway.cli.registering import disable  # noqa: PLC0415

    ended = asyncio.run(disable(configured(), client_id))
    typer.echo(f"The client can do nothing more; {ended:,} sessions ended.")
