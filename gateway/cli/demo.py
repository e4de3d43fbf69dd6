"""The demo catalogue, for a database that has nothing yet."""

from domain.ingestion.demo import DemoCatalogue
from domain.platform.postgres import Database
from gateway.cli.importing import import_into

ANY_CONTENT = "SELECT EXISTS (SELECT FROM content)"


async def load_demo(url: str) -> None:
    await import_into(url, DemoCatalogue(), "Demo catalogue")


async def load_demo_if_empty(url: str) -> None:
    async with Database.open(url) as database:
        filled = await database.value(ANY_CONTENT)
    if not filled:
        await load_demo(url)
