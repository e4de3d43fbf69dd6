"""Devices without a keyboard: oauthlib is the television, a browser its owner."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from oauthlib.oauth2 import DeviceClient

from tests.e2e.oauth import App, Browser, Page, browsing, registered
from tests.e2e.server import Client, Server, register

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "read:watchlist playback:control"


@pytest.fixture(scope="module")
async def tv(oauth_server: Server) -> App:
    return await registered(oauth_server, "--grant", "device_code", "--grant", "refresh_token", scope=SCOPE)


async def started(server: Server, tv: App, **changes: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/oauth/device_authorization", data={"client_id": tv.id, **changes})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def polled(server: Server, tv: App, device_code: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post(
            "/oauth/token", data={"grant_type": GRANT, "device_code": device_code, "client_id": tv.id}
        )
    return {"status": answer.status_code, **answer.json()}


async def decided(browser: Browser, codes: dict[str, Any], decision: str) -> Page:
    page = await browser.open("/oauth/device", user_code=codes["user_code"])
    return await browser.send("/oauth/device", **page.hidden(), decision=decision)


async def test_a_television_is_let_in_from_a_phone(oauth_server: Server, tv: App, ada: Browser) -> None:
    television = DeviceClient(tv.id)
    codes = await started(oauth_server, tv)

    waiting = await polled(oauth_server, tv, codes["device_code"])
    confirm = await ada.open(codes["verification_uri_complete"])
    allowed = await ada.send("/oauth/device", **confirm.hidden(), decision="allow")
    body = television.prepare_request_body(codes["device_code"], include_client_id=True)
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await http.post("/oauth/token", content=body, headers=headers)
    tokens = television.parse_request_body_response(answer.text, scope=SCOPE.split())

    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}", codes["user_code"])
    assert (codes["interval"], codes["expires_in"]) == (5, 900)
    assert codes["verification_uri"] == f"{oauth_server.issuer}/oauth/device"
    assert waiting["error"] == "authorization_pending"
    assert codes["user_code"] in confirm.text
    assert "Test app" in confirm.text
    assert "Start and stop playback on your devices" in confirm.text
    assert "The device is let in" in allowed.text
    viewer = await Client(oauth_server, tokens["access_token"]).ask("{ viewer { devices { id } } }")
    assert viewer["viewer"]["devices"] == []
    again = await polled(oauth_server, tv, codes["device_code"])
    assert (again["status"], again["error"]) == (400, "invalid_grant")


async def test_a_device_that_is_denied_is_told_so(oauth_server: Server, tv: App, ada: Browser) -> None:
    codes = await started(oauth_server, tv)

    page = await decided(ada, codes, "deny")

    assert "The device stays out" in page.text
    answer = await polled(oauth_server, tv, codes["device_code"])
    assert (answer["status"], answer["error"]) == (400, "access_denied")
    late = await ada.open("/oauth/device", user_code=codes["user_code"])
    assert late.response.status_code == 404


async def test_a_device_that_asks_too_often_has_to_slow_down(oauth_server: Server, tv: App) -> None:
    codes = await started(oauth_server, tv)

    errors = [(await polled(oauth_server, tv, codes["device_code"]))["error"] for _ in range(3)]

    assert errors == ["authorization_pending", "slow_down", "slow_down"]


async def test_of_polls_at_once_one_gets_tokens(oauth_server: Server, tv: App, ada: Browser) -> None:
    codes = await started(oauth_server, tv)
    await decided(ada, codes, "allow")

    answers = await asyncio.gather(*(polled(oauth_server, tv, codes["device_code"]) for _ in range(10)))

    assert sorted(answer["status"] for answer in answers) == [200] + [400] * 9
    assert {answer["error"] for answer in answers if answer["status"] == 400} == {"invalid_grant"}


async def test_another_client_cannot_take_the_code(
    oauth_server: Server, tv: App, app: App, ada: Browser
) -> None:
    codes = await started(oauth_server, tv)
    other = await registered(oauth_server, "--grant", "device_code", scope=SCOPE)
    await decided(ada, codes, "allow")

    stolen = await polled(oauth_server, other, codes["device_code"])
    not_allowed = await polled(oauth_server, app, codes["device_code"])
    good = await polled(oauth_server, tv, codes["device_code"])

    assert (stolen["status"], not_allowed["status"], good["status"]) == (400, 400, 200)
    assert not_allowed["error"] == "unauthorized_client"


async def test_codes_cannot_be_guessed_one_after_the_other(oauth_server: Server, tv: App) -> None:
    codes = await started(oauth_server, tv)
    async with browsing(oauth_server) as eve:
        await register(oauth_server, "eve@example.com")
        await eve.sign_in(await eve.open("/oauth/device"), "eve@example.com")
        tried = [
            (await eve.open("/oauth/device", user_code=f"AAAA-{letter * 4}")).response
            for letter in "BCDEFGHJKLM"
        ]
        even_the_right_one = await eve.open("/oauth/device", user_code=codes["user_code"])

    assert [response.status_code for response in tried] == [404] * 10 + [429]
    assert int(tried[-1].headers["retry-after"]) <= 601
    assert even_the_right_one.response.status_code == 429


@pytest.mark.parametrize("written", ["{0}", " {0} ", "{1}", "-{0}-"])
async def test_a_code_is_read_however_it_is_written(oauth_server: Server, tv: App, written: str) -> None:
    codes = await started(oauth_server, tv)
    email = f"writer-{codes['user_code']}@example.com".lower()
    await register(oauth_server, email)
    async with browsing(oauth_server) as browser:
        await browser.sign_in(await browser.open("/oauth/device"), email)
        page = await browser.open(
            "/oauth/device",
            user_code=written.format(codes["user_code"].replace("-", "").lower(), codes["user_code"]),
        )

    assert codes["user_code"] in page.text


async def test_what_is_no_code_is_asked_for_again(oauth_server: Server) -> None:
    email = "no.code@example.com"
    await register(oauth_server, email)
    async with browsing(oauth_server) as browser:
        for code in ("\0", "A\0B", "A&a=1&a=2", "\r\n"):
            form = await browser.open("/oauth/device", user_code=code)
            assert form.response.status_code == 200
        page = await browser.sign_in(form, email)
        again = await browser.open("/oauth/device", user_code="\0")

    assert (page.response.status_code, again.response.status_code) == (404, 404)


async def test_a_form_of_another_browser_lets_nothing_in(oauth_server: Server, tv: App, ada: Browser) -> None:
    codes = await started(oauth_server, tv)
    page = await ada.open("/oauth/device", user_code=codes["user_code"])

    async with browsing(oauth_server) as eve:
        forged = await eve.send("/oauth/device", **page.hidden(), decision="allow")

    assert forged.response.status_code == 400
    assert (await polled(oauth_server, tv, codes["device_code"]))["error"] == "authorization_pending"


async def test_a_form_of_another_site_lets_nothing_in(oauth_server: Server, tv: App, ada: Browser) -> None:
    await register(oauth_server, "mallory@example.com")
    codes, others = await started(oauth_server, tv), await started(oauth_server, tv)
    form = (await ada.open("/oauth/device", user_code=codes["user_code"])).hidden()
    of_other_code = (await ada.open("/oauth/device", user_code=others["user_code"])).hidden()["seal"]
    async with browsing(oauth_server) as mallory:
        await mallory.sign_in(await mallory.open("/oauth/device"), "mallory@example.com")
        of_mallory = (await mallory.open("/oauth/device", user_code=codes["user_code"])).hidden()["seal"]

    pages = [
        await ada.send("/oauth/device", **(form | {"seal": seal}), decision="allow")
        for seal in ("0" * 64, "", of_other_code, of_mallory)
    ]
    across = await ada.http.post(
        "/oauth/device", data=form | {"decision": "allow"}, headers={"sec-fetch-site": "cross-site"}
    )

    assert [page.response.status_code for page in pages] == [400] * 4
    assert across.status_code == 400
    assert (await polled(oauth_server, tv, codes["device_code"]))["error"] == "authorization_pending"


async def test_a_device_is_shown_the_way_as_a_picture(oauth_server: Server, tv: App) -> None:
    codes = await started(oauth_server, tv)
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        picture = await http.get("/oauth/device/qr.svg", params={"user_code": codes["user_code"]})
        nothing = await http.get("/oauth/device/qr.svg", params={"user_code": "<script>"})

    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.startswith("<?xml")
    assert nothing.status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"scope": "read:everything"}, 400, "invalid_scope"),
        ({"scope": "read:watchlist write:content"}, 400, "invalid_scope"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"resource": "https://elsewhere.example"}, 400, "invalid_target"),
    ],
)
async def test_a_device_is_told_what_is_wrong(
    oauth_server: Server, tv: App, change: dict[str, str], status: int, error: str
) -> None:
    async with httpx.AsyncClient(base_url=oauth_server.url) as http:
        answer = await http.post("/oauth/device_authorization", data={"client_id": tv.id, **change})

    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_code_that_nobody_gave_out_is_refused(oauth_server: Server, tv: App) -> None:
    answer = await polled(oauth_server, tv, "x" * 43)

    assert (answer["status"], answer["error"]) == (400, "invalid_grant")
