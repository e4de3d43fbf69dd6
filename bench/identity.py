"""What it costs to know who asks: requests that are signed in beside those that are not, the endpoints of
sign-in, and what a flood of passwords does to everybody else.
"""

import asyncio
import base64
import hashlib
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from html import unescape
from statistics import median
from urllib.parse import parse_qsl, urlsplit

import httpx

from bench import operations
from bench.account import REGISTER
from bench.catalogue import slug
from bench.client import Client, body
from bench.load import Load, LoadFailed, put
from bench.measures import Result, Timing
from bench.processes import Running
from bench.stage import Stage
from bench.turns import Asker, compared, cpu_in_turns
from domain.identity.audit import SYSTEM
from domain.identity.clients import GrantType
from domain.identity.registrations import Registered, Registration
from gateway.services import open_services
from gateway.settings import Settings

TITLES = 20
ASKED = 60
"""How often each endpoint is asked."""
FLOODERS = 16
FLOODED_SECONDS = 1.0
FLOOD_ROUNDS = 7
FOLDER = "identity"
PASSWORD = "A-good-Passw0rd"
CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 64
SCOPE = "read:watchlist openid"
KEY = """mutation { createApiKey(input: {name: "Bench", scopes: ["read:watchlist"], perMinute: 6000}) {
  secret userErrors { message } } }"""
SIGN_IN = """mutation ($email: String!) { signIn(input: {email: $email, password: "Wrong-horse-7"}) {
  userErrors { code } } }"""

Report = Callable[[Result], None]


async def measure(stage: Stage, report: Report) -> None:
    async with stage.gateway(FOLDER, rate_limits="false") as server:
        stage.say("requests that are signed in …")
        for result in await _overhead(server):
            report(result)
        stage.say("endpoints of sign-in …")
        for name, timing in (await _endpoints(stage, server)).items():
            report(Result(name, timing))
        stage.say("a flood of passwords …")
        report(await _flood(stage, server))


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────


async def _overhead(server: Running) -> list[Result]:
    """CPU of the server for the same operations, by somebody anonymous, with a token and with a key."""
    async with Client.open(server.port) as client:
        client.token = token = await _registered(client)
        key = (await client.ask(KEY))["createApiKey"]["secret"]
    asking = {"anonymous": None, "signed in": token, "by API key": key}
    askers = {who: Asker(server, shown) for who, shown in asking.items()}
    titles = [body(operations.TITLE, slug=slug(number)) for number in range(1, TITLES + 1)]
    return [
        result
        for what, contents in (("__typename", [body(operations.TYPENAME)]), ("one title", titles))
        for result in compared(what, await cpu_in_turns(askers, contents))
    ]


async def _registered(client: Client) -> str:
    email = f"identity-{uuid.uuid4().hex}@example.com"
    payload = (await client.ask(REGISTER, email=email, password=PASSWORD))["registerAccount"]
    return str(payload["accessToken"])


# ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────


