"""How writes merge, without a database: the properties that docs/merge-rules.md names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.sync.clock import Timestamp
from domain.sync.ledger import Known, Ledger
from domain.sync.model import (
    Addition,
    ConflictKind,
    Mark,
    MarkKind,
    Reaction,
    Verdict,
    WatchProgress,
    reaches_the_end,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)
DEVICES = ("phone", "tv")
TITLES = (1, 2)
DURATION = 1000

versions = st.builds(Timestamp, st.integers(1, 6), st.sampled_from(DEVICES))
titles = st.sampled_from(TITLES)


@dataclass(frozen=True)
class Removal:
    content_id: int
    tags: frozenset[str]
    version: Timestamp


Write: TypeAlias = WatchProgress | Reaction | Mark | Addition | Removal


def tag(content_id: int, version: Timestamp) -> str:
    """One of the device's own, made when it acted."""
    return str(UUID(int=(content_id << 32) + (version.clock << 8) + DEVICES.index(version.device)))


def watched(content_id: int, viewing: int, seconds: int, version: Timestamp) -> WatchProgress:
    done = reaches_the_end(seconds, DURATION)
    at = datetime.fromtimestamp(version.clock, UTC)
    return WatchProgress(
        content_id, viewing, seconds, DURATION, done, version, None, AT, at if done else None
    )


def added(content_id: int, version: Timestamp) -> Addition:
    return Addition(content_id, tag(content_id, version), AT, version, given=True)


progress = st.builds(watched, titles, st.integers(1, 3), st.sampled_from([0, 40, 500, 950, 1000]), versions)
reactions = st.builds(
    Reaction,
    titles,
    st.sampled_from([None, *Verdict]),
    st.sampled_from([None, 0.5, 5.0]),
    versions,
    st.just(AT),
)
marks = st.one_of(
    st.builds(Mark, titles, st.just(MarkKind.NOTE), st.sampled_from([None, "a", "b"]), versions, st.just(AT)),
    st.builds(Mark, titles, st.just(MarkKind.PLACE), st.sampled_from(["V", "k"]), versions, st.just(AT)),
    st.builds(
        Mark,
        titles,
        st.sampled_from([MarkKind.DROPPED, MarkKind.HIDDEN]),
        st.booleans(),
        versions,
        st.just(AT),
    ),
)
additions = st.builds(added, titles, versions)


@st.composite
def removals(draw: st.DrawFn) -> Removal:
    content_id = draw(titles)
    seen = draw(st.lists(versions, max_size=3))
    return Removal(content_id, frozenset(tag(content_id, version) for version in seen), draw(versions))


writes = st.lists(st.one_of(progress, reactions, marks, additions, removals()), max_size=12)


def merge(ledger: Ledger, done: Iterable[Write]) -> Ledger:
    for write in done:
        match write:
            case WatchProgress():
                ledger.watched(write)
            case Reaction():
                ledger.reacted(write)
            case Mark():
                ledger.marked(write)
            case Addition():
                ledger.added(write)
            case Removal(content_id, tags, version):
                ledger.removed(content_id, tags, version)
    return ledger


def merged(done: Iterable[Write]) -> Ledger:
    return merge(Ledger(Known(), AT), done)


def state(ledger: Ledger) -> dict[str, Any]:
    """What a viewer can see."""
    return {
        "progress": ledger.known.viewings,
        "reactions": ledger.known.reactions,
        "marks": ledger.known.marks,
        "watchlist": {title: ledger.entry(title) for title in TITLES},
    }


@given(writes, st.data())
def test_writes_merge_to_one_state_in_any_order_and_any_repetition(
    done: list[Write], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(done), max_size=6)) if done else []

    mixed = data.draw(st.permutations([*done, *again]))

    assert state(merged(mixed)) == state(merged(done))


@given(writes)
def test_merging_a_write_again_changes_and_logs_nothing(done: list[Write]) -> None:
    ledger = merged(done)
    later = merge(Ledger(ledger.known, AT), done)

    assert list(later.records()) == []


