"""The screen of a simulated device: what it shows, and what its keys do."""

import io
import os
import signal
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import segno
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gateway.cli.faring import charge, told
from gateway.cli.simulated import SimulatedDevice
from media_gateway_client import ClientError, Playing
from media_gateway_client.signin import Code

KEYS = (
    "↑ ↓ choose  enter play  space pause  ← → 30 s  s stop  + - volume  c cut\n"
    "a add  r remove  b charger  n network  i incognito  k kill  q quit"
)
STEP_SECONDS = 30
STEP_VOLUME = 0.1
LINES = 5
"""Of what happened, where there is room; a sixth of the screen at most."""
BORDERS_HIGH, BORDERS_WIDE = 2, 4


@dataclass
class Screen:
    """What somebody before the device sees and presses."""

    device: SimulatedDevice
    name: str
    listed: Sequence[str] = ()
    chosen: int = 0
    said: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    """What happened, the latest last."""

    async def load(self) -> None:
        """Lists titles; says so where the line is cut."""
        try:
            self.listed = await self.device.titles()
        except ClientError as error:
            self.said.append(str(error))

    async def press(self, key: str) -> bool:
        """Does what a key is for; whether the device stays on."""
        self.device.faring.act()
        if key == "q":
            return False
        try:
            await self._do(key)
        except ClientError as error:
            self.said.append(str(error))
        return True

    async def _do(self, key: str) -> None:  # noqa: C901, PLR0912 - one line for each key
        device, on = self.device, self.device.playing
        if key in {"up", "down"} and self.listed:
            self.chosen = (self.chosen + (1 if key == "down" else -1)) % len(self.listed)
        elif key == "enter" and self.listed:
            await device.start(self.listed[self.chosen])
        elif key == " " and on is not None:
            await device.obey("play" if on.since is None else "pause", {})
        elif key in {"left", "right"} and on is not None:
            step = STEP_SECONDS if key == "right" else -STEP_SECONDS
            await device.obey("skip", {"seconds": step})
        elif key == "s":
            await device.obey("stop", {})
        elif key in {"+", "-"}:
            level = device.volume + (STEP_VOLUME if key == "+" else -STEP_VOLUME)
            await device.obey("setVolume", {"level": min(1.0, max(0.0, level))})
        elif key == "a" and self.listed:
            device.add(self.listed[self.chosen])
        elif key == "r" and self.listed:
            device.remove(self.listed[self.chosen])
        elif key == "b":
            device.faring.plug()
        elif key == "n":
            device.faring.connect()
        elif key == "c":
            device.line.cut = not device.line.cut
        elif key == "i":
            await device.set_incognito(incognito=not device.incognito)
        elif key == "k":
            os.kill(os.getpid(), signal.SIGKILL)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As high as the terminal: titles have what the rest leaves them."""
        high = options.height or console.height
        above = Group(self._state(), self._elsewhere(), _player(self.device.playing))
        below = Group(self._news(min(LINES, high // 6)), Text(KEYS, "dim"))
        inside = options.update(width=max(1, options.max_width - BORDERS_WIDE), height=None)
        taken = BORDERS_HIGH + sum(len(console.render_lines(part, inside)) for part in (above, below))
        yield Panel(
            Group(above, self._titles(high - taken), below),
            title=self.name,
            subtitle="[red]cut off[/red]" if self.device.line.cut else "[green]on line[/green]",
        )

    def _state(self) -> Text:
        waiting, letters = len(self.device.store), len(self.device.store.dead_letters())
        volume = "muted" if self.device.muted else f"volume {self.device.volume:.0%}"
        parts = [volume, f"{waiting} waiting to be sent", f"{self.device.faring.network.lower()} network"]
        battery = self.device.faring.battery
        if battery is not None:
            parts.append(f"battery {charge(battery.level, charging=battery.charging)}")
        if letters:
            parts.append(f"{letters} refused")
        if self.device.incognito:
            parts.append("incognito: nothing is kept")
        return Text("   ".join(parts), "cyan")

    def _elsewhere(self) -> Text:
        """What those of the other devices do that are there."""
        there = [
            told(device, brief=True) for device in self.device.faring.others.values() if device["online"]
        ]
        return Text(
            "   ".join(there) or "No other device is there.", "dim", no_wrap=True, overflow="ellipsis"
        )

    def _titles(self, room: int) -> RenderableType:
        """So many of them that there is room for, the chosen one among them."""
        table = Table(box=None, show_header=False, padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis")
        first = max(0, min(self.chosen - room // 2, len(self.listed) - room))
        saved = {entry.content_id for entry in self.device.store.watchlist()}
        stopped = {known.content_id: known for known in self.device.store.progress()}
        for place, key in list(enumerate(self.listed))[first : first + max(0, room)]:
            progress = stopped.get(key)
            at = (
                "" if progress is None else "seen" if progress.completed else clock(progress.position_seconds)
            )
            style = "reverse" if place == self.chosen else ""
            table.add_row(self.device.name_of(key), at, "♥" if key in saved else "", style=style)
        return table

    def _news(self, lines: int) -> Text:
        said = list(self.said)[-lines:] if lines else []
        return Text("\n".join([*said, *[""] * (lines - len(said))]), "dim", no_wrap=True, overflow="ellipsis")


def _player(on: Playing | None) -> RenderableType:
    if on is None:
        return Text("Nothing plays.\n", "bold")
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(no_wrap=True)
    line.add_column(ratio=1)
    line.add_column(no_wrap=True)
    line.add_row(
        "▮▮" if on.since is None else "▶",
        ProgressBar(total=max(1, on.duration_seconds), completed=on.position_seconds),
        f"{clock(on.position_seconds)} / {clock(on.duration_seconds)}",
    )
    return Group(Text(on.title, "bold", no_wrap=True, overflow="ellipsis"), line)


def invitation(code: Code) -> RenderableType:
    """What is shown until somebody lets the device in."""
    drawn = io.StringIO()
    segno.make(code.complete).terminal(out=drawn, compact=True, border=2)
    return Panel(
        Group(
            Text.from_ansi(drawn.getvalue()),
            Text(f"Scan this, or open {code.address}", no_wrap=True, overflow="fold"),
            Text.assemble("and type ", (code.user_code, "bold")),
        ),
        title="Sign in",
        expand=False,
    )


def clock(seconds: int) -> str:
    """As in 1:02:03."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
