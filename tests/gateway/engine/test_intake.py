from typing import Any

import pytest

from gateway.engine.documents import Rejected, document_hash
from gateway.engine.execution import Engine, Operation
from gateway.engine.intake import MAX_REPEATED_BYTES, Intake, Named
from gateway.engine.limits import Limit, Limits
from gateway.engine.persisted import Layered, LocalQueries, QueryStore
from gateway.engine.requests import OperationRequest
from gateway.engine.trusted import DocumentsMode, TrustedDocument, TrustedDocuments
from tests.gateway.toy import Toys, toy_schema

OFF, LOG, PREFER, ONLY = DocumentsMode
PUBLISHED = "query Caller { caller }"
AD_HOC = "{ caller }"
HASH = document_hash(PUBLISHED)


class Desk:
    """An intake with one published document, and what it counted."""

    def __init__(
        self,
        mode: DocumentsMode = OFF,
        *,
        queries: QueryStore | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.counted: list[tuple[str, Named, bool]] = []
        trusted = TrustedDocuments([TrustedDocument("caller-1", HASH, PUBLISHED)])
        engine = Engine(toy_schema(), limits)
        self.intake = Intake(engine, mode, trusted, queries, self._count)

    def _count(self, operation: Operation, named: Named, trusted: bool) -> None:  # noqa: FBT001 - `Count`
        self.counted.append((operation.prepared.text, named, trusted))

    async def data(self, query: str = "", **request: Any) -> Any:
        operation = await self.intake.operation(OperationRequest(query, **request))
        return (await self.intake.engine.execute(operation, Toys())).data

    async def code(self, query: str = "", **request: Any) -> tuple[str, str]:
        with pytest.raises(Rejected) as rejected:
            await self.intake.operation(OperationRequest(query, **request))
        [error] = rejected.value.errors
        return error["extensions"]["code"], error["message"]


def hashed(text: str, version: int = 1) -> dict[str, Any]:
    return {"persistedQuery": {"version": version, "sha256Hash": document_hash(text)}}


@pytest.mark.parametrize("mode", [LOG, PREFER, ONLY])
@pytest.mark.parametrize("document_id", ["caller-1", f"sha256:{HASH}", HASH])
async def test_a_published_document_runs_by_its_id_or_hash(mode: DocumentsMode, document_id: str) -> None:
    desk = Desk(mode)

    assert await desk.data(document_id=document_id) == {"caller": "nobody"}
    assert desk.counted == [(PUBLISHED, Named.ID, True)]


@pytest.mark.parametrize("mode", [LOG, PREFER, ONLY])
async def test_an_unknown_id_is_not_found_and_told_how_to_publish(mode: DocumentsMode) -> None:
    code, message = await Desk(mode).code(document_id="caller-2")

    assert code == "PERSISTED_QUERY_NOT_FOUND"
    assert "caller-2" in message
    assert "media-gateway documents publish" in message


async def test_off_takes_no_documents_by_id() -> None:
    code, message = await Desk(OFF).code(document_id="caller-1")

    assert code == "BAD_USER_INPUT"
    assert "send the text" in message


@pytest.mark.parametrize(("mode", "trusted"), [(OFF, False), (LOG, True), (PREFER, True), (ONLY, True)])
async def test_a_text_that_is_exactly_a_published_one_is_trusted(
    mode: DocumentsMode, *, trusted: bool
) -> None:
    desk = Desk(mode)

    assert await desk.data(PUBLISHED) == {"caller": "nobody"}
    assert desk.counted == [(PUBLISHED, Named.TEXT, trusted)]


@pytest.mark.parametrize("mode", [OFF, LOG, PREFER])
async def test_any_other_text_runs_and_is_counted(mode: DocumentsMode) -> None:
    desk = Desk(mode)

    assert await desk.data(AD_HOC) == {"caller": "nobody"}
    assert desk.counted == [(AD_HOC, Named.TEXT, False)]


@pytest.mark.parametrize(
    "text", [AD_HOC, "{ __schema { queryType { name } } }", f"{PUBLISHED} ", "{ nothing }", "{"]
)
async def test_only_refuses_any_other_text_before_it_is_parsed(text: str) -> None:
    desk = Desk(ONLY, queries=LocalQueries(10_000))

    for extensions in (None, hashed(text)):
        code, message = await desk.code(text, extensions=extensions)

        assert code == "DOCUMENT_NOT_TRUSTED"
        assert document_hash(text) in message
        assert "media-gateway documents publish" in message
    assert desk.counted == []


@pytest.mark.parametrize(("mode", "spared"), [(LOG, False), (PREFER, True), (ONLY, True)])
async def test_published_documents_are_spared_the_limits_where_they_are_preferred(
    mode: DocumentsMode, *, spared: bool
) -> None:
    desk = Desk(mode, limits=Limits(max_fields=0))

    if spared:
        assert await desk.data(document_id="caller-1") == {"caller": "nobody"}
    else:
        assert (await desk.code(document_id="caller-1"))[0] == "BAD_USER_INPUT"


@pytest.mark.parametrize("mode", [OFF, LOG, PREFER])
async def test_a_hash_runs_after_its_text_was_sent_along_once(mode: DocumentsMode) -> None:
    desk = Desk(mode, queries=LocalQueries(10_000))

    before = await desk.code(extensions=hashed(AD_HOC))
    sent = await desk.data(AD_HOC, extensions=hashed(AD_HOC))
    after = await desk.data(extensions=hashed(AD_HOC))

    assert before == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    assert sent == after == {"caller": "nobody"}
    assert [named for _, named, _ in desk.counted] == [Named.TEXT, Named.HASH]


async def test_a_text_with_another_hash_is_refused_and_not_kept() -> None:
    desk = Desk(queries=LocalQueries(10_000))

    code, message = await desk.code(AD_HOC, extensions=hashed(PUBLISHED))

    assert code == "PERSISTED_QUERY_MISMATCH"
    assert message.startswith("provided sha does not match query")
    assert (await desk.code(extensions=hashed(PUBLISHED)))[0] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_text_that_cannot_run_is_not_kept() -> None:
    queries = LocalQueries(10_000)
    desk = Desk(queries=queries)

    await desk.code("{ nothing }", extensions=hashed("{ nothing }"))

    assert await queries.get(document_hash("{ nothing }")) is None


async def test_switched_off_it_is_said_so_and_texts_run_all_the_same() -> None:
    desk = Desk()

    assert await desk.code(extensions=hashed(AD_HOC)) == (
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "PersistedQueryNotSupported",
    )
    assert await desk.data(AD_HOC, extensions=hashed(AD_HOC)) == {"caller": "nobody"}


async def test_in_only_a_hash_finds_published_documents_alone() -> None:
    queries = LocalQueries(10_000)
    await queries.put(document_hash(AD_HOC), AD_HOC)
    desk = Desk(ONLY, queries=queries)

    assert await desk.data(extensions=hashed(PUBLISHED)) == {"caller": "nobody"}
    assert (await desk.code(extensions=hashed(AD_HOC)))[0] == "PERSISTED_QUERY_NOT_FOUND"


async def test_clients_that_send_a_published_id_as_the_hash_are_understood() -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "caller-1"}}

    assert await Desk(ONLY).data(extensions=extensions) == {"caller": "nobody"}
    assert await Desk(ONLY).data(PUBLISHED, extensions=extensions) == {"caller": "nobody"}


