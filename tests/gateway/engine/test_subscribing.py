"""Events of a subscription are the same, whether a plan, graphql-core or strawberry answers them."""

from typing import Any

import pytest

from gateway.engine.execution import Engine
from gateway.engine.plan import plan as plans
from gateway.engine.plan.fallback import Fallback
from gateway.engine.requests import OperationRequest
from tests.gateway.toy import Toys, toy_schema

DOCUMENTS: list[tuple[str, dict[str, Any] | None]] = [
    ("subscription { count(to: 3) }", None),
    ("subscription ($to: Int!) { count(to: $to) again: __typename }", {"to": 2}),
    ("subscription ($to: Int!) { count(to: $to) }", {}),
    ("subscription ($to: Int!) { count(to: $to) }", {"to": "many"}),
    ("subscription { toys { name price inner { name } forbidden coded } }", None),
    ("subscription { breaking }", None),
    ("subscription { refused }", None),
]


async def answered(engine: Engine, document: str, variables: dict[str, Any] | None) -> list[dict[str, Any]]:
    context = Toys()
    try:
        operation = engine.prepare(OperationRequest(document, variables=variables))
    except Exception as rejected:  # noqa: BLE001 - the same for all, as its words are compared
        return [{"rejected": str(rejected)}]
    results = [result.payload() async for result in engine.subscribe(operation, context)]
    return [_without_id(result) for result in results]


def _without_id(payload: dict[str, Any]) -> dict[str, Any]:
    """Each fault has an id of its own, which its message names."""
    for error in payload.get("errors", ()):
        if error["extensions"].pop("errorId", None) is not None:
            del error["message"]
    return payload


@pytest.mark.parametrize(("document", "variables"), DOCUMENTS)
async def test_events_are_the_same_by_a_plan_and_without(
    document: str, variables: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = Engine(toy_schema())
    by_plan = await answered(planned, document, variables)
    by_strawberry = await answered(Engine(toy_schema(), planned=False), document, variables)
    monkeypatch.setattr(plans, "plan_or_reason", lambda *_args, **_options: Fallback.SIZE)
    interpreted = Engine(toy_schema())
    by_core = await answered(interpreted, document, variables)

    assert by_plan == by_strawberry == by_core
    if events := sum("data" in payload for payload in by_plan):
        assert planned.executions() == {"planned": events}
        assert interpreted.executions() == {"planned": 0, "size": events}
