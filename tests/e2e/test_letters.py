"""Letters over the real server: an address that is proven, and a password that is reset in a browser."""

import asyncio
import email
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import fresh_database
from tests.e2e.server import PASSWORD, Client, Server, running

BETTER = "A-better-Passw0rd"
REGISTER = """mutation ($email: String!, $password: String!, $language: String) {
  done: registerAccount(
    input: {email: $email, password: $password, displayName: "Ada", language: $language}) {
    accessToken account { id } userErrors { code } } }"""
SIGN_IN = """mutation ($email: String!, $password: String!) {
  done: signIn(input: {email: $email, password: $password}) { accessToken userErrors { code } } }"""
RESET = """mutation ($email: String!) {
  done: requestPasswordReset(input: {email: $email}) { accepted userErrors { code } } }"""


@pytest.fixture(scope="module")
async def server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_letters"),
        "demo_catalogue": "false",
        "require_verified_email": "true",
        "issuer": "http://127.0.0.1:9",  # where links begin; the tests ask the port that was free
    }
    async with running(scratch / "letters", **settings) as server:
        yield server


async def letters_to(server: Server, address: str, count: int) -> list[EmailMessage]:
    """The letters to an address, once there are so many."""
    folder = server.log.parent / "mail"
    async with asyncio.timeout(10):
        while True:
            paths = sorted(folder.glob("*.eml"))
            found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in paths]
            ours = [
                message for message in found if isinstance(message, EmailMessage) and message["To"] == address
            ]
            if len(ours) >= count:
                return sorted(ours, key=lambda message: str(message["Date"]))
            await asyncio.sleep(0.1)


def link_in(message: EmailMessage) -> str:
    """Its path and query."""
    text = message.get_body(("plain",))
    assert text is not None
    (link,) = re.findall(r"http://127\.0\.0\.1:9(/\S+)", text.get_content())
    return str(link)


async def done(server: Server, document: str, **variables: Any) -> Any:
    return (await Client(server).ask(document, **variables))["done"]


async def test_an_account_is_opened_proven_lost_and_found(server: Server) -> None:
    address = "ada@example.org"
    made = await done(server, REGISTER, email=address, password=PASSWORD, language="de")
    assert (made["accessToken"], made["userErrors"]) == (None, [])
    refused = await done(server, SIGN_IN, email=address, password=PASSWORD)
    assert [error["code"] for error in refused["userErrors"]] == ["NOT_VERIFIED"]

    async with httpx.AsyncClient(base_url=server.url, headers={"accept-language": "de"}) as browser:
        (proof,) = await letters_to(server, address, 1)
        link = link_in(proof)
        for _ in range(2):  # a program that looks into letters follows links, and uses nothing up
            shown = await browser.get(link)
            assert "Adresse bestätigen" in shown.text
        confirmed = await browser.post(link, data={"token": link.partition("token=")[2]})
        assert f"{address} ist bestätigt" in confirmed.text
        assert (await browser.post(link, data={"token": link.partition("token=")[2]})).status_code == 410
        assert (await done(server, SIGN_IN, email=address, password=PASSWORD))["accessToken"]

        assert (await done(server, RESET, email=address))["accepted"]
        assert (await done(server, RESET, email="nobody@example.org"))["accepted"]
        links = [link_in(letter) for letter in await letters_to(server, address, 2)]
        (reset,) = [found for found in links if found.startswith("/account/reset-password")]
        token = reset.partition("token=")[2]
        form = await browser.get(reset)
        assert 'name="password"' in form.text
        assert f'autocomplete="username" value="{address}"' in form.text
        weak = await browser.post(reset, data={"token": token, "password": "weak", "repeat": "weak"})
        assert (weak.status_code, "zu einfach" in weak.text) == (422, True)
        mixed = await browser.post(reset, data={"token": token, "password": BETTER, "repeat": PASSWORD})
        assert (mixed.status_code, "nicht überein" in mixed.text) == (422, True)
        saved = await browser.post(reset, data={"token": token, "password": BETTER, "repeat": BETTER})
        assert "Passwort gespeichert" in saved.text
        assert (await browser.get(reset)).status_code == 410
        assert (await browser.post(reset, data={"token": token, "repeat": "another"})).status_code == 410

    assert (await done(server, SIGN_IN, email=address, password=BETTER))["accessToken"]
    assert (await done(server, SIGN_IN, email=address, password=PASSWORD))["accessToken"] is None
    assert len(await letters_to(server, address, 3)) == 3
    log = server.log.read_text()
    for secret in (PASSWORD, BETTER, token, link.partition("token=")[2]):
        assert secret not in log


async def test_pages_are_strict(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        page = await browser.get("/account/verify-email?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        style = await browser.get("/pages/style.css")

    assert "<script>" not in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert style.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"sec-fetch-site": "cross-site", "content-type": "application/x-www-form-urlencoded"}, b"token=x"),
        ({"content-type": "text/plain"}, b"token=x"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"token=" + b"x" * 20_000),
        ({"content-type": "application/x-www-form-urlencoded"}, b"\xff\xfe"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"&".join([b"a=1"] * 100)),
    ],
)
async def test_what_no_page_of_ours_sends_is_refused(
    server: Server, headers: dict[str, str], body: bytes
) -> None:
    async with httpx.AsyncClient(base_url=server.url) as browser:
        answer = await browser.post("/account/verify-email", headers=headers, content=body)

    assert answer.status_code == 400
