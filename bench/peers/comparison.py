"""The gateway beside its floor and its peers, over one database, in one run."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto

from bench.account import make_account
from bench.config import Config
from bench.load import LoadFailed, put
from bench.measures import Result, Timing
from bench.peers.servers import PEERS, serving
from bench.processes import Running
from bench.requests import PAGE, Answering, Scenario, check_same, floor_server, scenarios
from bench.stage import Stage
from domain.identity.key_file import kept_key
from domain.identity.sealing import new_key
from gateway.settings import Settings

SCENARIOS = ("typename", "title", "titles", "viewer")
TITLES = {"viewer": "(d) home of an account"}
"""No peer ranks rails, so what an account sees first are here the lists it made itself."""
CONNECTIONS = 10
"""To the database, of each server; all of them together stay below the hundred that PostgreSQL allows."""
ROUNDS = 3
"""Each half as long as other loads are."""
WARM_UP_SECONDS = 2.0
"""Of load on each server before the first round: a JIT compiler works while it is being asked."""


class Role(Enum):
    GATEWAY = auto()
    FLOOR = auto()
    OTHER_FLOOR = auto()
    PEER = auto()


@dataclass(frozen=True, slots=True)
class Contestant:
    """Whoever answers a scenario."""

    name: str
    role: Role
    answering: Answering


@dataclass(frozen=True, slots=True)
class Field:
    """The servers that run, one process each."""

    gateways: Mapping[str, Running]
    floors: Running
    peers: Mapping[str, Running]
    token: str

    def contestants(self, scenario: Scenario) -> list[Contestant]:
        token = self.token if scenario.signed_in else None
        return [
            *(
                Contestant(name, Role.GATEWAY, Answering(server, token=token))
                for name, server in self.gateways.items()
            ),
            *(
                Contestant(
                    f"floor: {floor.title}",
                    Role.OTHER_FLOOR if place else Role.FLOOR,
                    Answering(self.floors, floor.path, token),
                )
                for place, floor in enumerate(scenario.floors)
            ),
            *(
                Contestant(name, Role.PEER, Answering(server, token=token))
                for name, server in self.peers.items()
            ),
        ]


async def measure(stage: Stage, report: Callable[[Result], None]) -> None:
    """Each scenario in interleaved rounds (A B C, A B C …), one server under load at a time.

    Raises `LoadFailed` where two of them answer something different.
    """
    missing = {peer.name: peer.missing for peer in PEERS}
    async with _started(stage, [name for name, reason in missing.items() if reason is None]) as field:
        for scenario in scenarios(stage.options.works):
            if scenario.name not in SCENARIOS:
                continue
            title = TITLES.get(scenario.name, scenario.title)
            stage.say(f"peers, {title} …")
            contestants = field.contestants(scenario)
            for result in rated(title, contestants, await _rounds(stage, scenario, contestants)):
                report(result)
    for name, reason in missing.items():
        if reason is not None:
            report(Result(name, note=reason))


def rated(title: str, contestants: Sequence[Contestant], timings: Sequence[Timing]) -> list[Result]:
    """A row for each, with what it is of the floor and of the fastest peer."""
    speeds = [(one.role, timing.per_second) for one, timing in zip(contestants, timings, strict=True)]
    floor = max((speed for role, speed in speeds if role is Role.FLOOR), default=None)
    best = max((speed for role, speed in speeds if role is Role.PEER), default=None)
    return [
        Result(
            f"{title}: {one.name}",
            timing,
            of_floor=None if floor is None else timing.per_second / floor,
            of_best_peer=None if best is None else timing.per_second / best,
        )
        for one, timing in zip(contestants, timings, strict=True)
    ]


async def _rounds(stage: Stage, scenario: Scenario, contestants: Sequence[Contestant]) -> list[Timing]:
    """The median round of each, in their order."""
    for other in contestants[1:]:
        try:
            await check_same(contestants[0].answering, other.answering, scenario.bodies)
        except LoadFailed as failure:
            raise LoadFailed(f"{other.name}: {failure}") from failure
    connections, seconds = stage.options.connections, stage.options.seconds / 2
    for one in contestants:
        await put(one.answering.load(scenario.bodies, connections, WARM_UP_SECONDS))
    seen: list[list[Timing]] = [[] for _ in contestants]
    for _ in range(ROUNDS):
        for one, timings in zip(contestants, seen, strict=True):
            timings.append(await put(one.answering.load(scenario.bodies, connections, seconds)))
    return [Timing.median(timings) for timings in seen]


@asynccontextmanager
async def _started(stage: Stage, chosen: Sequence[str]) -> AsyncIterator[Field]:
    folder = stage.folder / "peers"
    folder.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        gateways = {
            name: await stack.enter_async_context(stage.gateway(f"gateway-{place}", **settings))
            for place, (name, settings) in enumerate(_gateways(stage).items())
        }
        token = await make_account(next(iter(gateways.values())).port, stage.options.works)
        config = await Config.of(stage.url, [token], page=PAGE, pool_size=CONNECTIONS)
        config.write(folder / "config.json")
        floors = await stack.enter_async_context(floor_server(stage, config))
        peers = {
            peer.name: await stack.enter_async_context(serving(peer, folder / "config.json"))
            for peer in PEERS
            if peer.name in chosen
        }
        yield Field(gateways, floors, peers, token)


def _gateways(stage: Stage) -> dict[str, dict[str, str]]:
    """The settings of each, by its name. One key signs for all, so that one account is known to all."""
    shared = {
        "mode": "production",
        "signing_key": kept_key(stage.folder / "signing-key.json").text,
        "sealing_keys": new_key(),
        "issuer": "http://localhost:8000",
        "allowed_origins": "http://localhost",
        "database_min_connections": str(CONNECTIONS),
        "database_max_connections": str(CONNECTIONS),
    }
    off = shared | {CACHE: "0"}
    if CACHE not in Settings.model_fields:
        return {"media-gateway": off}
    return {"media-gateway, entity cache off": off, "media-gateway, entity cache on": shared}


CACHE = "entity_cache_bytes"
