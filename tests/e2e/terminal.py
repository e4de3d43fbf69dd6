"""A terminal with a command in it: what it shows, what is typed; and pictures of several, side by side."""

import asyncio
import fcntl
import os
import pty
import shutil
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pyte

COLUMNS, ROWS = 84, 44
PATIENCE_SECONDS = 30.0
PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body {{ margin: 0; padding: 16px; background: #1b1b1f; color: #ddd; font: 15px sans-serif }}
main {{ display: flex; gap: 16px }} pre {{ margin: 0; font: 13px/1.2 "DejaVu Sans Mono", monospace }}
b {{ color: #fff }} .reverse {{ background: #ddd; color: #111 }}</style>
<p>{title}</p><main>{screens}</main>"""


@dataclass
class Terminal:
    """What a command shows, as text; `press` types."""

    process: asyncio.subprocess.Process
    screen: pyte.Screen
    keyboard: int

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def press(self, *keys: str) -> None:
        for key in keys:
            os.write(self.keyboard, key.encode())

    async def shows(self, what: str | Callable[[str], bool]) -> str:
        """The text once it is so; fails with what is shown instead."""
        holds = what if callable(what) else lambda text: what in text
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds(self.text):  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{what} is not shown:\n{self.text}") from None
        return self.text

    def html(self) -> str:
        rows = (
            "".join(_cell(self.screen.buffer[row][column]) for column in range(self.screen.columns))
            for row in range(self.screen.lines)
        )
        return f"<pre>{chr(10).join(rows)}</pre>"


def _cell(cell: pyte.screens.Char) -> str:
    text = escape(cell.data)
    if cell.reverse:
        return f'<span class="reverse">{text}</span>'
    return f"<b>{text}</b>" if cell.bold else text


@asynccontextmanager
async def terminal(
    *command: str, columns: int = COLUMNS, rows: int = ROWS, **environment: str
) -> AsyncIterator[Terminal]:
    """`media-gateway` with these arguments; killed at the end where it still runs."""
    keyboard, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *command,
        # Whoever runs the tests may have said how large its own is.
        env={
            **os.environ,
            "TERM": "xterm-256color",
            "COLUMNS": str(columns),
            "LINES": str(rows),
            **environment,
        },
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    screen = pyte.Screen(columns, rows)
    stream, loop = pyte.ByteStream(screen), asyncio.get_running_loop()

    def read() -> None:
        try:
            stream.feed(os.read(keyboard, 65536))
        except OSError:  # its other end was closed
            loop.remove_reader(keyboard)

    loop.add_reader(keyboard, read)
    try:
        yield Terminal(process, screen, keyboard)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        loop.remove_reader(keyboard)
        os.close(keyboard)


@dataclass
class Recording:
    """Pictures in a folder, numbered; only the pages that they are of where there is no browser."""

    folder: Path
    taken: int = 0

    async def take(self, title: str, terminals: Sequence[Terminal]) -> None:
        self.taken += 1
        name = f"{self.taken:02}"
        page = self.folder / f"{name}.html"
        screens = "".join(each.html() for each in terminals)
        page.write_text(PAGE.format(title=escape(f"{self.taken}. {title}"), screens=screens), "utf-8")
        chromium = shutil.which("chromium")
        if chromium is not None:
            picture = await asyncio.create_subprocess_exec(
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--window-size=1420,820",
                f"--screenshot={self.folder / f'{name}.png'}",
                page.as_uri(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            assert await asyncio.wait_for(picture.wait(), PATIENCE_SECONDS) == 0
