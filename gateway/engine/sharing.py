"""Fields of the root that everybody may be given: executed once for all who ask at the same time, and kept as
bytes for as long as their hints say.

What is kept depends on the operation, its variables and the audience, and on nothing else of who asks: a
field that does says so by being private, or by having no hint at all.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson
from graphql import ExecutionResult

from domain.platform.cache import Cache, Kind
from domain.platform.validity import observed_validity
from gateway.engine.plan.launch import Launch, finished

KEEP_SECONDS: Final = 3600.0
"""How long the cache itself holds on to an answer; hints that allow more are held to this."""
_KEY_BYTES: Final = 400


class Asked(NamedTuple):
    """A field of the root, as one audience may ask for it until its time is over."""

    plan: Any
    field: str
    variables: bytes
    audience: Hashable
    period: int


class Sharing:
    """Executes launches, with what others were given before where that is the same."""

    def __init__(
        self,
        cache: Cache,
        tags: Sequence[Hashable],
        audience_of: Callable[[Any], Hashable | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """What is kept goes when one of `tags` is invalidated.

        `audience_of` tells from a context who is given the same; None for those who share nothing.
        """
        self._cache = cache
        self._audience_of = audience_of
        self._clock = clock
        self._kind: Kind[Asked, bytes] = Kind(
            "answers",
            KEEP_SECONDS,
            lambda asked, kept: _KEY_BYTES + len(asked.variables) + (0 if kept is None else len(kept)),
            lambda _asked, _kept: tuple(tags),
        )

    def applies(self, launch: Launch, context: object) -> bool:
        """Whether anything of it may be shared."""
        plan = launch.plan
        return plan is not None and plan.shares and self._audience_of(context) is not None

    async def execute(
        self, launch: Launch, variables: Mapping[str, Any] | None, context: object
    ) -> ExecutionResult:
        plan = launch.plan
        assert plan is not None  # noqa: S101 - `applies` looked
        audience, text = self._audience_of(context), _fingerprint(variables)
        now = self._clock()
        asked = {
            Asked(plan, key, text, audience, int(now / min(policy.max_age, KEEP_SECONDS))): key
            for key, policy in plan.policies.items()
            if policy.shared
        }
        own: list[ExecutionResult] = []

        async def run(missing: Sequence[Asked]) -> Mapping[Asked, bytes]:
            """Executes what is not there, and whatever is not shared with it."""
            with observed_validity() as validity:
                result = await finished(launch.run())
            own.append(result)
            if result.errors or result.data is None:
                return {}
            made = {key: orjson.dumps(result.data[asked[key]]) for key in missing}
            until = validity.until
            # What changes within its time is not kept at all: its time is short, and such changes are rare.
            ends = [(key.period + 1) * min(plan.policies[asked[key]].max_age, KEEP_SECONDS) for key in made]
            return {
                key: kept
                for (key, kept), end in zip(made.items(), ends, strict=True)
                if until is None or until.timestamp() >= end
            }

        found = await self._cache.many(self._kind, list(asked), run)
        if own:
            return own[0]
        given = {asked[key]: orjson.Fragment(kept) for key, kept in found.items()}
        return await finished(launch.run(given))


def _fingerprint(variables: Mapping[str, Any] | None) -> bytes:
    return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS) if variables else b""
