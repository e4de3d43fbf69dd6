"""What has to be true of the database before the server starts."""

from pathlib import Path

import migrations
from domain.platform.postgres import Database
from gateway.cli.errors import Failed
from gateway.database import open_database_url
from gateway.settings import Settings

ANY_REVISION = "SELECT to_regclass('alembic_version') IS NOT NULL"
REVISION = "SELECT max(version_num)::int FROM alembic_version"
ANY_CONTENT = "SELECT EXISTS (SELECT FROM content)"


async def prepare(settings: Settings) -> None:
    """Development brings the database up to date and fills an empty one; production only looks.

    A database that is ahead is left alone: a newer release is being rolled out beside this one.
    """
    async with open_database_url(settings) as url:
        behind = await revision(url) < latest()
        if behind and settings.development:
            # Alembic takes a second to load, which most starts can do without.
            from migrations import run  # noqa: PLC0415

            await run.up(url)
        elif behind:
            raise Failed(f"The database lacks revision {latest():04}. Run `media-gateway migrate up` first.")
        if settings.in_development(settings.demo_catalogue) and not await filled(url):
            from gateway.cli.demo import load_demo  # noqa: PLC0415 - as above

            await load_demo(url)


async def revision(url: str) -> int:
    """The number of the last revision that the database has; 0 for none."""
    async with Database.open(url, min_connections=1) as database:
        if not await database.value(ANY_REVISION):
            return 0
        return await database.value(REVISION) or 0


def latest() -> int:
    """The number of the last revision there is."""
    folder = Path(migrations.__path__[0]) / "versions"
    return max(int(path.name[:4]) for path in folder.glob("[0-9]*.py"))


async def filled(url: str) -> bool:
    async with Database.open(url, min_connections=1) as database:
        return bool(await database.value(ANY_CONTENT))
