"""How long a search takes, by its mode, one after the other and several at once."""

import asyncio
from collections.abc import Callable
from random import Random

from bench import operations
from bench.catalogue import SEED, SyntheticCatalogue
from bench.client import Client, body
from bench.load import Load, put
from bench.measures import Result
from bench.processes import Running
from bench.stage import Stage
from bench.words import CALLINGS, DEEDS, STAKES, TRAITS
from domain.discovery.embedding import Embedding
from domain.discovery.model import SearchMode
from domain.discovery.postgres_embedding import PostgresPending
from domain.ingestion.model import Work
from domain.platform.encoder import OnnxEncoder
from domain.platform.postgres import Database
from domain.platform.qdrant import QdrantIndex

QUERIES = 60
EMBEDDED_AT_ONCE = 640
TRIES = 50
SERVER = "server"
"""The folder of the server whose vectors are kept between runs."""


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    await embed(stage)
    asked = queries(stage.options.works)
    async with stage.gateway(SERVER) as server:
        for mode in SearchMode:
            stage.say(f"search, {mode.value} …")
            answer = await _settled(server, mode, asked[0])
            if answer != mode.name:
                reason = "no sentence encoder was built" if stage.model is None else f"answered by {answer}"
                report(Result(f"search, {mode.value}", note=reason))
                continue
            bodies = [body(operations.SEARCH, query=query, mode=mode.name) for query in asked]
            alone = await put(
                Load(server.port, server.pid, bodies, connections=1, seconds=stage.options.seconds)
            )
            together = await put(
                Load(
                    server.port,
                    server.pid,
                    bodies,
                    connections=stage.options.connections,
                    seconds=stage.options.seconds,
                )
            )
            report(Result(f"search, {mode.value}, one client", alone))
            report(Result(f"search, {mode.value}", together))


def queries(works: int) -> list[str]:
    """What people type: titles, beginnings and misspellings of them, names, themes, whole sentences."""
    random = Random(SEED + 1)
    some = random.sample(_works(works), min(works, QUERIES // 6))
    found: list[str] = []
    for work in some:
        word = work.title.split()[-1]
        found += [
            work.title,
            work.title[: -2 - len(word) // 2],
            work.title.replace(word, f"{word[:2]}{word[3:]}"),
            random.choice(work.credits).person.name,
            f"{random.choice(CALLINGS)} {work.keywords[0]}",
            _sentence(random),
        ]
    return found


def _sentence(random: Random) -> str:
    hero = f"{random.choice(TRAITS)} {random.choice(CALLINGS)}"
    return f"a {hero} who must {random.choice(DEEDS)} {random.choice(STAKES)}"


def _works(count: int) -> list[Work]:
    return [item for item in SyntheticCatalogue(count).items() if isinstance(item, Work)]


async def _settled(server: Running, mode: SearchMode, query: str) -> str:
    """The mode that searches are answered by, once the server had the time to load the encoder."""
    async with Client.open(server.port) as client:
        for _ in range(TRIES):
            found = await client.ask(operations.SEARCH, query=query, mode=mode.name)
            if (answer := str(found["search"]["mode"])) == mode.name:
                break
            await asyncio.sleep(0.2)
    return answer


async def embed(stage: Stage) -> None:
    """Vectors for the works that have none yet; kept between runs."""
    if stage.model is None:
        return
    encoder = await OnnxEncoder.open(stage.model)
    try:
        async with (
            Database.open(stage.url) as database,
            QdrantIndex.in_folder(stage.folder / SERVER / "qdrant") as index,
        ):
            embedding = Embedding(PostgresPending(database), index)
            await embedding.check(encoder)
            done = 0
            while count := await embedding.embed_pending(encoder, limit=EMBEDDED_AT_ONCE):
                done += count
                stage.say(f"{done:,} works embedded …")
    finally:
        await encoder.close()
