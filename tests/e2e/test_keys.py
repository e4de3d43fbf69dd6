"""Keys that are rotated while a server works under them."""

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from domain.identity.sealing import new_key
from gateway.signing import LOOK_EVERY_SECONDS
from tests.conftest import fresh_database
from tests.e2e.oauth import App, asked, command, registered
from tests.e2e.server import PASSWORD, Client, Server, register, running

VIEWER = "{ viewer { account { id } } }"
SIGN_IN = f"""mutation {{ signIn(input: {{email: "ada@example.com", password: "{PASSWORD}"}}) {{
  accessToken }} }}"""
SIGN_IN_REFRESHABLE = SIGN_IN.replace("accessToken }", "accessToken refreshToken }")
REFRESH = """mutation ($token: String!) { refreshSession(input: {refreshToken: $token}) { accessToken } }"""


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


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # see domain/identity/DECISIONS.md
async def test_two_servers_rotate_by_themselves_and_refuse_nobody(scratch: Path, postgres_url: str) -> None:
    settings = {
        "mode": "production",
        "issuer": "http://127.0.0.1:8000",
        "database_url": await fresh_database(postgres_url, "media_gateway_rotation"),
        "sealing_keys": new_key(),
        "allowed_origins": "https://app.example",
        "access_token_seconds": "60",
        "signing_key_seconds": "12",
        "signing_key_ahead_seconds": "6",
        "signing_key_overlap_seconds": "180",
    }
    refused: list[Any] = []
    seen: set[str] = set()
    async with (
        running(scratch / "rotation-1", **settings) as first,
        running(scratch / "rotation-2", **settings) as second,
    ):
        app = await registered(first, "--grant", "client_credentials", "--confidential", scope="read:content")
        end = time.monotonic() + 20

        async def ask(signing: Server, verifying: Server) -> None:
            while time.monotonic() < end:
                token = await token_of(signing, app)
                seen.add(kid_of(token))
                answer = await Client(verifying, token).answer("{ __typename }")
                if answer.get("errors"):
                    refused.append(answer)
                await asyncio.sleep(0.02)

        async def verify() -> None:
            """As a router would, that reads our keys now and then."""
            while time.monotonic() < end:
                keys = KeySet.import_key_set({"keys": await published(first.url)})
                # A server may learn of a key two seconds late, and the six of `ahead` are whole ones.
                await asyncio.sleep(1.5)
                token = await token_of(second, app)
                try:
                    jwt.decode(token, keys, algorithms=["EdDSA"])
                except JoseError as error:
                    refused.append(error)

        await asyncio.gather(
            ask(first, second), ask(second, first), ask(first, first), ask(second, second), verify()
        )
        added = "SELECT count(*) FROM audit_entry WHERE action = 'signing_key.added'"
        async with asyncio.timeout(30):
            while True:
                recorded = await answered(settings["database_url"], added)
                await asyncio.sleep(LOOK_EVERY_SECONDS + 0.5)
                keys = [await published(server.url) for server in (first, second)]
                if recorded == await answered(settings["database_url"], added):  # none came meanwhile
                    break

    assert refused == []
    assert len(seen) >= 2, "a key came and signed"
    assert keys[0] == keys[1]
    assert recorded == len(keys[0]) - 1, "each was added by one process alone"
    assert not list((scratch / "rotation-1").glob("*key*"))


async def test_after_a_leak_two_servers_take_no_token_of_the_old_key_and_nobody_signs_in_anew(
    scratch: Path, postgres_url: str
) -> None:
    settings = {
        "mode": "production",
        "issuer": "http://127.0.0.1:8000",
        "database_url": await fresh_database(postgres_url, "media_gateway_leak"),
        "sealing_keys": new_key(),
        "allowed_origins": "https://app.example",
    }
    async with (
        running(scratch / "leak-1", **settings) as first,
        running(scratch / "leak-2", **settings) as second,
    ):
        servers = (first, second)
        await register(first, "ada@example.com")
        tokens = (await Client(first).ask(SIGN_IN_REFRESHABLE))["signIn"]
        old = tokens["accessToken"]
        before = [bool((await Client(server, old).ask(VIEWER))["viewer"]) for server in servers]

        await command(first, "keys", "rotate", "--ahead", "0", "--overlap", "0")
        async with asyncio.timeout(LOOK_EVERY_SECONDS + 5):
            while any(  # noqa: ASYNC110 - as clients ask
                [not (await Client(server, old).answer(VIEWER)).get("errors") for server in servers]
            ):
                await asyncio.sleep(0.1)

        refused = [(await Client(server, old).answer(VIEWER))["errors"][0] for server in servers]
        keys = [await published(server.url) for server in servers]
        fresh = (await Client(second).ask(REFRESH, token=tokens["refreshToken"]))["refreshSession"]
        after = [
            bool((await Client(server, fresh["accessToken"]).ask(VIEWER))["viewer"]) for server in servers
        ]

    assert before == after == [True, True]
    assert {error["extensions"]["code"] for error in refused} == {"UNAUTHENTICATED"}
    assert (
        [key["kid"] for key in keys[0]] == [key["kid"] for key in keys[1]] == [kid_of(fresh["accessToken"])]
    )


async def published(url: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=url) as http:
        return list((await http.get("/.well-known/jwks.json")).json()["keys"])


async def until(url: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(found := await published(url)) < count:  # noqa: ASYNC110 - as others ask
            await asyncio.sleep(0.1)
    return found


async def token_of(server: Server, app: App) -> str:
    response = await asked(server, app, grant_type="client_credentials")
    return str(response.raise_for_status().json()["access_token"])


async def answered(database_url: str, statement: str) -> Any:
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
