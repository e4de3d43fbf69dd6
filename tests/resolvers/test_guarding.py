"""Guards: whoever lacks what a field needs is told so, and the resolver behind it does not run."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from strawberry import Parent
from strawberry.types import Info

from domain.identity.model import ANONYMOUS, Caller
from domain.identity.policy import PUBLIC, SIGNED_IN, Policy, Scope, needs, own
from gateway.engine.execution import Engine
from gateway.engine.requests import OperationRequest
from resolvers.batching import batched
from resolvers.guarding import guarded
from schema.views import edge, stream

PROGRESS = needs(Scope.READ_PROGRESS)
NARROW = Caller("1", scopes=frozenset({Scope.READ_WATCHLIST}))
ADA = Caller("1", scopes=frozenset({Scope.READ_PROGRESS, Scope.READ_WATCHLIST}))


@dataclass
class Asked:
    """The context, which remembers which resolvers ran."""

    caller: Caller
    ran: list[str] = field(default_factory=list)
    gathered: dict[Any, Any] = field(default_factory=dict)
    services: Any = field(default_factory=lambda: SimpleNamespace(policy=Policy()))


AskedInfo = Info[Asked, None]


@dataclass
class Title:
    name: str


async def answer_later(title: Parent[Title], info: AskedInfo, word: str = "later") -> str:
    info.context.ran.append(word)
    return word


def answer_at_once(title: Parent[Title], info: AskedInfo) -> str:
    info.context.ran.append("at once")
    return "at once"


def answer_without_info(title: Parent[Title]) -> str:
    return title.name


@batched
async def answer_gathered(titles: Sequence[Title], info: AskedInfo) -> list[str]:
    info.context.ran.append("gathered")
    return [title.name for title in titles]


@strawberry.type
class Shown:
    name: str
    later: str | None = edge(answer_later, access=PROGRESS)
    at_once: str | None = edge(answer_at_once, access=PROGRESS)
    without_info: str | None = edge(answer_without_info, access=PROGRESS)
    gathered: str | None = edge(answer_gathered, access=PROGRESS)
    mine: str | None = edge(answer_at_once, access=own(Scope.READ_PROGRESS))
    certain: str = edge(answer_at_once, access=PROGRESS)


def all_titles() -> list[Title]:
    return [Title("a"), Title("b")]


def answer_secret(info: AskedInfo) -> str:
    info.context.ran.append("secret")
    return "secret"


@strawberry.type
class Query:
    titles: list[Shown] = edge(all_titles, access=PUBLIC)
    secret: str | None = edge(answer_secret, access=SIGNED_IN)


async def answer_ticks(info: AskedInfo) -> AsyncGenerator[int, None]:
    info.context.ran.append("ticks")
    try:
        yield 1
        yield 2
    finally:
        info.context.ran.append("closed")


@strawberry.type
class Subscription:
    ticks: int = stream(answer_ticks, access=PROGRESS)


schema = strawberry.Schema(Query, subscription=Subscription)
FIELDS = ["later", "atOnce", "withoutInfo", "gathered"]


@pytest.fixture(params=[False, True], ids=["graphql-core", "plan"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(schema, planned=request.param)


@pytest.mark.parametrize("name", FIELDS)
async def test_who_holds_the_scope_is_answered(engine: Engine, name: str) -> None:
    result = await engine.answer(OperationRequest(f"{{ titles {{ {name} }} }}"), Asked(ADA))

    assert result.errors == []
    assert result.data is not None
    assert all(title[name] for title in result.data["titles"])


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    ("caller", "code"), [(ANONYMOUS, "UNAUTHENTICATED"), (NARROW, "FORBIDDEN")], ids=["anonymous", "narrow"]
)
async def test_others_get_null_and_are_told_which_scope_is_needed(
    engine: Engine, name: str, caller: Caller, code: str
) -> None:
    asked = Asked(caller)
    result = await engine.answer(OperationRequest(f"{{ titles {{ name {name} }} }}"), asked)

    assert result.data == {"titles": [{"name": "a", name: None}, {"name": "b", name: None}]}
    assert [error["path"] for error in result.errors] == [["titles", 0, name], ["titles", 1, name]]
    assert [error["extensions"] for error in result.errors] == [{"code": code, "scope": "read:progress"}] * 2
    assert all("read:progress" in error["message"] for error in result.errors)
    assert asked.ran == []


async def test_a_refused_field_that_cannot_be_null_takes_its_parent_with_it(engine: Engine) -> None:
    result = await engine.answer(OperationRequest("{ secret titles { certain } }"), Asked(NARROW))

    assert result.data is None
    assert {error["extensions"]["code"] for error in result.errors} == {"FORBIDDEN"}


async def test_what_shows_each_their_own_is_asked_in_nobodys_name_too(engine: Engine) -> None:
    request = OperationRequest("{ titles { mine } }")
    found = [(await engine.answer(request, Asked(caller))).data for caller in (ANONYMOUS, NARROW, ADA)]

    answers = [data["titles"][0]["mine"] for data in found if data is not None]
    assert answers == ["at once", None, "at once"]


async def test_signing_in_is_enough_where_no_scope_is_named(engine: Engine) -> None:
    request = OperationRequest("{ secret }")
    nobody = await engine.answer(request, Asked(ANONYMOUS))

    assert (await engine.answer(request, Asked(Caller("1")))).data == {"secret": "secret"}
    assert nobody.data == {"secret": None}
    assert nobody.errors[0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_a_batch_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[Any] = []
    engine = Engine(schema, planned=True)
    monkeypatch.setattr(Policy, "check", lambda *asked: checks.append(asked))

    await engine.answer(OperationRequest("{ titles { gathered } }"), Asked(ADA))

    assert len(checks) == 1


async def test_a_stream_is_refused_before_it_begins_and_closed_when_it_is_left(engine: Engine) -> None:
    operation = engine.prepare(OperationRequest("subscription { ticks }"))
    refused, allowed = Asked(NARROW), Asked(ADA)

    results = [result async for result in engine.subscribe(operation, refused)]
    source = engine.subscribe(operation, allowed)
    first = await anext(source)
    await source.aclose()

    assert [result.errors[0]["extensions"]["code"] for result in results] == ["FORBIDDEN"]
    assert refused.ran == []
    assert first.data == {"ticks": 1}
    assert allowed.ran == ["ticks", "closed"]


def test_what_is_public_has_no_guard_around_it() -> None:
    assert guarded(all_titles, PUBLIC) is all_titles
    assert guarded(all_titles, own()) is all_titles
    assert guarded(answer_secret, SIGNED_IN) is not answer_secret
