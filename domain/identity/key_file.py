"""Keys that development makes once and keeps."""

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from domain.identity.keys import new_key


class KeptKey(NamedTuple):
    """The text of the key file, and whether this call made it."""

    text: str
    made: bool


def kept_key(path: Path, make: Callable[[], str] = lambda: json.dumps(new_key())) -> KeptKey:
    """The key in `path`, made with mode 0600 if there is none; raises `OSError`.

    However many processes call this at once, all come back with the same key: each writes a whole file of
    its own, and one of them gets the name.
    """
    with suppress(FileNotFoundError):
        return KeptKey(path.read_text(encoding="utf-8"), made=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return KeptKey(path.read_text(encoding="utf-8"), made=False)
    finally:
        Path(draft).unlink()
    return KeptKey(path.read_text(encoding="utf-8"), made=True)
