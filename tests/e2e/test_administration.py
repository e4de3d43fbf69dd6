"""Administration and API keys over two real servers that share a database and nothing else."""

import asyncio
import math
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import fresh_database
from tests.e2e.server import PASSWORD, Client, Server, register, running

VIEWER = "{ viewer { account { id } } }"
CREATE = """mutation ($scopes: [String!]!, $perMinute: Int! = 60) { createApiKey(input: {
  name: "Script", scopes: $scopes, perMinute: $perMinute }) { secret apiKey { id prefix scopes lastUsedAt }
  userErrors { code field message } } }"""
REVOKE = (
    "mutation ($id: ID!) { revokeApiKey(input: {keyId: $id}) { apiKey { revokedAt } userErrors { code } } }"
)
SUSPEND = """mutation ($id: ID!) { suspendAccount(input: {accountId: $id, reason: "Spam"}) {
  account { suspendedAt } userErrors { code } } }"""
PROMOTE = """mutation ($id: ID!) { setAccountRoles(input: {accountId: $id, roles: [ADMIN]}) {
  account { roles } } }"""
SIGN_IN = f"""mutation ($email: String!) {{ signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  accessToken }} }}"""
AUDIT = """query ($filter: AuditLogFilter) { admin { auditLog(first: 5, filter: $filter) { totalCount
  nodes { action actor { email } resourceId after address userAgent requestId } } } }"""
SET_LIMIT = """mutation ($perMinute: Int!) { setRateLimit(input: { endpoint: "oauth.token", asking: ANONYMOUS,
  perMinute: $perMinute, perHour: 1000, burst: $perMinute }) { rateLimit { limit { perMinute } }
  userErrors { code message } } }"""


@pytest.fixture(scope="module")
async def servers(scratch: Path, postgres_url: str) -> AsyncIterator[tuple[Server, Server]]:
    shared = {
        "database_url": await fresh_database(postgres_url, "media_gateway_administration"),
        "background_work": "false",
        "demo_catalogue": "false",
        "rate_limits": "true",
    }
    key = scratch / "administration-1"
    async with running(key, **shared) as first:
        second_folder = scratch / "administration-2"
        second_folder.mkdir()
        (second_folder / "signing-key.json").write_bytes((key / "signing-key.json").read_bytes())
        async with running(second_folder, **shared) as second:
            yield first, second


async def administrator(server: Server, email: str) -> Client:
    """An account that the command made an administrator."""
    await register(server, email)
    others = {name: value for name, value in os.environ.items() if not name.startswith("MEDIA_GATEWAY_")}
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "grant", "admin", "--account", email),
        env=others | server.settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, _ = await command.communicate()
    assert command.returncode == 0
    assert said.decode().strip() == f"{email}: viewer, admin"
    token = (await Client(server).ask(SIGN_IN, email=email))["signIn"]["accessToken"]
    return Client(server, token)


async def by_key(server: Server, key: str, query: str = VIEWER) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.post(f"{server.url}/graphql", json={"query": query}, headers={"X-API-Key": key})


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> float:
    """After how many seconds something held."""
    began = time.perf_counter()
    while not await holds():
        assert time.perf_counter() - began < seconds
        await asyncio.sleep(0.02)
    return time.perf_counter() - began


async def test_a_key_reaches_as_far_as_its_scopes_until_it_is_revoked_on_another_server(
    servers: tuple[Server, Server],
) -> None:
    first, second = servers
    ada = await register(first, "key-ada@example.org")
    made = (await ada.ask(CREATE, scopes=["read:watchlist"]))["createApiKey"]
    key = made["secret"]

    own = (await by_key(second, key)).json()
    beyond = (await by_key(second, key, "{ viewer { history { totalCount } } }")).json()
    another = (
        await by_key(second, key, 'mutation { createApiKey(input: {name: "x", scopes: []}) { secret } }')
    ).json()
    revoked = await ada.ask(REVOKE, id=made["apiKey"]["id"])

    async def refused() -> bool:
        return (await by_key(second, key)).status_code == 401

    assert own["data"]["viewer"]["account"]["id"]
    assert beyond["errors"][0]["extensions"] == {"code": "FORBIDDEN", "scope": "read:progress"} | _docs(
        beyond
    )
    assert another["errors"][0]["extensions"]["scope"] == "write:security"
    assert revoked["revokeApiKey"]["userErrors"] == []
    assert await until(refused) < 1.0


