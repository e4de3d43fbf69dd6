"""The head of a request: its headers, and what they say of how it is to be read and answered.

A client sends much the same head with all of its requests, so each is worked out once and found again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from gateway.engine.kept import Kept
from gateway.routes.negotiation import JSON, Accepted, accepted, encoding, media_type

MOST_HEADS: Final = 512
MOST_BYTES: Final = 1 << 20
"""Of all heads that are kept."""
MOST_BYTES_OF_ONE: Final = 8 << 10
IDENTITY: Final = "identity"
_MOST_DIGITS: Final = 18
_REQUEST_ID: Final = re.compile(r"[\w.:+/=-]{1,128}")
_OF_ONE_REQUEST: Final = ("x-request-id", "traceparent", "dpop", "sec-websocket-key", "last-event-id")
"""Headers whose value does not come again."""

Pairs = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What does not depend on anything but the headers."""

    headers: Mapping[str, str]
    """By lower-case name; repeated ones joined by commas."""
    request_id: str | None
    """The client's own, where it is harmless to log."""
    accepted: Accepted
    takes_whole: bool
    """Whether it wants an answer in one piece, whatever else it could read."""
    coding: str | None
    """The content coding of the answer."""
    is_json: bool
    """Whether the body is JSON in UTF-8."""
    body_coding: str
    """The content coding of the body."""
    body_bytes: int
    """As the client states it; 0 where it does not, and more than anybody sends where it is absurd."""


def head_of(scope: Scope) -> Head:
    """Of a request or handshake."""
    pairs: Pairs = tuple(scope["headers"])
    head = _HEADS.get(pairs)
    if head is None:
        head = _read(pairs)
        if _bytes_of(head) <= MOST_BYTES_OF_ONE and not any(name in head.headers for name in _OF_ONE_REQUEST):
            _HEADS.put(pairs, head)
    return head


def _read(pairs: Pairs) -> Head:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    request_id, wanted = headers.get("x-request-id"), accepted(headers.get("accept"))
    return Head(
        headers,
        request_id if request_id is not None and _REQUEST_ID.fullmatch(request_id) else None,
        wanted,
        wanted.single is not None and wanted.incremental is None,
        encoding(headers.get("accept-encoding")),
        _is_json(headers.get("content-type")),
        headers.get("content-encoding", IDENTITY).strip().lower() or IDENTITY,
        _length(headers.get("content-length", "")),
    )


def _is_json(content_type: str | None) -> bool:
    name, parameters = media_type(content_type)
    return name == JSON and parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}


def _length(stated: str) -> int:
    if not stated.isdecimal():
        return 0
    # Python refuses to read numbers of thousands of digits.
    return int(stated[-_MOST_DIGITS:]) if len(stated.lstrip("0")) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _bytes_of(head: Head) -> int:
    return sum(len(name) + len(value) for name, value in head.headers.items())


_HEADS: Final = Kept[Pairs, Head](MOST_HEADS, MOST_BYTES, _bytes_of)
