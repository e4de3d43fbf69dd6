"""What owners do with their account over the real server: a picture, a copy of all data, closing it."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.conftest import fresh_database
from tests.e2e.server import PASSWORD, Client, Failed, Server, register, running
from tests.e2e.test_letters import letters_to, link_in

LARGE = (3_000, 2_000)
CREATE_KEY = """mutation { createApiKey(input: {
  name: "k", scopes: ["write:preferences"], perMinute: 2}) { secret } }"""
AVATAR = "{ viewer { account { avatarUrl } } }"
EXPORT = """mutation ($email: String!) { done: exportData(input: {email: $email}) {
  url userErrors { code field } } }"""
CLOSE = """mutation ($email: String!) { done: closeAccount(input: {email: $email}) {
  erasedAt userErrors { code field } } }"""
SIGN_IN = f"""mutation ($email: String!) {{ done: signIn(input: {{email: $email, password: "{PASSWORD}"}}) {{
  accessToken userErrors {{ code }} }} }}"""


@pytest.fixture(scope="module")
async def server(scratch: Path, postgres_url: str) -> AsyncIterator[Server]:
    settings = {
        "database_url": await fresh_database(postgres_url, "media_gateway_owner"),
        "demo_catalogue": "false",
        "issuer": "http://127.0.0.1:9",
        "rate_limits": "true",
    }
    async with running(scratch / "owner", **settings) as server:
        yield server


def png(size: tuple[int, int] = (64, 64)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, "PNG")
    return written.getvalue()


async def done(client: Client, document: str, **variables: Any) -> Any:
    return (await client.ask(document, **variables))["done"]


async def test_a_picture_is_kept_shown_and_removed(server: Server) -> None:
    client = await register(server, "picture@example.org")
    bearer = {"authorization": f"Bearer {client.token}"}
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.put("/account/avatar", content=png())).status_code == 401
        assert (await http.put("/account/avatar", content=b"a text", headers=bearer)).status_code == 422
        large = await http.put("/account/avatar", content=b"x" * (5 * 1024 * 1024 + 1), headers=bearer)
        assert large.status_code == 413
        made = await http.put("/account/avatar", content=png(), headers=bearer)
        url = (await client.ask(AVATAR))["viewer"]["account"]["avatarUrl"]
        assert url == f"http://127.0.0.1:9{made.json()['path']}"
        shown = await http.get(made.json()["path"])
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in shown.headers["content-security-policy"]
        assert (await http.delete("/account/avatar", headers=bearer)).status_code == 204
        assert (await http.get(made.json()["path"])).status_code == 404

    assert (await client.ask(AVATAR))["viewer"]["account"]["avatarUrl"] is None


async def test_pictures_are_taken_one_at_a_time_and_only_so_often(server: Server) -> None:
    client = await register(server, "pictures@example.org")
    bearer = {"authorization": f"Bearer {client.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=bearer, timeout=30) as http:
        at_once = await asyncio.gather(*(http.put("/account/avatar", content=png(LARGE)) for _ in range(4)))
        after = [await http.put("/account/avatar", content=png()) for _ in range(12)]

    assert {answer.status_code for answer in at_once} == {200, 429}
    assert (after[0].status_code, {answer.status_code for answer in after}) == (200, {200, 429})
    assert all(int(answer.headers["retry-after"]) > 0 for answer in (*at_once, *after) if answer.is_error)


async def test_a_key_pays_for_a_picture_from_its_own_rate(server: Server) -> None:
    client = await register(server, "key-picture@example.org")
    secret = (await client.ask(CREATE_KEY))["createApiKey"]["secret"]
    async with httpx.AsyncClient(base_url=server.url, headers={"x-api-key": secret}) as http:
        answers = [await http.delete("/account/avatar") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [204, 204, 429]


async def test_a_copy_of_all_data_is_fetched_once(server: Server) -> None:
    client = await register(server, "copy@example.org")
    wrong = await done(client, EXPORT, email="other@example.org")
    assert wrong["userErrors"] == [{"code": "INVALID", "field": ["email"]}]

    url = (await done(client, EXPORT, email="copy@example.org"))["url"]
    path = url.removeprefix("http://127.0.0.1:9")
    async with httpx.AsyncClient(base_url=server.url) as http:
        asked = await http.head(path)
        fetched = await http.get(path)
        again = await http.get(path)

    assert (asked.status_code, asked.content) == (200, b"")
    assert fetched.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as packed:
        assert "copy@example.org" in packed.read("account.json").decode()
    assert again.status_code == 410
    assert path.partition("token=")[2] not in server.log.read_text()


async def test_an_account_is_closed_and_taken_back(server: Server) -> None:
    address = "closing@example.org"
    client = await register(server, address)

    assert (await done(client, CLOSE, email=address))["erasedAt"]

    with pytest.raises((Failed, AssertionError)):
        await client.ask(AVATAR)
    with pytest.raises(Failed, match="closed"):
        await Client(server).ask(SIGN_IN, email=address)
    links = [link_in(letter) for letter in await letters_to(server, address, 2)]
    (link,) = [link for link in links if link.startswith("/account/recover?token=")]
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert "Keep my account" in (await http.get(link)).text
        taken_back = await http.post(link, data={"token": link.partition("token=")[2]})
    assert "Your account stays" in taken_back.text
    assert (await done(Client(server), SIGN_IN, email=address))["accessToken"]
