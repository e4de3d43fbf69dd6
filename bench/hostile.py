"""What documents that mean harm cost until they are refused: CPU of `Engine.prepare`, each time a new one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.measures import Result
from gateway.collector import spare_what_stays
from gateway.engine.documents import Rejected
from gateway.engine.execution import Engine
from gateway.engine.limits import Limits
from gateway.engine.requests import OperationRequest
from schema.graph import graph

REPEATED = 15
FULL = Limits().max_tokens - 50
"""Tokens of a document that is just not refused for having too many."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """A kind of document, and one of that kind."""

    name: str
    text: str


def documents() -> list[Hostile]:
    """Of each kind one as large as its tokens may be, and one that is far larger."""
    return [
        document
        for size, tokens in (("", FULL), (", 20 times larger", 20 * FULL))
        for document in (
            Hostile(f"deep{size}", _deep(tokens // 3)),
            Hostile(f"wide{size}", _wide(tokens)),
            Hostile(f"aliased{size}", _aliased(tokens // 6)),
            Hostile(f"cyclic fragments{size}", _cyclic(tokens)),
            Hostile(f"long list{size}", _long_list(tokens)),
        )
    ]


async def measure(say: Callable[[str], None], report: Callable[[Result], None]) -> None:
    """By an engine over the whole graph as production has it, warm, with the limits it has by default."""
    say("hostile documents …")
    engine = Engine(graph(), introspection=False)
    engine.prepare(OperationRequest("{ contents { nodes { id title } } }"))
    spare_what_stays()
    for document in documents():
        milliseconds, refusal = _refused(engine, document.text)
        report(Result(f"hostile, {document.name}", figure=milliseconds, unit="ms", note=refusal))


def _refused(engine: Engine, text: str) -> tuple[float, str]:
    """CPU milliseconds, the median of many, and why it was refused."""
    spent: list[float] = []
    refusal = "not refused"
    for number in range(REPEATED):
        request = OperationRequest(f"{text} # {number}")  # or the refusal would be remembered
        began = time.process_time()
        try:
            engine.prepare(request)
        except Rejected as rejected:
            refusal = rejected.errors[0]["message"]
        spent.append(1000 * (time.process_time() - began))
    return median(spent), refusal


def _deep(levels: int) -> str:
    """Valid all the way down: works of the people of works."""
    turn = ("credits", "nodes", "person", "works", "nodes")
    names = ["contents", "nodes", *(turn[level % len(turn)] for level in range(levels - 2))]
    return "{ " + " { ".join(names) + " { __typename" + " }" * len(names) + " }"


def _wide(fields: int) -> str:
    return "{ contents { nodes { " + "title " * fields + "} } }"


def _aliased(fields: int) -> str:
    """Each costs a page of titles."""
    return "{ " + " ".join(f"a{number}: contents {{ totalCount }}" for number in range(fields)) + " }"


def _cyclic(tokens: int) -> str:
    """As many fragments as may be, each spreading every other."""
    count = int((tokens / 2) ** 0.5) - 2
    spreads = " ".join(f"...f{number}" for number in range(count))
    fragments = " ".join(f"fragment f{number} on Query {{ {spreads} }}" for number in range(count))
    return f"{{ ...f0 }} {fragments}"


def _long_list(values: int) -> str:
    listed = " ".join(f'"{number}"' for number in range(values))
    return f"{{ contents(filter: {{keywords: [{listed}]}}) {{ totalCount }} }}"