@given(st.lists(progress, min_size=1, max_size=12), st.data())
def test_what_is_finished_stays_finished(done: list[WatchProgress], data: st.DataObject) -> None:
    ledger = Ledger(Known(), AT)
    finished: set[tuple[int, int]] = set()
    for write in data.draw(st.permutations(done)):
        ledger.watched(write)
        now = {
            (title, viewing)
            for title, viewings in ledger.known.viewings.items()
            for viewing, known in viewings.items()
            if known.completed
        }
        assert finished <= now
        finished = now

    assert finished == {(write.content_id, write.viewing) for write in done if write.completed}


@given(st.lists(progress, max_size=12), st.lists(progress, max_size=6), st.data())
def test_what_was_forgotten_does_not_come_back(
    before: list[WatchProgress], late: list[WatchProgress], data: st.DataObject
) -> None:
    """Neither told again nor told late; what is watched since is kept as if there had been nothing."""
    ledger = merged(before)
    newest = ledger.newest(1) or Timestamp(3, "phone")
    forgotten = Timestamp(newest.clock + 1, "server")

    gone = ledger.forgot(1, forgotten)
    told = data.draw(st.permutations([*before, *late]))
    merge(ledger, told)

    of_title = [write for write in before if write.content_id == 1]
    since = [write for write in told if write.content_id == 1 and write.version > forgotten]
    assert gone == len({write.viewing for write in of_title})
    assert ledger.known.viewings.get(1, {}) == merged(since).known.viewings.get(1, {})
    assert ledger.known.viewings.get(2, {}) == merged([*before, *late]).known.viewings.get(2, {})


@given(st.lists(st.sampled_from([40, 500, 940, 950, 1000]), min_size=1, max_size=12))
def test_going_on_with_what_is_finished_begins_the_next_viewing(positions: list[int]) -> None:
    ledger = Ledger(Known(), AT)
    model: list[tuple[int, bool]] = []

    for clock, seconds in enumerate(positions, 1):
        ledger.watched(ledger.in_its_viewing(watched(1, 1, seconds, Timestamp(clock, "tv"))))
        done = seconds >= 950
        if model and not (model[-1][1] and not done):
            model[-1] = (seconds, done)
        else:
            model.append((seconds, done))

    viewings = ledger.known.viewings[1]
    assert [(viewings[key].position_seconds, viewings[key].completed) for key in sorted(viewings)] == model


@given(st.lists(progress, min_size=1, max_size=12))
def test_the_later_position_stands_and_the_earliest_end_is_told(done: list[WatchProgress]) -> None:
    ledger = merged(done)

    for title, viewings in ledger.known.viewings.items():
        for viewing, known in viewings.items():
            of_it = [write for write in done if (write.content_id, write.viewing) == (title, viewing)]
            ends = [write.completed_at for write in of_it if write.completed_at is not None]
            latest = max(write.version for write in of_it)
            assert known.version == latest
            # A broken client may give two writes one version: then the farther stands.
            assert known.position_seconds == max(w.position_seconds for w in of_it if w.version == latest)
            assert known.completed_at == min(ends, default=None)


@given(st.lists(st.one_of(additions, removals()), max_size=12), st.data())
def test_a_title_is_listed_while_an_addition_is_not_removed(
    done: list[Addition | Removal], data: st.DataObject
) -> None:
    ledger = merged(data.draw(st.permutations(done)))

    for title in TITLES:
        ours = [write for write in done if write.content_id == title]
        gone = frozenset[str]().union(*(write.tags for write in ours if isinstance(write, Removal)))
        live = {write.tag for write in ours if isinstance(write, Addition)} - gone
        entry = ledger.entry(title)
        assert live == (set() if entry is None else set(entry.tags))


