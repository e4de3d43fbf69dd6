from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from domain.catalog.model import ContentKind, ExternalId
from domain.ingestion import service
from domain.ingestion.model import Feedback, Item, NotStored, Origin, Refusal, Work
from domain.ingestion.service import BATCH, KEPT_REFUSALS, Progress, Written, import_source


def work(number: int, *, title: str = "A", unknown: tuple[str, ...] = ()) -> Work:
    return Work(ContentKind.MOVIE, title, Origin("f", number), unknown_genres=unknown)


def rating(number: int) -> Feedback:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    return Feedback("id", "Somebody", ExternalId("movielens", "1"), 4.0, at, Origin("f", number))


class ListSource:
    name = "list"
    fills_gaps = False
    fraction = 0.5

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def items(self) -> Iterator[Item]:
        return iter(self._items)


class FakeShelf:
    """Stores what is not titled "poison"; of such it takes nothing of the whole batch."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.lines: list[int] = []
        self.feedback: list[int] = []
        self.settled = 0

    async def settle(self) -> None:
        self.settled += 1

    async def put(self, works: Sequence[Work], *, fills_gaps: bool) -> Written:
        if any(work.title == "poison" for work in works):
            raise NotStored("poisoned")
        self.batches.append(len(works))
        self.lines += [work.origin.line for work in works]
        return Written(created=len(works))

    async def put_feedback(self, feedback: Sequence[Feedback]) -> Written:
        self.feedback.append(len(feedback))
        return Written(feedback=len(feedback) - 1, refused=(Refusal("f", 1, "movieId", "is not known"),))


async def test_works_are_stored_in_batches_in_their_order() -> None:
    shelf = FakeShelf()

    report = await import_source(shelf, ListSource([work(i) for i in range(BATCH * 2 + 7)]))

    assert shelf.batches == [BATCH, BATCH, 7]
    assert shelf.lines == list(range(BATCH * 2 + 7))
    assert (report.created, report.works, report.refused) == (BATCH * 2 + 7, BATCH * 2 + 7, 0)
    assert shelf.settled == 1


async def test_only_the_work_the_store_refuses_is_lost() -> None:
    shelf = FakeShelf()
    items = [work(i, title="poison" if i in {3, 77} else "A") for i in range(100)]

    report = await import_source(shelf, ListSource(items))

    assert sorted(shelf.lines) == [i for i in range(100) if i not in {3, 77}]
    assert report.refusals == [Refusal("f", 3, "", "poisoned"), Refusal("f", 77, "", "poisoned")]
    assert (report.created, report.refused) == (98, 2)


async def test_refusals_beyond_what_is_kept_are_counted_and_told() -> None:
    items = [Refusal("f", i, "year", "bad") for i in range(KEPT_REFUSALS + 250)]
    told: list[Refusal] = []

    report = await import_source(FakeShelf(), ListSource(items), refused=told.append)

    assert report.refused == KEPT_REFUSALS + 250
    assert report.refusals == items[:KEPT_REFUSALS]
    assert told == items


async def test_unknown_genres_are_counted() -> None:
    items = [work(1, unknown=("Blorp", "Zeg")), work(2, unknown=("Blorp",))]

    report = await import_source(FakeShelf(), ListSource(items))

    assert report.unknown_genres == {"Blorp": 2, "Zeg": 1}


async def test_genres_beyond_what_is_kept_are_not_remembered() -> None:
    items = [work(i, unknown=(f"genre {i}",)) for i in range(service.KEPT_GENRES + 9)]

    report = await import_source(FakeShelf(), ListSource(items))

    assert len(report.unknown_genres) == service.KEPT_GENRES


async def test_feedback_goes_in_larger_batches_and_its_refusals_are_reported() -> None:
    shelf = FakeShelf()

    report = await import_source(shelf, ListSource([rating(i) for i in range(service.FEEDBACK_BATCH + 5)]))

    assert shelf.feedback == [service.FEEDBACK_BATCH, 5]
    assert (report.feedback, report.refused) == (service.FEEDBACK_BATCH + 3, 2)


async def test_progress_is_told_after_each_batch() -> None:
    heard: list[Progress] = []

    await import_source(FakeShelf(), ListSource([work(i) for i in range(BATCH + 1)]), progress=heard.append)

    assert [(p.works, p.refused, p.fraction) for p in heard] == [(BATCH, 0, 0.5), (BATCH + 1, 0, 0.5)]
    assert all(p.per_second > 0 for p in heard)


async def test_an_empty_source_reports_nothing() -> None:
    report = await import_source(FakeShelf(), ListSource([]))

    assert (report.works, report.feedback, report.refused, report.refusals) == (0, 0, 0, [])
