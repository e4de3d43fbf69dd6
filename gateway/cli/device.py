"""`media-gateway device`: a TV or phone in the terminal, against any server."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import asyncio

    import httpx

    from gateway.cli.simulated import SimulatedDevice
    from media_gateway_client import Gateway

REFRESH_SECONDS = 0.25
HELP = """list           titles to choose from, by number
play N | play  play a title, or go on        pause | stop | seek SECONDS
add N | remove N  the watchlist              show   what this device knows
cut | mend     take the line away and back   queue  what waits to be sent
charger        plug it in, or out            devices  what the others do
network poor | fair | good | excellent       quit"""


class Kind(StrEnum):
    """What the device is."""

    TV = "TV"
    PHONE = "PHONE"
    TABLET = "TABLET"


def device(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: Annotated[str, typer.Option("--name", help="What it is called.")] = "Terminal",
    kind: Annotated[Kind, typer.Option("--kind", help="What it is.")] = Kind.TV,
    url: Annotated[str, typer.Option("--url", help="The server.")] = "http://localhost:8000",
    token: Annotated[
        str | None,
        typer.Option("--token", envvar="MEDIA_GATEWAY_TOKEN", help="An access token, as `token` prints one."),
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option(
            "--client-id", help="Sign in by a code, as this client (`clients add --grant device_code`)."
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--data", help="Where its queue lies; the same folder is the same device.")
    ] = Path("var/device"),
) -> None:
    """Be a device: list, play, obey commands; cut it off or kill it, and nothing is lost.

    In a terminal it has a screen and keys; else it takes lines, as `help` lists them.
    """
    import asyncio  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.errors import Failed  # noqa: PLC0415
    from media_gateway_client import ClientError  # noqa: PLC0415

    if token is None and client_id is None:
        raise Failed("Give --token (see `media-gateway token`) or --client-id.")
    try:
        asyncio.run(_live(name, kind, url, token, client_id, folder))
    except ClientError as error:
        raise Failed(str(error)) from error


async def _live(  # noqa: PLR0913, PLR0917 - as the command line has them
    name: str, kind: Kind, url: str, token: str | None, client_id: str | None, folder: Path
) -> None:
    import asyncio  # noqa: PLC0415
    import contextlib  # noqa: PLC0415
    import sys  # noqa: PLC0415
    import time  # noqa: PLC0415

    import httpx  # noqa: PLC0415

    from gateway.cli.faring import Battery  # noqa: PLC0415
    from gateway.cli.line import Line  # noqa: PLC0415
    from gateway.cli.screen import results  # noqa: PLC0415
    from gateway.cli.simulated import SimulatedDevice  # noqa: PLC0415
    from media_gateway_client import Store  # noqa: PLC0415

    screen = results()
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    async with httpx.AsyncClient(base_url=url, timeout=10.0) as http:
        gateway = await _signed_in(http, token, client_id, folder / "refresh-token")
        with contextlib.closing(
            Store(folder / "device.sqlite", lambda: time.time_ns() // 1_000_000)
        ) as store:
            if store.device_id is None:
                store.name(
                    await gateway.register(name, kind.value, "terminal", capabilities={"canCast": True})
                )
            battery = None if kind is Kind.TV else Battery()
            simulated = SimulatedDevice(
                store, Line(gateway), lambda text: screen.print(f"[dim]{text}[/dim]"), battery
            )
            living = asyncio.create_task(simulated.run())
            try:
                if sys.stdin.isatty() and sys.stdout.isatty():
                    await _show(simulated, name, living)
                else:
                    living.add_done_callback(lambda ended: _tell_end(ended, screen.print))
                    screen.print(HELP)
                    await _converse(simulated, screen.print)
            finally:
                living.cancel()
                await asyncio.gather(living, return_exceptions=True)


async def _signed_in(
    http: "httpx.AsyncClient", token: str | None, client_id: str | None, kept: Path
) -> "Gateway":
    """With the token, with what was `kept` of the last sign-in, or with a new one."""
    from gateway.cli.device_screen import invitation  # noqa: PLC0415
    from gateway.cli.screen import results  # noqa: PLC0415
    from media_gateway_client import Gateway, SignedOut  # noqa: PLC0415
    from media_gateway_client.signin import Tokens, refreshed, sign_in  # noqa: PLC0415

    if token is not None or client_id is None:
        return Gateway(http, token or "")
    tokens: Tokens | None = None

    def keep(fresh: Tokens) -> str:
        nonlocal tokens
        tokens = fresh
        _keep(kept, fresh.refresh)
        return fresh.access

    async def renew() -> str:
        return keep(await refreshed(http, client_id, tokens or Tokens("")))

    last = _kept(kept)
    if last is not None:
        tokens = Tokens("", last)
        try:
            return Gateway(http, await renew(), renew)
        except SignedOut:
            _keep(kept, None)
    shown = results()
    fresh = await sign_in(http, client_id, lambda code: shown.print(invitation(code)))
    return Gateway(http, keep(fresh), renew)


def _kept(file: Path) -> str | None:
    return (file.read_text("utf-8") or None) if file.exists() else None


def _keep(file: Path, refresh_token: str | None) -> None:
    """For its owner alone: who has it is signed in."""
    file.touch(mode=0o600)
    file.write_text(refresh_token or "", "utf-8")


async def _show(simulated: "SimulatedDevice", name: str, living: "asyncio.Task[None]") -> None:
    """The screen, until `q` is pressed or the device has stopped by itself."""
    import asyncio  # noqa: PLC0415 - as above

    from rich.live import Live  # noqa: PLC0415

    from gateway.cli.device_screen import Screen  # noqa: PLC0415
    from gateway.cli.keyboard import keys  # noqa: PLC0415

    screen = Screen(simulated, name)
    simulated.say = screen.said.append
    living.add_done_callback(lambda ended: _tell_end(ended, screen.said.append))
    await screen.load()
    # What is drawn lies in SQLite, which another thread may not read: so no refreshing by itself.
    with Live(screen, screen=True, auto_refresh=False) as live:

        async def refresh() -> None:
            while True:
                try:
                    live.refresh()
                except Exception as error:  # noqa: BLE001 - the next picture may come out, and says why this did not
                    screen.said.append(f"A picture was left out: {type(error).__name__}: {error}")
                await asyncio.sleep(REFRESH_SECONDS)

        refreshing = asyncio.create_task(refresh())
        typed = keys()
        try:
            async for key in typed:
                if not await screen.press(key):
                    return
        finally:
            refreshing.cancel()
            await typed.aclose()


def _tell_end(ended: "asyncio.Task[None]", show: Callable[[str], None]) -> None:
    """What it ended with, where nobody ended it: a token that is not accepted any more, say."""
    error = None if ended.cancelled() else ended.exception()
    reasons = error.exceptions if isinstance(error, ExceptionGroup) else ()
    for reason in reasons:
        show(f"The device has stopped: {reason}")


async def _converse(simulated: "SimulatedDevice", show: Callable[[str], None]) -> None:
    """Takes lines until `quit` or the end of the input."""
    import asyncio  # noqa: PLC0415 - as above

    from media_gateway_client import ClientError  # noqa: PLC0415

    listed: list[str] = []
    while True:
        try:
            line = await asyncio.to_thread(input, "> ")
        except EOFError:
            return
        words = line.split()
        if words == ["quit"]:
            return
        try:
            for answer in await act(simulated, listed, words):
                show(answer)
        except (ClientError, ValueError, IndexError) as error:
            show(f"[red]{error}[/red]")


async def act(  # noqa: C901, PLR0911, PLR0912 - one line for each
    simulated: "SimulatedDevice", listed: list[str], words: list[str]
) -> list[str]:
    """What is shown for one line; ValueError or IndexError where it makes no sense."""
    from gateway.cli.faring import told  # noqa: PLC0415 - as above

    simulated.faring.act()
    match words:
        case ["list"]:
            listed[:] = await simulated.titles()
            return [f"{place:3} {simulated.name_of(key)}" for place, key in enumerate(listed, 1)]
        case ["play", number]:
            on = await simulated.start(listed[int(number) - 1])
            return [f"{on.title} from {on.position_seconds} s, viewing {on.viewing}"]
        case [("play" | "pause" | "stop") as action]:
            return [await simulated.obey(action, {}) or action]
        case ["seek", seconds]:
            return [await simulated.obey("seek", {"positionSeconds": int(seconds)}) or f"at {seconds} s"]
        case ["add", number]:
            simulated.add(listed[int(number) - 1])
        case ["remove", number]:
            simulated.remove(listed[int(number) - 1])
        case ["cut" | "mend" as action]:
            simulated.line.cut = action == "cut"
        case ["charger"]:
            simulated.faring.plug()
        case ["network", quality]:
            simulated.faring.connect(quality)
        case ["devices"]:
            return [told(device) for device in simulated.faring.others.values()] or ["no others"]
        case ["queue"]:
            waiting = [f"{each.change.kind} {each.change.arguments}" for each in simulated.store.waiting()]
            letters = [f"refused: {each.reason}" for each in simulated.store.dead_letters()]
            return [*waiting, *letters] or ["nothing"]
        case ["show"]:
            return _known(simulated)
        case _:
            return [HELP]
    return [f"{len(simulated.store)} waiting"]


def _known(simulated: "SimulatedDevice") -> list[str]:
    watched = [
        f"{simulated.name_of(known.content_id)}: {known.position_seconds} of {known.duration_seconds} s"
        + (", finished" if known.completed else "")
        for known in simulated.store.progress()
    ]
    listed = [f"on the watchlist: {simulated.name_of(e.content_id)}" for e in simulated.store.watchlist()]
    return [*watched, *listed] or ["nothing yet"]
