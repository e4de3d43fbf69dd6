"""Every operation that a test or a page writes down is answered alike with and without a plan.

Over the whole graph, with all services and a database. Each query runs with all its variables for an account,
and with those that it needs for nobody.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from graphql import OperationDefinitionNode, OperationType, is_required_argument

from domain.identity.model import ANONYMOUS
from domain.platform.postgres import Database
from gateway.engine.admission import CostMode, CostPolicy
from gateway.engine.errors import ErrorFormatter
from gateway.engine.execution import Engine
from gateway.engine.limits import Limit, Limits
from gateway.engine.plan.plan import Plans
from gateway.engine.requests import OperationRequest
from resolvers.context import Context
from resolvers.ids import encode
from tests.accounts import somebody
from tests.gateway.processes import GRAPH, Process, Shelf, fill, process
from tests.operations import definitions, operations, variables
from tests.selections import everything

SCHEMA: Final = GRAPH._schema
OPERATIONS: Final = operations(SCHEMA)
FOR_THE_VIEWER: Final = re.compile(r"^\d{4}-\d\d-\d\dT|^[\w-]{16,}={0,2}$|^[0-9a-f-]{32,36}$|^https?://")
"""Texts that differ between accounts and moments: times, ids, cursors, links."""
MOMENTARY: Final = frozenset(
    ("tookMs", "cursor", "startCursor", "endCursor", "syncCursor", "score", "version", "remaining", "resetAt")
)
"""Fields that differ from one execution to the next."""


def asked(kind: OperationType) -> list[tuple[str, OperationDefinitionNode]]:
    """The operations of a kind, each with its document's text."""
    return [
        (text, operation)
        for text, document in OPERATIONS.items()
        for operation in definitions(document)
        if operation.operation is kind
    ]


def name_of(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


def roots() -> list[str]:
    """An operation for each field of the query that needs no arguments, with all there is below it."""
    assert SCHEMA.query_type is not None
    return [
        f"{{ {name} {everything(SCHEMA, field, 2)} }}"
        for name, field in SCHEMA.query_type.fields.items()
        if not any(map(is_required_argument, field.args.values()))
    ]


@pytest.fixture
async def shelf(database: Database) -> Shelf:
    return await fill(database)


@pytest.fixture
async def house(shelf: Shelf, database_url: str, tmp_path: Path) -> AsyncIterator[Process]:
    async with process(tmp_path, database_url) as house:
        yield house


class Twins:
    """The same services behind an engine with plans and one without."""

    def __init__(self, house: Process, shelf: Shelf) -> None:
        self.house = house
        self.shelf = shelf
        options: dict[str, Any] = {
            "limits": Limits(warn_only=frozenset(Limit)),
            "costs": CostPolicy(mode=CostMode.OFF),
            "errors": ErrorFormatter(on_fault=lambda _fault: None, new_id=lambda: "e"),
        }
        self.engines = [Engine(GRAPH, planned=planned, **options) for planned in (False, True)]
        # Documents need be validated only once.
        self.engines[1].documents = self.engines[0].documents

    def known(self, name: str, type_: str) -> Any:
        """What there is on the shelf."""
        name = name.lower()
        values = {
            "Int": 2,
            "Boolean": True,
            "ID": encode("Movie", self.shelf.movie),
            "String": "solaris-1972" if "slug" in name else "Solaris",
        }
        if type_ == "ID" and "genre" in name:
            return "science-fiction"
        return values.get(type_, "x") if "after" not in name else "none"

    async def answers(
        self, text: str, name: str | None, given: dict[str, Any], accounts: tuple[str | None, str | None]
    ) -> list[Any]:
        """Of the engine without plans, as the first account, and of the one with, as the second."""
        found = []
        for engine, account in zip(self.engines, accounts, strict=True):
            caller = ANONYMOUS if account is None else somebody(account)
            context = Context(self.house.opened.services, caller, "US", "r1")
            result = await engine.answer(OperationRequest(text, name, dict(given)), context)
            found.append(orjson.loads(engine.to_bytes(result)))
        return found


@pytest.fixture
def twins(house: Process, shelf: Shelf) -> Twins:
    return Twins(house, shelf)


def steady(value: Any) -> Any:
    """Without what differs from moment to moment."""
    if isinstance(value, dict):
        return {key: type(item).__name__ if key in MOMENTARY else steady(item) for key, item in value.items()}
    return [steady(item) for item in value] if isinstance(value, list) else value


def masked(value: Any) -> Any:
    """Without what differs between two accounts that do the same."""
    value = steady(value)
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return "~" if isinstance(value, str) and FOR_THE_VIEWER.search(value) else value


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """The first place where two answers differ; the order of keys counts."""
    if isinstance(one, dict) and isinstance(other, dict) and [*one] == [*other]:
        pairs = [(f"{path}.{key}", one[key], other[key]) for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"{path}.{index}", *items) for index, items in enumerate(zip(one, other, strict=True))]
    else:
        return None if type(one) is type(other) and one == other else f"{path}: {one!r} is not {other!r}"
    found = (difference(mine, theirs, inside) for inside, mine, theirs in pairs)
    return next((text for text in found if text is not None), None)


async def test_every_query_is_answered_alike(twins: Twins) -> None:
    statistics = Plans.of(SCHEMA).statistics
    before = statistics.planned, sum(statistics.fallbacks.values())
    asked_for = asked(OperationType.QUERY)
    told = 0

    for text, operation in asked_for:
        for account in (twins.shelf.accounts[0], None):
            given = variables(SCHEMA, operation, twins.known, everything=account is not None)
            expected, found = await twins.answers(text, name_of(operation), given, (account, account))
            assert difference(steady(found), steady(expected)) is None, (text, given)
            told += bool(found.get("errors"))

    assert len(asked_for) > 80
    assert statistics.planned - before[0] > 1.5 * len(asked_for)
    assert sum(statistics.fallbacks.values()) - before[1] < 0.1 * (statistics.planned - before[0])
    assert 0 < told < len(asked_for)


async def test_all_below_every_field_of_the_query_is_answered_alike(twins: Twins) -> None:
    for text in roots():
        for account in (twins.shelf.accounts[0], None):
            expected, found = await twins.answers(text, None, {}, (account, account))

            assert difference(steady(found), steady(expected)) is None, text


async def test_every_mutation_is_answered_alike(twins: Twins) -> None:
    asked_for = asked(OperationType.MUTATION)
    done = 0

    for text, operation in asked_for:
        for accounts in (twins.shelf.accounts, (None, None)):
            given = variables(SCHEMA, operation, twins.known, everything=True)
            expected, found = await twins.answers(text, name_of(operation), given, accounts)
            assert difference(masked(found), masked(expected)) is None, (text, given)
            done += not found.get("errors")

    assert len(asked_for) > 20
    assert done > 10