def _docs(answer: Any) -> dict[str, Any]:
    extensions = answer["errors"][0]["extensions"]
    return {name: extensions[name] for name in ("docs",) if name in extensions}


async def test_a_key_is_held_to_its_own_rate_and_told_when_it_may_come_again(
    servers: tuple[Server, Server],
) -> None:
    first, _ = servers
    ada = await register(first, "rate-ada@example.org")
    key = (await ada.ask(CREATE, scopes=["read:watchlist"], perMinute=3))["createApiKey"]["secret"]

    answers = [await by_key(first, key) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    headers = answers[3].headers
    assert 1 <= int(headers["retry-after"]) <= 20
    assert headers["ratelimit-policy"] == '"requests";q=3;w=60'
    assert headers["ratelimit"] == f'"requests";r=0;t={headers["retry-after"]}'
    assert answers[3].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert (await ada.ask(VIEWER))["viewer"], "the account itself is not held up"


async def test_a_suspension_is_known_on_another_server_within_a_second_and_on_record(
    servers: tuple[Server, Server],
) -> None:
    first, second = servers
    root = await administrator(first, "root@example.org")
    eve = await register(first, "eve@example.org")
    elsewhere = Client(second, eve.token)
    eve_id = (await elsewhere.ask(VIEWER))["viewer"]["account"]["id"]
    key = (await eve.ask(CREATE, scopes=["read:watchlist"]))["createApiKey"]["secret"]
    assert (await by_key(second, key)).status_code == 200

    done = (await root.ask(SUSPEND, id=eve_id))["suspendAccount"]

    async def refused() -> bool:
        answer = await elsewhere.answer(VIEWER)
        return bool(answer.get("errors")) and (await by_key(second, key)).status_code == 401

    assert done["userErrors"] == []
    assert await until(refused) < 1.2
    filter_ = {"actions": ["account.suspended"], "resourceType": "account", "resourceId": eve_id}
    log = (await root.ask(AUDIT, filter=filter_))["admin"]["auditLog"]
    assert log["totalCount"] == 1
    entry = log["nodes"][0]
    assert entry["actor"] == {"email": "root@example.org"}
    assert entry["after"] == {"reason": "Spam"}
    assert entry["address"] == "127.0.0.1"
    assert entry["requestId"]


async def test_administration_is_closed_to_everybody_else(servers: tuple[Server, Server]) -> None:
    first, _ = servers
    ada = await register(first, "closed-ada@example.org")
    ada_id = (await ada.ask(VIEWER))["viewer"]["account"]["id"]

    for document, variables in (
        ("{ admin { accounts { totalCount } } }", {}),
        (AUDIT, {}),
        (SUSPEND, {"id": ada_id}),
        (SET_LIMIT, {"perMinute": 5}),
        (PROMOTE, {"id": ada_id}),
    ):
        theirs = await ada.answer(document, **variables)
        nobodys = await Client(first).answer(document, **variables)
        assert theirs["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert nobodys["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "admin:" in theirs["errors"][0]["extensions"]["scope"]
    assert (await ada.ask(VIEWER))["viewer"]


async def test_a_limit_that_an_administrator_sets_is_obeyed_on_every_server_without_a_restart(
    servers: tuple[Server, Server],
) -> None:
    first, second = servers
    root = await administrator(first, "limits-root@example.org")

    async def asked(server: Server) -> httpx.Response:
        async with httpx.AsyncClient() as http:
            return await http.post(f"{server.url}/oauth/token", data={"grant_type": "nonsense"})

    async def obeyed() -> bool:
        return (await asked(second)).headers["ratelimit-policy"] == '"requests";q=1;w=60'

    before = await asked(second)
    done = (await root.ask(SET_LIMIT, perMinute=1))["setRateLimit"]
    refused = [await asked(first) for _ in range(2)][-1]

    assert before.headers["ratelimit-policy"] == '"requests";q=10;w=60'
    assert before.headers["ratelimit"] == '"requests";r=9;t=6'
    assert done["userErrors"] == []
    assert refused.status_code == 429
    assert refused.json()["error"] == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert await until(obeyed) < 1.2
    log = (await root.ask(AUDIT, filter={"resourceType": "rate_limit"}))["admin"]["auditLog"]["nodes"]
    assert [(entry["resourceId"], entry["after"]["per_minute"]) for entry in log] == [
        ("oauth.token anonymous", 1)
    ]


SET_BUDGET = """mutation ($capacity: Float!, $perSecond: Float!) { setCostBudget(input: { asking: FREE,
  capacity: $capacity, perSecond: $perSecond }) { costBudget { capacity perSecond changedAt }
  userErrors { code field } } }"""
RESET_BUDGET = "mutation { resetCostBudget(input: {asking: FREE}) { costBudget { capacity changedAt } } }"
DEAR = "{ contents(first: 50) { nodes { title genres { name } } } }"


async def by_token(client: Client, query: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {client.token}"}
    async with httpx.AsyncClient() as http:
        return await http.post(f"{client.server.url}/graphql", json={"query": query}, headers=headers)


def left(answer: httpx.Response) -> tuple[int, int]:
    """What is left of the budget, and in how many seconds it is full."""
    found = re.fullmatch(r'"cost";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert found is not None, answer.headers
    return int(found[1]), int(found[2])


async def test_a_budget_that_is_set_holds_on_another_server_and_its_headers_are_true(
    servers: tuple[Server, Server],
) -> None:
    first, second = servers
    root = await administrator(first, "budget-root@example.org")
    ada = await register(second, "budget-ada@example.org")
    before = await by_token(ada, DEAR)

    small = (await root.ask(SET_BUDGET, capacity=1, perSecond=1))["setCostBudget"]
    done = (await root.ask(SET_BUDGET, capacity=2_000, perSecond=500))["setCostBudget"]

    async def known() -> bool:
        return (await by_token(ada, VIEWER)).headers["ratelimit-policy"] == '"cost";q=2000;w=4'

    assert await until(known) < 1.5
    assert before.headers["ratelimit-policy"] == '"cost";q=100000;w=20'
    assert small == {"costBudget": None, "userErrors": [
        {"code": "INVALID", "field": ["capacity"]}]}  # fmt: skip
    assert done["costBudget"]["capacity"] == 2_000

    # A mutation uses all it is charged, so that nothing is given back after it.
    spend = 'mutation { updateProfile(input: {displayName: "Ada"}) { userErrors { code } } }'
    answers = [await by_token(ada, spend) for _ in range(12)]
    (refused,) = [answer for answer in answers if answer.status_code == 429][:1]
    wait = int(refused.headers["retry-after"])
    remaining, full_in = left(refused)
    cost = refused.json()["errors"][0]["extensions"]["cost"]
    await asyncio.sleep(wait)
    after = await by_token(ada, spend)

    assert remaining < cost
    assert wait == math.ceil((cost - remaining) / 500) or wait == math.ceil((cost - remaining - 1) / 500)
    assert full_in == pytest.approx((2_000 - remaining) / 500, abs=1)
    assert after.status_code == 200

    reset = (await root.ask(RESET_BUDGET))["resetCostBudget"]["costBudget"]
    assert reset == {"capacity": 100_000, "changedAt": None}


async def test_a_key_is_told_both_its_rate_and_its_budget(servers: tuple[Server, Server]) -> None:
    first, _ = servers
    ada = await register(first, "both-ada@example.org")
    key = (await ada.ask(CREATE, scopes=["read:watchlist"], perMinute=60))["createApiKey"]["secret"]

    answer = await by_key(first, key)

    assert re.fullmatch(r'"requests";q=60;w=60, "cost";q=100000;w=20', answer.headers["ratelimit-policy"])
    assert re.fullmatch(r'"requests";r=59;t=1, "cost";r=\d+;t=\d+', answer.headers["ratelimit"])


async def test_what_caches_may_keep_tells_nothing_of_who_asked_first(servers: tuple[Server, Server]) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(
            f"{servers[0].url}/graphql",
            params={"query": "{ contents(first: 1) { nodes { title } } }"},
            headers={"x-requested-with": "test", "accept": "application/json"},
        )

    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers
