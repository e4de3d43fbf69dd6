"""Any interleaving of questions, cancellations, changes, failures and pauses, against what is allowed."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from domain.platform.errors import NotFound
from domain.platform.tracing import LEFT_OUT
from gateway.engine import joints
from gateway.engine.results import OperationResult
from tests.gateway.engine.sharers import TAG, Bench, World, bench, settled, shown

STEPS = 1_000
RESUMED = 0.1
"""How likely a pause ends with each step."""
SEEDS = range(8)
NAMES = ("ada", "bob")
REGIONS = ("US", "DE")
TEXTS = (
    "{ gated }",
    "{ gated }",
    "{ gated mine }",
    "{ gated thing { owner } }",
    "query($what: String!) { found(what: $what) { name } }",
    "query($what: String!) { found(what: $what) { name } }",
    "query($what: String!) { found(what: $what) { name owner } }",
)


@dataclass
class Halted(World):
    """Each execution goes on when it is let."""

    tells_region: bool = True
    halted: "list[asyncio.Future[None]]" = field(default_factory=list)

    async def passed(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.halted.append(future)
        try:
            await future
        finally:
            self.halted.remove(future)

    def go_on(self, halted: "asyncio.Future[None]", *, broken: bool) -> None:
        if halted.done():
            return
        if broken:
            halted.set_exception(NotFound("Not here."))
        else:
            halted.set_result(None)


@dataclass
class Question:
    """Somebody asks, having heard of all versions up to `floor`."""

    name: str
    region: str
    what: str
    floor: int
    task: "asyncio.Task[OperationResult]"
    left: bool = False
    """Whether they gave up."""


@dataclass
class Story:
    """What happens, and what may be answered."""

    chance: random.Random
    world: Halted = field(default_factory=Halted)
    version: int = 0
    told: int = 0
    """The latest version that the cache was told of."""
    questions: list[Question] = field(default_factory=list)
    answered: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.world.word = "0"
        self.house: Bench = bench(world=self.world, deadline_seconds=60)

    def steps(self) -> Iterator[str]:
        weights = {
            "ask": 7,
            "let": 6,
            "cancel": 1,
            "write": 1,
            "tell": 1,
            "wait": 0.5,
            "pause": 0.4,
            "break": 0.7,
        }
        yield from self.chance.choices(list(weights), list(weights.values()), k=STEPS)

    async def take(self, step: str) -> None:
        match step:
            case "ask":
                for _ in range(self.chance.randint(1, 3)):
                    self.ask()
            case "let" | "break" if self.world.halted:
                self.world.go_on(self.chance.choice(self.world.halted), broken=step == "break")
            case "cancel" if self.questions:
                question = self.chance.choice(self.questions)
                question.left = question.task.cancel()
            case "write":
                self.version += 1
                self.world.word = str(self.version)
            case "tell" if not self.house.cache.paused:
                self.tell()
            case "wait":
                self.world.now += self.chance.choice([1.0, 30.0, 61.0])
            case "pause":
                self.pause()
        if self.house.cache.paused and self.chance.random() < RESUMED:
            self.pause()
        await settled()
        self.check()

    def ask(self) -> None:
        name, region = self.chance.choice(NAMES), self.chance.choice(REGIONS)
        text, what = self.chance.choice(TEXTS), self.chance.choice("abc")
        floor = self.version if self.house.cache.paused else self.told
        task = asyncio.create_task(self.house.ask(text, name, region, what=what))
        self.questions.append(Question(name, region, what, floor, task))

    def tell(self) -> None:
        self.told = self.version
        self.house.cache.invalidate((TAG,))

    def pause(self) -> None:
        if self.house.cache.paused:
            self.tell()
            self.house.cache.resume()
        else:
            self.house.cache.pause()

    def check(self) -> None:
        for question in [one for one in self.questions if one.task.done()]:
            self.questions.remove(question)
            if question.left:
                continue
            result = question.task.result()
            if result.errors:
                self.refused += 1
                assert {error["extensions"]["code"] for error in result.errors} == {"NOT_FOUND"}
                continue
            self.answered += 1
            data = shown(result)
            if "gated" in data:
                version, region = int(data["gated"][:-2]), data["gated"][-2:]
            else:
                what, word, region = data["found"]["name"].split()
                version = int(word)
                assert what == question.what
            assert region == question.region
            assert data.get("mine", question.name) == question.name
            for owned in ("thing", "found"):
                assert data.get(owned, {}).get("owner", question.name) == question.name
            assert question.floor <= version <= self.version

    async def end(self) -> None:
        """Everybody is answered at last."""
        while self.questions:
            if self.world.halted:
                await self.take("let")
            else:
                await settled()
                self.check()


@pytest.mark.parametrize("seed", SEEDS)
async def test_nobody_is_given_what_is_older_than_was_known_or_is_anothers(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joints, "APART_SECONDS", 0)  # many fail here
    story = Story(random.Random(seed))
    LEFT_OUT.set(True)  # as nothing is traced, they may go together

    for step in story.steps():
        await story.take(step)
    async with asyncio.timeout(10):
        await story.end()

    usage = story.house.cache.usage()["answers"]
    assert story.answered > 50
    assert usage.hits > 0
    assert story.house.sharing.joined > 10
    assert story.world.asked["gated"] < story.answered + story.refused  # some was shared
    assert not story.world.halted
