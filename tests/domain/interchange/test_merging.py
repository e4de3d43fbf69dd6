"""How imports merge, without a database: the properties that docs/merge-rules.md names."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.model import ContentKind
from domain.interchange.merging import Merging, take_back
from domain.interchange.model import (
    Act,
    Entry,
    Fate,
    Listing,
    Noted,
    Opinion,
    Outcome,
    Reference,
    Source,
    Viewing,
    version_of,
)
from domain.sync import payloads
from domain.sync.clock import Timestamp
from domain.sync.ledger import Known, Ledger
from domain.sync.model import Addition, ChangeKind, Mark, MarkKind, Reaction, Verdict, WatchProgress
from domain.sync.operations import Title

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLDEST = Timestamp(0, "")
TITLE = Title(1, playable=True, duration_seconds=1000)
SOLARIS = (Reference(ContentKind.MOVIE, "Solaris", 1972),)

moments = st.integers(0, 40).map(lambda hours: NOW - timedelta(days=40) + timedelta(hours=5 * hours))
stars = st.sampled_from([0.5, 3.0, 5.0])
sources = st.sampled_from([Source.TRAKT, Source.LETTERBOXD])


def at_version(at: datetime, device: str = "phone") -> Timestamp:
    return Timestamp(version_of(at, Source.TRAKT).clock, device)


def here(at: datetime, viewing: int, seconds: int) -> WatchProgress:
    done = seconds >= 950
    return WatchProgress(1, viewing, seconds, 1000, done, at_version(at), None, at, at if done else None)


viewings = st.builds(
    Viewing,
    at=moments,
    day_only=st.booleans(),
    once=st.booleans(),
    finished=st.booleans(),
    fraction=st.sampled_from([0.1, 0.5]),
)
opinions = st.one_of(
    st.builds(Opinion, at=moments, stars=stars),
    st.builds(Opinion, at=moments, verdict=st.sampled_from(Verdict)),
)
listings = st.builds(Listing, at=st.one_of(st.none(), moments))
notes = st.builds(Noted, at=moments, kind=st.just(MarkKind.NOTE), value=st.sampled_from(["a", "b"]))
files = st.lists(st.one_of(viewings, opinions, listings, notes), max_size=8)

writes = st.lists(
    st.one_of(
        st.builds(here, moments, st.integers(1, 3), st.sampled_from([40, 500, 1000])),
        st.builds(
            lambda at, given, verdict: Reaction(1, verdict, given, at_version(at), at),
            moments,
            stars,
            st.sampled_from([None, *Verdict]),
        ),
        st.builds(
            lambda at, text: Mark(1, MarkKind.NOTE, text, at_version(at), at),
            moments,
            st.sampled_from([None, "a", "c"]),
        ),
        st.builds(lambda at: Mark(1, MarkKind.PLACE, "k", at_version(at), at), moments),
        st.builds(lambda at: Addition(1, str(UUID(int=at.day)), at, at_version(at), given=True), moments),
    ),
    max_size=6,
)


def done(ledger: Ledger, write: Any) -> None:
    match write:
        case WatchProgress():
            ledger.watched(write)
        case Reaction():
            ledger.reacted(write)
        case Mark():
            ledger.marked(write)
        case _:
            ledger.added(write)


def ledger_of(written: list[Any]) -> Ledger:
    ledger = Ledger(Known(), NOW)
    for write in written:
        done(ledger, write)
    return Ledger(ledger.known, NOW)


def imported(ledger: Ledger, file: list[Act], source: Source) -> list[Outcome]:
    ids = iter(range(10_000))
    merging = Merging(ledger, source, lambda: str(UUID(int=1_000_000 + next(ids))), {}, {})
    return merging.merge(TITLE, [Entry(f"file[{n}]", SOLARIS, act) for n, act in enumerate(file)])


def shown(ledger: Ledger) -> dict[str, Any]:
    """What a viewer can see."""
    reaction = ledger.known.reactions.get(1)
    opinion = None if reaction is None else (reaction.verdict, reaction.stars)
    return {
        "viewings": dict(ledger.known.viewings.get(1, {})),
        "opinion": None if opinion == (None, None) else opinion,
        "marks": replace(ledger.marks(1), version=None),
        "entry": ledger.entry(1),
    }


@given(writes, files, sources)
def test_an_import_changes_no_viewing_that_is_here(
    written: list[Any], file: list[Act], source: Source
) -> None:
    ledger = ledger_of(written)
    before = dict(ledger.known.viewings.get(1, {}))

    imported(ledger, file, source)

    after = ledger.known.viewings.get(1, {})
    assert {number: after[number] for number in before} == before


@given(writes, files, sources)
def test_the_latest_viewing_is_the_latest_in_time(
    written: list[Any], file: list[Act], source: Source
) -> None:
    ledger = ledger_of(written)
    known = ledger.known.viewings.get(1, {})
    before = max((state.version for state in known.values()), default=None)
    went_on = ledger.latest(1)

    imported(ledger, file, source)

    later = [
        state
        for state in ledger.known.viewings.get(1, {}).values()
        if state.version.device.startswith("import.") and (before is None or state.version > before)
    ]
    assert ledger.latest(1) == max(later, key=lambda state: state.version, default=went_on)


@given(writes, files, sources)
def test_an_import_overwrites_nothing_newer(written: list[Any], file: list[Act], source: Source) -> None:
    ledger = ledger_of(written)
    reaction = ledger.known.reactions.get(1)
    note = ledger.known.marks.get((1, MarkKind.NOTE))

    imported(ledger, file, source)

    for before, after, kind in (
        (reaction, ledger.known.reactions.get(1), Opinion),
        (note, ledger.known.marks.get((1, MarkKind.NOTE)), Noted),
    ):
        told = [version_of(act.at, source) for act in file if isinstance(act, kind)]
        if before is not None and before.version > max(told, default=OLDEST):
            assert after == before
        elif told and after is not None and after != before:
            assert after.version == max(told)


@given(writes, files, sources)
def test_importing_again_brings_nothing(written: list[Any], file: list[Act], source: Source) -> None:
    ledger = ledger_of(written)
    imported(ledger, file, source)
    again = Ledger(deepcopy(ledger.known), NOW)

    outcomes = imported(again, file, source)

    assert [outcome for outcome in outcomes if outcome.fate is Fate.NEW] == []
    assert shown(again) == shown(ledger)
    assert list(again.records()) == []


@given(writes, files, sources)
def test_undoing_an_import_gives_the_state_of_before(
    written: list[Any], file: list[Act], source: Source
) -> None:
    ledger = ledger_of(written)
    before = deepcopy(shown(ledger))

    items = [outcome.item for outcome in imported(ledger, file, source) if outcome.item is not None]
    undone = [take_back(ledger, item) for item in reversed(items)]

    assert all(undone)
    assert shown(ledger) == before


@given(writes, files, sources, writes)
def test_undoing_leaves_what_was_written_since(
    written: list[Any], file: list[Act], source: Source, since: list[Any]
) -> None:
    ledger = ledger_of(written)
    items = [outcome.item for outcome in imported(ledger, file, source) if outcome.item is not None]
    at = NOW + timedelta(days=1)
    later = [here(at, item.viewing, 700) for item in items[::2] if item.viewing is not None]
    for write in later:
        ledger.watched(write)
    reacted = Reaction(1, None, 1.5, at_version(at), at)
    if since:
        ledger.reacted(reacted)

    for item in reversed(items):
        take_back(ledger, item)

    for write in later:
        kept = ledger.viewing(1, write.viewing)
        assert kept is not None
        assert kept.position_seconds == 700
    assert not since or ledger.known.reactions[1] == reacted


@given(writes, files, sources)
def test_the_log_tells_of_an_undo(written: list[Any], file: list[Act], source: Source) -> None:
    ledger = ledger_of(written)
    copy = {number: payloads.of_progress(state) for number, state in ledger.known.viewings.get(1, {}).items()}

    items = [outcome.item for outcome in imported(ledger, file, source) if outcome.item is not None]
    told = list(ledger.records())
    undo = Ledger(ledger.known, NOW)
    for item in reversed(items):
        take_back(undo, item)
    told += undo.records()

    for kind, payload in told:
        if kind is ChangeKind.PROGRESS:
            copy[payload["viewing"]] = payload
        elif kind is ChangeKind.VIEWING_WITHDRAWN:
            del copy[payload["viewing"]]
    left = ledger.known.viewings.get(1, {})
    assert copy == {number: payloads.of_progress(state) for number, state in left.items()}


# What is one viewing, and what is news


def fates(ledger: Ledger, *file: Act) -> list[Fate]:
    """In the order of the file."""
    outcomes = imported(ledger, list(file), Source.LETTERBOXD)
    return [outcome.fate for outcome in sorted(outcomes, key=lambda outcome: outcome.entry.where)]


def test_that_something_was_seen_is_no_news_where_any_viewing_of_it_is_known() -> None:
    seen = Viewing(NOW - timedelta(days=900), day_only=True, once=True)

    assert fates(ledger_of([here(NOW, 1, 1000)]), seen) == [Fate.KNOWN]
    assert fates(ledger_of([]), seen) == [Fate.NEW]


def test_a_viewing_that_is_here_answers_for_one_of_the_file() -> None:
    around = [Viewing(NOW - timedelta(hours=hours)) for hours in (1, 2)]

    assert sorted(fates(ledger_of([here(NOW, 1, 1000)]), *around)) == [Fate.KNOWN, Fate.NEW]


def test_viewings_that_ended_at_one_moment_are_one() -> None:
    assert sorted(fates(ledger_of([]), Viewing(NOW), Viewing(NOW))) == [Fate.KNOWN, Fate.NEW]


def test_what_says_the_same_is_no_news_whenever_it_was_said() -> None:
    before = NOW - timedelta(days=9)
    written = [
        Reaction(1, None, 3.0, at_version(before), before),
        Mark(1, MarkKind.NOTE, "a", at_version(before), before),
    ]

    for at in (before - timedelta(days=1), NOW):
        ledger = ledger_of(written)
        told = fates(ledger, Opinion(at=at, stars=3.0), Noted(at=at, kind=MarkKind.NOTE, value="a"))

        assert told == [Fate.KNOWN] * 2
        assert list(ledger.records()) == []
