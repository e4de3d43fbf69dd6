"""What attackers try on a running server, beside what the specifications warn of."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pyotp
import pytest

from domain.identity.model import BROWSER, FIRST_PARTY
from gateway.oauth.browser import seal
from tests.conftest import fresh_database
from tests.e2e.oauth import EMAIL, App, Browser, Page, browsing, code_for, exchanged
from tests.e2e.server import PASSWORD, Client, Failed, Server, register, running

VIEWER = "{ viewer { account { id } } }"
SIGN_IN = "signIn(input: {{email: {0}, password: {1}}}) {{ accessToken userErrors {{ code }} }}"
CHALLENGE = f"""mutation ($email: String!) {{ signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  challenge {{ token }} }} }}"""
COMPLETE = """mutation ($challenge: String!, $factor: SecondFactorInput!) {
  completeSignIn(input: {challenge: $challenge, factor: $factor}) { accessToken userErrors { code } } }"""
ENROL = "mutation { enrolTotp(input: {}) { secret } }"
CONFIRM = "mutation ($code: String!) { confirmTotp(input: {code: $code}) { backupCodes } }"
VERIFY_PIN = 'mutation { verifyParentalPin(input: {pin: "4711"}) { userErrors { code } } }'
UNLOCKED = "{ viewer { parentalControls { unlockedUntil } } }"
SET_PIN = 'mutation { setParentalPin(input: {pin: "4711"}) { userErrors { code } } }'
CREATE_KEY = """mutation { createApiKey(input: {name: "Script", scopes: ["read:preferences"]}) {
  secret userErrors { code } } }"""
SUSPEND = (
    """mutation ($id: ID!) { suspendAccount(input: {accountId: $id, reason: "x"}) { userErrors { code } } }"""
)


@pytest.fixture(scope="module")
async def server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_hostile"),
        "demo_catalogue": "false",
        "issuer": "http://127.0.0.1:{port}",
        # Costs would stop most of it already; what is tested here has to stand alone.
        "cost_budgets": "{}",
        "max_cost": "1000000",
    }
    async with running(scratch / "hostile", **settings) as server:
        yield server


def outcomes(answers: list[dict[str, Any]]) -> Counter[str]:
    """How often each code came, of user errors and others, and how often a token."""
    found: Counter[str] = Counter()
    for answer in answers:
        for error in answer.get("errors") or ():
            found[error["extensions"]["code"]] += 1
        for payload in (answer.get("data") or {}).values():
            for error in (payload or {}).get("userErrors", ()):
                found[error["code"]] += 1
            found["TOKEN"] += bool((payload or {}).get("accessToken"))
    return found


async def batch(client: Client, *documents: str) -> list[dict[str, Any]]:
    headers = {} if client.token is None else {"authorization": f"Bearer {client.token}"}
    async with httpx.AsyncClient(base_url=client.server.url, timeout=30) as http:
        answer = await http.post("/graphql", json=[{"query": each} for each in documents], headers=headers)
    found: list[dict[str, Any]] = answer.json()
    return found


# ── guessing many at once ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["aliases", "batch", "at once"])
async def test_many_passwords_in_one_request_are_many_attempts(server: Server, how: str) -> None:
    email = f"guessed-{how.replace(' ', '-')}@example.com"
    await register(server, email)
    guesses = [SIGN_IN.format(f'"{email}"', f'"Wrong-horse-{n}"') for n in range(14)]
    guesses.append(SIGN_IN.format(f'"{email}"', f'"{PASSWORD}"'))
    nobody = Client(server)

    if how == "aliases":
        asked = " ".join(f"a{n}: {guess}" for n, guess in enumerate(guesses))
        answers = [await nobody.answer(f"mutation {{ {asked} }}") for _ in range(2)]
    elif how == "batch":
        answers = [
            each
            for begin in range(0, len(guesses), 5)
            for each in await batch(
                nobody, *(f"mutation {{ {guess} }}" for guess in guesses[begin : begin + 5])
            )
        ]
    else:
        answers = await asyncio.gather(*(nobody.answer(f"mutation {{ {guess} }}") for guess in guesses[:-1]))
        answers.append(await nobody.answer(f"mutation {{ {guesses[-1]} }}"))

    # What is refused in the middle takes the answers of the others with it.
    expected = {"RATE_LIMITED": 2} if how == "aliases" else {"CREDENTIALS": 10, "RATE_LIMITED": 5, "TOKEN": 0}
    assert outcomes(answers) == expected


async def test_many_pins_in_one_request_are_many_attempts(server: Server) -> None:
    owner = await register(server, "pins@example.com")
    await owner.ask(SET_PIN)
    guesses = " ".join(
        f'a{pin}: verifyParentalPin(input: {{pin: "{pin}"}}) {{ userErrors {{ code }} }}'
        for pin in (*range(1000, 1010), 4711)
    )

    answers = [await owner.answer(f"mutation {{ {guesses} }}")]
    answers.append(await owner.answer(VERIFY_PIN))

    assert outcomes(answers) == {"RATE_LIMITED": 2}
    assert (await owner.ask(UNLOCKED))["viewer"]["parentalControls"]["unlockedUntil"] is None


async def test_many_codes_in_one_request_are_many_attempts(server: Server) -> None:
    secret, _ = await with_app(server, "codes@example.com")
    token = await challenge(server, "codes@example.com")
    guesses = [*(f"{n:06}" for n in range(10)), code_of(secret, 1)]
    asked = " ".join(
        f'a{n}: completeSignIn(input: {{challenge: "{token}", factor: {{code: "{code}"}}}}) '
        f"{{ accessToken userErrors {{ code }} }}"
        for n, code in enumerate(guesses)
    )

    answers = [await Client(server).answer(f"mutation {{ {asked} }}")]
    right = {"code": code_of(secret, 1)}
    answers.append(await Client(server).answer(COMPLETE, challenge=token, factor=right))

    assert outcomes(answers) == {"RATE_LIMITED": 2}


# ── the same twice at once ───────────────────────────────────────────────────────────────────────────────


async def with_app(server: Server, email: str) -> tuple[str, list[str]]:
    """The secret and the backup codes of an account with an authenticator app."""
    client = await register(server, email)
    secret = (await client.ask(ENROL))["enrolTotp"]["secret"]
    made = await client.ask(CONFIRM, code=code_of(secret))
    return secret, made["confirmTotp"]["backupCodes"]


def code_of(secret: str, steps: int = 0) -> str:
    app = pyotp.TOTP(secret)
    return app.generate_otp(app.timecode(datetime.now(UTC)) + steps)


async def challenge(server: Server, email: str) -> str:
    return str((await Client(server).ask(CHALLENGE, email=email))["signIn"]["challenge"]["token"])


@pytest.mark.parametrize("kind", ["code", "backupCode"])
async def test_of_one_code_used_by_many_at_once_one_signs_in(server: Server, kind: str) -> None:
    email = f"{kind.lower()}@example.com"
    secret, backup_codes = await with_app(server, email)
    shown = code_of(secret, 1) if kind == "code" else backup_codes[0]
    tokens = [await challenge(server, email) for _ in range(4)]

    answers = await asyncio.gather(
        *(Client(server).answer(COMPLETE, challenge=token, factor={kind: shown}) for token in tokens)
    )

    assert outcomes(list(answers)) == {"TOKEN": 1, "CREDENTIALS": 3}


async def test_of_one_question_answered_by_many_at_once_one_signs_in(server: Server) -> None:
    _, codes = await with_app(server, "answered@example.com")
    token = await challenge(server, "answered@example.com")

    answers = await asyncio.gather(
        *(Client(server).answer(COMPLETE, challenge=token, factor={"backupCode": code}) for code in codes[:4])
    )

    assert outcomes(list(answers))["TOKEN"] == 1


# ── cookies and pages ────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(server: Server) -> None:
    await register(server, "victim@example.com")
    await register(server, "attacker@example.com")
    async with browsing(server) as attacker, browsing(server) as victim:
        await attacker.sign_in(await attacker.open("/oauth/device"), "attacker@example.com")
        for name in ("mg-session", "mg-form"):
            victim.http.cookies.set(name, attacker.http.cookies[name])
        planted = await victim.open("/oauth/device")
        await victim.send("/oauth/sign-out", **sign_out_form(planted))
        signed_in = await victim.sign_in(await victim.open("/oauth/device"), "victim@example.com")
        attackers = await attacker.open("/oauth/device")

    assert "attacker@example.com" in planted.text
    assert "victim@example.com" in signed_in.text
    assert "victim@example.com" not in attackers.text
    assert 'name="password"' in attackers.text


def sign_out_form(page: Page) -> dict[str, str]:
    forms = page.response.text.split("<form")[1:]
    (place,) = [n for n, form in enumerate(forms) if "/oauth/sign-out" in form]
    return page.hidden(place)


async def test_a_cookie_signs_nobody_in_to_the_graph(server: Server) -> None:
    await register(server, "cookie@example.com")
    async with browsing(server) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), "cookie@example.com")
        by_form = await browser.http.post(
            "/graphql", content='{"query": "{ __typename }"}', headers={"content-type": "text/plain"}
        )
        answer = await browser.http.post("/graphql", json={"query": VIEWER})
        secret = browser.http.cookies["mg-session"]
        as_token = await Client(server, secret).answer(VIEWER)
        refreshed = await Client(server).ask(
            "mutation ($token: String!) { refreshSession(input: {refreshToken: $token}) { accessToken } }",
            token=secret,
        )
        by_clients = [
            await browser.http.post(
                "/oauth/token",
                data={"grant_type": "refresh_token", "refresh_token": secret, "client_id": client},
            )
            for client in (BROWSER, FIRST_PARTY)
        ]

    assert [answer.status_code for answer in by_clients] == [401, 401]
    assert by_form.status_code == 415
    assert answer.json()["data"] == {"viewer": None}
    assert as_token["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert refreshed == {"refreshSession": {"accessToken": None}}


async def test_a_refresh_token_signs_nobody_in_on_our_pages(
    oauth_server: Server, app: App, ada: Browser
) -> None:
    signed_in = await Client(oauth_server).ask(
        f'mutation {{ signIn(input: {{email: "{EMAIL}", password: "{PASSWORD}"}}) {{ refreshToken }} }}'
    )
    given = (await exchanged(oauth_server, app, await code_for(ada, app))).json()
    shown = []

    for secret in (
        ada.http.cookies["mg-session"],
        given["refresh_token"],
        signed_in["signIn"]["refreshToken"],
    ):
        async with browsing(oauth_server) as browser:
            browser.http.cookies.set("mg-session", secret)
            shown.append((await browser.open("/oauth/device")).text)

    assert [f"Signed in as {EMAIL}" in text for text in shown] == [True, False, False]
    assert ['name="password"' in text for text in shown] == [False, True, True]


async def test_a_form_of_another_site_signs_nobody_out(server: Server) -> None:
    await register(server, "stays@example.com")
    await register(server, "sends-away@example.com")
    async with browsing(server) as browser, browsing(server) as eve:
        signed_in = await browser.sign_in(await browser.open("/oauth/device"), "stays@example.com")
        form = sign_out_form(signed_in)
        eves = sign_out_form(await eve.sign_in(await eve.open("/oauth/device"), "sends-away@example.com"))
        forged = await browser.send("/oauth/sign-out", next=form["next"], seal="0" * 64)
        unsealed = await browser.send("/oauth/sign-out", next=form["next"])
        of_another = await browser.send("/oauth/sign-out", **eves)
        changed = await browser.send("/oauth/sign-out", **(form | {"next": "/oauth/device?user_code=x"}))
        across = await browser.http.post(
            "/oauth/sign-out", data=form, headers={"sec-fetch-site": "cross-site"}
        )
        still = await browser.open("/oauth/device")
        out = await browser.send("/oauth/sign-out", **form)

    refused = [page.response.status_code for page in (forged, unsealed, of_another, changed)]
    assert [*refused, across.status_code] == [400] * 5
    assert "Signed in as stays@example.com" in still.text
    assert "Signed in as" not in out.text


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/device",
        "/oauth/authorize?client_id=nobody",
        "/account/verify-email?token=x",
        "/account/reset-password?token=x",
        "/account/export?token=x",
        "/oauth/with/nobody",
        "/graphql",
    ],
)
async def test_no_page_can_be_framed(server: Server, path: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        page = await http.get(path, headers={"accept": "text/html"})

    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/oauth/device",
    "/\\evil.example/oauth/device",
    "/oauth/device/../../evil",
    "javascript:alert(1)",
    "/oauth/device\r\nset-cookie: x=y",
    "/oauth/device\t//evil.example",
    "oauth/device",
    "/oauth/deviceevil",
    "",
]


@pytest.mark.parametrize("following", ELSEWHERE)
async def test_signing_out_leads_to_our_own_pages_only(server: Server, following: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        page = await http.post("/oauth/sign-out", data={"next": following})

    assert page.status_code == 400
    assert "location" not in page.headers


@pytest.mark.parametrize("following", ELSEWHERE)
async def test_who_planted_the_cookie_of_a_form_leads_nobody_away(server: Server, following: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, cookies={"mg-form": CHOSEN}) as victim:
        pages = [
            await victim.post("/oauth/sign-in", data=planted(following, "") | SIGNING_IN),
            await victim.post("/oauth/passkey", data=planted(following, "") | PASSKEY),
            await victim.post("/oauth/second-step", data=planted(following, "second-step x pwd ") | SECOND),
        ]

    assert [page.status_code for page in pages] == [400] * 3
    assert all("location" not in page.headers for page in pages)
    assert "mg-session" not in victim.cookies


async def test_the_seal_of_a_planted_cookie_is_right_and_leads_to_our_own_pages(server: Server) -> None:
    await register(server, SIGNING_IN["email"])
    async with httpx.AsyncClient(base_url=server.url, cookies={"mg-form": CHOSEN}) as http:
        page = await http.post("/oauth/sign-in", data=planted("/oauth/device", "") | SIGNING_IN)
        passkey = await http.post("/oauth/passkey", data=planted("/oauth/device", "") | PASSKEY)
        second = await http.post(
            "/oauth/second-step", data=planted("/oauth/device", "second-step x pwd ") | SECOND
        )
        by_another_first_step = await http.post(
            "/oauth/second-step",
            data=planted("/oauth/device", "second-step x pwd ") | SECOND | {"first": "hwk"},
        )

    assert by_another_first_step.status_code == 400
    assert (page.status_code, page.headers["location"]) == (303, "/oauth/device")
    assert (passkey.status_code, second.status_code) == (401, 401)


CHOSEN = "what-somebody-else-has-planted"
SIGNING_IN = {"email": "planted@example.com", "password": PASSWORD}
PASSKEY = {"challenge": "x", "credential": "{}"}
SECOND = {"challenge": "x", "first": "pwd", "code": "000000"}


def planted(following: str, before: str) -> dict[str, str]:
    """Where a form leads on, sealed by whoever has chosen what the cookie holds."""
    return {"next": following, "seal": seal(CHOSEN, before + following)}


async def test_links_lead_to_the_issuer_whatever_host_was_asked(server: Server) -> None:
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    async with httpx.AsyncClient(base_url=server.url) as http:
        found = [
            await http.get(path, headers=headers)
            for path in (
                "/.well-known/openid-configuration",
                "/oauth/device",
                "/account/reset-password?token=x",
            )
        ]

    assert all("evil.example" not in page.text for page in found)
    assert found[0].json()["token_endpoint"] == f"{server.issuer}/oauth/token"


# ── tokens in the wrong place, and what keys cannot do ───────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
async def test_a_token_in_a_url_or_a_body_signs_nobody_in(server: Server, name: str) -> None:
    client = await register(server, f"{name.replace('_', '-')}@example.com")
    async with httpx.AsyncClient(base_url=server.url) as http:
        marked = {"x-requested-with": "x"}
        by_url = await http.get("/graphql", params={"query": VIEWER, name: str(client.token)}, headers=marked)
        by_body = await http.post("/graphql", json={"query": VIEWER, name: client.token})
        about = await http.post("/oauth/userinfo", data={name: client.token})

    assert by_url.json()["data"] == by_body.json()["data"] == {"viewer": None}
    assert about.status_code == 401


REFUSED = {"FORBIDDEN", "STEP_UP_REQUIRED", "UNAUTHENTICATED"}


@pytest.mark.parametrize(
    "document",
    [
        CREATE_KEY,
        ENROL,
        SET_PIN,
        "mutation { signOut(input: {sessions: ALL}) { endedSessions } }",
        f'mutation {{ stepUp(input: {{password: "{PASSWORD}"}}) {{ holdsUntil }} }}',
        "{ admin { accounts(first: 1) { totalCount } } }",
        "{ viewer { sessions { id } } }",
        "{ viewer { apiKeys { id } } }",
    ],
)
async def test_a_leaked_key_makes_no_other_and_changes_nothing_that_signs_in(
    server: Server, document: str
) -> None:
    owner = await register(server, f"key-{abs(hash(document))}@example.com")
    secret = (await owner.ask(CREATE_KEY))["createApiKey"]["secret"]
    key = Client(server, secret)

    answer = await key.answer(document)

    assert (await key.ask("{ viewer { account { email } } }"))["viewer"]
    assert {error["extensions"]["code"] for error in answer["errors"]} <= REFUSED


async def test_nobody_makes_themselves_an_administrator(server: Server) -> None:
    eve = await register(server, "eve@example.com")
    own = (await eve.ask(VIEWER))["viewer"]["account"]["id"]

    for document in (
        "mutation ($id: ID!) { setAccountRoles(input: {accountId: $id, roles: [ADMIN]}) { account { id } } }",
        SUSPEND,
        "query ($id: ID!) { admin { account(id: $id) { roles } } }",
    ):
        with pytest.raises(Failed):
            await eve.ask(document, id=own)


# ── what answers tell of accounts ────────────────────────────────────────────────────────────────────────

TELLING = {
    "sign in": 'mutation ($email: String!) { done: signIn(input: {email: $email, password: "Wrong-horse-7"}) '
    "{ accessToken account { id } challenge { token } userErrors { code message field } } }",
    "reset": "mutation ($email: String!) { done: requestPasswordReset(input: {email: $email}) "
    "{ accepted userErrors { code message } } }",
    "resend": "mutation ($email: String!) { done: resendVerification(input: {email: $email}) "
    "{ accepted userErrors { code message } } }",
}


@pytest.mark.parametrize("what", TELLING)
async def test_nothing_tells_whether_an_address_has_an_account(server: Server, what: str) -> None:
    known, unknown = (f"{who}-{what.replace(' ', '-')}@example.com" for who in ("known", "other"))
    await with_app(server, known)

    answers = [await Client(server).answer(TELLING[what], email=email) for email in (known, unknown)]

    assert answers[0] == answers[1]


async def test_a_device_code_tells_nothing_before_somebody_has_signed_in(server: Server) -> None:
    async with browsing(server) as nobody:
        pages = [await nobody.open("/oauth/device", user_code=code) for code in ("BCDF-GHJK", "nonsense", "")]

    assert all(page.response.status_code == 200 for page in pages)
    assert all('name="password"' in page.text for page in pages)


async def test_a_suspended_account_loses_its_sockets_and_pages_at_once(
    server: Server,
) -> None:
    await register(server, "root@example.com")
    eve = await register(server, "gone@example.com")
    eve_id = (await eve.ask(VIEWER))["viewer"]["account"]["id"]
    await promoted(server, "root@example.com")
    signing_in = SIGN_IN.format('"root@example.com"', f'"{PASSWORD}"')
    root = Client(server, (await Client(server).ask(f"mutation {{ {signing_in} }}"))["signIn"]["accessToken"])
    async with browsing(server) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), "gone@example.com")
        async with eve.follow("subscription { changes { __typename } }") as stream:
            await root.ask(SUSPEND, id=eve_id)
            async with asyncio.timeout(1.2):
                with pytest.raises(Exception, match="suspended"):
                    await stream.next()
        page = await browser.open("/oauth/device")

    assert 'name="password"' in page.text


async def promoted(server: Server, email: str) -> None:
    connection = await asyncpg.connect(server.settings["MEDIA_GATEWAY_DATABASE_URL"])
    try:
        await connection.execute("UPDATE account SET roles = '{viewer,admin}' WHERE email = $1", email)
    finally:
        await connection.close()