@given(st.lists(additions, min_size=1, max_size=8), st.data())
def test_an_addition_outlives_a_removal_that_did_not_name_it(
    done: list[Addition], data: st.DataObject
) -> None:
    seen = data.draw(st.lists(st.sampled_from(done), max_size=4))
    removing = [Removal(each.content_id, frozenset([each.tag]), Timestamp(9, "tv")) for each in seen]

    ledger = merged(data.draw(st.permutations([*done, *removing])))

    gone = {each.tag for each in seen}
    for addition in done:
        entry = ledger.entry(addition.content_id)
        listed = entry is not None and addition.tag in entry.tags
        assert listed == (addition.tag not in gone)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_titles_that_nobody_moved_stand_in_the_order_of_addition(moments: list[int]) -> None:
    """Of several additions of a title the oldest counts."""
    stamps = [Timestamp((at << 16) + count, "tv") for count, at in enumerate(moments)]
    ledger = merged([added(TITLES[place % 2], stamp) for place, stamp in enumerate(stamps)])

    one, other = (ledger.entry(title) for title in TITLES)

    assert one is not None
    assert other is not None
    assert (one.place < other.place) == (min(moments[::2]) < min(moments[1::2]))


@given(st.lists(st.one_of(reactions, marks), max_size=12), st.data())
def test_the_latest_of_each_register_stands(done: list[Reaction | Mark], data: st.DataObject) -> None:
    ledger = merged(data.draw(st.permutations(done)))

    for title in TITLES:
        opinions = [w for w in done if isinstance(w, Reaction) and w.content_id == title]
        assert ledger.known.reactions.get(title) == max(opinions, key=lambda w: w.order, default=None)
        for kind in MarkKind:
            noted = [w for w in done if isinstance(w, Mark) and (w.content_id, w.kind) == (title, kind)]
            assert ledger.known.marks.get((title, kind)) == max(noted, key=lambda w: w.order, default=None)


@given(additions, st.sampled_from(["V", "k"]), st.integers(1, 6), st.booleans())
def test_a_place_is_of_the_addition_it_was_given_to(
    addition: Addition,
    place: str,
    clock: int,
    first: bool,  # noqa: FBT001 - drawn
) -> None:
    assert addition.version is not None
    move = Mark(addition.content_id, MarkKind.PLACE, place, Timestamp(clock, "tv"), AT)

    entry = merged([move, addition] if first else [addition, move]).entry(addition.content_id)

    assert entry is not None
    assert (entry.place == place) == (clock >= addition.version.clock)


# Forgetting removals


def forget(known: Known, device: str, clock: int) -> None:
    """As the store does when the device says that it waits for no answer up to this clock."""
    known.settled[device] = max(clock, known.settled.get(device, 0))
    for found in known.additions.values():
        for name, addition in list(found.items()):
            own = addition.version is not None and addition.version.device == device
            if addition.removed and own and addition.version and addition.version.clock <= clock:
                del found[name]
            removal = addition.removal
            orphan = addition.at is None and removal is not None and removal.device == device
            if addition.removed and orphan and removal and removal.clock <= clock:
                found.pop(name, None)


@dataclass
class Queue:
    """A device that sends in order, may send again what it has no answer to, and says what is settled."""

    device: str
    writes: Sequence[Addition | Removal]
    answered: int = 0

    @property
    def settled(self) -> int:
        versions = [write.version.clock for write in self.writes[: self.answered] if write.version]
        return max(versions, default=0)


@st.composite
def queues(draw: st.DrawFn, device: str) -> Queue:
    """Additions, and removals of what the device added before."""
    made: list[Addition | Removal] = []
    for clock in range(1, draw(st.integers(1, 8)) + 1):
        version = Timestamp(clock, device)
        own = [write for write in made if isinstance(write, Addition)]
        removing: bool = draw(st.booleans())
        if own and removing:
            target: Addition = draw(st.sampled_from(own))
            made.append(Removal(target.content_id, frozenset([target.tag]), version))
        else:
            made.append(added(draw(titles), version))
    return Queue(device, made)


