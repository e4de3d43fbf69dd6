"""No secret in any log: of the whole run, and of all that can go wrong with one in hand."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import httpx
import pyotp
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.conftest import fresh_database
from tests.e2e.oauth import App, Browser, asked, asking, browsing, code_for, exchanged, registered
from tests.e2e.secrets import Secrets, logs_in
from tests.e2e.server import PASSWORD, REGISTER, Client, Server, register, running

EMAIL = "careless@example.com"
STRAY = "Typed-into-the-wr0ng-field"
VIEWER = "{ viewer { account { id } } }"
SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) { accessToken refreshToken userErrors { code } } }"""
REFRESH = """mutation ($token: String!) {
  refreshSession(input: {refreshToken: $token}) { accessToken userErrors { code } } }"""
ENROL = "mutation { enrolTotp(input: {}) { secret uri } }"
CONFIRM = """mutation ($code: String!) {
  confirmTotp(input: {code: $code}) { backupCodes userErrors { code } } }"""
STEP_UP = "mutation ($by: StepUpInput!) { stepUp(input: $by) { holdsUntil userErrors { code } } }"
CREATE_KEY = """mutation { createApiKey(input: {name: "Script", scopes: ["read:content"]}) { secret } }"""
RESET = "mutation ($email: String!) { requestPasswordReset(input: {email: $email}) { accepted } }"
SET = """mutation ($token: String!, $password: String!) {
  resetPassword(input: {token: $token, newPassword: $password}) { userErrors { code } } }"""


@pytest.fixture(scope="module")
async def talkative(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    """A server that says all it can."""
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_talkative"),
        "demo_catalogue": "false",
        "issuer": "http://127.0.0.1:{port}",
        "log_level": "debug",
    }
    async with running(scratch / "talkative", **settings) as server:
        await register(server, EMAIL)
        yield server


@pytest.fixture(scope="module")
async def careless(talkative: Server) -> AsyncIterator[Browser]:
    async with browsing(talkative) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), EMAIL)
        yield browser


async def test_secrets_in_the_wrong_place_are_not_logged(talkative: Server, secrets: Secrets) -> None:
    secrets.add("a wrong field", STRAY)
    token = (await Client(talkative).ask(SIGN_IN, email=EMAIL, password=PASSWORD))["signIn"]["accessToken"]
    caller = Client(talkative, token)

    await caller.answer(SIGN_IN, email=STRAY, password=STRAY)
    await caller.answer(SIGN_IN, email=f"{STRAY}@example.com", password=[STRAY])
    await caller.answer(f'mutation {{ signIn(input: {{email: 7, password: "{STRAY}"}}) {{ nothing }} }}')
    await caller.answer(f'mutation {{ signIn(input: {{password: "{STRAY}"')
    await caller.answer(f"query {STRAY.replace('-', '_')} {{ viewer {{ nothing }} }}", password=STRAY)
    async with httpx.AsyncClient(base_url=talkative.url) as http:
        for headers in (
            {"authorization": f"Bearer {STRAY} {token}"},
            {"authorization": token},
            {"authorization": f"Bearer {token[:-6]}AAAAAA"},
            {"x-api-key": f"mg_live_{STRAY}"},
            {"cookie": f"mg-session={STRAY}"},
            {"x-request-id": "fine", "dpop": STRAY},
        ):
            await http.post("/graphql", json={"query": VIEWER}, headers=headers)
        for path in (
            f"/graphql?query={quote(VIEWER)}&access_token={token}",
            f"/oauth/userinfo?access_token={token}",
            f"/account/export?token={STRAY}",
            f"/account/reset-password?token={STRAY}",
            f"/oauth/authorize?client_id=nobody&client_secret={STRAY}",
            f"/nothing/{STRAY}?password={STRAY}",
        ):
            await http.get(path, headers={"x-requested-with": "x"})
        await http.post("/graphql", content=f'{{"query": "{STRAY}", broken', headers={"content-type": JSON})
        await http.post("/oauth/token", json={"client_secret": STRAY})
        await http.post("/oauth/token", data={"grant_type": "password", "password": STRAY})
        await http.post("/oauth/sign-in", data={"email": STRAY, "password": STRAY, "next": STRAY})

    assert list(secrets.leaks([talkative.log])) == []


JSON = "application/json"


