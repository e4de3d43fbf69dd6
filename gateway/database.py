"""The database of the process: the one that the settings name, or the embedded one while it is needed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.platform.embedded import embedded_postgres
from gateway.settings import Settings, without_password


@asynccontextmanager
async def open_database_url(settings: Settings) -> AsyncIterator[str]:
    """The URL of the database, which runs at least as long as the block."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    async with embedded_postgres(settings.data_dir.resolve() / "postgres") as url:
        yield url


def database_name(settings: Settings) -> str:
    """Which database this is, in words that may be shown."""
    if settings.database_url is None:
        return f"PostgreSQL, embedded in {settings.data_dir / 'postgres'}"
    return f"PostgreSQL at {without_password(settings.database_url)}"
