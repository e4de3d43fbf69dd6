"""Keys that are rotated while a server works under them."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from joserfc import jws

from tests.conftest import fresh_database
from tests.e2e.oauth import command
from tests.e2e.server import PASSWORD, Client, register, running

VIEWER = "{ viewer { account { id } } }"
SIGN_IN = f"""mutation {{ signIn(input: {{email: "ada@example.com", password: "{PASSWORD}"}}) {{
  accessToken }} }}"""


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


async def test_keys_roll_over_under_load_and_nobody_notices(scratch: Path, postgres_url: str) -> None:
    url = await fresh_database(postgres_url, "media_gateway_keys")
    async with running(scratch / "keys", database_url=url, demo_catalogue="false") as server:
        ada = await register(server, "ada@example.com")
        old, refused, asked = str(ada.token), [], 0
        stop = asyncio.Event()

        async def ask() -> None:
            nonlocal asked
            while not stop.is_set():
                answer = await ada.answer(VIEWER)
                asked += 1
                if answer.get("errors"):
                    refused.append(answer)
                await asyncio.sleep(0.01)

        asking = asyncio.create_task(ask())
        before = await published(server.url)
        printed = await command(server, "keys", "rotate", "--alg", "RS256", "--ahead", "10")
        ahead = await until(server.url, 2)
        early = (await Client(server).ask(SIGN_IN))["signIn"]["accessToken"]
        await asyncio.sleep(12)
        late = (await Client(server).ask(SIGN_IN))["signIn"]["accessToken"]
        listed = await command(server, "keys", "list")
        stop.set()
        await asking

        new = printed.split()[0]
        assert len(before) == 1
        assert kid_of(old) == kid_of(early) == before[0]["kid"]  # published, and not signing yet
        assert {key["alg"] for key in ahead} == {"EdDSA", "RS256"}
        assert kid_of(late) == new
        assert all("d" not in key and "p" not in key and "nbf" not in key for key in ahead)
        for token in (old, early, late):
            assert (await Client(server, token).ask(VIEWER))["viewer"]
        assert f"{new}  RS256  signs" in listed
        assert refused == []
        assert asked > 50
        key_file = scratch / "keys" / "signing-key.json"
        assert key_file.stat().st_mode & 0o077 == 0


async def published(url: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=url) as http:
        return list((await http.get("/.well-known/jwks.json")).json()["keys"])


async def until(url: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(found := await published(url)) < count:  # noqa: ASYNC110 - as others ask
            await asyncio.sleep(0.1)
    return found
