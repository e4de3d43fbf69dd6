import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import brotli  # type: ignore[import-untyped]
import httpx
import orjson
import pytest
import zstandard

from gateway.engine.limits import Limits
from gateway.routes.connection import DoorOptions
from gateway.routes.negotiation import JSON, RESPONSE_JSON
from gateway.routes.origins import Origins
from tests.gateway.serving import Shop, serving

URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)
# Version 16.3, the last that sends no Sec-Fetch-Site.
SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3 Safari/605.1.15"
OURS = "https://app.example.org"
PAGE = b"<!doctype html><title>Our own page</title>"
LIMITS = Limits(max_body_bytes=100_000, body_seconds=0.3)


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Shop]:
    options = DoorOptions(origins=Origins(frozenset({OURS})), page=lambda: PAGE)
    async with serving(LIMITS, options) as shop:
        yield shop


@pytest.fixture
def shop(running: Shop) -> Shop:
    """The server, with nothing remembered."""
    running.faults.clear()
    running.connections.clear()
    running.context.done.clear()
    running.context.ended.clear()
    return running


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{shop.port}", headers={"accept": RESPONSE_JSON}
    ) as client:
        yield client


def code(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    return str(error["extensions"]["code"])


async def post(
    client: httpx.AsyncClient, query: str, accept: str = RESPONSE_JSON, **more: Any
) -> httpx.Response:
    return await client.post("/graphql", json={"query": query, **more}, headers={"accept": accept})


@pytest.mark.parametrize("accept", [RESPONSE_JSON, JSON, "*/*", URQL])
async def test_a_query_is_answered_in_the_type_asked_for(client: httpx.AsyncClient, accept: str) -> None:
    response = await post(
        client, "query($n: String!) { toy(name: $n) { name } }", accept, variables={"n": "ä"}
    )

    assert response.status_code == 200
    expected = RESPONSE_JSON if RESPONSE_JSON in accept else JSON
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    assert response.json() == {"data": {"toy": {"name": "ä"}}}
    assert response.headers["cache-control"] == "no-store"


async def test_what_a_cache_might_keep_says_what_it_depends_on(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "{ __typename }"}, headers={"accept": JSON})

    assert response.headers["vary"] == "accept, accept-encoding, origin"


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "query($c: Int!) { toys(count: $c) { name } }",
        "query A { caller } query B { caller }",
    ],
)
@pytest.mark.parametrize(("accept", "status"), [(RESPONSE_JSON, 400), (JSON, 200)])
async def test_a_mistake_in_the_document_is_400_or_200_for_old_clients(
    client: httpx.AsyncClient, query: str, accept: str, status: int
) -> None:
    response = await post(client, query, accept)

    assert response.status_code == status
    assert code(response) == "BAD_USER_INPUT"
    assert "data" not in response.json()


async def test_an_error_beside_data_is_200(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await post(client, "{ maybeToy { broken } }")

    assert response.status_code == 200
    assert response.json()["data"] == {"maybeToy": None}
    assert response.json()["errors"][0]["extensions"]["errorId"] == shop.faults[0].error_id
    assert "secrets" not in response.text


async def test_get_runs_queries(client: httpx.AsyncClient) -> None:
    query = "query A($n: String!) { toy(name: $n) { name } } query B { caller }"
    parameters = {"query": query, "operationName": "A", "variables": '{"n": "ape"}', "extensions": ""}

    response = await client.get("/graphql", params=parameters)

    assert response.json() == {"data": {"toy": {"name": "ape"}}}


async def test_get_runs_no_mutation(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.get("/graphql", params={"query": 'mutation { buy(name: "x") { name } }'})

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert code(response) == "BAD_USER_INPUT"
    assert shop.context.done == []


async def test_head_is_get_without_the_body(client: httpx.AsyncClient) -> None:
    response = await client.head("/graphql", params={"query": "{ caller }"})

    assert response.status_code == 200
    assert response.headers["content-length"] == str(len(b'{"data":{"caller":"nobody"}}'))
    assert response.content == b""


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_told_which_are_allowed(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    "url",
    [
        "?query={caller}&query={caller}",
        "?query={caller}&variables={",
        "?query={caller}&variables=[]",
        "?query={caller}&variables=%7B%22a%22%3A" + "1" * 5000 + "%7D",
        "?query=%ff",
        "?variables={}",
        "",
        "?" + "&".join(f"a{n}=1" for n in range(50)),
    ],
)
async def test_a_url_that_makes_no_sense_is_400(client: httpx.AsyncClient, shop: Shop, url: str) -> None:
    response = await client.get(shop.url + url)

    assert response.status_code == 400
    assert code(response) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=latin-1",
        "text/plain; application/json",
    ],
)
async def test_no_body_that_a_page_can_send_unasked_is_executed(
    client: httpx.AsyncClient, shop: Shop, content_type: str | None
) -> None:
    body = b'{"query": "mutation { buy(name: \\"x\\") { name } }"}'
    headers = {} if content_type is None else {"content-type": content_type}

    response = await client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 415
    assert shop.context.done == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("origin", [None, "https://evil.example"])
