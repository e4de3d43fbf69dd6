"""Keys of a terminal as they are pressed, by name."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

NAMES = {
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1bOA": "up",
    b"\x1bOB": "down",
    b"\x1bOC": "right",
    b"\x1bOD": "left",
    b"\r": "enter",
    b"\n": "enter",
    b"\x03": "q",
    b"\x04": "q",
}
READ_BYTES = 64


async def keys() -> AsyncGenerator[str, None]:
    """Each key of the terminal at stdin, until it is closed. Nothing typed is echoed meanwhile."""
    pressed: asyncio.Queue[bytes] = asyncio.Queue()
    descriptor, loop = sys.stdin.fileno(), asyncio.get_running_loop()

    def read() -> None:
        try:
            pressed.put_nowait(os.read(descriptor, READ_BYTES))
        except OSError:
            pressed.put_nowait(b"")

    with _unbuffered(descriptor):
        loop.add_reader(descriptor, read)
        try:
            while typed := await pressed.get():
                for name in named(typed):
                    yield name
        finally:
            loop.remove_reader(descriptor)


def named(typed: bytes) -> Iterator[str]:
    """The keys of what a terminal sent; what it sends for others is passed over."""
    while typed:
        sequence = next((known for known in NAMES if typed.startswith(known)), None)
        if sequence is not None:
            yield NAMES[sequence]
            typed = typed[len(sequence) :]
        elif typed.startswith(b"\x1b"):
            return
        else:
            letter, typed = typed[:1], typed[1:]
            if letter.isascii() and letter.decode("ascii").isprintable():
                yield letter.decode("ascii")


@contextmanager
def _unbuffered(descriptor: int) -> Iterator[None]:
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
