"""Second factors over the real server: an app's codes, and passkeys of a real Chromium."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyotp
import pytest

from tests.conftest import fresh_database
from tests.e2e.server import PASSWORD, Client, Failed, Server, register, running

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "gateway" / "pages" / "passkeys.browser.mjs"
MISSING = [
    name
    for name, present in {
        "node": shutil.which("node"),
        "chromium": shutil.which("chromium"),
        "playwright (make pages)": (ROOT / "web/graphiql/node_modules/playwright-core").is_dir(),
    }.items()
    if not present
]
ERRORS = "userErrors { code message }"
CHALLENGE = "challenge { token factors passkeyOptions }"
SIGN_IN = f"""mutation ($email: String!) {{ done: signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  accessToken {CHALLENGE} {ERRORS} }} }}"""
COMPLETE = f"""mutation ($challenge: String!, $factor: SecondFactorInput!) {{
  done: completeSignIn(input: {{challenge: $challenge, factor: $factor}}) {{ accessToken {ERRORS} }} }}"""
ENROL = f"mutation {{ done: enrolTotp(input: {{}}) {{ secret uri qrCode {ERRORS} }} }}"
CONFIRM = f"""mutation ($code: String!) {{ done: confirmTotp(input: {{code: $code}}) {{
  backupCodes secondFactors {{ totpConfirmedAt backupCodesLeft required }} {ERRORS} }} }}"""
REMOVE = f"""mutation {{ done: removeSecondFactor(input: {{totp: true}}) {{
  secondFactors {{ required }} {ERRORS} }} }}"""
BEGIN_PASSKEY = (
    f"mutation {{ done: beginChallenge(input: {{purpose: ADD_PASSKEY}}) {{ {CHALLENGE} {ERRORS} }} }}"
)
ADD_PASSKEY = f"""mutation ($challenge: String!, $passkey: JSON!) {{
  done: addPasskey(input: {{challenge: $challenge, passkey: $passkey, name: "Chromium"}}) {{
    backupCodes secondFactors {{ passkeys {{ id name createdAt lastUsedAt }} }} {ERRORS} }} }}"""
BEGIN_ALONE = (
    f"mutation {{ done: beginChallenge(input: {{purpose: PASSKEY_SIGN_IN}}) {{ {CHALLENGE} {ERRORS} }} }}"
)
ALONE = f"""mutation ($challenge: String!, $passkey: JSON!) {{
  done: completePasskeySignIn(input: {{challenge: $challenge, passkey: $passkey}}) {{
    accessToken account {{ email }} {ERRORS} }} }}"""
STEP_UP = f"mutation ($by: StepUpInput!) {{ done: stepUp(input: $by) {{ holdsUntil {ERRORS} }} }}"
VIEWER = "{ viewer { account { email } secondFactors { required passkeys { name } } } }"


@pytest.fixture(scope="module")
async def server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_factors"),
        "demo_catalogue": "false",
        "issuer": "http://localhost:{port}",
    }
    async with running(scratch / "factors", **settings) as server:
        yield server


async def done(client: Client, document: str, **variables: Any) -> Any:
    payload = (await client.ask(document, **variables))["done"]
    assert payload["userErrors"] == [], payload
    return payload


def code_of(secret: str, steps: int = 0) -> str:
    """What the app shows so many steps from now."""
    app = pyotp.TOTP(secret)
    return app.generate_otp(app.timecode(datetime.now(UTC)) + steps)


async def test_an_app_is_set_up_and_asked_for(server: Server) -> None:
    client = await register(server, "app@example.org")
    app = await done(client, ENROL)
    secret = app["secret"]
    assert app["qrCode"].startswith("<?xml")
    assert app["qrCode"].rstrip().endswith("</svg>")
    made = await done(client, CONFIRM, code=code_of(secret))
    assert made["secondFactors"]["backupCodesLeft"] == len(made["backupCodes"]) == 10

    asked = await done(Client(server), SIGN_IN, email="app@example.org")
    assert (asked["accessToken"], asked["challenge"]["factors"]) == (None, ["TOTP", "BACKUP_CODE"])
    token = asked["challenge"]["token"]
    replayed = await Client(server).ask(COMPLETE, challenge=token, factor={"code": code_of(secret)})
    assert [error["code"] for error in replayed["done"]["userErrors"]] == ["CREDENTIALS"]
    signed_in = await done(Client(server), COMPLETE, challenge=token, factor={"code": code_of(secret, 1)})

    viewer = (await Client(server, signed_in["accessToken"]).ask(VIEWER))["viewer"]
    assert viewer["account"]["email"] == "app@example.org"
    log = server.log.read_text()
    assert not any(hidden in log for hidden in (secret, token, *made["backupCodes"]))


async def test_what_is_sensitive_asks_who_it_is(server: Server) -> None:
    client = await register(server, "careful@example.org")
    secret = (await done(client, ENROL))["secret"]
    codes = (await done(client, CONFIRM, code=code_of(secret)))["backupCodes"]

    # It signed in by a password before there was anything else.
    with pytest.raises(Failed) as refused:
        await client.ask(REMOVE)
    assert "STEP_UP_REQUIRED" in str(refused.value)
    assert "BACKUP_CODE" in str(refused.value)
    await done(client, STEP_UP, by={"backupCode": codes[0]})

    assert (await done(client, REMOVE))["secondFactors"] == {"required": False}


async def test_our_own_pages_ask_for_it_too(server: Server) -> None:
    client = await register(server, "pages@example.org")
    secret = (await done(client, ENROL))["secret"]
    codes = (await done(client, CONFIRM, code=code_of(secret)))["backupCodes"]

    async with httpx.AsyncClient(base_url=server.url) as browser:
        form = await browser.get("/oauth/device")
        given = hidden_in(form.text) | {"email": "pages@example.org", "password": PASSWORD}
        second = await browser.post("/oauth/sign-in", data=given)
        assert 'name="code"' in second.text
        assert "email" not in hidden_in((await browser.get("/oauth/device")).text)
        wrong = await browser.post("/oauth/second-step", data=hidden_in(second.text) | {"code": "000000"})
        assert wrong.status_code == 401
        sealed = hidden_in(wrong.text) | {"code": codes[0]}
        elsewhere = await browser.post("/oauth/second-step", data=sealed | {"next": "/oauth/authorize?x=y"})
        assert elsewhere.status_code == 400
        signed_in = await browser.post("/oauth/second-step", data=sealed)
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/oauth/device")
        assert 'name="user_code"' in (await browser.get("/oauth/device")).text


def hidden_in(text: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))


class Browser:
    """A Chromium that has an authenticator."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def answer(self, **asked: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(asked) + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        assert line, "the browser is gone"
        return orjson.loads(line)


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[Browser]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(SCRIPT),
        f"http://localhost:{server.port}",
        shutil.which("chromium") or "",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    yield Browser(process)
    assert process.stdin is not None
    process.stdin.close()
    await asyncio.wait_for(process.wait(), 30)


