"""Signing in by a code, against a server that answers as RFC 8628 says."""

import httpx
import pytest

from media_gateway_client import Rejected
from media_gateway_client.signin import Code, Tokens, sign_in


def answering(*answers: dict[str, object]) -> tuple[httpx.AsyncClient, list[str]]:
    asked: list[str] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url.path} {request.content.decode()}")
        return httpx.Response(200, json=next(left))

    transport = httpx.MockTransport(answer)
    return httpx.AsyncClient(base_url="http://server", transport=transport), asked


BEGUN = {"device_code": "secret", "user_code": "WDJB-MJHT", "verification_uri": "http://server/oauth/device"}


async def test_a_device_waits_until_its_user_has_let_it_in() -> None:
    http, asked = answering(
        BEGUN | {"interval": 2},
        {"error": "authorization_pending"},
        {"error": "slow_down"},
        {"access_token": "token", "refresh_token": "next"},
    )
    shown: list[Code] = []
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    tokens = await sign_in(http, "tv", shown.append, pause)

    assert tokens == Tokens("token", "next")
    assert shown == [Code("WDJB-MJHT", "http://server/oauth/device", "http://server/oauth/device")]
    assert pauses == [2, 2, 7]
    assert all("secret" in each and each.startswith("/oauth/token") for each in asked[1:])


@pytest.mark.parametrize("answers", [[{"error": "unauthorized_client"}], [BEGUN, {"error": "access_denied"}]])
async def test_a_device_that_is_not_let_in_says_so(answers: list[dict[str, object]]) -> None:
    http, _ = answering(*answers)

    async def pause(_seconds: float) -> None:
        pass

    with pytest.raises(Rejected):
        await sign_in(http, "tv", lambda _code: None, pause)
