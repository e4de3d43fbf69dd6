import asyncio
from collections.abc import Sequence

import httpx
from starlette.applications import Starlette

from gateway.routes import health
from gateway.routes.health import Probe, health_routes


async def _works() -> str | None:
    return None


async def _fails() -> str | None:
    raise ConnectionError("nobody there")


async def _hangs() -> str | None:
    await asyncio.sleep(60)
    return None


async def _ready(probes: Sequence[Probe], *, draining: bool = False) -> httpx.Response:
    app = Starlette(routes=health_routes(lambda: probes, lambda: draining, {"version": "1"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get("/readyz")


async def test_all_well_is_healthy() -> None:
    answer = await _ready([Probe("postgres", _works, critical=True)])

    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
    component = answer.json()["components"][0]
    assert (component["name"], component["critical"]) == ("postgres", True)
    assert component["latencyMs"] >= 0


async def test_a_dependency_that_can_be_done_without_degrades() -> None:
    answer = await _ready([Probe("postgres", _works, critical=True), Probe("redis", _fails)])

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["components"][1]["message"] == "nobody there"


async def test_a_critical_one_refuses() -> None:
    answer = await _ready([Probe("postgres", _fails, critical=True)])

    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"


async def test_a_draining_server_is_not_ready() -> None:
    answer = await _ready([Probe("postgres", _works, critical=True)], draining=True)

    assert answer.status_code == 503
    assert answer.json()["status"] == "draining"


async def test_a_probe_that_hangs_counts_as_failed() -> None:
    probe = Probe("postgres", _hangs, critical=True)
    seconds, health.PROBE_SECONDS = health.PROBE_SECONDS, 0.05
    try:
        finding = await health.examine(probe)
    finally:
        health.PROBE_SECONDS = seconds

    assert finding.status == "unhealthy"
