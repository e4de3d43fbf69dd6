"""What owners do with their account over the real server: a picture, a copy of all data, closing it."""

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


async def test_a_copy_of_all_data_is_fetched_once(server: Server) -> None:
    client = await register(server, "copy@example.org")
    wrong = await done(client, EXPORT, email="other@example.org")
    assert wrong["userErrors"] == [{"code": "INVALID", "field": ["email"]}]

    url = (await done(client, EXPORT, email="copy@example.org"))["url"]
    path = url.removeprefix("http://127.0.0.1:9")
    async with httpx.AsyncClient(base_url=server.url) as http:
        fetched = await http.get(path)
        again = await http.get(path)

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
