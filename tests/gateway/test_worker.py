import asyncio
from contextlib import suppress

from gateway.worker import Job, work


async def _for_a_while(*jobs: Job, seconds: float = 0.1) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work(jobs)


async def test_a_failing_job_does_not_stop_the_others() -> None:
    runs = {"good": 0, "bad": 0}

    async def good() -> int:
        runs["good"] += 1
        return 0

    async def bad() -> int:
        runs["bad"] += 1
        raise RuntimeError("broken")

    await _for_a_while(Job("good", 0.01, good), Job("bad", 0.01, bad))

    assert runs["good"] > 2
    assert runs["bad"] == 1  # it backs off


async def test_an_eager_job_goes_on_while_there_is_work() -> None:
    waiting = [1, 1, 1, 0]
    done: list[int] = []

    async def job() -> int:
        done.append(waiting[len(done)] if len(done) < len(waiting) else 0)
        return done[-1]

    await _for_a_while(Job("eager", 10.0, job, eager=True))

    assert done == [1, 1, 1, 0]
