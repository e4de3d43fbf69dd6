"""Cases that tests of plans share."""

import gc
from collections.abc import Iterator

import pytest

from tests.gateway.engine.plan.cases import Case, Expected, drawn


@pytest.fixture(scope="session")
async def corpus() -> list[tuple[Case, Expected]]:
    """The cases of the differential test, with what graphql-core answers to each."""
    return [(case, await (await case.expected()).complete(case)) for case in drawn()]


@pytest.fixture(scope="module")
def swept() -> Iterator[None]:
    """Leaves no coroutine behind to be warned of in another module.

    What had not begun below a position that became null is never awaited, by graphql-core as well.
    """
    yield
    gc.collect()
