"""Which media type and coding an answer has (RFC 9110, section 12.5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.engine.incremental.formats import Format

RESPONSE_JSON: Final = "application/graphql-response+json"
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
MULTIPART: Final = "multipart/mixed"
HTML: Final = "text/html"

_ENCODINGS: Final = ("zstd", "br", "gzip")
_UNNAMED: Final = {EVENT_STREAM: Format.CURRENT, MULTIPART: Format.OF_2022}
"""The format of those who name none, by what they read."""


class StreamKind(Enum):
    EVENTS = EVENT_STREAM
    MULTIPART = MULTIPART
    PARTS = "multipart/mixed;incrementalSpec=v0.2"
    PARTS_OF_2022 = "multipart/mixed;deferSpec=20220824"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a client wants an answer that comes in parts."""

    kind: StreamKind
    format: Format


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a client can read, from its Accept header."""

    single: str | None
    """The type for one result, RESPONSE_JSON or JSON; None if it reads neither."""
    stream: StreamKind | None
    """The form for many results; None if it reads none."""
    page: bool
    """Whether it would rather have a web page than either."""
    incremental: Manner | None = None
    """How it wants what @defer and @stream put off; None if it would rather have all in one piece."""


@dataclass(frozen=True, slots=True)
class _Range:
    type: str
    quality: float
    parameters: Mapping[str, str]


def accepted(header: str | None) -> Accepted:
    """Quality decides; among equals what the client names goes before what its wildcard covers.

    Naming a stream says only that the client could read one: urql and Apollo name them with every query.
    """
    ranges = list(_ranges(header)) if header is not None and header.strip() else [_Range("*/*", 1.0, {})]
    single = _best(ranges, (RESPONSE_JSON, JSON), by_wildcard=JSON)
    # The multipart form is that of https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol,
    # which its readers announce; others that read multipart expect incremental delivery.
    known = [r for r in ranges if r.type != MULTIPART or r.parameters.get("subscriptionspec") == "1.0"]
    stream = _best(known, (EVENT_STREAM, MULTIPART), by_wildcard=EVENT_STREAM)
    html = _quality(ranges, HTML)
    data = max(_quality(ranges, RESPONSE_JSON), _quality(ranges, JSON))
    named = any(r.type == HTML for r in ranges)
    return Accepted(
        single,
        StreamKind(stream) if stream else None,
        named and html > 0 and html >= data,
        _incremental(ranges, at_least=data),
    )


def encoding(header: str | None) -> str | None:
    """The content coding for a response: the best the client names, None for none."""
    qualities = {r.type: r.quality for r in _ranges(header or "")}
    offers = [(qualities.get(name, qualities.get("*", 0.0)), name) for name in _ENCODINGS]
    best = max(quality for quality, _ in offers)
    # Uncompressed is what a client gets that rates it above all codings; naming none rates it above none.
    if best <= 0 or qualities.get("identity", 0.0) > best:
        return None
    return next(name for quality, name in offers if quality == best)


def media_type(header: str | None) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type, in lower case but for the values."""
    name, *parameters = (header or "").split(";")
    return name.strip().lower(), _parameters(parameters)


def _best(ranges: Sequence[_Range], offers: Sequence[str], by_wildcard: str) -> str | None:
    rated = [
        (quality, any(r.type == offer for r in ranges), offer == by_wildcard, offer)
        for offer in offers
        if (quality := _quality(ranges, offer)) > 0
    ]
    if not rated:
        return None
    best = max(quality for quality, *_ in rated)
    first = [(named, fallback, offer) for quality, named, fallback, offer in rated if quality == best]
    named_ones = [offer for named, _, offer in first if named]
    return named_ones[0] if named_ones else max(first, key=lambda found: found[1])[2]


def _incremental(ranges: Sequence[_Range], at_least: float) -> Manner | None:
    """Only what is named counts. Of two alike the one that names its format goes first, then multipart.

    Readers of multipart that name none are older than the names, or were written for what came before.
    """
    rated = [
        (r.quality, format_.value[0] in r.parameters, r.type == MULTIPART, format_)
        for r in ranges
        if r.type in _UNNAMED
        and "subscriptionspec" not in r.parameters
        and r.quality >= at_least
        and r.quality > 0
        and (format_ := Format.asked_by(r.parameters, _UNNAMED[r.type])) is not None
    ]
    if not rated:
        return None
    *_, multipart, format_ = max(rated, key=lambda rating: rating[:3])
    parts = StreamKind.PARTS if format_ is Format.CURRENT else StreamKind.PARTS_OF_2022
    return Manner(parts if multipart else StreamKind.EVENTS, format_)


def _quality(ranges: Sequence[_Range], offer: str) -> float:
    """By the most specific range that covers the offer; 0 if none does."""
    for covering in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        found = [r.quality for r in ranges if r.type == covering and _is_utf8(r.parameters)]
        if found:
            return max(found)
    return 0.0


def _is_utf8(parameters: Mapping[str, str]) -> bool:
    return parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}


def _ranges(header: str) -> Iterator[_Range]:
    for part in header.split(","):
        name, *rest = part.split(";")
        if not name.strip():
            continue
        parameters = _parameters(rest)
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        # A quality that is no number between 0 and 1 accepts nothing; NaN fails every comparison.
        yield _Range(name.strip().lower(), quality if 0.0 <= quality <= 1.0 else 0.0, parameters)


def _parameters(parts: Sequence[str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts)
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name.strip()}
