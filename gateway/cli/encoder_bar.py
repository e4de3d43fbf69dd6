"""A bar for the building of the sentence encoder, which goes on while the server already answers."""

from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from domain.platform.late_encoder import Announce
from gateway.cli.screen import notes
from gateway.settings import Settings


def encoder_bar(settings: Settings) -> Announce | None:
    """A bar where a developer looks; nothing elsewhere, so that it is told in the log."""
    screen = notes()
    return (
        EncoderBar(Progress(*COLUMNS, console=screen))
        if settings.development and screen.is_terminal
        else None
    )


COLUMNS = (TextColumn("Sentence encoder: {task.description}"), BarColumn(), TaskProgressColumn())


class EncoderBar:
    """Shows itself with the first stage and stays as a line with the last."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def __call__(self, stage: str, fraction: float) -> None:
        if self._task is None:
            self._task = self._progress.add_task(stage, total=1.0)
            self._progress.start()
        self._progress.update(self._task, description=stage, completed=fraction)
        if fraction >= 1.0:
            self._progress.stop()