async def test_what_is_refused_is_not_logged(talkative: Server, careless: Browser, secrets: Secrets) -> None:
    app = await registered(talkative, "--confidential")
    code = await code_for(careless, app)
    await exchanged(talkative, app, code, code_verifier="w" * 64)
    tokens = (await exchanged(talkative, app, code)).json()
    await exchanged(talkative, app, code)
    for fields in ({"refresh_token": tokens["refresh_token"]}, {"refresh_token": STRAY}):
        await asked(talkative, app, grant_type="refresh_token", **fields)
    await exchanged(talkative, App(app.id, STRAY), code)
    await careless.open("/oauth/authorize", **asking(app), request_uri=f"urn:x:{STRAY}")
    await Client(talkative).answer(REFRESH, token=tokens["refresh_token"])
    await Client(talkative).answer(SET, token=STRAY, password=STRAY)
    await Client(talkative).answer(RESET, email=EMAIL)

    assert list(secrets.leaks([talkative.log])) == []


async def test_second_factors_and_keys_are_not_logged(talkative: Server, secrets: Secrets) -> None:
    client = await register(talkative, "factors@example.com")
    secret = (await client.ask(ENROL))["enrolTotp"]["secret"]
    await client.ask(CONFIRM, code="000 000")
    made = (await client.ask(CONFIRM, code=pyotp.TOTP(secret).now()))["confirmTotp"]
    for by in ({"code": "123456"}, {"backupCode": STRAY}, {"backupCode": made["backupCodes"][0]}):
        await client.answer(STEP_UP, by=by)
    key = (await client.ask(CREATE_KEY))["createApiKey"]["secret"]
    await Client(talkative, key).answer(VIEWER)
    await Client(talkative, key[:-1] + "x").answer(VIEWER)

    assert secret in secrets.seen
    assert key in secrets.seen
    assert list(secrets.leaks([talkative.log])) == []


async def test_what_fails_within_the_database_is_logged_without_its_rows(
    talkative: Server, secrets: Secrets
) -> None:
    connection = await asyncpg.connect(talkative.settings["MEDIA_GATEWAY_DATABASE_URL"])
    try:
        for table in ("account", "login_session"):
            # PostgreSQL shows the whole row that breaks a rule.
            rule = "ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID"
            await connection.execute(f"ALTER TABLE {table} {rule}")
        answers = [
            await Client(talkative).answer(SIGN_IN, email=EMAIL, password=PASSWORD),
            await Client(talkative).answer(REGISTER, email="new@example.com", password=PASSWORD),
        ]
    finally:
        for table in ("account", "login_session"):
            await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT broken")
        await connection.close()

    assert [answer["errors"][0]["extensions"]["code"] for answer in answers] == ["INTERNAL"] * 2
    log = talkative.log.read_text()
    assert "CheckViolationError" in log
    assert "Failing row contains ([redacted])" in log
    assert "python-httpx" not in log
    assert "$argon2" not in log
    assert list(secrets.leaks([talkative.log])) == []


@pytest.mark.parametrize(
    "form", ["Bearer {0}", '{{"x": "{0}"}}', "/path?token={1}&x", "{0}", "…{0}…\nnext line"]
)
async def test_a_leak_would_be_found(tmp_path: Path, form: str) -> None:
    token = "a+secret/of=this~run"
    found, log = Secrets(), tmp_path / "server.log"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(giving(token)), base_url="http://a") as http:
        found.watch(await http.post("/token", data={"password": "a-passw0rd"}))

    log.write_text("good\n" + form.format(token, quote(token, safe="")))
    assert [leak.rpartition(" has ")[0] for leak in found.leaks([log])] == [f"{log}:2"]
    log.write_text("good\nwith a-passw0rd\n")
    assert len(list(found.leaks([log]))) == 1
    log.write_text("good\n")
    assert list(found.leaks([log])) == []


def giving(token: str) -> Starlette:
    async def answer(_request: object) -> Response:
        return JSONResponse({"data": {"signIn": [{"accessToken": token}]}})

    return Starlette(routes=[Route("/token", answer, methods=["POST"])])


async def test_no_secret_is_in_the_log_of_any_server_so_far(
    scratch: Path, talkative: Server, secrets: Secrets
) -> None:
    """The fixture looks again when all tests are done."""
    secrets.watch_folder(scratch)
    logs = logs_in(scratch)

    assert talkative.log in logs
    key = json.loads((talkative.log.parent / "signing-key.json").read_text())["d"]
    assert {PASSWORD, key} <= secrets.seen.keys()
    assert list(secrets.leaks(logs)) == []
