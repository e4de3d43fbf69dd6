"""What a simulated device shows on terminals of several sizes."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from gateway.cli.device_screen import Screen
from gateway.cli.faring import Battery
from gateway.cli.line import Line
from gateway.cli.simulated import Known, SimulatedDevice
from media_gateway_client import Gateway, Playing, Store

TITLES = 40


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    store = Store(tmp_path / "device.sqlite", lambda: 1)
    device = SimulatedDevice(store, Line(Gateway(None, "token")), print)  # type: ignore[arg-type]
    device.known = {str(number): Known(f"Film {number:02}", 6_000) for number in range(TITLES)}
    screen = Screen(device, "TV", listed=list(device.known))
    screen.said.extend(f"Said {number}" for number in range(5))
    yield screen
    store.close()


def shown(screen: Screen, width: int, height: int) -> list[str]:
    """The lines of the terminal."""
    console = Console(width=width, height=height, file=StringIO(), force_terminal=True, color_system=None)
    with console.capture() as capture, Live(screen, console=console, screen=True, auto_refresh=False) as live:
        live.refresh()
    return capture.get().split("\x1b[?1049l")[0].split("\x1b[H")[-1].splitlines()


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (200, 50), (84, 44), (40, 16)])
@pytest.mark.parametrize("plays", [False, True])
def test_everything_but_some_titles_is_on_a_terminal_of_any_size(
    screen: Screen, size: tuple[int, int], *, plays: bool
) -> None:
    if plays:
        screen.device.playing = Playing("1", "A film with a long name " * 9, 6_000, 1, 60.0, monotonic())

    for screen.chosen in (0, 17, TITLES - 1):
        lines = shown(screen, *size)

        assert len(lines) == size[1]
        text = "\n".join(lines)
        assert f"Film {screen.chosen:02}" in text
        assert "Said 4" in text
        assert "quit" in text
        assert "on line" in lines[-1]
        assert "TV" in lines[0]


def test_a_large_terminal_shows_more_titles(screen: Screen) -> None:
    large, small = (sum("Film" in line for line in shown(screen, *size)) for size in ((200, 50), (80, 24)))

    assert large > small > 8


def test_it_shows_how_the_device_fares_and_what_others_do(screen: Screen) -> None:
    screen.device.faring.battery = Battery(charging=True)
    screen.device.faring.others = {
        "1": _other("Kitchen", activity="WATCHING", nowPlaying={"content": {"id": "1", "title": "Solaris"}}),
        "2": _other("Phone", activity="IDLE", battery={"level": 0.42, "charging": False}),
        "3": _other("Attic", online=False, activity="OFFLINE"),
        "4": _other("Private", activity=None, networkQuality="POOR"),
    }

    text = "\n".join(shown(screen, 120, 24))

    assert "battery 80% charging" in text
    assert "good network" in text
    assert "Kitchen: watching Solaris   Phone: idle, 42%   Private: online, poor network" in text
    assert "Attic" not in text


def _other(name: str, **does: Any) -> Any:
    nothing = {"nowPlaying": None, "battery": None, "networkQuality": None, "incognito": False}
    return {"id": name, "name": name, "kind": "TV", "online": True} | nothing | does


def test_a_battery_gains_and_loses_a_point_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("gateway.cli.faring.monotonic", lambda: now)
    battery = Battery(_since=0.0)
    now = 600.0
    drained = battery.level
    battery.plug()
    now += 300.0
    charged = battery.level
    now += 1e6
    full = battery.level
    battery.plug()
    now += 1e6

    assert (drained, charged, full, battery.level) == (0.7, 0.75, 1.0, 0.0)
