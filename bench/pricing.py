"""What things cost: operations timed one after the other, and the weights that explain their times best."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import numpy as np
import orjson
from graphql import parse
from numpy.typing import NDArray

from bench import operations
from bench.account import make_account
from bench.catalogue import slug
from bench.client import Client, body
from bench.measures import Result
from bench.priced import OPERATIONS, RESOLVED, Priced
from bench.processes import busy_seconds
from bench.search import SERVER, embed, queries
from bench.stage import Stage
from gateway.engine.cost.documents import DocumentCosts, Estimate
from gateway.engine.cost.measured import counted, measured
from gateway.engine.cost.weights import Weights
from schema.graph import graph

ROUNDS: Final = 5
ASKED: Final = 10
"""Times an operation is asked in a round."""
UNIT_MS: Final = 0.010
"""What a weight of 1 stands for, on the machine that the table in bench/README.md was made on."""
OBJECT: Final = "object"
"""An object, or a field that reads one off a value."""
Variables = dict[str, Any]


@dataclass(slots=True)
class Timed:
    """One operation, what it cost by the weights of the schema, and how long it took."""

    about: str
    requested: float
    actual: float
    counts: Counter[str]
    """How often each kind of work was done."""
    seconds: list[float] = field(default_factory=list)
    """By round: what one answer took of all processors, of the server and the database."""

    @property
    def milliseconds(self) -> float:
        return median(self.seconds) * 1000


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    await embed(stage)
    weights = Weights(graph()._schema)  # noqa: SLF001 - the graphql-core schema has no public name
    async with stage.gateway(SERVER) as server:
        token = await make_account(server.port, stage.options.works)
        async with Client.open(server.port, token) as client:
            variables = await _variables(client, stage.options.works)

            def busy() -> float:
                return busy_seconds(server.pid) + busy_seconds(stage.database_pid)

            timed = [await _counted(client, weights, operation, variables[0]) for operation in OPERATIONS]
            for number in range(1, ROUNDS + 1):
                stage.say(f"pricing, round {number} of {ROUNDS} …")
                for one, operation in zip(timed, OPERATIONS, strict=True):
                    one.seconds.append(await _seconds(client, operation, variables, busy))
    for row in table(timed):
        report(row)


def table(timed: Sequence[Timed]) -> list[Result]:
    """The times beside the costs, how well these explain them, and the weights that would do it best."""
    milliseconds = np.array([one.milliseconds for one in timed])
    found = [
        Result(
            f"cost: {one.about}",
            figure=one.milliseconds,
            unit="ms",
            note=f"requested {one.requested:,.0f}, actual {one.actual:,.0f}",
        )
        for one in timed
    ]
    costs = np.array([one.actual for one in timed])
    slope, start = np.polyfit(costs, milliseconds, 1, w=1 / milliseconds)
    told = r_squared(milliseconds, slope * costs + start)
    found.append(Result("R² of the schema's weights", figure=told, unit="of 1"))
    found.append(
        Result("time per unit of cost", figure=slope * 1000, unit="µs", note=f"and {start:.2f} ms a request")
    )
    prices = fitted(timed, milliseconds)
    explained = np.array([sum(prices[name] * times for name, times in _kinds(one).items()) for one in timed])
    found.append(Result("R² of the weights below", figure=r_squared(milliseconds, explained), unit="of 1"))
    found += [
        Result(f"weight of {name}", figure=price / UNIT_MS, unit="units", note=f"{price * 1000:,.0f} µs")
        for name, price in sorted(prices.items(), key=lambda entry: -entry[1])
    ]
    return found


def fitted(timed: Sequence[Timed], milliseconds: NDArray[np.float64]) -> dict[str, float]:
    """Milliseconds of each kind of work, none of them negative, with the least relative error."""
    names = sorted({name for one in timed for name in _kinds(one)})
    counts = np.array([[_kinds(one)[name] for name in names] for one in timed]) / milliseconds[:, None]
    kept = list(range(len(names)))
    while True:
        prices, *_ = np.linalg.lstsq(counts[:, kept], np.ones(len(timed)), rcond=None)
        if prices.min() >= 0:
            break
        # What seems to give time back is explained by the others.
        kept.pop(int(prices.argmin()))
    return dict.fromkeys(names, 0.0) | {
        names[place]: float(price) for place, price in zip(kept, prices, strict=True)
    }


def r_squared(times: NDArray[np.float64], explained: NDArray[np.float64]) -> float:
    """The share of the differences between the logarithms of the times that is explained.

    Of the logarithms, as the longest time would otherwise decide alone.
    """
    logarithms = np.log(times)
    missed = logarithms - np.log(np.maximum(explained, 1e-3))
    spread = logarithms - logarithms.mean()
    return float(1 - (missed @ missed) / (spread @ spread))


def _kinds(one: Timed) -> Counter[str]:
    return one.counts + Counter({"request": 1})


async def _variables(client: Client, works: int) -> list[Variables]:
    asked = queries(works)
    slugs = [slug(number) for number in range(1, works, max(1, works // len(asked)))][: len(asked)]
    ids = [(await client.ask(operations.FIND, slug=name))["content"]["id"] for name in slugs]
    return [
        {"slug": name, "query": query, "id": id_, "ids": ids[:50]}
        for name, query, id_ in zip(slugs, asked, ids, strict=True)
    ]


async def _counted(client: Client, weights: Weights, operation: Priced, variables: Variables) -> Timed:
    given = {name: variables[name] for name in operation.arguments}
    estimate = _estimate(weights, operation, given)
    data = orjson.loads(await client.post("/graphql", body(operation.document, **given)))["data"]
    counts: Counter[str] = Counter()
    for asked, _, times in counted(estimate, data):
        counts[asked.name if asked is not None and asked.name in RESOLVED else OBJECT] += times
    return Timed(operation.about, estimate.cost, measured(estimate, data), counts)


def _estimate(weights: Weights, operation: Priced, variables: Variables) -> Estimate:
    return DocumentCosts(weights, parse(operation.document)).of(None).estimate(variables)


async def _seconds(
    client: Client, operation: Priced, variables: Sequence[Variables], busy: Callable[[], float]
) -> float:
    bodies = [
        body(operation.document, **{name: given[name] for name in operation.arguments})
        for given in variables[:ASKED]
    ]
    began = busy()
    for content in bodies:
        await client.post("/graphql", content)
    return (busy() - began) / len(bodies)
