"""What browsers are told to do with our cookies."""

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from gateway.oauth.browser import FORM, Browser, Cookies, seal


def cookies_at(issuer: str) -> Cookies:
    desk: Any = SimpleNamespace(issuer=issuer)
    return Cookies(desk)


def kept(issuer: str, *, crossing: bool = False) -> str:
    """The header of a cookie."""
    response = Response()
    cookies_at(issuer).keep(response, "name", "value", 60, crossing=crossing)
    return str(response.headers["set-cookie"])


def test_with_tls_a_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts() -> None:
    parts = kept("https://gateway.example").split("; ")

    assert parts[0] == "__Host-name=value"
    assert {part.lower() for part in parts[1:]} == {
        "httponly", "max-age=60", "path=/", "samesite=lax", "secure"
    }  # fmt: skip


def test_without_tls_there_is_no_promise_of_it() -> None:
    parts = kept("http://localhost:8000").split("; ")

    assert parts[0] == "name=value"
    assert {part.lower() for part in parts[1:]} == {"httponly", "max-age=60", "path=/", "samesite=lax"}


def test_only_what_comes_by_a_form_of_another_site_crosses() -> None:
    assert "samesite=none" in kept("https://gateway.example", crossing=True).lower()


@pytest.mark.parametrize(("sent", "read"), [("__Host-mg-form", True), ("mg-form", False)])
def test_with_tls_a_cookie_that_another_host_could_plant_is_not_read(sent: str, *, read: bool) -> None:
    headers = [(b"cookie", f"{sent}=planted".encode())]
    request = Request({"type": "http", "headers": headers})
    cookies = cookies_at("https://gateway.example")

    assert (cookies.kept(request, FORM) == "planted") is read
    assert (cookies.form_secret(request) == "planted") is read


def test_a_seal_is_of_one_browser_for_one_thing() -> None:
    account: Any = None
    session: Any = None
    ours, theirs = Browser(account, session, "ours"), Browser(account, session, "theirs")

    assert ours.sealed("consent a", ours.seal("consent a"))
    assert not ours.sealed("consent b", ours.seal("consent a"))
    assert not ours.sealed("consent a", theirs.seal("consent a"))
    assert not ours.sealed("consent a", "")
    assert not ours.sealed("consent a", "ü")
    assert ours.seal("\ud800") == seal("ours", "\ud800")