async def test_no_get_that_a_page_can_send_unasked_is_executed(
    client: httpx.AsyncClient, shop: Shop, site: str, origin: str | None
) -> None:
    headers = {"sec-fetch-site": site} | ({"origin": origin} if origin else {})

    response = await client.get("/graphql", params={"query": "{ caller }"}, headers=headers)

    assert response.status_code == 403
    assert shop.connections == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site", "origin": OURS},
        {"sec-fetch-site": "cross-site", "x-requested-with": "XMLHttpRequest"},
        {"sec-fetch-site": "cross-site", "apollo-require-preflight": "true"},
        {"user-agent": SAFARI, "x-requested-with": "XMLHttpRequest"},
        {"user-agent": SAFARI, "authorization": "ann"},
        {"user-agent": SAFARI, "origin": OURS},
        {"user-agent": "curl/8.5.0"},
    ],
)
async def test_a_get_of_a_page_that_may_is_executed(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.get("/graphql", params={"query": "{ caller }"}, headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}])
async def test_an_old_browser_that_does_not_say_for_whom_it_asks_is_not_answered(
    client: httpx.AsyncClient, shop: Shop, headers: dict[str, str]
) -> None:
    response = await client.get(
        "/graphql", params={"query": "{ caller }"}, headers={"user-agent": SAFARI, **headers}
    )

    assert response.status_code == 403
    assert shop.connections == []


async def test_an_allowed_origin_may_ask_and_read(client: httpx.AsyncClient) -> None:
    asking = {
        "origin": OURS,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,authorization",
    }

    preflight = await client.options("/graphql", headers=asking)
    response = await client.post("/graphql", json={"query": "{ caller }"}, headers={"origin": OURS})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == OURS
    assert preflight.headers["access-control-allow-headers"] == "content-type,authorization"
    assert response.headers["access-control-allow-origin"] == OURS
    assert response.headers["access-control-allow-credentials"] == "true"


async def test_another_origin_gets_no_permission(client: httpx.AsyncClient) -> None:
    asking = {"origin": "https://evil.example", "access-control-request-method": "POST"}

    preflight = await client.options("/graphql", headers=asking)
    response = await client.post(
        "/graphql", json={"query": "{ caller }"}, headers={"origin": "https://evil.example"}
    )

    for answer in (preflight, response):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert preflight.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"1",
        b'"{ caller }"',
        b"[]",
        b'{"query": 1}',
        b'{"query": "{ caller }", "variables": []}',
        b'{"query": "{ caller }", "operationName": 1}',
        b'{"query": "{ caller }", "extensions": "x"}',
        b'{"query": "{ caller }", "variables": {"a": "\xff"}}',
        b'{"query": "{ caller \\ud800 }"}',
        b'{"query": "{ caller }", "variables": {"a": ' + b"1" * 10_000 + b"}}",
        b'{"query": "{ caller }", "variables": {"a": ' + b"[" * 40_000 + b"]" * 40_000 + b"}}",
        b'{"query": "{ caller }", "variables": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}",
        b'{"query": "{ caller }", "variables": {"a": NaN}}',
        "{}".encode("utf-16"),
    ],
)
async def test_a_body_that_makes_no_sense_is_400_and_never_500(
    client: httpx.AsyncClient, shop: Shop, body: bytes
) -> None:
    response = await client.post("/graphql", content=body, headers={"content-type": JSON, "accept": JSON})

    assert response.status_code == 400
    assert code(response) == "BAD_USER_INPUT"
    assert shop.faults == []


