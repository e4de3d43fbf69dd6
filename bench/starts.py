"""How long a server takes to answer, from nothing and again, and how much memory it has then."""

import asyncio
import shutil
from collections.abc import Callable

from bench import operations
from bench.client import Client, body
from bench.load import Load, put
from bench.measures import Result
from bench.processes import Running, gateway
from bench.stage import Stage

FOLDER = "start"
EMBEDDING_SECONDS = 90.0
MEBIBYTE = 2**20


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """With all that `serve` does by itself, in a folder of its own; building the encoder is left out."""
    folder = stage.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    settings = {"background_work": "false"} if stage.model is None else {"encoder_dir": str(stage.model)}
    stage.say("first start …")
    async with gateway(folder, **settings) as server:
        report(_start("first start", server, "new database, migrations, demo catalogue, "))
        stage.say("memory …")
        report(await _memory(server, stage))
    stage.say("second start …")
    async with gateway(folder, **settings) as server:
        report(_start("second start", server))
    shutil.rmtree(folder, ignore_errors=True)


def _start(name: str, server: Running, note: str = "") -> Result:
    note += f"{server.start_cpu_seconds:.1f} s of CPU"
    return Result(name, figure=server.started_in_seconds, unit="s", note=note)


async def _memory(server: Running, stage: Stage) -> Result:
    """After each kind of request was answered many times, and every work has its vector."""
    async with Client.open(server.port) as client:
        embedded = stage.model is not None and await _embedded(client)
        page = await client.ask(operations.TITLES, first=20)
        await client.ask(operations.SEARCH, query=page["contents"]["nodes"][0]["title"], mode="HYBRID")
    bodies = [
        body(operations.TITLES, first=50),
        *[body(operations.SEARCH, query="love and war", mode=mode) for mode in ("KEYWORD", "HYBRID")],
    ]
    await put(
        Load(
            server.port,
            server.pid,
            bodies,
            connections=stage.options.connections,
            seconds=stage.options.seconds,
        )
    )
    peak = server.peak_memory_bytes
    notes = ["demo catalogue"] if embedded else ["demo catalogue, without the encoder"]
    if peak is not None:
        notes.append(f"{peak / MEBIBYTE:.0f} MiB at most")
    return Result(
        "memory of the server, warm",
        figure=server.memory_bytes / MEBIBYTE,
        unit="MiB",
        note=", ".join(notes),
    )


async def _embedded(client: Client) -> bool:
    """Whether searches are answered by meaning, once the background work had its time."""
    try:
        async with asyncio.timeout(EMBEDDING_SECONDS):
            while True:
                found = await client.ask(operations.SEARCH, query="love and war", mode="SEMANTIC")
                if found["search"]["mode"] == "SEMANTIC":
                    return True
                await asyncio.sleep(0.5)
    except TimeoutError:
        return False
