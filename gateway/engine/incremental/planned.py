"""Delivering what a plan was cut into: each fragment and each list when it is complete."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql.execution import (
    CompletedResult,
    IncrementalDeferResult,
    IncrementalResult,
    IncrementalStreamResult,
    InitialIncrementalExecutionResult,
    PendingResult,
    SubsequentIncrementalExecutionResult,
)
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from gateway.engine.incremental.formats import Step
from gateway.engine.plan.launch import finished
from gateway.engine.plan.parts import Done, Fragment, FragmentRun, LaterRun, PartRun, RestRun


@dataclass(frozen=True, slots=True)
class PartOccasion:
    """What all runs of one operation are about; each has an executor of its own, for its errors."""

    context: object
    variables: VariableValues
    make: Callable[[], Executor[Any]]
    root_value: None = None
    executor: None = None

    def make_executor(self) -> Executor[Any]:
        return self.make()


@dataclass(slots=True)
class _Job:
    """A run, and the ids of what it completes."""

    run: LaterRun
    ids: list[str]
    task: asyncio.Task[list[Done]] | None = None


class PlannedDelivery:
    """One operation, delivered once."""

    def __init__(self, run: PartRun) -> None:
        self._run = run
        self._announced = 0
        self._jobs: list[_Job] = []

    async def steps(self) -> AsyncGenerator[Step, None]:
        """As graphql-core would deliver it. Closing it ends what still runs."""
        result = await finished(self._run.execute())
        pending = self._announce(self._run)
        if not pending:
            yield result
            return
        yield InitialIncrementalExecutionResult(result.data, result.errors, pending, has_next=True)
        try:
            while self._jobs:
                yield await self._next()
        finally:
            await self._end()

    async def _next(self) -> SubsequentIncrementalExecutionResult:
        for job in self._jobs:
            if job.task is None:
                job.task = asyncio.create_task(_completed(job.run))
        running = [job.task for job in self._jobs if job.task is not None]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        done = [job for job in self._jobs if job.task is not None and job.task.done()]
        self._jobs = [job for job in self._jobs if job not in done]
        pending: list[PendingResult] = []
        incremental: list[IncrementalResult] = []
        completed: list[CompletedResult] = []
        for job in done:
            assert job.task is not None  # noqa: S101 - it is done
            results = job.task.result()
            is_list = isinstance(job.run, RestRun)
            goes_on = self._go_on(job, results)
            for id_, result in zip(job.ids, results, strict=True):
                told = IncrementalStreamResult if is_list else IncrementalDeferResult
                if result.value if is_list else result.value is not None:
                    incremental.append(told(result.value, id_, errors=result.errors or None))
                if id_ not in goes_on:
                    completed.append(CompletedResult(id_, [result.lost] if result.lost else None))
            pending += self._announce(job.run)
        return SubsequentIncrementalExecutionResult(
            has_next=bool(self._jobs), pending=pending, incremental=incremental, completed=completed
        )

    def _go_on(self, job: _Job, results: Sequence[Done]) -> Sequence[str]:
        """The ids of lists that have more items; those come once these have been sent."""
        following = job.run.following(results) if isinstance(job.run, RestRun) else None
        if following is None:
            return ()
        places, run = following
        ids = [job.ids[place] for place in places]
        self._jobs.append(_Job(run, ids))
        return ids

    def _announce(self, run: PartRun) -> list[PendingResult]:
        """What a run has left, less what stands where an error left null."""
        pending: list[PendingResult] = []
        for fragment in run.fragments.values():
            shown = [place for place, path in enumerate(fragment.paths) if not run.is_null(path)]
            if shown:
                kept = Fragment(
                    fragment.position,
                    fragment.cut,
                    [fragment.sources[place] for place in shown],
                    [fragment.paths[place] for place in shown],
                )
                label = fragment.cut.label
                pending += self._begin(FragmentRun(run, kept), ((path, label) for path in kept.paths))
        for position, every in run.rests.values():
            rests = [rest for rest in every if not run.is_null(rest.path)]
            if rests:
                later = RestRun(run, position, rests)
                pending += self._begin(later, ((rest.path, rest.label) for rest in rests))
        return pending

    def _begin(self, run: LaterRun, places: Iterable[tuple[Path | None, str | None]]) -> list[PendingResult]:
        pending = []
        for path, label in places:
            pending.append(PendingResult(str(self._announced), path.as_list() if path else [], label))
            self._announced += 1
        self._jobs.append(_Job(run, [new.id for new in pending]))
        return pending

    async def _end(self) -> None:
        running = [job.task for job in self._jobs if job.task is not None]
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)


async def _completed(run: LaterRun) -> list[Done]:
    done = run.complete()
    return done if isinstance(done, list) else await done
