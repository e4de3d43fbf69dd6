"""The cases of the differential test find every fault that is seeded into the engine.

So they look at every rule. That they find nothing where there is no fault is what the differential test says.
"""

import pytest

from gateway.engine.plan.plan import Plans
from tests.gateway.engine.plan import faults, faults_of_waiting
from tests.gateway.engine.plan.cases import Case, Expected

pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings(
        "ignore:coroutine .* was never awaited:RuntimeWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    ),
]


async def difference(corpus: list[tuple[Case, Expected]]) -> Case | None:
    """The first case that is answered otherwise, or not at all."""
    for case, expected in corpus:
        try:
            answers = await case.answers()
        except Exception:  # noqa: BLE001 - an executor raises for no document
            return case
        for found in answers:
            if not await expected.allows(case, found):
                return case
    return None


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> dict[int, Plans]:
    """No plan that was compiled without the fault is used with it."""
    kept: dict[int, Plans] = {}
    monkeypatch.setattr(Plans, "of", staticmethod(lambda schema: kept.setdefault(id(schema), Plans())))
    return kept


FAULTS = faults.FAULTS | faults_of_waiting.FAULTS


@pytest.mark.parametrize("name", FAULTS)
async def test_a_seeded_fault_is_found(
    name: str,
    corpus: list[tuple[Case, Expected]],
    plans: dict[int, Plans],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fault = FAULTS[name]
    likely = sorted(corpus, key=lambda pair: pair[0].mood not in fault.moods)
    fault.seed(monkeypatch)

    assert await difference(likely) is not None
