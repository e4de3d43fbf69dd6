import pytest

from gateway.routes.origins import Origins

OURS = "https://app.example.org"


@pytest.mark.parametrize(
    ("origins", "headers", "allowed"),
    [
        (Origins(), {}, True),
        (Origins(), {"origin": "https://evil.example", "host": "api.example.org"}, False),
        (Origins(), {"origin": "https://api.example.org", "host": "api.example.org"}, True),
        (Origins(), {"origin": "https://API.example.org:8443", "host": "api.example.org:8443"}, True),
        (Origins(), {"origin": "https://api.example.org:1", "host": "api.example.org"}, False),
        (Origins(), {"origin": "null", "host": ""}, False),
        (Origins(), {"origin": "http://[", "host": "x"}, False),
        (Origins(frozenset({OURS})), {"origin": "https://APP.example.org"}, True),
        (Origins(frozenset({OURS})), {"origin": "http://app.example.org"}, False),
        (Origins(frozenset({OURS})), {"origin": f"{OURS}.evil.example"}, False),
        (Origins(frozenset({"*"})), {"origin": "https://anywhere.example"}, True),
        (Origins(local=True), {"origin": "http://localhost:5173"}, True),
        (Origins(local=True), {"origin": "http://127.0.0.1:3000"}, True),
        (Origins(local=True), {"origin": "http://[::1]:3000"}, True),
        (Origins(local=True), {"origin": "http://localhost.evil.example"}, False),
        (Origins(), {"origin": "http://localhost:5173"}, False),
    ],
)
def test_origins_are_allowed_by_the_list_and_by_the_host(
    origins: Origins, headers: dict[str, str], *, allowed: bool
) -> None:
    assert origins.allows(headers) is allowed


def test_a_listed_page_may_send_credentials_and_any_page_may_not() -> None:
    listed = Origins(frozenset({OURS})).response_headers({"origin": OURS})
    anybody = Origins(frozenset({"*"})).response_headers({"origin": OURS})

    assert (b"access-control-allow-credentials", b"true") in listed
    assert dict(anybody)[b"access-control-allow-origin"] == OURS.encode()
    assert b"access-control-allow-credentials" not in dict(anybody)


def test_a_preflight_allows_what_was_asked_for_to_an_allowed_page_alone() -> None:
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-a"}
    origins = Origins(frozenset({OURS}))

    allowing = dict(origins.preflight_headers({"origin": OURS, **asking}))

    assert allowing[b"access-control-allow-headers"] == b"content-type,x-a"
    assert origins.preflight_headers({"origin": "https://evil.example", **asking}) == []
    assert origins.preflight_headers({"origin": OURS}) == []
