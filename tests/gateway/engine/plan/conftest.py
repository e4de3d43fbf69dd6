"""Cases that tests of plans share."""

import pytest

from tests.gateway.engine.plan.cases import Case, Expected, drawn


@pytest.fixture(scope="session")
async def corpus() -> list[tuple[Case, Expected]]:
    """The cases of the differential test, with what graphql-core answers to each."""
    return [(case, await (await case.expected()).complete(case)) for case in drawn()]
