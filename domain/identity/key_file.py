"""Keys in a file of their own: those that development makes once, and those that are rotated."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from domain.identity.keys import first_key


class KeptKey(NamedTuple):
    """The text of the key file, and whether this call made it."""

    text: str
    made: bool


def kept_key(path: Path, make: Callable[[], str] | None = None) -> KeptKey:
    """The key in `path`, made with mode 0600 if there is none; raises `OSError`.

    However many processes call this at once, all come back with the same key: each writes a whole file of
    its own, and one of them gets the name.
    """
    with suppress(FileNotFoundError):
        return KeptKey(path.read_text(encoding="utf-8"), made=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, (make or first_key)())
    try:
        os.link(draft, path)
    except FileExistsError:
        return KeptKey(path.read_text(encoding="utf-8"), made=False)
    finally:
        draft.unlink()
    return KeptKey(path.read_text(encoding="utf-8"), made=True)


class KeyFile:
    """Fills `KeyRing`. Whoever shares the keys shares the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def read(self) -> str:
        return await asyncio.to_thread(self.path.read_text, "utf-8")

    async def write(self, text: str) -> None:
        """All or nothing, for nobody else to read."""
        await asyncio.to_thread(self._replace, text)

    def _replace(self, text: str) -> None:
        draft = _draft(self.path, text)
        try:
            draft.replace(self.path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def _draft(path: Path, text: str) -> Path:
    """A file beside `path` that is on the disk as a whole, and that nobody else reads."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