@pytest.mark.skipif(bool(MISSING), reason=f"missing here: {', '.join(MISSING)}")
async def test_a_passkey_of_a_browser_signs_in_second_and_alone(server: Server, browser: Browser) -> None:
    client = await register(server, "passkey@example.org")
    asked = (await done(client, BEGIN_PASSKEY))["challenge"]
    created = await browser.answer(create=asked["passkeyOptions"])
    made = await done(client, ADD_PASSKEY, challenge=asked["token"], passkey=created)
    assert [passkey["name"] for passkey in made["secondFactors"]["passkeys"]] == ["Chromium"]
    assert len(made["backupCodes"]) == 10

    second = (await done(Client(server), SIGN_IN, email="passkey@example.org"))["challenge"]
    assert second["factors"] == ["BACKUP_CODE", "PASSKEY"]
    signed = await browser.answer(get=second["passkeyOptions"])
    by_both = await done(Client(server), COMPLETE, challenge=second["token"], factor={"passkey": signed})
    assert by_both["accessToken"]

    first = (await done(Client(server), BEGIN_ALONE))["challenge"]
    signed = await browser.answer(get=first["passkeyOptions"])
    alone = await done(Client(server), ALONE, challenge=first["token"], passkey=signed)
    assert alone["account"]["email"] == "passkey@example.org"
    replayed = await Client(server).ask(ALONE, challenge=first["token"], passkey=signed)
    assert [error["code"] for error in replayed["done"]["userErrors"]] == ["NOT_FOUND"]
    again = (await done(client, STEP_UP, by={"backupCode": made["backupCodes"][0]}))["holdsUntil"]
    assert again is not None
    taken = (await done(client, BEGIN_PASSKEY))["challenge"]["passkeyOptions"]
    assert await browser.answer(create=taken) == {"error": "InvalidStateError"}


