"""The change log and those who follow it, over a real database."""

import asyncio
from contextlib import aclosing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.platform.errors import BadInput
from domain.platform.postgres import Database
from domain.sync import lookout as lookouts
from domain.sync.inprocess import LocalFanout
from domain.sync.journal import Arrival, Journal, Mailbox, newest
from domain.sync.lookout import Lookout
from domain.sync.model import Change, ChangeKind, Event
from domain.sync.postgres_log import PostgresChangeLog
from gateway.background import in_background
from tests.viewers import Living, living

PATIENCE_SECONDS = 5.0


class SmallFanout(LocalFanout):
    """A fan-out with small boxes whose messages are delayed, mixed up or lost as a test says."""

    def __init__(self, capacity: int = 2) -> None:
        super().__init__(capacity)
        self.held: list[Change] = []
        self.holding = False

    async def publish(self, changes: list[Change]) -> None:
        if self.holding:
            self.held.extend(changes)
        else:
            self.deliver(changes)


def over(database: Database, fanout: LocalFanout) -> Journal:
    return Journal(PostgresChangeLog(database), fanout)


async def write(journal: Journal, account: str, *numbers: int) -> None:
    async with journal.writing(account) as writing:
        for number in numbers:
            payload = {"content": number, "viewing": 1}
            writing.record(ChangeKind.PROGRESS, payload, Event("told", account, {"n": number}))


class Follower:
    """Follows an account in a task of its own."""

    def __init__(self, journal: Journal, account: str, after: int | None) -> None:
        self.seqs: list[int] = []
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._follow(journal, account, after))

    async def _follow(self, journal: Journal, account: str, after: int | None) -> None:
        async with aclosing(journal.follow(account, after)) as changes:
            async for change in changes:
                self.seqs.append(change.seq)
                self._arrived.set()

    async def until(self, seq: int) -> list[int]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.seqs or self.seqs[-1] < seq:
                self._arrived.clear()
                await self._arrived.wait()
        return self.seqs

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


# Writing


async def test_fifty_writers_of_one_account_number_without_gaps(house: Living, ada: str) -> None:
    await asyncio.gather(*(write(house.journal, ada, n) for n in range(50)))

    changes = await house.journal.log.since(ada, 0, 1000)
    told = await house.outbox()
    assert [change.seq for change in changes] == list(range(1, 51))
    assert sorted(change.payload["content"] for change in changes) == list(range(50))
    # The outbox is shipped in the order of its numbers: it must be that of the log.
    assert [payload["n"] for _, _, payload in told] == [change.payload["content"] for change in changes]


async def test_the_records_of_one_write_are_numbered_in_their_order(house: Living, ada: str) -> None:
    await write(house.journal, ada, 1, 2, 3)
    await write(house.journal, ada, 4)

    changes = await house.journal.log.since(ada, 1, 2)

    assert [(change.seq, change.payload["content"]) for change in changes] == [(2, 2), (3, 3)]
    assert [payload["n"] for _, _, payload in await house.outbox()] == [1, 2, 3, 4]
    assert await house.journal.log.latest(ada) == 4


async def test_each_account_has_numbers_of_its_own(house: Living, ada: str) -> None:
    other = await house.account()
    await write(house.journal, ada, 1, 2)
    await write(house.journal, other, 3)

    assert await house.journal.log.latest(ada) == 2
    assert await house.journal.log.latest(other) == 1
    assert await house.journal.log.latest_of([ada, other]) == {ada: 2, other: 1}  # type: ignore[attr-defined]


