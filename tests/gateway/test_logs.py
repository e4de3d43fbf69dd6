import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from gateway import logs

JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged as in production; logging is afterwards as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    logs.configure(readable=False, level="info", stream=written)
    yield written
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logs.QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_line_is_one_json_object(lines: io.StringIO) -> None:
    structlog.get_logger("gateway.test").info("title.found", content_id=7, title="Amélie")

    (line,) = _read(lines)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "title.found",
        "level": "info",
        "logger": "gateway.test",
        "content_id": 7,
        "title": "Amélie",
    }


def test_lines_of_libraries_have_the_same_form(lines: io.StringIO) -> None:
    logging.getLogger("sqlalchemy.pool").warning("lost %s of %d", "one", 2, extra={"pool": "main"})

    (line,) = _read(lines)
    assert (line["event"], line["level"], line["logger"]) == ("lost one of 2", "warning", "sqlalchemy.pool")
    assert line["pool"] == "main"


def test_news_of_libraries_are_left_out(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("httpx").info("HTTP Request: GET")

    assert lines.getvalue() == ""


def test_what_is_below_the_level_is_left_out(lines: io.StringIO) -> None:
    structlog.get_logger("gateway.test").debug("title.found")

    assert lines.getvalue() == ""


def test_the_request_id_stands_in_every_line_of_a_request(lines: io.StringIO) -> None:
    token = logs.REQUEST_ID.set("r-1")
    try:
        structlog.get_logger("gateway.test").info("ours")
        logging.getLogger("library").warning("theirs")
    finally:
        logs.REQUEST_ID.reset(token)
    structlog.get_logger("gateway.test").info("after")

    assert [line.get("request_id") for line in _read(lines)] == ["r-1", "r-1", None]


def test_the_trace_id_stands_in_every_line_of_a_span(lines: io.StringIO) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
        structlog.get_logger("gateway.test").info("inside")
    structlog.get_logger("gateway.test").info("outside")

    inside, outside = _read(lines)
    assert inside["trace_id"] == trace.format_trace_id(span.get_span_context().trace_id)
    assert inside["span_id"] == trace.format_span_id(span.get_span_context().span_id)
    assert "trace_id" not in outside


def test_an_exception_is_text_without_local_variables(lines: io.StringIO) -> None:
    def fail() -> None:
        held = "what-a-frame-held"
        raise ValueError(len(held))

    try:
        fail()
    except ValueError:
        structlog.get_logger("gateway.test").exception("failed")

    (line,) = _read(lines)
    assert "ValueError: 17" in line["exception"]
    assert line["exception"].startswith("Traceback")


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "Authorization",
        "cookie",
        "Set-Cookie",
        "access_token",
        "refreshToken",
        "token",
        "api_key",
        "X-Api-Key",
        "apiKey",
        "signing_key",
        "client_secret",
    ],
)
def test_values_under_the_names_of_secrets_are_taken_out(lines: io.StringIO, name: str) -> None:
    structlog.get_logger("gateway.test").info(
        "seen", outer={"list": [{name: "hunter22"}]}, **{name: "hunter22"}
    )

    (line,) = _read(lines)
    assert line[name] == logs.REDACTED
    assert line["outer"] == {"list": [{name: logs.REDACTED}]}


@pytest.mark.parametrize("name", ["token_id", "tokens_seen", "title", "key", "keyword", "status_code"])
def test_other_names_keep_their_values(lines: io.StringIO, name: str) -> None:
    structlog.get_logger("gateway.test").info("seen", **{name: "kept"})

    assert _read(lines)[0][name] == "kept"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {JWT}", JWT),
        (f"token {JWT} is bad", JWT),
        ("X-API-Key: mg_live_0123456789abcdefghijABCDEFGHIJ12", "0123456789abcdefghijABCDEFGHIJ12"),
        ("client said mg_cs_0123456789abcdef", "0123456789abcdef"),
        ("got Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("got basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("cannot reach postgresql://mg:hunter22@db/mg", "hunter22"),
        ("GET /graphql?access_token=hunter22&x=1", "hunter22"),
        ("DETAIL:  Failing row contains (7, ada@example.org,\n$argon2id$x, null).\nnext", "argon2id"),
        ("DETAIL:  Failing row contains (7, ada@example.org, null).", "ada@example.org"),
        ("DETAIL:  Key (lower(email))=(ada@example.org) already exists.", "ada@example.org"),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----", "MC4CAQAw"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_any_text(
    lines: io.StringIO, text: str, secret: str
) -> None:
    structlog.get_logger("gateway.test").warning(text, detail=[text])
    logging.getLogger("library").warning("%s", text)
    try:
        _fail(text)
    except RuntimeError:
        structlog.get_logger("gateway.test").exception("failed")

    assert len(_read(lines)) == 3
    assert secret not in lines.getvalue()
    assert logs.REDACTED in lines.getvalue()


def test_a_value_that_contains_itself_is_cut_off(lines: io.StringIO) -> None:
    loop: list[Any] = []
    loop.append(loop)

    structlog.get_logger("gateway.test").info("seen", loop=loop)

    assert "…" in _read(lines)[0]["loop"][0][0][0][0][0][0][0]


def test_readable_lines_are_for_people() -> None:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        logs.configure(readable=True, level="INFO", stream=written)
        structlog.get_logger("gateway.test").warning("title.lost", content_id=7, password="hunter22")
    finally:
        structlog.reset_defaults()
        logging.captureWarnings(capture=False)
        root.handlers[:] = handlers
        root.setLevel(level)

    assert "title.lost" in written.getvalue()
    assert "content_id=7" in written.getvalue()
    assert "hunter22" not in written.getvalue()
    assert "\x1b[" not in written.getvalue()


def _fail(text: str) -> None:
    raise RuntimeError(text)


def _read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]
