"""Requests a second and their times, over HTTP against the real server, with their floors beside them."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from bench import operations
from bench.account import make_account
from bench.catalogue import slug
from bench.client import Client, body
from bench.load import Load, LoadFailed, put
from bench.measures import Result, Timing
from bench.processes import ROOT, Running, free_port, running
from bench.stage import Stage

PAGE = 50
ASKED_TITLES = 200
ALONE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Floor:
    """A route that gives the same answer without GraphQL."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is posted, in turn."""

    name: str
    title: str
    bodies: Sequence[str]
    floor: Floor | None = None
    signed_in: bool = False


def scenarios(works: int) -> list[Scenario]:
    slugs = [slug(number) for number in range(1, works + 1, max(1, works // ASKED_TITLES))]
    one = [body(operations.TITLE, slug=slug) for slug in slugs]
    many = [body(operations.TITLES, first=PAGE)]
    return [
        Scenario("typename", "(a) __typename", [body(operations.TYPENAME)], Floor("/bare", "bare ASGI")),
        Scenario("title", "(b) one title", one, Floor("/title", "SQL, orjson")),
        Scenario("titles", f"(c) {PAGE} titles", many, Floor("/titles", "SQL, orjson")),
        Scenario("home", "(d) home of an account", [body(operations.HOME)], signed_in=True),
        Scenario("viewer", "(d) continue watching, watchlist", [body(operations.VIEWER)], signed_in=True),
    ]


NAMES = tuple(scenario.name for scenario in scenarios(1))


async def measure(stage: Stage, only: Collection[str], report: Callable[[Result], None]) -> None:
    async with stage.gateway() as server, floor_server(stage) as floors:
        account = await make_account(server.port, stage.options.works)
        for scenario in scenarios(stage.options.works):
            if scenario.name not in only:
                continue
            stage.say(f"{scenario.title} …")
            if scenario.name == "home" and not await _has_field(server, "home"):
                report(Result(scenario.title, note="not in this schema yet"))
                continue
            token = account if scenario.signed_in else None
            timing = await _timed(stage, server, scenario.bodies, token=token)
            notes = [await _alone(server, scenario, token)]
            if scenario.floor is None:
                report(Result(scenario.title, timing, note=notes[0]))
                continue
            await _check_same(server, floors, scenario, scenario.floor)
            floor = await _timed(stage, floors, scenario.bodies, path=scenario.floor.path)
            notes.append(f"{timing.per_second / floor.per_second:.2f} of its floor")
            report(Result(scenario.title, timing, note=", ".join(notes)))
            report(Result(f"    floor: {scenario.floor.title}", floor))


@asynccontextmanager
async def floor_server(stage: Stage) -> AsyncIterator[Running]:
    folder = stage.folder / "floors"
    folder.mkdir(exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "bench.floors", stage.url, str(port), str(PAGE)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    async with running(command, port, "/bare", folder, environment) as process:
        yield process


async def _timed(
    stage: Stage, server: Running, bodies: Sequence[str], *, path: str = "/graphql", token: str | None = None
) -> Timing:
    return await put(
        Load(server.port, server.pid, bodies, path, token, stage.options.connections, stage.options.seconds)
    )


async def _alone(server: Running, scenario: Scenario, token: str | None) -> str:
    """What one client waits where there is no other."""
    load = Load(server.port, server.pid, scenario.bodies, token=token, connections=1, seconds=ALONE_SECONDS)
    return f"{(await put(load)).p50_ms:.2f} ms alone"


async def _has_field(server: Running, name: str) -> bool:
    async with Client.open(server.port) as client:
        found = await client.ask(operations.ROOT_FIELDS)
    return any(field["name"] == name for field in found["__type"]["fields"])


async def _check_same(server: Running, floors: Running, scenario: Scenario, floor: Floor) -> None:
    """A floor that answers something else compares nothing."""
    async with Client.open(server.port) as client, Client.open(floors.port) as other:
        for content in scenario.bodies[:20]:
            ours, theirs = await client.post("/graphql", content), await other.post(floor.path, content)
            if orjson.loads(ours) != orjson.loads(theirs):
                raise LoadFailed(f"{floor.path} answers {theirs[:300]!r}, the gateway {ours[:300]!r}")
