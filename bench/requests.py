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
from bench.config import Config
from bench.load import Load, LoadFailed, put
from bench.measures import Result, Timing
from bench.processes import ROOT, Running, free_port, running
from bench.stage import Stage

PAGE = 50
ASKED_TITLES = 200
ALONE_SECONDS = 1.0
CONNECTIONS = 20
"""To the database; as many as the gateway has by default."""
CHECKED = 20
"""Bodies whose answers are compared."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A route that gives the same answer without GraphQL."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Answering:
    """A server, and how it is asked."""

    server: Running
    path: str = "/graphql"
    token: str | None = None

    def load(self, bodies: Sequence[str], connections: int, seconds: float) -> Load:
        return Load(self.server.port, self.server.pid, bodies, self.path, self.token, connections, seconds)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is posted, in turn."""

    name: str
    title: str
    bodies: Sequence[str]
    floors: Sequence[Floor] = ()
    """The first is the one to compare with."""
    signed_in: bool = False


def scenarios(works: int) -> list[Scenario]:
    slugs = [slug(number) for number in range(1, works + 1, max(1, works // ASKED_TITLES))]
    one = [body(operations.TITLE, slug=slug) for slug in slugs]
    many = [body(operations.TITLES, first=PAGE)]
    return [
        Scenario(
            "typename",
            "(a) __typename",
            [body(operations.TYPENAME)],
            [Floor("/typename", "Starlette route"), Floor("/bare", "bare ASGI")],
        ),
        Scenario("title", "(b) one title", one, [Floor("/title", "SQL, orjson")]),
        Scenario("titles", f"(c) {PAGE} titles", many, [Floor("/titles", "SQL, orjson")]),
        Scenario("home", "(d) home of an account", [body(operations.HOME)], signed_in=True),
        Scenario(
            "viewer",
            "(d) continue watching, watchlist",
            [body(operations.VIEWER)],
            [Floor("/viewer", "SQL, orjson")],
            signed_in=True,
        ),
    ]


NAMES = tuple(scenario.name for scenario in scenarios(1))


async def measure(stage: Stage, only: Collection[str], report: Callable[[Result], None]) -> None:
    async with stage.gateway() as server:
        account = await make_account(server.port, stage.options.works)
        config = await Config.of(stage.url, [account], page=PAGE, pool_size=CONNECTIONS)
        async with floor_server(stage, config) as floors:
            for scenario in scenarios(stage.options.works):
                if scenario.name not in only:
                    continue
                stage.say(f"{scenario.title} …")
                if scenario.name == "home" and not await _has_field(server, "home"):
                    report(Result(scenario.title, note="not in this schema yet"))
                    continue
                gateway = Answering(server, token=account if scenario.signed_in else None)
                for result in await _measured(stage, scenario, gateway, floors):
                    report(result)


async def _measured(stage: Stage, scenario: Scenario, gateway: Answering, floors: Running) -> list[Result]:
    """The row of the gateway, and one for each floor."""
    timing = await _timed(stage, scenario, gateway)
    note = await _alone(scenario, gateway)
    below: list[tuple[str, Timing]] = []
    for floor in scenario.floors:
        route = Answering(floors, floor.path, gateway.token)
        await check_same(gateway, route, scenario.bodies)
        below.append((f"    floor: {floor.title}", await _timed(stage, scenario, route)))
    of_floor = timing.per_second / below[0][1].per_second if below else None
    return [
        Result(scenario.title, timing, note=note, of_floor=of_floor),
        *(Result(name, seen) for name, seen in below),
    ]


@asynccontextmanager
async def floor_server(stage: Stage, config: Config) -> AsyncIterator[Running]:
    folder = stage.folder / "floors"
    folder.mkdir(exist_ok=True)
    config.write(folder / "config.json")
    port = free_port()
    command = [sys.executable, "-m", "bench.floors", str(folder / "config.json"), str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    async with running(command, port, "/bare", folder, environment) as process:
        yield process


async def _timed(stage: Stage, scenario: Scenario, asked: Answering) -> Timing:
    options = stage.options
    return await put(asked.load(scenario.bodies, options.connections, options.seconds))


async def _alone(scenario: Scenario, asked: Answering) -> str:
    """What one client waits where there is no other."""
    return f"{(await put(asked.load(scenario.bodies, 1, ALONE_SECONDS))).p50_ms:.2f} ms alone"


async def _has_field(server: Running, name: str) -> bool:
    async with Client.open(server.port) as client:
        found = await client.ask(operations.ROOT_FIELDS)
    return any(field["name"] == name for field in found["__type"]["fields"])


async def check_same(one: Answering, other: Answering, bodies: Sequence[str]) -> None:
    """Raises `LoadFailed` where their answers differ: whoever answers something else compares nothing."""
    async with (
        Client.open(one.server.port, one.token) as here,
        Client.open(other.server.port, other.token) as there,
    ):
        for content in bodies[:CHECKED]:
            ours, theirs = await here.post(one.path, content), await there.post(other.path, content)
            if orjson.loads(ours) != orjson.loads(theirs):
                raise LoadFailed(f"{other.path} answers {theirs[:300]!r}, the gateway {ours[:300]!r}")