@pytest.mark.parametrize(
    "extension",
    [1, [], {}, {"version": 2, "sha256Hash": HASH}, {"version": 1}, {"version": 1, "sha256Hash": ""}],
)
async def test_a_malformed_extension_is_bad_input(extension: object) -> None:
    code, _ = await Desk(queries=LocalQueries(100)).code(extensions={"persistedQuery": extension})

    assert code == "BAD_USER_INPUT"


async def test_what_is_published_later_is_known_from_then_on() -> None:
    desk = Desk(ONLY)
    assert desk.intake.trusted is not None

    desk.intake.trusted.replace([TrustedDocument("a", document_hash(AD_HOC), AD_HOC)])

    assert await desk.data(document_id="a") == {"caller": "nobody"}
    assert (await desk.code(document_id="caller-1"))[0] == "PERSISTED_QUERY_NOT_FOUND"


async def test_kept_texts_are_bounded_by_their_bytes() -> None:
    queries = LocalQueries(10)

    for key, text in (("a", "ää"), ("b", "bbbbbb"), ("c", "cc")):
        await queries.put(key, text)
    await queries.put("long", "x" * 11)

    assert [await queries.get(key) for key in ("a", "b", "c", "long")] == [None, None, None, None]


async def test_the_least_recently_used_text_goes_first() -> None:
    queries = LocalQueries(4)
    await queries.put("a", "aa")
    await queries.put("b", "bb")
    await queries.get("a")

    await queries.put("c", "cc")

    assert [await queries.get(key) for key in ("a", "b", "c")] == ["aa", None, "cc"]


