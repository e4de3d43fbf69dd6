"""Whether the process lives, and whether its dependencies do."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

PROBE_SECONDS = 2.0
_FRESH = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Probe:
    """A dependency and the question that shows it works; `critical` where its loss refuses requests.

    The question answers what to add to the report, or raises.
    """

    name: str
    ask: Callable[[], Awaitable[str | None]]
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found."""

    name: str
    status: str
    critical: bool
    latency_ms: float
    message: str | None

    @property
    def healthy(self) -> bool:
        return self.status == "healthy"


async def examine(probe: Probe) -> Finding:
    """Asks once, within two seconds."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            message = await probe.ask()
        status = "healthy"
    except Exception as error:  # noqa: BLE001 - whatever a client raises, the dependency does not work
        status = "unhealthy"
        message = str(error) or type(error).__name__
    elapsed = round((time.perf_counter() - started) * 1000, 2)
    return Finding(probe.name, status, probe.critical, elapsed, message)


def overall(findings: Sequence[Finding]) -> str:
    if any(finding.critical and not finding.healthy for finding in findings):
        return "unhealthy"
    return "healthy" if all(finding.healthy for finding in findings) else "degraded"


def health_routes(
    probes: Callable[[], Sequence[Probe]], draining: Callable[[], bool], about: Mapping[str, str]
) -> list[BaseRoute]:
    async def livez(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "alive", **about}, headers=_FRESH)

    async def readyz(_request: Request) -> JSONResponse:
        findings = await asyncio.gather(*(examine(probe) for probe in probes()))
        status = "draining" if draining() else overall(findings)
        components = [
            {
                "name": finding.name,
                "status": finding.status,
                "critical": finding.critical,
                "latencyMs": finding.latency_ms,
                "message": finding.message,
            }
            for finding in findings
        ]
        code = 503 if status in {"unhealthy", "draining"} else 200
        return JSONResponse({"status": status, "components": components}, status_code=code, headers=_FRESH)

    return [Route("/livez", livez), Route("/readyz", readyz)]
