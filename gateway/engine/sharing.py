"""Fields of the root that everybody may be given: executed once for all who ask at the same time, and kept as
bytes for as long as they stay true.

They are executed in nobody's name: by a context that knows the audience and nothing else of who asks, and
that tells whether a resolver asked for more. What comes of such a resolver is given to nobody, whatever its
hint says; who asked gets an answer in their own name.

While nothing is kept, as changes cannot be heard of or there is no room, nobody joins an execution that has
begun, as it may have read what has changed since: see `turns.py`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import orjson
from graphql import ExecutionResult

from domain.platform.cache import Cache, Kind
from domain.platform.deadline import afresh
from domain.platform.validity import Validity, observed_validity
from gateway.engine.joints import Anybody, Found, Joints
from gateway.engine.plan.cache_policy import Policy
from gateway.engine.plan.launch import Launch, finished
from gateway.engine.plan.plan import Plan
from gateway.engine.turns import Turns, Work

KEEP_SECONDS: Final = 3600.0
"""How long the cache itself holds on to an answer; hints that allow more are held to this."""
JOINED_SHARE: Final = 0.25
"""Of the time that an operation may take: who comes later begins anew. As everybody who waits has all of
their own time, what is asked of the database for them may take so much longer, and no more.
"""
_KEY_BYTES: Final = 400
_FIELD_BYTES: Final = 200
_OWN: Final = Policy(0, private=True)


class Answer(NamedTuple):
    """A result, and for how long and for whom it stays true."""

    result: ExecutionResult
    policy: Policy | None


Answering: TypeAlias = Answer | Coroutine[Any, Any, Answer]


class Asked(NamedTuple):
    """An operation, as everybody of one audience asks for it."""

    plan: object
    """The token of its plan."""
    variables: bytes
    audience: Hashable


class Kept(NamedTuple):
    """The common fields of an answer."""

    fields: Mapping[str, Any]
    """By response key; in bytes where others are given them."""
    until: float
    """By the clock of the system."""
    for_all: bool
    """Whether other audiences would be given the same."""
    told_caller: bool
    """Whether they were nobody's to keep, and are not here."""
    size: int = 0
    """Bytes, about."""


class Executed(NamedTuple):
    """What came of the common fields, for all who waited."""

    result: ExecutionResult
    kept: Kept


