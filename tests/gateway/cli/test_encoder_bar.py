import io

from rich.console import Console
from rich.progress import Progress

from gateway.cli.encoder_bar import COLUMNS, EncoderBar, encoder_bar
from gateway.settings import load


def test_the_bar_shows_the_stages_and_stays_when_done() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    bar = EncoderBar(Progress(*COLUMNS, console=screen))

    bar("writing the graph", 0.2)
    bar("done", 1.0)

    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "Sentence encoder: done" in shown
    assert "100%" in shown


def test_nobody_is_shown_a_bar_who_does_not_look_at_a_terminal() -> None:
    assert encoder_bar(load()) is None
