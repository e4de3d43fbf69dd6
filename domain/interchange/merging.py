"""How what a file tells of one title joins what is known of it: the rules, and no I/O.

docs/merge-rules.md states them. An import changes no viewing that is here: what it brings is a viewing of its
own, so that taking it back leaves everything else as it was.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.interchange.model import (
    UNKNOWN_MOMENT,
    Entry,
    Fate,
    Item,
    ItemKind,
    Listing,
    Noted,
    Opinion,
    Outcome,
    Source,
    Unlisted,
    Viewing,
    version_of,
)
from domain.sync.clock import Timestamp
from domain.sync.ledger import Ledger
from domain.sync.model import (
    Addition,
    Mark,
    MarkKind,
    Reaction,
    Verdict,
    WatchProgress,
    reaches_the_end,
)
from domain.sync.operations import Title

UNDO = "import.undo"
"""In whose name an import is taken back."""
SAME_VIEWING = timedelta(hours=6)
"""Two services that saw one viewing note its end so far apart at most."""
SAME_DAY = timedelta(hours=26)
"""From the noon of a day to its end, wherever on earth the day was."""


@dataclass(frozen=True)
class Merging:
    """Merges entries of titles into a ledger; a dry run is a ledger that is not kept."""

    ledger: Ledger
    source: Source
    new_id: Callable[[], str]
    listed_before: Mapping[int, datetime | None]
    """What earlier imports put on the watchlist, with the moments that their files told."""
    devices: Mapping[str, str]
    """The devices that the file tells of: by their id there, the id here."""

    def merge(self, title: Title, entries: Sequence[Entry]) -> list[Outcome]:
        """What becomes of the entries of one title."""
        viewings = [(entry.act, entry) for entry in entries if isinstance(entry.act, Viewing)]
        opinions = [(entry.act, entry) for entry in entries if isinstance(entry.act, Opinion)]
        noted = [(entry.act, entry) for entry in entries if isinstance(entry.act, Noted)]
        unlisted = [(entry.act, entry) for entry in entries if isinstance(entry.act, Unlisted)]
        listings = [(entry.act, entry) for entry in entries if isinstance(entry.act, Listing)]
        return [
            *self._viewings(title, viewings),
            *self._opinions(title.content_id, opinions),
            *self._noted(title.content_id, noted),
            *self._listings(title.content_id, listings),
            *self._unlisted(title.content_id, unlisted),
        ]

    # Viewings: each its own.

    def _viewings(self, title: Title, entries: list[tuple[Viewing, Entry]]) -> list[Outcome]:
        """Those that are told with a number are taken as they are where nothing is known of the title."""
        told, forgotten = [], []
        for act, entry in entries:
            one = _Told(act, entry, self._written(title, act))
            if self.ledger.has_forgotten(title.content_id, one.written.version):
                forgotten.append(Outcome(entry, title.content_id, ItemKind.VIEWING, Fate.REMOVED_HERE))
            else:
                told.append(one)
        told.sort(key=lambda one: one.written.version)
        if not self.ledger.known.viewings.get(title.content_id) and all(
            one.act.viewing is not None for one in told
        ):
            return [*forgotten, *(self._brought(one, one.written.viewing) for one in told)]
        known, new = self._parted(title.content_id, told)
        return [*forgotten, *known, *self._numbered(title.content_id, new)]

    def _parted(self, content_id: int, told: list["_Told"]) -> tuple[list[Outcome], list["_Told"]]:
        """What becomes of the viewings that are here, and those that are not, each once."""
        known = list(self.ledger.known.viewings.get(content_id, {}).values())
        ends = {state.completed_at for state in known if state.completed}
        versions = {state.version for state in known}
        exact = ends & {one.written.completed_at for one in told}
        # One that is here answers for one of the file at most; those of the same service are told exactly.
        own = version_of(UNKNOWN_MOMENT, self.source).device
        free = [
            state
            for state in known
            if state.completed and state.version.device != own and state.completed_at not in exact
        ]
        latest = max((state.version for state in known), default=None)
        # Of positions in unfinished viewings, the last of all that is known and told is of use.
        going_on = max(told, key=lambda one: (one.written.version, one.written.completed), default=None)
        outcomes, new = [], []
        for one in sorted(told, key=lambda one: one.act.once):
            fate = None
            if one.act.version in versions:
                fate = Fate.KNOWN
            elif not one.written.completed:
                if latest is not None and latest >= one.written.version:
                    fate = Fate.KNOWN if latest == one.written.version else Fate.NEWER_HERE
                elif one is not going_on:
                    fate = Fate.NEWER_HERE
            elif one.written.completed_at in ends or (one.act.once and ends):
                fate = Fate.KNOWN
            elif (near := _near(free, one)) is not None:
                free.remove(near)
                fate = Fate.KNOWN
            else:
                ends.add(one.written.completed_at)
            if fate is None:
                new.append(one)
            else:
                outcomes.append(Outcome(one.entry, content_id, ItemKind.VIEWING, fate))
        return outcomes, new

    def _numbered(self, content_id: int, new: list["_Told"]) -> list[Outcome]:
        """Later than all that is here: numbered on. Earlier: down from the first; no number changes."""
        new.sort(key=lambda one: one.written.version)
        known = self.ledger.known.viewings.get(content_id, {})
        latest = max((state.version for state in known.values()), default=None)
        earlier = [one for one in new if latest is not None and one.written.version < latest]
        lowest, highest = min(known, default=1), max(known, default=0)
        numbers = [
            *range(lowest - len(earlier), lowest),
            *range(highest + 1, highest + 1 + len(new) - len(earlier)),
        ]
        return [self._brought(one, number) for one, number in zip(new, numbers, strict=True)]

    def _brought(self, one: "_Told", viewing: int) -> Outcome:
        written = replace(one.written, viewing=viewing)
        self.ledger.watched(written)
        item = Item(written.content_id, ItemKind.VIEWING, written.version, one.act.at, viewing=viewing)
        return Outcome(one.entry, written.content_id, ItemKind.VIEWING, Fate.NEW, item)

    def _written(self, title: Title, act: Viewing) -> WatchProgress:
        at = act.at or UNKNOWN_MOMENT
        duration = act.duration_seconds
        if duration is None:
            duration = title.duration_seconds or 0
        position = act.position_seconds
        if position is None:
            position = duration if act.finished else int(duration * (act.fraction or 0))
        at_the_end = reaches_the_end(position, duration, title.end_credits_seconds)
        finished = act.finished or (act.version is None and at_the_end)
        return WatchProgress(
            content_id=title.content_id,
            viewing=1 if act.viewing is None else act.viewing,
            position_seconds=position,
            duration_seconds=duration,
            completed=finished,
            version=act.version or version_of(at, self.source),
            device_id=None if act.device is None else self.devices.get(act.device),
            updated_at=act.known_at or at,
            completed_at=at if finished else None,
        )

    # Opinions and marks: registers.

    def _opinions(self, content_id: int, entries: list[tuple[Opinion, Entry]]) -> list[Outcome]:
        """Stars and words of one title are one register, so what a file tells of them is one write.

        Our own archive tells the register as a whole, also that it was taken back.
        """
        if not entries:
            return []
        told = sorted(entries, key=lambda pair: pair[0].at)
        rated, said = _last_with(told, "stars"), _last_with(told, "verdict")
        stars = None if rated is None else rated.stars
        verdict = None if said is None else said.verdict
        last = told[-1][0]
        known = self.ledger.known.reactions.get(content_id)
        if last.version is not None:
            rated, said, stars, verdict = last, last, last.stars, last.verdict
        elif known is not None:
            stars = known.stars if stars is None else stars
            verdict = known.verdict if verdict is None else verdict
        version = self._after(last.version or version_of(last.at, self.source), known)
        fate, item = Fate.NEW, None
        if known is not None and (known.stars, known.verdict) == (stars, verdict):
            fate = Fate.KNOWN
        elif known is not None and known.version >= version:
            fate = Fate.NEWER_HERE
        else:
            self.ledger.reacted(Reaction(content_id, verdict, stars, version, last.known_at or last.at))
            before: dict[str, object] = (
                {} if known is None else {"verdict": known.verdict, "stars": known.stars}
            )
            item = Item(content_id, ItemKind.OPINION, version, last.at, before=before)
        # What is brought stands with the last entry; those that it repeats or replaces bring nothing.
        gave = {id(rated), id(said)}
        return [
            Outcome(
                entry,
                content_id,
                ItemKind.OPINION,
                fate if id(act) in gave else Fate.KNOWN,
                item if entry is told[-1][1] else None,
            )
            for act, entry in told
        ]

    def _noted(self, content_id: int, entries: list[tuple[Noted, Entry]]) -> Iterator[Outcome]:
        last = {act.kind: act for act, _ in sorted(entries, key=lambda pair: pair[0].at)}
        for act, entry in entries:
            if last[act.kind] is not act:
                yield Outcome(entry, content_id, ItemKind.NOTED, Fate.NEWER_HERE)
                continue
            known = self.ledger.known.marks.get((content_id, act.kind))
            version = self._after(act.version or version_of(act.at, self.source), known)
            fate, item = Fate.NEW, None
            if known is not None and known.value == act.value:
                fate = Fate.KNOWN
            elif known is not None and known.version >= version:
                fate = Fate.NEWER_HERE
            else:
                self.ledger.marked(Mark(content_id, act.kind, act.value, version, act.known_at or act.at))
                before: dict[str, object] = {} if known is None else {"value": known.value}
                item = Item(content_id, ItemKind.NOTED, version, act.at, mark=act.kind, before=before)
            yield Outcome(entry, content_id, ItemKind.NOTED, fate, item)

    def _after(self, version: Timestamp, known: Reaction | Mark | None) -> Timestamp:
        """The version of a write. What an undo left is written again right after the undo."""
        undone = known is not None and known.version.device == UNDO
        if undone and known is not None and known.version.milliseconds == version.milliseconds:
            return Timestamp(known.version.clock + 1, version.device)
        return version

    # The watchlist.

    def _listings(self, content_id: int, entries: list[tuple[Listing, Entry]]) -> Iterator[Outcome]:
        """A title is added once; only our own archive tells of several additions, each with its tag."""
        listed = self.ledger.tags(content_id).live
        own: set[str] = set()
        for act, entry in entries:
            at = act.at or self.ledger.now
            if listed or (own and act.tag is None):
                yield Outcome(entry, content_id, ItemKind.LISTING, Fate.KNOWN)
                continue
            if content_id in self.listed_before and not self._is_later(content_id, act.at):
                yield Outcome(entry, content_id, ItemKind.LISTING, Fate.REMOVED_HERE)
                continue
            tag = act.tag
            if tag is None or tag in self.ledger.known.owners:
                tag = self.new_id()
            version = act.version or version_of(at, self.source)
            moved = self.ledger.known.marks.get((content_id, MarkKind.PLACE))
            if act.version is None and moved is not None and moved.version.clock >= version.clock:
                # A place of an earlier stay on the list is not this addition's.
                version = Timestamp(moved.version.clock + 1, version.device)
            self.ledger.added(Addition(content_id, tag, at, version, given=act.given))
            own.add(tag)
            before: dict[str, object] = {} if moved is None else {"moved": str(moved.version)}
            item = Item(content_id, ItemKind.LISTING, version, act.at, tag=tag, before=before)
            yield Outcome(entry, content_id, ItemKind.LISTING, Fate.NEW, item)

    def _unlisted(self, content_id: int, entries: list[tuple[Unlisted, Entry]]) -> Iterator[Outcome]:
        """An addition that was removed elsewhere and is here, by another title or on the list, stays."""
        for act, entry in entries:
            fate = Fate.KNOWN
            if act.tag not in self.ledger.known.owners:
                fate = Fate.NEW
                if act.at is not None:
                    self.ledger.added(Addition(content_id, act.tag, act.at, act.version, given=True))
                self.ledger.removed(content_id, frozenset({act.tag}), act.removal)
            yield Outcome(entry, content_id, ItemKind.LISTING, fate)

    def _is_later(self, content_id: int, at: datetime | None) -> bool:
        before = self.listed_before[content_id]
        return at is not None and before is not None and at > before


@dataclass(frozen=True, slots=True)
class _Told:
    """A viewing of a file, and the state that it claims."""

    act: Viewing
    entry: Entry
    written: WatchProgress


def _near(free: Iterable[WatchProgress], one: _Told) -> WatchProgress | None:
    """The viewing here that this one is, as another service noted its end."""
    apart = SAME_DAY if one.act.day_only else SAME_VIEWING
    gaps = [
        (abs(state.completed_at - one.written.completed_at), state.viewing, state)
        for state in free
        if state.completed_at is not None and one.written.completed_at is not None
    ]
    if not gaps:
        return None
    gap, _, state = min(gaps, key=lambda found: found[:2])
    return state if gap < apart else None


def _last_with(told: list[tuple[Opinion, Entry]], name: str) -> Opinion | None:
    return next((act for act, _ in reversed(told) if getattr(act, name) is not None), None)


def take_back(ledger: Ledger, item: Item) -> bool:
    """Undoes what an import brought; what was changed since is left, and `False`."""
    match item.kind:
        case ItemKind.VIEWING:
            return ledger.withdrawn(item.content_id, item.viewing or 0, item.version)
        case ItemKind.LISTING:
            return _off_the_list(ledger, item)
        case ItemKind.OPINION:
            return _opinion_back(ledger, item)
        case ItemKind.NOTED:
            return _mark_back(ledger, item)


def _off_the_list(ledger: Ledger, item: Item) -> bool:
    moved = ledger.known.marks.get((item.content_id, MarkKind.PLACE))
    if item.tag is None or item.tag not in ledger.tags(item.content_id).live:
        return False
    if moved is not None and str(moved.version) != item.before.get("moved"):
        return False
    ledger.removed(item.content_id, frozenset({item.tag}))
    return True


def _opinion_back(ledger: Ledger, item: Item) -> bool:
    known = ledger.known.reactions.get(item.content_id)
    if known is None or known.version != item.version:
        return False
    verdict, stars = item.before.get("verdict"), item.before.get("stars")
    before = Reaction(
        item.content_id,
        Verdict(verdict) if isinstance(verdict, str) else None,
        float(stars) if isinstance(stars, int | float) else None,
        _right_after(item.version),
        ledger.now,
    )
    ledger.reacted(before)
    return True


def _mark_back(ledger: Ledger, item: Item) -> bool:
    known = None if item.mark is None else ledger.known.marks.get((item.content_id, item.mark))
    if known is None or known.version != item.version:
        return False
    value = item.before.get("value")
    if known.kind is MarkKind.PLACE and value is None:
        return True  # it is void without the addition
    before = value if isinstance(value, str | bool) else None
    ledger.marked(replace(known, value=before, version=_right_after(item.version), updated_at=ledger.now))
    return True


def _right_after(version: Timestamp) -> Timestamp:
    """Taking back is a write like any other, right behind the one that it takes back."""
    return Timestamp(version.clock + 1, UNDO)