class Sharing:
    """Executes launches, with what others were given before where that is the same."""

    def __init__(
        self,
        cache: Cache,
        tags: Sequence[Hashable],
        audience_of: Callable[[Any], Hashable | None],
        anybody_like: Callable[[Any], Anybody],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """What is kept goes when one of `tags` is invalidated.

        `audience_of` tells from a context who is given the same, None for those who share nothing;
        `anybody_like` makes the context of the audience that a context is of.
        """
        self._cache = cache
        self._audience_of = audience_of
        self._anybody_like = anybody_like
        self._clock = clock
        self._works: dict[Asked, Work[Executed]] = {}
        self._turns: Turns[Asked, Executed] = Turns()
        self._joints = Joints()
        self.awaited = 0
        """Operations that waited for what another began."""
        self._kind: Kind[Asked, Kept] = Kind(
            "answers", KEEP_SECONDS, _size, lambda _asked, _kept: tuple(tags)
        )

    @property
    def joined(self) -> int:
        """Operations that were executed together with others of other variables."""
        return self._joints.joined

    def applies(self, launch: Launch, context: object) -> bool:
        """Whether anything of it may be shared."""
        plan = launch.plan
        return plan is not None and bool(plan.common) and self._audience_of(context) is not None

    def execute(
        self, launch: Launch, variables: Mapping[str, Any] | None, context: object, seconds: float
    ) -> Answering:
        """The answer, or what to await for it.

        `seconds` is what an operation may take.
        """
        plan = launch.plan
        assert plan is not None  # noqa: S101 - `applies` looked
        try:
            text = _trimmed(orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)) if variables else b""
        except TypeError:  # no JSON, so not from a request
            return _in_own_name(launch)
        asked = Asked(plan.token, text, self._audience_of(context))
        if self._cache.paused:
            return self._by_turns(plan, launch, asked, context, seconds)
        kept = self._cache.held(self._kind, asked)
        if kept is None or kept.until <= self._clock():
            return self._executed(plan, launch, asked, context, seconds)
        if kept.told_caller:
            return _in_own_name(launch)
        return self._completed(plan, launch, kept.fields, kept)

    def _completed(self, plan: Plan, launch: Launch, given: Mapping[str, Any], kept: Kept) -> Answering:
        """The whole answer, with the common fields as they are given."""
        running, policy = launch.run(given), self._policy(plan, kept)
        return Answer(running, policy) if isinstance(running, ExecutionResult) else _awaited(running, policy)

    def _policy(self, plan: Plan, kept: Kept) -> Policy:
        left = max(0, int(kept.until - self._clock()))
        return Policy(
            min(plan.policy.max_age, left), plan.policy.private, for_all=kept.for_all and not plan.own
        )

    async def _executed(
        self, plan: Plan, launch: Launch, asked: Asked, context: object, seconds: float
    ) -> Answer:
        work = self._works.get(asked)
        begins = work is None or not self._may_join(work)
        if work is None or begins:
            work = self._begin(plan, launch, asked, context, seconds)
        else:
            self.awaited += 1
        return await self._answer(plan, launch, await work.executed(), begins=begins)

    def _by_turns(
        self, plan: Plan, launch: Launch, asked: Asked, context: object, seconds: float
    ) -> Answering:
        if not self._turns.free(asked):
            return self._together(plan, launch, asked, context, seconds)
        if self._joints.apply(plan):
            return self._jointly(plan, launch, asked, context, seconds)
        # In their own name, as nobody else can be given it.
        answering = unshared(launch)
        return answering if isinstance(answering, Answer) else self._alone(plan, answering, asked)

    async def _alone(self, plan: Plan, answering: Awaitable[Answer], asked: Asked) -> Answer:
        with self._turns.taken(asked), self._joints.running(plan):
            return await answering

    async def _jointly(
        self, plan: Plan, launch: Launch, asked: Asked, context: object, seconds: float
    ) -> Answer:
        with self._turns.taken(asked):
            found = await self._find_jointly(launch, asked, lambda: self._anybody_like(context), seconds)
            if found is None:
                answering = unshared(launch)
                return answering if isinstance(answering, Answer) else await answering
        return _lasting(found.result, plan.policy, found.validity)

    async def _find_jointly(
        self, launch: Launch, asked: Asked, anybody: Callable[[], Anybody], seconds: float
    ) -> Found | None:
        return await self._joints.find(launch, asked.audience, anybody, (1 + JOINED_SHARE) * seconds)

    async def _together(
        self, plan: Plan, launch: Launch, asked: Asked, context: object, seconds: float
    ) -> Answer:
        anybody = self._anybody_like(context)

        def execute(work: Work[Executed]) -> Coroutine[Any, Any, Executed]:
            return self._work(plan, launch.by(anybody), asked, anybody, seconds, lambda: work.waiting > 1)

        work, begins = self._turns.follow(asked, execute, JOINED_SHARE * seconds)
        self.awaited += not begins
        return await self._answer(plan, launch, await work.executed(), begins=begins)

    async def _answer(self, plan: Plan, launch: Launch, executed: Executed, *, begins: bool) -> Answer:
        """Of an execution in everybody's name, for whoever began it or waited for it."""
        result, kept = executed
        if kept.told_caller:
            answering = _in_own_name(launch)
        elif result.errors:
            # Of an operation with fields of its own, all of it is asked for again, to have all its errors.
            answering = Answer(result, None) if not plan.own else _in_own_name(launch)
        else:
            # Who began it is given the values themselves, and so pays for them.
            given = _common(plan, result) if begins else kept.fields
            answering = self._completed(plan, launch, given, kept)
        return answering if isinstance(answering, Answer) else await answering

    def _may_join(self, work: Work[Executed]) -> bool:
        return work.generation == self._cache.generation and time.monotonic() < work.ends_at

    def _begin(
        self, plan: Plan, launch: Launch, asked: Asked, context: object, seconds: float
    ) -> Work[Executed]:
        anybody = self._anybody_like(context)
        task = asyncio.create_task(
            self._work(plan, launch.by(anybody), asked, anybody, seconds, lambda: True)
        )
        work = self._works[asked] = Work(
            task, self._cache.generation, time.monotonic() + JOINED_SHARE * seconds
        )

        def forget(_done: object) -> None:
            if self._works.get(asked) is work:
                del self._works[asked]

        task.add_done_callback(forget)
        return work

    async def _work(  # noqa: PLR0913, PLR0917 - all that an execution is made of
        self,
        plan: Plan,
        launch: Launch,
        asked: Asked,
        anybody: Anybody,
        seconds: float,
        for_others: Callable[[], bool],
    ) -> Executed:
        """Executes the common fields, and keeps what may be kept of them. `for_others` says in the end
        whether anybody but who began it is given them.
        """
        executed: list[Executed] = []

        async def load() -> Kept | None:
            began = self._clock()
            found = await self._found(plan, launch, asked, anybody, seconds)
            kept = self._kept(plan, found, began)
            if for_others():
                kept = _in_bytes(kept)
            executed.append(Executed(found.result, kept))
            return kept if kept.until > self._clock() else None

        with afresh((1 + JOINED_SHARE) * seconds):
            await self._cache.renew(self._kind, asked, load)
        return executed[0]

    async def _found(
        self, plan: Plan, launch: Launch, asked: Asked, anybody: Anybody, seconds: float
    ) -> Found:
        """What comes of the common fields."""
        if self._joints.apply(plan):
            found = await self._find_jointly(launch, asked, lambda: anybody, seconds)
            if found is not None:
                return found
        with self._joints.running(plan), observed_validity() as validity:
            result = await finished(launch.run(dict.fromkeys(plan.own)))
        return Found(result, validity, anybody)

    def _kept(self, plan: Plan, found: Found, began: float) -> Kept:
        result, validity, anybody = found
        until = began + min(plan.common_policy.max_age, KEEP_SECONDS)
        if anybody.told_caller:
            return Kept({}, until, for_all=False, told_caller=True)
        if result.errors or result.data is None:
            return Kept({}, 0.0, for_all=False, told_caller=False)
        if validity.until is not None:
            until = min(until, validity.until.timestamp())
        return Kept(_common(plan, result), until, for_all=not anybody.told_audience, told_caller=False)


