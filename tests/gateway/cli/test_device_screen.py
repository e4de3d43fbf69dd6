"""What a simulated device shows on terminals of several sizes."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from time import monotonic

import pytest
from rich.console import Console
from rich.live import Live

from gateway.cli.device_screen import Screen
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