async def test_an_integer_of_10000_digits_in_the_document_is_400(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    response = await post(client, "{ doubled(number: " + "1" * 10_000 + ") }")

    assert response.status_code == 400
    assert shop.faults == []


async def test_a_byte_order_mark_is_ignored(client: httpx.AsyncClient) -> None:
    body = b'\xef\xbb\xbf{"query": "{ caller }"}'

    response = await client.post(
        "/graphql", content=body, headers={"content-type": "application/json;charset=UTF-8"}
    )

    assert response.json() == {"data": {"caller": "nobody"}}


PACKERS = {
    "gzip": gzip.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("coding", PACKERS)
async def test_a_packed_body_is_read(client: httpx.AsyncClient, coding: str) -> None:
    body = PACKERS[coding](b'{"query": "{ caller }"}' + b" " * 90_000)
    headers = {"content-type": JSON, "content-encoding": coding}

    response = await client.post("/graphql", content=body, headers=headers)

    assert response.json() == {"data": {"caller": "nobody"}}


@pytest.mark.parametrize("coding", PACKERS)
async def test_a_packed_body_is_bounded_by_what_it_holds(client: httpx.AsyncClient, coding: str) -> None:
    body = PACKERS[coding](b" " * 50_000_000)
    assert len(body) < LIMITS.max_body_bytes
    headers = {"content-type": JSON, "content-encoding": coding}

    response = await client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 413


@pytest.mark.parametrize("coding", PACKERS)
@pytest.mark.parametrize("damage", [lambda packed: packed[:-6], lambda _: b"nonsense", lambda _: b""])
async def test_a_damaged_packed_body_is_400(client: httpx.AsyncClient, coding: str, damage: Any) -> None:
    body = damage(PACKERS[coding](b'{"query": "{ caller }"}'))
    headers = {"content-type": JSON, "content-encoding": coding}

    response = await client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 400


@pytest.mark.parametrize("coding", ["deflate", "gzip, br", "rot13"])
async def test_an_unknown_coding_is_415_and_told_the_known_ones(
    client: httpx.AsyncClient, coding: str
) -> None:
    headers = {"content-type": JSON, "content-encoding": coding}

    response = await client.post("/graphql", content=b"{}", headers=headers)

    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "gzip, br, zstd"


async def test_a_body_that_says_it_is_too_large_is_refused_unread(shop: Shop) -> None:
    head, _ = await raw(shop, b"content-length: 100001\r\n", b"")

    assert b" 413 " in head
    assert b"connection: close" in head


async def test_a_length_of_thousands_of_digits_is_no_fault(shop: Shop) -> None:
    head, _ = await raw(shop, b"content-length: " + b"9" * 5000 + b"\r\n", b"")

    assert b" 413 " in head or b" 400 " in head


async def test_a_body_without_length_is_refused_as_soon_as_it_is_too_large(shop: Shop) -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"

    head, _ = await raw(shop, b"transfer-encoding: chunked\r\n", chunk * 4)

    assert b" 413 " in head


async def test_a_body_that_does_not_arrive_is_given_up(shop: Shop) -> None:
    head, rest = await raw(shop, b"content-length: 100\r\n", b'{"query"')

    assert b" 408 " in head
    assert b"too long" in rest


async def raw(shop: Shop, headers: bytes, body: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to a POST that need not be a whole one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    writer.write(head + headers + b"\r\n" + body)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    front, _, rest = answer.partition(b"\r\n\r\n")
    return front, rest


async def test_a_client_that_reads_nothing_of_ours_gets_406(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await post(client, "{ caller }", "text/plain")

    assert response.status_code == 406
    assert shop.connections == []


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON, "multipart/mixed"])
async def test_a_subscription_needs_a_client_that_reads_streams(
    client: httpx.AsyncClient, accept: str
) -> None:
    response = await post(client, "subscription { count }", accept)

    assert response.status_code == 406
    assert "WebSocket" in response.text


@pytest.mark.parametrize(("header", "coding"), [("zstd", "zstd"), ("br", "br"), ("gzip;q=0.5", "gzip")])
async def test_a_large_answer_is_packed(client: httpx.AsyncClient, header: str, coding: str) -> None:
    body = orjson.dumps({"query": "{ toys(count: 100) { name price } }"})
    headers = {"content-type": JSON, "accept-encoding": header}

    async with client.stream("POST", "/graphql", content=body, headers=headers) as response:
        packed = b"".join([chunk async for chunk in response.aiter_raw()])

    unpack: dict[str, Any] = {
        "gzip": gzip.decompress,
        "br": brotli.decompress,
        "zstd": zstandard.ZstdDecompressor().decompress,
    }
    assert response.headers["content-encoding"] == coding
    assert int(response.headers["content-length"]) == len(packed)
    assert len(orjson.loads(unpack[coding](packed))["data"]["toys"]) == 100


@pytest.mark.parametrize(("count", "header"), [(1, "gzip"), (100, "identity"), (100, "gzip;q=0")])
async def test_a_small_answer_or_one_not_wanted_packed_is_not(
    client: httpx.AsyncClient, count: int, header: str
) -> None:
    query = f"{{ toys(count: {count}) {{ name price }} }}"

    response = await client.post("/graphql", json={"query": query}, headers={"accept-encoding": header})

    assert "content-encoding" not in response.headers
    assert len(response.json()["data"]["toys"]) == count


async def test_a_refused_caller_gets_401_and_a_graphql_error(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{ caller }"}, headers={"authorization": "bad"})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["errors"] == [
        {"message": "This token is not ours.", "extensions": {"code": "UNAUTHENTICATED"}}
    ]


async def test_a_context_that_breaks_is_masked(client: httpx.AsyncClient, shop: Shop) -> None:
    response = await client.post(
        "/graphql", json={"query": "{ caller }"}, headers={"authorization": "broken"}
    )

    assert response.status_code == 500
    assert code(response) == "INTERNAL"
    assert "/etc/tokens" not in response.text
    assert str(shop.faults[0].error) == "the token store is at /etc/tokens"


async def test_the_connection_tells_who_asks(client: httpx.AsyncClient, shop: Shop) -> None:
    headers = {"X-Request-ID": "abc-123"}

    response = await client.post("/graphql", json={"query": "{ caller }"}, headers=headers)

    [connection] = shop.connections
    assert (connection.request_id, connection.client, connection.scheme) == ("abc-123", "127.0.0.1", "http")
    assert connection.headers["x-request-id"] == "abc-123"
    assert response.headers["x-request-id"] == "abc-123"


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql", json={"query": "{ caller }"}, headers={"x-request-id": 'a" level="x'}
    )

    assert len(response.headers["x-request-id"]) == 32


async def test_a_client_that_leaves_cancels_its_operation(shop: Shop) -> None:
    async with httpx.AsyncClient(timeout=0.3) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(shop.url, json={"query": "{ slow(seconds: 60) }"})

    await eventually(lambda: shop.context.ended == ["slow"])


async def test_a_slow_operation_is_answered_all_the_same(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ slow(seconds: 0.3) }")

    assert response.json() == {"data": {"slow": "done"}}


async def test_two_requests_on_one_connection_are_both_answered(client: httpx.AsyncClient) -> None:
    first = await post(client, "{ slow(seconds: 0.2) }")
    second = await post(client, "{ caller }")

    assert (first.status_code, second.status_code) == (200, 200)


async def test_a_deadline_is_a_504() -> None:
    async with serving(Limits(deadline_seconds=0.05)) as shop, httpx.AsyncClient() as client:
        response = await client.post(shop.url, json={"query": "{ slow(seconds: 60) }"})

    assert response.status_code == 504
    assert code(response) == "TIMEOUT"


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_a_browser_gets_the_page_of_ours_and_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"accept": BROWSER, "sec-fetch-site": "cross-site"})

    assert response.content == PAGE
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in response.headers["content-security-policy"]


async def test_without_a_page_a_browser_is_told_how_to_ask() -> None:
    async with serving() as shop, httpx.AsyncClient(headers={"accept": BROWSER}) as client:
        told = await client.get(shop.url)
        answered = await client.get(shop.url, params={"query": "{ caller }"})

    assert told.headers["content-type"] == "text/plain; charset=utf-8"
    assert "POST" in told.text
    assert answered.json() == {"data": {"caller": "nobody"}}


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the other side has no event to wait for
            await asyncio.sleep(0.01)