@given(queues("phone"), queues("tv"), st.data())
def test_forgetting_settled_removals_resurrects_nothing(phone: Queue, tv: Queue, data: st.DataObject) -> None:
    """Two ledgers, one that forgets and one that never does, are told the same: they show the same."""
    forgetting, remembering = Ledger(Known(), AT), Ledger(Known(), AT)
    sent: list[Addition | Removal] = []
    for _ in range(data.draw(st.integers(1, 25))):
        queue = data.draw(st.sampled_from([phone, tv]))
        action = data.draw(st.sampled_from(["send", "repeat", "seen", "settle"]))
        told: list[Addition | Removal] = []
        if action == "send" and queue.answered < len(queue.writes):
            told = [queue.writes[queue.answered]]
            queue.answered += 1
        elif action == "repeat" and sent:
            told = [data.draw(st.sampled_from(sent))]  # late on the way, or for want of an answer
        elif action == "seen":
            # The device removes what it was shown, whoever added it.
            title = data.draw(titles)
            shown = remembering.tags(title).live
            told = [Removal(title, shown, Timestamp(50 + len(sent), queue.device))] if shown else []
        elif action == "settle":
            forget(forgetting.known, queue.device, queue.settled)
        sent += told
        merge(forgetting, told)
        merge(remembering, told)
        for title in TITLES:
            assert forgetting.tags(title).live == remembering.tags(title).live


@given(queues("phone"), queues("tv"))
def test_no_removal_is_remembered_once_all_is_settled(phone: Queue, tv: Queue) -> None:
    ledger = merged([*phone.writes, *tv.writes])

    for queue in (phone, tv):
        queue.answered = len(queue.writes)
        forget(ledger.known, queue.device, queue.settled)

    assert not any(
        addition.removed for found in ledger.known.additions.values() for addition in found.values()
    )


# Conflicts


@given(writes, st.data())
def test_a_conflict_names_a_write_that_was_lost_and_one_of_another_device(
    done: list[Write], data: st.DataObject
) -> None:
    ledger = merged(data.draw(st.permutations(done)))

    for conflict in ledger.conflicts:
        lost, won = conflict.lost.version, conflict.won.version
        assert lost is not None
        assert won is not None
        assert lost.device != won.device
        assert conflict.kind is ConflictKind.WATCHLIST or lost < won
        assert conflict.lost.value != conflict.won.value


@given(st.lists(st.one_of(progress, reactions, marks), max_size=12))
def test_a_write_is_lost_where_it_arrives_after_a_later_one_of_another_device(
    done: list[WatchProgress | Reaction | Mark],
) -> None:
    """One that overtakes its own device, or says what stands, is not."""
    standing: dict[Any, WatchProgress | Reaction | Mark] = {}
    expected = set[tuple[Any, Timestamp, Timestamp]]()
    for write in done:
        register, known = register_of(write), standing.get(register_of(write))
        if known is not None:
            late = write.version < known.version and write.version.device != known.version.device
            if late and said_by(write) != said_by(known):
                expected.add((register, write.version, known.version))
        standing[register] = latest_of(known, write)

    ledger = merged(done)

    assert {
        (
            (each.content_id, each.kind.value, each.lost.value.get("viewing", 0)),
            each.lost.version,
            each.won.version,
        )
        for each in ledger.conflicts
    } == expected


def register_of(write: WatchProgress | Reaction | Mark) -> tuple[int, str, int]:
    match write:
        case WatchProgress():
            return write.content_id, "progress", write.viewing
        case Reaction():
            return write.content_id, "reaction", 0
    return write.content_id, write.kind.value, 0


def said_by(write: WatchProgress | Reaction | Mark) -> Any:
    match write:
        case WatchProgress():
            return write.position_seconds, write.completed
        case Reaction():
            return write.verdict, write.stars
    return write.value


