"""Client libraries, as they are published, read the answers that come in parts."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.serving import serving

HERE = Path(__file__).parent
QUERY = """
query Toys {
  caller
  toys(count: 4) @stream(initialCount: 1) { name inner { name } }
  maybeToy {
    name
    ... @defer { price inner { name } }
    ... @defer { coded forbidden more: inner { name price } }
  }
  ... @defer { slow(seconds: 0.2) }
}
"""
TOYS = [{"name": str(number), "inner": {"name": f"{number}+"}} for number in range(4)]
DOLL = {
    "name": "doll",
    "price": 3,
    "inner": {"name": "doll+"},
    "more": {"name": "doll+", "price": 3},
    "coded": None,
    "forbidden": None,
}
FIRST = {"caller": "nobody", "toys": TOYS[:1], "maybeToy": {"name": "doll"}}
WHOLE = {"caller": "nobody", "toys": TOYS, "maybeToy": DOLL, "slow": "done"}


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js runs the clients, and is not installed")
async def test_apollo_client_and_urql_show_what_is_there_and_end_with_the_whole() -> None:
    if not (HERE / "node_modules" / "@urql").exists():
        await _run("npm", "ci", "--no-audit", "--no-fund")

    async with serving() as shop:
        answers: dict[str, Any] = json.loads(await _run("node", "run.mjs", shop.url, QUERY))

    assert {name: answer["types"] for name, answer in answers.items()} == {
        "Apollo Client": ['multipart/mixed; boundary="-"; incrementalSpec=v0.2'],
        "Apollo Client of 2022": ['multipart/mixed; boundary="-"; deferSpec=20220824'],
        "urql": ['multipart/mixed; boundary="-"; deferSpec=20220824'],
    }
    for answer in answers.values():
        first, *_, last = answer["states"]
        assert without_typenames(first) == {"data": FIRST, "errors": []}
        assert without_typenames(last["data"]) == WHOLE
        assert sorted(last["errors"]) == ["FORBIDDEN", "NOT_FOUND"]
        assert len(answer["states"]) >= 3


def without_typenames(value: Any) -> Any:
    if isinstance(value, list):
        return [without_typenames(item) for item in value]
    if isinstance(value, dict):
        return {key: without_typenames(item) for key, item in value.items() if key != "__typename"}
    return value
