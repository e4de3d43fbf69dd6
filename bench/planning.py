"""What the first sight of a document costs: preparing and planning it, against parsing and validating it."""

import gc
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from statistics import median

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
MEBIBYTE = 2**20


def document(number: int) -> str:
    """The one of this number: 60 fields over five lists, no two documents with the same text."""
    parts = [
        f"a{number}: title originalTitle synopsis year releaseDate keywords countries popularity",
        "genres { id name music } artwork { kind url width height } ratings { source value scale voteCount }",
        "credits(first: 8) { nodes { role character person { id name } } totalCount }",
        "availability { kind quality region price { amount currency } platform { id name home } }",
        "externalIds { imdb tmdb tvdb eidr } myProgress { positionSeconds durationSeconds completed }",
        "myReaction { verdict stars } quality { score missingFields freshness } id",
    ]
    return f"query Q{number} {{ contents(first: 50) {{ nodes {{ {' '.join(parts)} }} }} }}"


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
    usual = _milliseconds(lambda text: _parsed_and_validated(schema, text), range(1, 1 + SAMPLES))
    first = median(
        _milliseconds(Planner(schema).plan, range(number, number + 1)) for number in range(1, 1 + SAMPLES)
    )
    planner = Planner(schema)
    sizes = [_memory_bytes()]
    _milliseconds(planner.plan, range(MANY - 1))
    thousandth = _milliseconds(planner.plan, range(MANY - 1, MANY - 1 + SAMPLES))
    sizes.append(_memory_bytes())
    _milliseconds(planner.plan, range(2 * MANY, 3 * MANY))
    sizes.append(_memory_bytes())
    name = f"planning, {FIELDS} fields"
    report(Result(f"{name}: graphql-core's parse and validate", figure=usual, unit="ms"))
    report(Result(f"{name}: the first document", figure=first, unit="ms", note=_times(first, usual)))
    report(Result(f"{name}: document {MANY:,}", figure=thousandth, unit="ms", note=_times(thousandth, usual)))
    for which, (before, after) in zip(("first", "next"), pairwise(sizes), strict=True):
        report(
            Result(
                f"{name}: memory of the {which} {MANY:,} documents",
                figure=(after - before) / MEBIBYTE,
                unit="MiB",
            )
        )


def _milliseconds(run: Callable[[str], None], numbers: Iterable[int]) -> float:
    """CPU of one document, the median of those of these numbers."""
    spent = []
    for number in numbers:
        text = document(number)
        began = time.process_time()
        run(text)
        spent.append(1000 * (time.process_time() - began))
    return median(spent)


def _parsed_and_validated(schema: GraphQLSchema, text: str) -> None:
    if errors := validate(schema, parse(text)):
        raise errors[0]


def _memory_bytes() -> int:
    """What the process holds, once what nobody needs is gone."""
    gc.collect()
    resident: int = psutil.Process().memory_info().rss
    return resident


def _times(figure: float, usual: float) -> str:
    return f"{figure / usual:.2f} times parse and validate"