async def with_passkey(server: Server, browser: Browser, email: str) -> list[str]:
    """The backup codes of a new account whose passkey the browser has."""
    client = await register(server, email)
    asked = (await done(client, BEGIN_PASSKEY))["challenge"]
    created = await browser.answer(create=asked["passkeyOptions"])
    return list((await done(client, ADD_PASSKEY, challenge=asked["token"], passkey=created))["backupCodes"])


@pytest.mark.skipif(bool(MISSING), reason=f"missing here: {', '.join(MISSING)}")
async def test_our_pages_take_a_passkey_in_place_of_a_password_and_after_it(
    server: Server, browser: Browser
) -> None:
    codes = await with_passkey(server, browser, "both@example.org")

    # Alone. Nobody touches the authenticator while the address may be filled in, only for the button.
    await browser.answer(presence=False)
    form = await browser.answer(open="/oauth/device")
    assert "Sign in with a passkey" in form["text"]
    await browser.answer(presence=True)
    alone = await browser.answer(click="form[data-passkey] button")
    assert "Signed in as both@example.org" in alone["text"]
    assert alone["url"].endswith("/oauth/device")

    # After a password.
    await browser.answer(presence=False)
    await browser.answer(click="button.link")
    typed = {"input[name=email]": "both@example.org", "input[name=password]": PASSWORD}
    second = await browser.answer(fill=typed, click="form[action='/oauth/sign-in'] button")
    assert "One more step" in second["text"]
    await browser.answer(presence=True)
    both = await browser.answer(click="form[data-passkey] button")
    assert "Signed in as both@example.org" in both["text"]

    # After a password, by a code, without scripts.
    await browser.answer(presence=False)
    await browser.answer(click="button.link")
    await browser.answer(scripts=False)
    plain = await browser.answer(open="/oauth/device")
    assert "passkey" not in plain["text"]
    second = await browser.answer(fill=typed, click="form[action='/oauth/sign-in'] button")
    assert "allow JavaScript" in second["text"]
    assert "Type one of your backup codes." in second["text"]  # there is no app
    by_code = await browser.answer(fill={"input[name=code]": codes[0]}, click="form:has([name=code]) button")
    assert "Signed in as both@example.org" in by_code["text"]
    assert by_code["refused"] == [], "the policy of the pages lets pass what they need"


@pytest.mark.skipif(bool(MISSING), reason=f"missing here: {', '.join(MISSING)}")
async def test_a_passkey_is_offered_in_the_field_of_the_address(server: Server, browser: Browser) -> None:
    await with_passkey(server, browser, "suggested@example.org")

    # The virtual authenticator takes the suggestion at once, as somebody would who picks it from the list.
    found = await browser.answer(open="/oauth/device", **{"await": "form[action='/oauth/sign-out']"})

    assert "Signed in as suggested@example.org" in found["text"]
    assert found["refused"] == []


async def test_a_passkey_form_takes_its_own_questions_alone(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        form = await browser.get("/oauth/device")
        given = hidden_in(form.text) | {"credential": "{}"}
        unknown = await browser.post("/oauth/passkey", data=given)
        late = await browser.post("/oauth/passkey", data=given | {"challenge": "x"})
        nonsense = await browser.post("/oauth/passkey", data=given | {"credential": "[1"})
        unsealed = await browser.post("/oauth/passkey", data=given | {"seal": "x"})
        elsewhere = await browser.post("/oauth/passkey", data=given | {"next": "https://evil.example/"})

    assert "script-src 'self'" in form.headers["content-security-policy"]
    assert "unsafe" not in form.headers["content-security-policy"]
    assert [answer.status_code for answer in (unknown, late, nonsense, unsealed, elsewhere)] == [
        401, 401, 400, 400, 400,
    ]  # fmt: skip
    assert "belongs to no account" in unknown.text
    assert "took too long" in late.text
    assert not any("mg-session" in answer.headers.get("set-cookie", "") for answer in (unknown, late))
