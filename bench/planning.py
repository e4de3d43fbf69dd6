"""What the first sight of a document costs: preparing and planning it, against parsing and validating it."""

import gc
import re
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]
from graphql import GraphQLSchema, parse, validate

from bench.measures import Result
from gateway.collector import spare_what_stays
from gateway.engine.documents import DocumentStore
from gateway.engine.errors import ErrorFormatter
from gateway.engine.limits import Guard, Limits
from gateway.engine.plan import PlannedExecutor, Plans
from schema.graph import graph

FIELDS = 60
SAMPLES = 21
MANY = 1_000
KEPT_BEYOND = (MANY, 4 * MANY, 5 * MANY)
"""Documents after which memory is looked at. It grows until what was let go of leaves room enough; the last
thousand should find all they need.
"""
MEBIBYTE = 2**20


def document(number: int) -> str:
    """The one of this number: 60 fields over five lists, no two documents with the same text.

    They differ in one field, as the operations of one front end have most of their parts in common.
    """
    parts = [
        f"a{number}: title originalTitle synopsis year releaseDate keywords countries popularity",
        "genres { id name music } artwork { kind url width height } ratings { source value scale voteCount }",
        "credits(first: 8) { nodes { role character person { id name } } totalCount }",
        "availability { kind quality region price { amount currency } platform { id name home } }",
        "externalIds { imdb tmdb tvdb eidr } myProgress { positionSeconds durationSeconds completed }",
        "myReaction { verdict stars } quality { score missingFields freshness } id",
    ]
    return f"query Q{number} {{ contents(first: 50) {{ nodes {{ {' '.join(parts)} }} }} }}"


def unlike(number: int) -> str:
    """The same with a name of its own in every part, so that none is like that of another document."""
    head, field, rest = document(number).partition("contents")
    return head + field + re.sub(r"\{ (\w+)(?= )", rf"{{ b{number}: \1", rest)


class Planner:
    """A document store of the whole graph, and plans beside it."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._documents = DocumentStore(schema, Guard(Limits()), ErrorFormatter())
        self._plans = Plans()

    def plan(self, text: str) -> None:
        """Parsed, limited, validated, kept; then compiled as its first execution would."""
        prepared = self._documents.prepare(text)
        executor = PlannedExecutor.build(self._schema, prepared.document)
        if not isinstance(executor, PlannedExecutor) or self._plans.find(executor, serial=False) is None:
            raise ValueError(f"There is no plan for {text}: {self._plans.statistics.fallbacks}")


async def measure(say: Callable[[str], None], report: Callable[[Result], None]) -> None:
    say(f"planning a document of {FIELDS} fields …")
    schema = graph()._schema  # noqa: SLF001 - the graphql-core schema has no public name
    Planner(schema).plan(document(0))  # what is built once, is built
    spare_what_stays()
    rows = [
        ("the first document", _beside(schema, lambda: Planner(schema), range(1, 1 + SAMPLES), document)),
        ("the first, unlike all before", _beside(schema, lambda: Planner(schema), range(SAMPLES), unlike)),
    ]
    planner = Planner(schema)
    sizes = [_memory_bytes()]
    for number in range(MANY - 1):
        planner.plan(document(number))
    found = _beside(schema, lambda: planner, range(MANY - 1, MANY - 1 + SAMPLES), document)
    rows.append((f"document {MANY:,}", found))
    sizes.append(_memory_bytes())
    for first, after in pairwise(KEPT_BEYOND):
        for number in range(first, after):
            planner.plan(document(number))
        sizes.append(_memory_bytes())
    name = f"planning, {FIELDS} fields"
    report(Result(f"{name}: graphql-core's parse and validate", figure=rows[0][1].usual, unit="ms"))
    for what, beside in rows:
        note = f"{beside.times:.2f} times parse and validate"
        report(Result(f"{name}: {what}", figure=beside.ours, unit="ms", note=note))
    for (first, end), (before, after) in zip(pairwise((0, *KEPT_BEYOND)), pairwise(sizes), strict=True):
        report(
            Result(
                f"{name}: memory of documents {first:,} to {end:,}",
                figure=(after - before) / MEBIBYTE,
                unit="MiB",
            )
        )


class _Beside(NamedTuple):
    """CPU of one document, the median of several."""

    ours: float
    """Milliseconds, as are those of graphql-core."""
    usual: float
    times: float
    """The median of the ratios: each pair was measured in the same moment."""


def _beside(
    schema: GraphQLSchema,
    planner: Callable[[], Planner],
    numbers: Iterable[int],
    text_of: Callable[[int], str],
) -> _Beside:
    pairs = []
    for number in numbers:
        text, planning = text_of(number), planner()
        usual = _milliseconds(partial(_parsed_and_validated, schema), text)
        pairs.append((_milliseconds(planning.plan, text), usual))
    return _Beside(
        median(ours for ours, _ in pairs),
        median(usual for _, usual in pairs),
        median(ours / usual for ours, usual in pairs),
    )


def _milliseconds(run: Callable[[str], None], text: str) -> float:
    began = time.process_time()
    run(text)
    return 1000 * (time.process_time() - began)


def _parsed_and_validated(schema: GraphQLSchema, text: str) -> None:
    if errors := validate(schema, parse(text)):
        raise errors[0]


def _memory_bytes() -> int:
    """What the process holds, once what nobody needs is gone."""
    gc.collect()
    resident: int = psutil.Process().memory_info().rss
    return resident