async def test_a_write_that_fails_leaves_nothing(house: Living, ada: str) -> None:
    heard: list[Change] = []
    house.fanout.deliver = heard.extend  # type: ignore[method-assign, assignment]

    async def fail() -> None:
        async with house.journal.writing(ada) as writing:
            await house.database.execute(
                "INSERT INTO device (id, account_id, name, kind) VALUES (gen_random_uuid(), $1, 'TV', 'tv')",
                ada,
            )
            writing.record(ChangeKind.DEVICE, {"n": 1}, Event("told", ada, {}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert heard == []
    assert await house.written() == 0
    assert await house.database.value("SELECT count(*) FROM device") == 0
    await write(house.journal, ada, 2)
    assert [change.seq for change in await house.journal.log.since(ada, 0, 10)] == [1]


async def test_a_write_that_changes_nothing_is_no_change(house: Living, ada: str) -> None:
    async with house.journal.writing(ada):
        pass

    assert await house.journal.log.latest(ada) == 0


async def test_nobody_hears_of_a_change_before_it_is_committed(house: Living, ada: str) -> None:
    async with house.fanout.listen(ada) as inbox:
        await write(house.journal, ada, 7)
        arrived = await inbox.get()

    assert [arrived] == [Arrival(1, change) for change in await house.journal.log.since(ada, 0, 10)]


# Following


async def test_a_follower_gets_what_it_missed_and_what_comes(house: Living, ada: str) -> None:
    await write(house.journal, ada, 1, 2, 3)
    follower = Follower(house.journal, ada, 1)
    await follower.until(3)
    await write(house.journal, ada, 4)

    assert await follower.until(4) == [2, 3, 4]
    await follower.close()


async def test_a_follower_without_a_cursor_starts_now(house: Living, ada: str) -> None:
    await write(house.journal, ada, 1, 2)
    follower = Follower(house.journal, ada, None)
    await _listening(house, ada)
    await asyncio.sleep(0.05)
    await write(house.journal, ada, 3)

    assert await follower.until(3) == [3]
    await follower.close()


async def test_more_was_missed_than_one_page_has(
    house: Living, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.sync.journal.CATCH_UP_PAGE", 3)
    await write(house.journal, ada, *range(9))
    follower = Follower(house.journal, ada, 0)

    assert await follower.until(9) == list(range(1, 10))
    await follower.close()


async def test_a_cursor_ahead_of_the_log_is_refused(house: Living, ada: str) -> None:
    await write(house.journal, ada, 1)

    with pytest.raises(BadInput, match="ahead"):
        await anext(house.journal.follow(ada, 2))

    assert house.fanout.accounts == []


async def test_closing_releases_the_inbox(house: Living, ada: str) -> None:
    await write(house.journal, ada, 1)
    changes = house.journal.follow(ada, 0)
    await anext(changes)
    assert house.fanout.accounts == [ada]

    await changes.aclose()

    assert house.fanout.accounts == []


async def test_cancelling_a_follower_that_waits_releases_the_inbox(house: Living, ada: str) -> None:
    follower = Follower(house.journal, ada, None)
    await _listening(house, ada)

    await follower.close()

    assert house.fanout.accounts == []


async def test_a_full_inbox_sends_its_listener_to_the_log(
    database: Database, house: Living, ada: str
) -> None:
    journal = over(database, SmallFanout(capacity=2))
    changes = journal.follow(ada, 0)
    await write(journal, ada, 1)
    assert (await anext(changes)).seq == 1
    for number in range(2, 12):
        await write(journal, ada, number)

    async with asyncio.timeout(PATIENCE_SECONDS):
        seen = [(await anext(changes)).seq for _ in range(10)]

    assert seen == list(range(2, 12))
    await changes.aclose()


def watched(seq: int, content: int, viewing: int = 1) -> Change:
    return Change("a", seq, ChangeKind.PROGRESS, {"content": content, "viewing": viewing})


def listed(seq: int) -> Change:
    return Change("a", seq, ChangeKind.WATCHLIST, {"content": 1, "entry": None})


async def test_a_slow_listener_costs_no_memory() -> None:
    box = Mailbox(3)

    for seq in range(1, 6):
        box.put(watched(seq, seq))

    assert len(box) == 1
    assert [await box.get(), await box.get()] == [4, Arrival(5, watched(5, 5))]


async def test_who_keeps_up_is_told_of_every_position() -> None:
    box = Mailbox(10, slow_from=3)

    for seq in range(1, 4):
        box.put(watched(seq, 1))

    assert [await box.get() for _ in range(3)] == [Arrival(seq, watched(seq, 1)) for seq in range(1, 4)]


async def test_of_what_waits_too_long_only_the_newest_progress_of_a_viewing_is_kept() -> None:
    box = Mailbox(10, slow_from=3)

    for change in (
        watched(1, 1),
        watched(2, 2),
        listed(3),
        watched(4, 1),
        listed(5),
        watched(6, 1, viewing=2),
    ):
        box.put(change)
    for seq in range(7, 50):
        box.put(watched(seq, 2))

    assert [await box.get() for _ in range(len(box))] == [
        Arrival(1, listed(3)),
        Arrival(4, watched(4, 1)),
        Arrival(5, listed(5)),
        Arrival(6, watched(6, 1, viewing=2)),
        Arrival(7, watched(49, 2)),
    ]


async def test_what_came_out_of_its_order_makes_up_for_nothing() -> None:
    box = Mailbox(10, slow_from=0)

    for change in (watched(1, 1), watched(3, 2), watched(4, 1)):
        box.put(change)

    assert [await box.get() for _ in range(3)] == [
        Arrival(seq, change) for seq, change in ((1, watched(1, 1)), (3, watched(3, 2)), (4, watched(4, 1)))
    ]


def test_the_newest_of_a_page_leaves_all_that_is_no_progress() -> None:
    page = [watched(1, 1), listed(2), watched(3, 1), watched(4, 1, viewing=2), watched(5, 2), listed(6)]

    assert [change.seq for change in newest(page)] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("capacity", [4, 300])
async def test_a_slow_follower_gets_the_newest_position_and_everything_else(
    database: Database, house: Living, ada: str, capacity: int
) -> None:
    journal = over(database, SmallFanout(capacity))
    changes = journal.follow(ada, 0)
    await write(journal, ada, 0)
    got = [await anext(changes)]
    for number in range(200):
        async with journal.writing(ada) as writing:
            writing.record(ChangeKind.PROGRESS, {"content": number % 2, "viewing": 1, "position": number})
            if number % 10 == 0:
                writing.record(ChangeKind.WATCHLIST, {"content": number, "entry": None})

    async with asyncio.timeout(PATIENCE_SECONDS):
        while got[-1].seq < 221:
            got.append(await anext(changes))
    await changes.aclose()

    assert [change.seq for change in got] == sorted({change.seq for change in got})
    kept = [change.payload["content"] for change in got if change.kind is ChangeKind.WATCHLIST]
    assert kept == list(range(0, 200, 10))
    positions = [change.payload["position"] for change in got[1:] if change.kind is ChangeKind.PROGRESS]
    assert positions[-2:] == [198, 199]
    assert len(positions) < 40


async def test_messages_in_the_wrong_order_and_twice_make_no_difference(
    database: Database, house: Living, ada: str
) -> None:
    fanout = SmallFanout(capacity=100)
    journal = over(database, fanout)
    follower = Follower(journal, ada, 0)
    await _listening_to(fanout, ada)
    fanout.holding = True
    await write(journal, ada, *range(6))

    fanout.deliver([*reversed(fanout.held), *fanout.held])

    assert await follower.until(6) == [1, 2, 3, 4, 5, 6]
    fanout.holding = False
    await write(journal, ada, 7)
    assert await follower.until(7) == [1, 2, 3, 4, 5, 6, 7]
    await follower.close()


async def test_the_lookout_finds_what_no_message_told(database: Database, house: Living, ada: str) -> None:
    fanout = SmallFanout()
    fanout.holding = True
    log = PostgresChangeLog(database)
    journal, lookout = Journal(log, fanout), Lookout(log, fanout)
    follower = Follower(journal, ada, 0)
    await _listening_to(fanout, ada)
    assert await lookout.look() == []
    await write(journal, ada, 1, 2)

    assert await lookout.look() == [ada]
    assert await follower.until(2) == [1, 2]
    assert await lookout.look() == []

    await follower.close()
    assert await lookout.look() == []


async def test_the_lookout_asks_nobody_who_was_told(database: Database, house: Living, ada: str) -> None:
    fanout, log = SmallFanout(), PostgresChangeLog(database)
    journal, lookout = Journal(log, fanout), Lookout(log, fanout)
    follower = Follower(journal, ada, 0)
    await _listening_to(fanout, ada)
    await write(journal, ada, 1, 2)

    assert await lookout.look() == []

    await follower.close()


async def test_the_lookout_looks_at_once_where_messages_may_be_lost(
    database: Database, house: Living, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookouts, "PERIOD_SECONDS", 60.0)
    fanout, log = SmallFanout(), PostgresChangeLog(database)
    fanout.holding = True
    journal = Journal(log, fanout)
    follower = Follower(journal, ada, 0)
    await _listening_to(fanout, ada)
    await write(journal, ada, 1, 2)

    async with in_background(Lookout(log, fanout).run()):
        fanout.unsure.set()

        assert await follower.until(2) == [1, 2]
    await follower.close()


class Step:
    """What may happen between a commit and its subscribers."""

    WRITE, DELIVER, LOSE, MIX, SUBSCRIBE, DROP, LOOK, PAUSE = range(8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(0, 7), max_size=40), capacity=st.integers(1, 4))
async def test_no_gap_and_no_repeat_whatever_happens_in_between(
    database: Database, steps: list[int], capacity: int
) -> None:
    house = living(database)
    account = await house.account()
    fanout = SmallFanout(capacity)
    fanout.holding = True
    log = PostgresChangeLog(database)
    journal, lookout = Journal(log, fanout), Lookout(log, fanout)
    cursors = [0]
    followers = [Follower(journal, account, 0)]
    written = 0
    for step in steps:
        match step:
            case Step.WRITE:
                await write(journal, account, written)
                written += 1
            case Step.DELIVER:
                fanout.deliver(fanout.held)
            case Step.LOSE:
                fanout.held.clear()
            case Step.MIX:
                fanout.held.reverse()
            case Step.SUBSCRIBE if len(followers) < 4:
                cursors.append(written)
                followers.append(Follower(journal, account, written))
            case Step.DROP:
                follower = followers[0]
                await follower.close()
                seen = follower.seqs[-1] if follower.seqs else cursors[0]
                assert follower.seqs == list(range(cursors[0] + 1, seen + 1))
                cursors[0], followers[0] = seen, Follower(journal, account, seen)
            case Step.LOOK:
                await lookout.look()
            case _:
                await asyncio.sleep(0)
    await _listening_to(fanout, account)
    await write(journal, account, written)
    await lookout.look()

    for cursor, follower in zip(cursors, followers, strict=True):
        assert await follower.until(written + 1) == list(range(cursor + 1, written + 2))
        await follower.close()
    assert fanout.accounts == []


async def test_following_while_fifty_write(house: Living, ada: str) -> None:
    followers = [Follower(house.journal, ada, 0) for _ in range(5)]
    await asyncio.gather(*(write(house.journal, ada, n) for n in range(50)))

    for follower in followers:
        assert await follower.until(50) == list(range(1, 51))
        await follower.close()


async def _listening(house: Living, account: str) -> None:
    await _listening_to(house.fanout, account)


async def _listening_to(fanout: LocalFanout, account: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while account not in fanout.accounts:  # noqa: ASYNC110 - nothing tells when somebody listens
            await asyncio.sleep(0.001)


async def test_writes_that_wait_for_their_turn_hold_no_connection(database: Database, ada: str) -> None:
    journal = over(database, LocalFanout())
    most = 0

    async def write() -> None:
        nonlocal most
        async with journal.writing(ada):
            most = max(most, database.connections_in_use)
            await asyncio.sleep(0.002)

    await asyncio.gather(*(write() for _ in range(30)))

    assert most == 1