async def _endpoints(stage: Stage, server: Running) -> dict[str, Timing]:
    """How long each takes to answer one client at a time. None of them hashes a password."""
    client = await _client(stage)
    times: dict[str, list[float]] = {}

    async def timed(name: str, request: Awaitable[httpx.Response], status: int = 200) -> httpx.Response:
        began = time.perf_counter()
        response = await request
        times.setdefault(name, []).append(time.perf_counter() - began)
        if response.status_code != status:
            raise LoadFailed(f"{name} answers {response.status_code} {response.text[:300]}")
        return response

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as http:
        await _sign_in(http, server)
        own = (client.client.id, client.secret or "")
        for _ in range(ASKED):
            await timed("/.well-known/jwks.json", http.get("/.well-known/jwks.json"))
            await timed("/.well-known/openid-configuration", http.get("/.well-known/openid-configuration"))
            consent = await timed(
                "/oauth/authorize, page", http.get("/oauth/authorize", params=_asking(client))
            )
            form = _hidden(consent.text) | {"decision": "allow"}
            back = await timed("/oauth/authorize, code", http.post("/oauth/authorize", data=form), 303)
            code = dict(parse_qsl(urlsplit(back.headers["location"]).query))["code"]
            given = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
            tokens = (
                await timed("/oauth/token, code", http.post("/oauth/token", data=given, auth=own))
            ).json()
            given = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            tokens = (
                await timed("/oauth/token, refresh", http.post("/oauth/token", data=given, auth=own))
            ).json()
            bearer = {"authorization": f"Bearer {tokens['access_token']}"}
            await timed("/oauth/userinfo", http.get("/oauth/userinfo", headers=bearer))
            shown = {"token": tokens["refresh_token"]}
            await timed("/oauth/introspect", http.post("/oauth/introspect", data=shown, auth=own))
            await timed("/oauth/revoke", http.post("/oauth/revoke", data=shown, auth=own))
            await timed("/oauth/par", http.post("/oauth/par", data=_asking(client), auth=own), 201)
            await timed(
                "/oauth/device_authorization",
                http.post("/oauth/device_authorization", auth=own, data={"scope": SCOPE}),
            )
    return {name: Timing.of(seconds, sum(seconds)) for name, seconds in times.items()}


async def _client(stage: Stage) -> Registered:
    """A confidential client that may use every grant of people."""
    grants = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE)
    wanted = Registration("Bench", [CALLBACK], grants, SCOPE.split(), confidential=True)
    settings = Settings(database_url=stage.url, data_dir=stage.folder / FOLDER)
    async with open_services(settings) as services:
        return await services.registrations.register(wanted, SYSTEM)


def _asking(client: Registered) -> dict[str, str]:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    return {
        "response_type": "code",
        "client_id": client.client.id,
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "state": "s",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


async def _sign_in(http: httpx.AsyncClient, server: Running) -> None:
    """Leaves the cookie of somebody who is signed in on our pages."""
    email = f"identity-{uuid.uuid4().hex}@example.com"
    async with Client.open(server.port) as client:
        await client.ask(REGISTER, email=email, password=PASSWORD)
    form = _hidden((await http.get("/oauth/device")).text)
    await http.post("/oauth/sign-in", data=form | {"email": email, "password": PASSWORD})


def _hidden(text: str) -> dict[str, str]:
    """The hidden fields of a page's first form."""
    form = text.partition("<form")[2].partition("</form")[0]
    return {
        name: unescape(value)
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


# ── a flood ──────────────────────────────────────────────────────────────────────────────────────────────


async def _flood(stage: Stage, server: Running) -> Result:
    """Answers of one title a second while others try passwords, and while nobody does, in turns."""
    contents = [body(operations.TITLE, slug=slug(number)) for number in range(1, TITLES + 1)]
    load = Load(
        server.port, server.pid, contents, connections=stage.options.connections, seconds=FLOODED_SECONDS
    )
    calm, flooded, tried = [], [], 0
    for turn in range(FLOOD_ROUNDS):
        if turn % 2:
            calm.append(await put(load))
        async with _flooding(server) as count:
            flooded.append(await put(load))
        tried += count()
        if not turn % 2:
            calm.append(await put(load))
    before, while_flooded = Timing.median(calm), Timing.median(flooded)
    share = median(one.per_second / other.per_second for one, other in zip(flooded, calm, strict=True))
    note = f"{100 * (share - 1):+.0f} % of {before.per_second:.0f}/s; {tried} passwords were tried meanwhile"
    return Result("one title, while passwords are tried", while_flooded, note=note)


@asynccontextmanager
async def _flooding(server: Running) -> AsyncIterator[Callable[[], int]]:
    """Somebody tries passwords on as many connections as they like; answers how many so far."""
    tried = 0

    async def flood() -> None:
        nonlocal tried
        async with Client.open(server.port) as client:
            while True:
                await client.ask(SIGN_IN, email=f"{uuid.uuid4().hex}@example.com")
                tried += 1

    tasks = [asyncio.create_task(flood()) for _ in range(FLOODERS)]
    try:
        yield lambda: tried
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
