"""Fetching documents from strangers, who choose where we ask."""

import gzip
from collections.abc import Callable

import httpx
import pytest

from gateway.oauth.documents import Documents

ID = "https://assistant.example/client.json"
PUBLIC = "93.184.216.34"


class World:
    """One host, and what it answers."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response], *addresses: str) -> None:
        self.asked: list[httpx.Request] = []
        self.seconds = 0.0
        self._answer = answer
        self._addresses = addresses
        self.documents = Documents(
            httpx.AsyncClient(transport=httpx.MockTransport(self._take)), self._resolve, lambda: self.seconds
        )

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer(request)

    async def _resolve(self, _host: str, _port: int) -> tuple[str, ...]:
        return self._addresses


def good(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"client_id": ID})


async def test_a_document_is_fetched_from_the_address_that_was_looked_at() -> None:
    world = World(good, PUBLIC)

    assert await world.documents.document(ID) == {"client_id": ID}
    assert await world.documents.document(ID) == {"client_id": ID}

    (request,) = world.asked
    assert request.url.host == PUBLIC
    assert request.headers["host"] == "assistant.example"
    assert request.extensions["sni_hostname"] == "assistant.example"
    world.seconds += 301
    await world.documents.document(ID)
    assert len(world.asked) == 2


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("::1",),
        ("fd00::1",),
        ("::ffff:127.0.0.1",),
        ("0.0.0.0",),
        ("100.64.0.1",),
        ("224.0.0.1",),
        ("::127.0.0.1",),
        ("64:ff9b::a9fe:a9fe",),
        ("64:ff9b:1::1",),
        ("::ffff:0:a9fe:a9fe",),
        ("fec0::1",),
        ("5f00::1",),
        ("2002:a9fe:a9fe::1",),
        ("2001:0:a9fe:a9fe::1",),
        (PUBLIC, "192.168.0.1"),
        (),
    ],
)
async def test_nothing_within_our_own_network_is_asked(addresses: tuple[str, ...]) -> None:
    world = World(good, *addresses)

    assert await world.documents.document(ID) is None

    assert world.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"location": "http://169.254.169.254/"}),
        httpx.Response(404, json={}),
        httpx.Response(200, text="<html>", headers={"content-type": "text/html"}),
        httpx.Response(200, content=b"{" + b" " * 6_000 + b"}", headers={"content-type": "application/json"}),
        httpx.Response(
            200,
            content=gzip.compress(b"{}"),
            headers={"content-type": "application/json", "content-encoding": "gzip"},
        ),
        httpx.Response(200, content=b"no json", headers={"content-type": "application/json"}),
    ],
)
async def test_what_cannot_be_a_document_is_nothing_and_asked_once(answer: httpx.Response) -> None:
    world = World(lambda _: answer, PUBLIC)

    assert [await world.documents.document(ID) for _ in range(2)] == [None, None]

    assert len(world.asked) == 1
