"""What has to be true of the database before the server starts."""

from gateway.cli.demo import load_demo_if_empty
from gateway.cli.errors import Failed
from gateway.database import open_database_url
from gateway.settings import Settings
from migrations import run


async def prepare(settings: Settings) -> None:
    """Development brings the database up to date and fills an empty one; production only looks."""
    async with open_database_url(settings) as url:
        if settings.development:
            await run.up(url)
        else:
            await require_latest(url)
        if settings.in_development(settings.demo_catalogue):
            await load_demo_if_empty(url)


async def require_latest(url: str) -> None:
    """Raises `Failed` where steps are missing. One that is ahead is fine: a release is under way."""
    missing = [revision.id for revision in await run.status(url) if not revision.applied]
    if missing:
        raise Failed(f"The database lacks {', '.join(missing)}. Run `media-gateway migrate up` first.")
