import asyncio
import os

from bench.load import WARM_UP_SECONDS, Load, generate

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"data":{}}'


async def test_a_load_that_ends_before_the_first_answer_waits_for_it() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            await asyncio.sleep(WARM_UP_SECONDS + 0.3)
            writer.write(ANSWER)
        writer.close()

    async with await asyncio.start_server(late, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        timing = await generate(Load(port, os.getpid(), ["{}"], connections=1, seconds=0.1))

    assert timing.p50_ms >= 1000 * WARM_UP_SECONDS
    assert timing.per_second < 10
