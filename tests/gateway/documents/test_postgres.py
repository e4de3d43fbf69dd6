from datetime import UTC, datetime, timedelta

import pytest

from domain.platform.postgres import Database
from gateway.documents.manifests import ClientDocument
from gateway.documents.postgres import PostgresDocuments
from gateway.documents.postgres_usage import PostgresUsage
from gateway.engine.trusted import TrustedDocument
from gateway.engine.usage import OTHERS, OperationKey, Tally

NOW = datetime.now(UTC)
CALLER = ClientDocument("caller-1", "query Caller { caller }", "Caller", "")
TOY = ClientDocument("toy-1", "{ toy { name } }", None, "")


@pytest.fixture
def documents(database: Database) -> PostgresDocuments:
    return PostgresDocuments(database)


@pytest.fixture
def usage(database: Database) -> PostgresUsage:
    return PostgresUsage(database)


def tally(*uses: tuple[str, str, int, bool], **coordinates: int) -> Tally:
    return Tally(
        {OperationKey(key, name): (count, trusted) for key, name, count, trusted in uses}, coordinates
    )


async def test_published_documents_are_there_for_every_process(documents: PostgresDocuments) -> None:
    assert await documents.publish([TOY, CALLER], "web@1") == 2

    assert await documents.all() == [
        TrustedDocument("caller-1", CALLER.hash, CALLER.text),
        TrustedDocument("toy-1", TOY.hash, TOY.text),
    ]
    assert await documents.hashes(["toy-1", "other"]) == {"toy-1": TOY.hash}


async def test_publishing_again_adds_the_client_and_nothing_else(documents: PostgresDocuments) -> None:
    await documents.publish([CALLER], "web@1")
    fingerprint = await documents.fingerprint()

    for client in ("web@1", "tv@2", None):
        assert await documents.publish([CALLER], client) == 0

    [listed] = await documents.listed()
    assert listed.clients == ["web@1", "tv@2"]
    assert listed.last_published_at > listed.first_published_at
    assert await documents.fingerprint() == fingerprint


async def test_the_text_of_an_id_never_changes(documents: PostgresDocuments) -> None:
    await documents.publish([CALLER], None)

    assert await documents.publish([ClientDocument("caller-1", "{ caller }", None, "")], None) == 0

    assert [document.text for document in await documents.all()] == [CALLER.text]


async def test_the_fingerprint_tells_of_what_comes_or_goes(
    documents: PostgresDocuments,
) -> None:
    seen = [await documents.fingerprint()]
    await documents.publish([CALLER], None)
    seen.append(await documents.fingerprint())
    await documents.remove(["caller-1"])
    await documents.publish([TOY], None)
    seen.append(await documents.fingerprint())

    assert len(set(seen)) == 3


async def test_documents_are_listed_with_their_use(
    documents: PostgresDocuments, usage: PostgresUsage
) -> None:
    await documents.publish([CALLER, TOY], None)

    await usage.add(tally((TOY.hash, "", 3, True)), NOW)
    await usage.add(tally((TOY.hash, "", 2, True)), NOW - timedelta(days=1))

    used, unused = await documents.listed()
    assert (used.id, used.uses, used.last_used_at) == ("toy-1", 5, NOW)
    assert (unused.id, unused.uses, unused.last_used_at) == ("caller-1", 0, None)


async def test_unused_are_those_that_nobody_ran_or_published(
    documents: PostgresDocuments, usage: PostgresUsage, database: Database
) -> None:
    again = ClientDocument("again", "{ doubled }", None, "")
    await documents.publish([CALLER, TOY, again], None)
    await database.execute(
        "UPDATE trusted_document SET last_published_at = now() - interval '90 days' WHERE id <> 'again'"
    )
    await usage.add(tally((TOY.hash, "", 1, True)), NOW - timedelta(days=10))

    unused = await documents.unused_since(NOW - timedelta(days=30))

    assert [document.id for document in unused] == ["caller-1"]


async def test_uses_of_all_processes_add_up(usage: PostgresUsage) -> None:
    await usage.add(tally(("h", "A", 2, False), ("h", "B", 1, False), **{"Query.a": 3}), NOW)
    await usage.add(tally(("h", "A", 5, True), **{"Query.a": 5, "Query.b": 1}), NOW)

    assert [(use.name, use.uses, use.trusted) for use in await usage.operations(NOW)] == [
        ("A", 7, True),
        ("B", 1, False),
    ]
    assert await usage.coordinates(NOW.date()) == {"Query.a": 8, "Query.b": 1}


async def test_use_is_asked_for_by_when_it_was(usage: PostgresUsage) -> None:
    long_ago = NOW - timedelta(days=40)
    await usage.add(tally(("h", "Old", 1, True), **{"Query.a": 1, "Query.old": 1}), long_ago)
    await usage.add(tally(("h", "New", 1, True), **{"Query.a": 2}), NOW)

    assert [use.name for use in await usage.operations(NOW - timedelta(days=30))] == ["New"]
    assert await usage.coordinates((NOW - timedelta(days=30)).date()) == {"Query.a": 2}
    assert await usage.coordinates(long_ago.date()) == {"Query.a": 3, "Query.old": 1}

    await usage.forget(NOW - timedelta(days=30))
    assert await usage.coordinates(long_ago.date()) == {"Query.a": 2}
    assert [use.name for use in await usage.operations(long_ago)] == ["New"]


async def test_ad_hoc_operations_are_told_apart_up_to_a_number(database: Database) -> None:
    usage = PostgresUsage(database, most_ad_hoc=2)

    await usage.add(tally(("a", "", 9, False), ("b", "", 1, False), ("c", "", 5, False)), NOW)
    await usage.add(tally(("a", "", 1, False), ("d", "", 4, False), ("p", "", 1, True)), NOW)

    found = {(use.hash, use.uses) for use in await usage.operations(NOW)}
    assert found == {("a", 10), ("c", 5), ("p", 1), (OTHERS.hash, 5)}


async def test_nothing_used_is_nothing_written(usage: PostgresUsage) -> None:
    await usage.add(Tally(), NOW)

    assert await usage.operations(NOW - timedelta(days=1)) == []