async def test_what_another_process_knows_is_found_and_kept_near() -> None:
    near, far = LocalQueries(1_000), LocalQueries(1_000)
    await far.put(HASH, PUBLISHED)
    layered = Layered(near, far)

    assert await layered.get(HASH) == PUBLISHED
    assert await near.get(HASH) == PUBLISHED


async def test_a_text_that_does_not_have_its_hash_is_not_believed() -> None:
    near, far = LocalQueries(1_000), LocalQueries(1_000)
    await far.put(HASH, "{ somethingElse }")

    assert await Layered(near, far).get(HASH) is None
    assert await near.get(HASH) is None


# -- Bodies that come again


async def repeated(desk: Desk, request: OperationRequest, body: bytes = b"a body") -> Operation | None:
    """What the body comes to the second time, without being read."""
    desk.intake.remember(body, request, await desk.intake.operation(request))
    return desk.intake.again(body)


async def test_a_body_that_comes_again_is_not_read_again_but_counted() -> None:
    desk = Desk(OFF)
    request = OperationRequest(AD_HOC, variables={"text": "a", "number": 1, "none": None})

    found = await repeated(desk, request)

    assert found is not None
    assert found.variables == request.variables
    assert desk.counted == [(AD_HOC, Named.TEXT, False)] * 2
    assert desk.intake.again(b"another body") is None


@pytest.mark.parametrize("mode", [LOG, PREFER, ONLY])
async def test_where_documents_are_published_each_body_is_read(mode: DocumentsMode) -> None:
    assert await repeated(Desk(mode), OperationRequest(PUBLISHED)) is None


@pytest.mark.parametrize(
    "request_",
    [
        OperationRequest(AD_HOC, extensions={"client": "x"}),
        OperationRequest(AD_HOC, variables={"list": [1]}),
        OperationRequest(AD_HOC, variables={"object": {}}),
    ],
    ids=["extensions", "a list", "an object"],
)
async def test_what_somebody_may_write_on_is_made_anew(request_: OperationRequest) -> None:
    assert await repeated(Desk(OFF), request_) is None


async def test_long_bodies_are_not_kept() -> None:
    body = b" " * (MAX_REPEATED_BYTES + 1)

    assert await repeated(Desk(OFF), OperationRequest(AD_HOC), body) is None
    assert await repeated(Desk(OFF), OperationRequest(AD_HOC), body[1:]) is not None


async def test_where_limits_only_warn_each_request_is_looked_at() -> None:
    limits = Limits(warn_only=frozenset({Limit.TOKENS}))

    assert await repeated(Desk(OFF, limits=limits), OperationRequest(AD_HOC)) is None
