"""Every part killed, every way cut and silent, while devices write and obey: nothing lost, twice or late.

`make campaign` does the same for minutes, with more devices.
"""

from pathlib import Path

import pytest

from bench.campaign.run import Plan, campaign
from tests.redis_server import redis_binary


@pytest.mark.timeout(400)
async def test_nothing_is_lost_whatever_is_killed_or_cut(scratch: Path) -> None:
    redis_binary()
    folder = scratch / "campaign"
    folder.mkdir()
    said: list[str] = []
    plan = Plan(
        seconds=1,
        devices=16,
        rate=12,
        households=3,
        presses=3,
        fault_seconds=0.5,
        rest_seconds=2.2,
        only=(),
        seed=1,
        say=said.append,
    )

    outcome = await campaign(folder, plan)

    verdict, obedience = outcome.verdict, outcome.obedience
    assert verdict.clean, verdict
    assert obedience.clean, obedience
    assert len(outcome.broken) == 17
    assert verdict.acknowledged > 100
    assert verdict.deliveries > 4 * 100
    assert obedience.ends["executed"] > 20
    assert obedience.handed_over > 0
