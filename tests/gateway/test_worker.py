import asyncio
from contextlib import suppress

import pytest

from gateway.worker import Job, work


async def _for_a_while(*jobs: Job, seconds: float = 0.1) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work(jobs)


async def test_a_failing_job_does_not_stop_the_others() -> None:
    runs = {"good": 0, "bad": 0}
    going_on = asyncio.Event()

    async def good() -> int:
        runs["good"] += 1
        if runs["bad"] and runs["good"] > 3:
            going_on.set()
        return 0

    async def bad() -> int:
        runs["bad"] += 1
        raise RuntimeError("broken")

    working = asyncio.create_task(work([Job("good", 0.01, good), Job("bad", 0.01, bad)]))
    async with asyncio.timeout(10):
        await going_on.wait()
    working.cancel()

    assert runs["bad"] == 1  # it backs off


async def test_the_pauses_of_a_job_that_fails_grow_until_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    fails = [True] * 8 + [False, True, True, False]
    pauses: list[float] = []

    async def job() -> int:
        if fails[len(pauses)]:
            raise RuntimeError("The database is away.")
        return 0

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == len(fails):
            raise asyncio.CancelledError

    monkeypatch.setattr("gateway.worker.asyncio.sleep", sleep)
    await work([Job("job", 1.0, job)])

    assert pauses == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 1.0, 1.0, 1.0, 1.0]


async def test_an_eager_job_goes_on_while_there_is_work() -> None:
    waiting = [1, 1, 1, 0]
    done: list[int] = []

    async def job() -> int:
        done.append(waiting[len(done)] if len(done) < len(waiting) else 0)
        return done[-1]

    await _for_a_while(Job("eager", 10.0, job, eager=True))

    assert done == [1, 1, 1, 0]