def latest_of(
    known: WatchProgress | Reaction | Mark | None, write: WatchProgress | Reaction | Mark
) -> WatchProgress | Reaction | Mark:
    """What stands then; of equal versions, as a broken client gives them, the greater."""
    if known is None:
        return write
    if isinstance(known, WatchProgress) and isinstance(write, WatchProgress):
        later = max(known, write, key=lambda each: (each.version, each.position_seconds))
        return replace(later, completed=known.completed or write.completed)
    assert not isinstance(known, WatchProgress)
    assert not isinstance(write, WatchProgress)
    return write if write.order > known.order else known


@given(st.lists(st.one_of(additions, removals()), max_size=12))
def test_a_removal_is_lost_where_an_addition_that_it_did_not_name_keeps_the_title_listed(
    done: list[Addition | Removal],
) -> None:
    """Also where other removals took off what it names."""
    made: dict[str, Addition] = {}
    gone, expected = set[str](), set[tuple[int, Timestamp, Timestamp]]()
    for write in done:
        if isinstance(write, Addition):
            made.setdefault(write.tag, write)
            continue
        gone |= write.tags
        left = [
            each.version
            for each in made.values()
            if each.content_id == write.content_id and each.tag not in gone and each.version is not None
        ]
        if write.tags and left and max(left).device != write.version.device:
            expected.add((write.content_id, write.version, max(left)))

    conflicts = merged(done).conflicts

    assert {(each.content_id, each.lost.version, each.won.version) for each in conflicts} == expected


def test_a_late_write_of_another_device_is_noted_as_lost() -> None:
    here, there = Timestamp(5, "tv"), Timestamp(3, "phone")

    ledger = merged([watched(1, 1, 500, here), watched(1, 1, 40, there)])

    (conflict,) = ledger.conflicts
    assert (conflict.kind, conflict.lost.version, conflict.won.version) == (
        ConflictKind.PROGRESS,
        there,
        here,
    )
    assert conflict.lost.value == {"viewing": 1, "positionSeconds": 40, "completed": False}


def test_a_write_that_replaced_what_it_did_not_know_is_noted_whichever_came_first() -> None:
    base, phone, tv = Timestamp(1, "tv"), Timestamp(3, "phone"), Timestamp(5, "tv")
    opinions = [
        (Reaction(1, Verdict.LIKE, None, phone, AT), base),
        (Reaction(1, Verdict.DISLIKE, None, tv, AT), base),
    ]

    for order in (opinions, opinions[::-1]):
        ledger = merged([Reaction(1, None, 3.0, base, AT)])
        for reaction, seen in order:
            ledger.reacted(reaction, seen)
        (conflict,) = ledger.conflicts
        assert (conflict.lost.version, conflict.won.version) == (phone, tv)


def test_a_devices_own_later_write_and_one_that_says_the_same_are_no_conflict() -> None:
    tv, phone = Timestamp(5, "tv"), Timestamp(3, "phone")
    own = merged([watched(1, 1, 500, tv), watched(1, 1, 40, Timestamp(3, "tv"))])
    same = merged([watched(1, 1, 500, tv), watched(1, 1, 500, phone)])
    seen = merged([])
    seen.reacted(Reaction(1, Verdict.LIKE, None, phone, AT))
    seen.reacted(Reaction(1, Verdict.DISLIKE, None, tv, AT), phone)

    assert own.conflicts == same.conflicts == seen.conflicts == []


def test_a_removal_that_an_addition_outlived_is_noted() -> None:
    phone, tv = added(1, Timestamp(1, "phone")), added(1, Timestamp(2, "tv"))
    removal = Removal(1, frozenset([phone.tag]), Timestamp(3, "phone"))

    (conflict,) = merged([phone, tv, removal]).conflicts

    assert (conflict.kind, conflict.lost.version, conflict.won.version) == (
        ConflictKind.WATCHLIST,
        removal.version,
        tv.version,
    )


def test_the_state_tells_two_writes_apart() -> None:
    one = watched(1, 1, 40, Timestamp(1, "tv"))

    assert state(merged([one])) != state(merged([replace(one, position_seconds=41)]))
