import pytest

from gateway.engine.incremental.formats import Format
from gateway.routes.negotiation import (
    JSON,
    RESPONSE_JSON,
    Manner,
    StreamKind,
    accepted,
    encoding,
)

EVENTS, MULTIPART = StreamKind.EVENTS, StreamKind.MULTIPART
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)
APOLLO_QUERY = "application/graphql-response+json,application/json;q=0.9"
APOLLO_DEFER = "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9"
APOLLO_SUBSCRIPTION = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
GRAPHQL_REQUEST = "application/graphql-response+json, application/json"


@pytest.mark.parametrize(
    ("header", "single", "stream", "page"),
    [
        (None, JSON, EVENTS, False),
        ("", JSON, EVENTS, False),
        ("*/*", JSON, EVENTS, False),
        ("application/*", JSON, None, False),
        ("application/json", JSON, None, False),
        ("application/json; charset=UTF-8", JSON, None, False),
        ("application/json; charset=latin-1", None, None, False),
        ("APPLICATION/JSON", JSON, None, False),
        ("application/graphql-response+json", RESPONSE_JSON, None, False),
        ("application/json, application/graphql-response+json", RESPONSE_JSON, None, False),
        ("application/graphql-response+json;q=0.5, application/json", JSON, None, False),
        ("application/graphql-response+json;q=0.5, */*", JSON, EVENTS, False),
        ("application/graphql-response+json, */*", RESPONSE_JSON, EVENTS, False),
        ("application/json;q=0, */*", RESPONSE_JSON, EVENTS, False),
        ("application/json, text/plain, */*", JSON, EVENTS, False),
        (URQL, RESPONSE_JSON, EVENTS, False),
        (APOLLO_QUERY, RESPONSE_JSON, None, False),
        (APOLLO_DEFER, RESPONSE_JSON, None, False),
        (APOLLO_SUBSCRIPTION, JSON, MULTIPART, False),
        (GRAPHQL_REQUEST, RESPONSE_JSON, None, False),
        ("text/event-stream", None, EVENTS, False),
        ("multipart/mixed", None, None, False),
        ('multipart/mixed; subscriptionSpec="1.0"', None, MULTIPART, False),
        ("text/plain", None, None, False),
        ("text/html", None, None, True),
        (BROWSER, JSON, EVENTS, True),
        ("application/json, text/html;q=0.9", JSON, None, False),
        ("application/json;q=nan", None, None, False),
        ("application/json;q=x, text/event-stream;q=2", None, None, False),
        (",,;q=1,", None, None, False),
    ],
)
def test_accept_is_read_by_quality(
    header: str | None,
    single: str | None,
    stream: StreamKind | None,
    page: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    found = accepted(header)

    assert (found.single, found.stream, found.page) == (single, stream, page)


CURRENT, OF_2022 = Format.CURRENT, Format.OF_2022
AS_EVENTS = Manner(EVENTS, CURRENT)
AS_PARTS = Manner(StreamKind.PARTS, CURRENT)
AS_OLD_PARTS = Manner(StreamKind.PARTS_OF_2022, OF_2022)


@pytest.mark.parametrize(
    ("header", "manner"),
    [
        (None, None),
        ("*/*", None),
        ("application/json", None),
        ("text/*, multipart/*", None),
        (APOLLO_QUERY, None),
        (APOLLO_SUBSCRIPTION, None),
        (APOLLO_DEFER, AS_OLD_PARTS),
        (APOLLO_DEFER.replace("deferSpec=20220824", "incrementalSpec=v0.2"), AS_PARTS),
        ("multipart/mixed;incrementalSpec=v0.3, application/json", None),
        ("multipart/mixed;deferSpec=20230101, application/json", None),
        ("multipart/mixed", AS_OLD_PARTS),
        ("application/json, multipart/mixed", AS_OLD_PARTS),
        ("application/json, multipart/mixed;q=0.9", None),
        ("application/json;q=0.9, multipart/mixed", AS_OLD_PARTS),
        ("text/event-stream", AS_EVENTS),
        ("text/event-stream;deferSpec=20220824", Manner(EVENTS, OF_2022)),
        (URQL, AS_OLD_PARTS),
        ("text/event-stream, multipart/mixed;deferSpec=20220824", AS_OLD_PARTS),
        ("multipart/mixed, text/event-stream;incrementalSpec=v0.2", AS_EVENTS),
        ("text/event-stream, multipart/mixed;deferSpec=20220824;q=0.9", AS_EVENTS),
        ("multipart/mixed;q=0", None),
    ],
)
def test_parts_are_for_those_who_name_them(header: str | None, manner: Manner | None) -> None:
    assert accepted(header).incremental == manner


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("zstd;q=0, br;q=0, gzip;q=0.1", "gzip"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("zstd;q=0, *", "br"),
        ("identity, gzip;q=0.5", None),
        ("deflate", None),
    ],
)
def test_the_best_coding_the_client_names_is_taken(header: str | None, coding: str | None) -> None:
    assert encoding(header) == coding
