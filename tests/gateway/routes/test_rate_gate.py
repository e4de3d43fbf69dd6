"""The gate before OAuth's routes: it counts first, tells what is left, and refuses in the caller's format."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.identity.audit import SYSTEM
from domain.identity.limits import Asking, Limit, RateLimits
from domain.platform.postgres import Database
from gateway.routes.rate_gate import endpoint_of, limited
from tests.accounts import Desk, opened_desk


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    async with opened_desk(database) as desk:
        yield desk


class Door:
    """An application behind the gate, which counts what gets through."""

    def __init__(self, limits: RateLimits) -> None:
        self.through = 0
        methods = ["POST", "GET", "OPTIONS"]
        routes = [Route("/oauth/token", self._answer, methods=methods), Route("/health", self._answer)]
        self.app = Starlette(routes=limited(routes, lambda: limits))

    async def _answer(self, _request: Request) -> Response:
        self.through += 1
        return PlainTextResponse("in")

    async def ask(
        self, path: str = "/oauth/token", method: str = "POST", client: str = "192.0.2.1", **headers: str
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
            return await http.request(
                method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
            )


def basic(name: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:secret".encode()).decode()


async def test_every_answer_tells_what_is_left_and_the_refusal_when_to_come_back(desk: Desk) -> None:
    door = Door(desk.limits)
    answers = [await door.ask() for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert door.through == 10
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=10;w=60'
    assert answers[0].headers["ratelimit"] == '"requests";r=9;t=6'
    assert answers[9].headers["ratelimit"] == '"requests";r=0;t=60'
    refusal = answers[10]
    assert refusal.headers["retry-after"] == "6"
    assert refusal.headers["cache-control"] == "no-store"
    assert refusal.json() == {
        "error": "rate_limit_exceeded",
        "error_description": "Too many requests: try again in 6 seconds.",
        "retry_after": 6,
    }
    desk.clock.turn(int(refusal.headers["retry-after"]))
    assert (await door.ask()).status_code == 200


async def test_no_header_makes_somebody_else_of_a_caller(desk: Desk) -> None:
    door = Door(desk.limits)
    statuses = []
    for number in range(150):
        spoofed: dict[str, Any] = {
            "x_forwarded_for": f"203.0.113.{number}",
            "x_real_ip": f"203.0.113.{number}",
            "forwarded": f"for=203.0.113.{number}",
            "x_client_id": f"c{number}",
            "x_api_key": f"mg_live_{number}",
            "authorization": basic(f"client-{number}"),
        }
        statuses.append((await door.ask(**spoofed)).status_code)

    assert statuses.count(200) == 100, "ten times as many as one client may, and no more"
    assert (await door.ask(client="192.0.2.2")).status_code == 200


@pytest.mark.parametrize("authorization", ["Basic", "Basic !!!", "Basic /////w==", "Bearer abc", basic("")])
async def test_odd_credentials_are_counted_as_none(desk: Desk, authorization: str) -> None:
    door = Door(desk.limits)
    for _ in range(10):
        await door.ask()

    assert (await door.ask(authorization=authorization)).status_code == 429


async def test_people_are_shown_a_page(desk: Desk) -> None:
    door = Door(desk.limits)
    await desk.limits.put("oauth.token", Asking.ANONYMOUS, Limit(1, 1, 1), SYSTEM)
    await door.ask()

    page = await door.ask(method="GET", accept="text/html", accept_language="de")

    assert page.status_code == 429
    assert page.headers["content-type"].startswith("text/html")
    assert int(page.headers["retry-after"]) > 60, "the hour is what is short"
    assert "zu oft" in page.text


async def test_what_is_not_asked_of_oauth_or_only_asks_ahead_is_not_counted(desk: Desk) -> None:
    door = Door(desk.limits)

    answers = [await door.ask("/health", "GET") for _ in range(30)]
    answers += [await door.ask(method="OPTIONS") for _ in range(30)]

    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)


def test_endpoints_are_called_what_their_path_is() -> None:
    assert endpoint_of("/oauth/token") == "oauth.token"
    assert endpoint_of("/oauth/device_authorization") == "oauth.device"
    assert endpoint_of("/oauth/device") == "oauth.device_page"
    assert endpoint_of("/oauth/device/qr.svg") == "oauth.device-qr.svg"
