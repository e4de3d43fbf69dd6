"""What commands write on: results go to stdout, everything about them to stderr."""

from rich.console import Console


def results() -> Console:
    return _console(stderr=False)


def notes() -> Console:
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # Lines are left as long as they are: what is copied from a screen or read by a program must be whole.
    return Console(stderr=stderr, highlight=False, soft_wrap=True)
