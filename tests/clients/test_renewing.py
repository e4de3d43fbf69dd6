"""A token that lapses, against a server that says so."""

import asyncio

import httpx
import pytest

from media_gateway_client import Gateway, Offline, SignedOut
from media_gateway_client.signin import Tokens, refreshed

LAPSED = {"errors": [{"message": "Sign in.", "extensions": {"code": "UNAUTHENTICATED"}}]}


def server(*accepted: str) -> httpx.AsyncClient:
    """Answers those who have one of these tokens."""

    def answer(request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        return httpx.Response(200, json={"data": {"token": token}} if token in accepted else LAPSED)

    return httpx.AsyncClient(base_url="http://server", transport=httpx.MockTransport(answer))


async def test_an_operation_goes_on_with_a_fresh_token_that_is_got_once_for_all() -> None:
    asked = 0

    async def renew() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return "fresh"

    gateway = Gateway(server("fresh"), "lapsed", renew)

    answers = await asyncio.gather(*(gateway.execute("{ token }") for _ in range(5)))

    assert answers == [{"token": "fresh"}] * 5
    assert asked == 1


async def test_a_stream_breaks_off_and_is_followed_again_with_the_fresh_token() -> None:
    async def renew() -> str:
        return "fresh"

    gateway = Gateway(server("fresh"), "lapsed", renew)

    with pytest.raises(Offline):
        await anext(gateway.stream("subscription { token }"))
    assert gateway.token == "fresh"


async def test_without_a_way_to_renew_the_device_is_signed_out() -> None:
    with pytest.raises(SignedOut):
        await Gateway(server("other"), "lapsed").execute("{ token }")


async def test_a_sign_in_that_was_ended_gives_no_tokens() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": "invalid_grant"})

    http = httpx.AsyncClient(base_url="http://server", transport=httpx.MockTransport(answer))

    for tokens in (Tokens("lapsed", "ended"), Tokens("lapsed")):
        with pytest.raises(SignedOut):
            await refreshed(http, "tv", tokens)