def _in_bytes(kept: Kept) -> Kept:
    """What many are given is written once."""
    try:
        texts = {key: _trimmed(orjson.dumps(value)) for key, value in kept.fields.items()}
    except TypeError:  # a scalar's mistake, which whoever writes the answer will meet as well
        return kept._replace(until=0.0, for_all=False)
    return kept._replace(
        fields={key: orjson.Fragment(text) for key, text in texts.items()},
        size=sum(_FIELD_BYTES + len(text) for text in texts.values()),
    )


def _in_own_name(launch: Launch) -> Answering:
    """The answer of whoever is not given what others are."""
    running = launch.run()
    return Answer(running, _OWN) if isinstance(running, ExecutionResult) else _awaited(running, _OWN)


def unshared(launch: Launch) -> Answering:
    """The answer where nothing is shared; nobody knows then who else would be given the same."""
    policy = launch.policy
    if policy is None or not policy.shared:
        running = launch.run()
        return Answer(running, policy) if isinstance(running, ExecutionResult) else _awaited(running, policy)
    with observed_validity() as validity:
        running = launch.run()
    if isinstance(running, ExecutionResult):
        return _lasting(running, policy, validity)
    return _observed(running, policy, validity)


async def _awaited(running: Awaitable[ExecutionResult], policy: Policy | None) -> Answer:
    return Answer(await running, policy)


async def _observed(running: Awaitable[ExecutionResult], policy: Policy, validity: Validity) -> Answer:
    with observed_validity(validity):
        result = await running
    return _lasting(result, policy, validity)


def _lasting(result: ExecutionResult, policy: Policy, validity: Validity) -> Answer:
    """A result that stays true as long as its fields say, or ends with what was read for it."""
    if validity.until is None:
        return Answer(result, policy)
    left = max(0, int(validity.until.timestamp() - time.time()))
    return Answer(result, Policy(min(policy.max_age, left), policy.private))


def _common(plan: Plan, result: ExecutionResult) -> dict[str, Any]:
    data = result.data or {}
    return {key: data[key] for key in plan.common}


def _trimmed(text: bytes) -> bytes:
    """A copy: what orjson answers holds on to the room it was written in, many times its length."""
    return bytes(memoryview(text))


def _size(asked: Asked, kept: Kept | None) -> int:
    return _KEY_BYTES + len(asked.variables) + (0 if kept is None else kept.size)
