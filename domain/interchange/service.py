"""Importing files of other services and taking that back, in bounded steps that may be repeated."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from domain.interchange.files import bounded, members_of
from domain.interchange.formats import FORMATS, Hints, recognised
from domain.interchange.matching import Shelf, match
from domain.interchange.merging import Merging, take_back
from domain.interchange.model import (
    UNKNOWN_MOMENT,
    Entry,
    Fate,
    Item,
    ItemKind,
    Listing,
    Outcome,
    Problem,
    Source,
    Trouble,
    Unlisted,
    Viewing,
)
from domain.platform.errors import Refused, UserErrorCode, refuse
from domain.platform.paging import Cut, Page
from domain.sync.model import Device
from domain.sync.operations import Title
from domain.sync.service import Sync, Wanted

STEP = 500
"""Entries that one transaction takes; those of one title go together."""
MAX_OF_TITLE = 2_000
"""Entries of one title: more are no life of a viewer."""
AHEAD = timedelta(days=1)
"""The day of a file may be tomorrow here."""


class ImportState(StrEnum):
    """How far an import came."""

    BEGUN = "begun"
    """It was interrupted: importing the file again completes it."""
    DONE = "done"
    """All of the file is here."""
    UNDONE = "undone"
    """What it brought was taken back."""


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was brought to an account."""

    id: str
    source: Source
    name: str
    state: ImportState
    begun_at: datetime
    brought: int
    """How many things it brought."""
    left: int
    """Of those, how many were changed since and stayed when the import was undone."""

    @property
    def import_id(self) -> str:
        return self.id


class Imports(Protocol):
    """What was imported; writes are to be called within the account's turn."""

    async def step(self, account_id: str, file: "File", at: datetime, items: Sequence[Item]) -> str:
        """Remembers what a step brought; the id of the import, which the first step begins."""
        ...

    async def finish(self, account_id: str, digest: str, at: datetime) -> None: ...
    async def listed(
        self, account_id: str, source: Source, content_ids: Sequence[int]
    ) -> Mapping[int, datetime | None]:
        """The titles that imports of the source put on the watchlist and that were not undone."""
        ...

    async def one(self, account_id: str, import_id: str) -> Import | None: ...
    async def page(self, account_id: str, cut: Cut) -> Page[Import]: ...
    async def items(self, import_id: str, limit: int) -> list[tuple[int, Item]]:
        """What the import brought and is to be taken back, latest first, with its number."""
        ...

    async def settle(self, import_id: str, numbers: Mapping[int, bool]) -> None:
        """What became of items that were to be taken back: whether they were."""
        ...

    async def undone(self, import_id: str, at: datetime) -> None: ...


class FormerDevices(Protocol):
    """Devices that an account had when an archive was written."""

    async def bring(self, account_id: str, devices: Sequence[Device]) -> Mapping[str, str]:
        """By the id of each in the archive its id here: the same, where no other account has a device of it.

        Those that are not here come as such that were removed: a device that lives registers itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class File:
    """What was sent: its name, where it comes from, and a hash by which it is known again."""

    name: str
    source: Source
    digest: str


@dataclass(slots=True)
class Report:
    """What an import did, or would do."""

    file: File
    dry: bool
    import_id: str | None = None
    """Nothing where it brought nothing."""
    read: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> Counter[tuple[ItemKind, Fate]]:
        return Counter((outcome.kind, outcome.fate) for outcome in self.outcomes)

    @property
    def brought(self) -> int:
        return sum(outcome.fate is Fate.NEW for outcome in self.outcomes)


@dataclass(frozen=True)
class Interchange:
    """Brings what other services know of a viewer, and takes it back."""

    sync: Sync
    shelf: Shelf
    imports: Imports
    former: FormerDevices

    async def bring(  # noqa: PLR0913 - what is not given has its default
        self,
        account_id: str,
        name: str,
        data: bytes,
        *,
        source: Source | None = None,
        hints: Hints = Hints(),  # noqa: B008 - frozen
        dry: bool = False,
    ) -> Report:
        """Imports a file; with `dry` only what would come of it. Raises `Refused` for what is no such file.

        Each step is kept once it is done. An import that was interrupted is completed by importing the
        file again; importing what is here brings nothing.
        """
        file, found = await asyncio.to_thread(_read, name, data, source, hints)
        report = Report(file, dry)
        entries, devices = [], []
        for one in found:
            if isinstance(one, Device):
                devices.append(one)
            elif isinstance(one, Problem):
                report.problems.append(one)
            elif (problem := self._implausible(one)) is not None:
                report.problems.append(problem)
            else:
                entries.append(one)
        report.read = len(entries)
        matched = await match(self.shelf, entries)
        report.problems += matched.problems
        titles = await self.sync.titles(sorted({content_id for content_id, _ in matched.entries}))
        ids = {} if dry or not devices else await self.former.bring(account_id, devices)
        for step in _steps(matched.entries):
            accepted = list(self._accepted(step, titles, report))
            if accepted:
                report.outcomes += await self._step(account_id, report, titles, accepted, ids)
        if not dry:
            async with self.sync.journal.writing(account_id):
                await self.imports.finish(account_id, file.digest, self.sync.now())
        return report

    async def undo(self, account_id: str, import_id: str) -> Import:
        """Takes back what the import brought and leaves what was changed since; again, it changes nothing."""
        found = await self.imports.one(account_id, import_id)
        if found is None:
            raise refuse("There is no such import.", UserErrorCode.NOT_FOUND, "id")
        while found.state is not ImportState.UNDONE:
            async with self.sync.journal.writing(account_id) as writing:
                items = await self.imports.items(import_id, STEP)
                if items:
                    ledger = await self.sync.ledger(account_id, _wanted(item for _, item in items))
                    taken = {number: take_back(ledger, item) for number, item in items}
                    await self.sync.keep(writing, ledger)
                    await self.imports.settle(import_id, taken)
                else:
                    await self.imports.undone(import_id, self.sync.now())
                    found = replace(found, state=ImportState.UNDONE)
        return await self.imports.one(account_id, import_id) or found

    async def _step(
        self,
        account_id: str,
        report: Report,
        titles: Mapping[int, Title],
        step: Sequence[tuple[int, Entry]],
        devices: Mapping[str, str],
    ) -> list[Outcome]:
        wanted = _all_of({content_id for content_id, _ in step})
        acts = [entry.act for _, entry in step]
        wanted.tags = {act.tag for act in acts if isinstance(act, Listing | Unlisted) and act.tag is not None}
        async with self.sync.journal.writing(account_id) as writing:
            ledger = await self.sync.ledger(account_id, wanted)
            source = report.file.source
            listed = await self.imports.listed(account_id, source, sorted(wanted.watchlist))
            merging = Merging(ledger, source, self.sync.new_id, listed, devices)
            outcomes = _merged(merging, titles, step)
            items = [outcome.item for outcome in outcomes if outcome.item is not None]
            if any(outcome.fate is Fate.NEW for outcome in outcomes) and not report.dry:
                await self.sync.keep(writing, ledger)
                report.import_id = await self.imports.step(account_id, report.file, self.sync.now(), items)
        return outcomes

    def _implausible(self, entry: Entry) -> Problem | None:
        at = entry.act.at
        if at is not None and not UNKNOWN_MOMENT <= at <= self.sync.now() + AHEAD:
            return Problem(
                entry.where, f"{entry.titles[0]}: {at:%Y-%m-%d} lies in the future, or before 1970"
            )
        try:
            if entry.act.version is not None:
                self.sync.clock.receive(entry.act.version)
        except Refused as refusal:
            return Problem(entry.where, f"{entry.titles[0]}: {refusal}")
        return None

    def _accepted(
        self, step: Iterable[tuple[int, Entry]], titles: Mapping[int, Title], report: Report
    ) -> Iterator[tuple[int, Entry]]:
        counted: Counter[int] = Counter()
        for content_id, entry in step:
            counted[content_id] += 1
            title = titles.get(content_id)
            shown = entry.titles[0]
            if title is None:
                report.problems.append(Problem(entry.where, f"{shown} is gone", Trouble.UNKNOWN))
            elif isinstance(entry.act, Viewing) and not title.playable:
                reason = f"{shown} is no film, episode or track: the file does not say which of its parts"
                report.problems.append(Problem(entry.where, reason, Trouble.REFUSED))
            elif counted[content_id] > MAX_OF_TITLE:
                reason = f"{shown} has more than {MAX_OF_TITLE:,} entries"
                report.problems.append(Problem(entry.where, reason, Trouble.REFUSED))
            else:
                yield content_id, entry


def _read(
    name: str, data: bytes, source: Source | None, hints: Hints
) -> tuple[File, list[Entry | Problem | Device]]:
    members = members_of(name, data)
    chosen = source or recognised(members)
    file = File(name, chosen, sha256(data).hexdigest())
    return file, bounded(FORMATS[chosen].read(members, hints))


def _merged(
    merging: Merging, titles: Mapping[int, Title], step: Sequence[tuple[int, Entry]]
) -> list[Outcome]:
    by_title: dict[int, list[Entry]] = {}
    for content_id, entry in step:
        by_title.setdefault(content_id, []).append(entry)
    return [
        outcome
        for content_id, entries in by_title.items()
        for outcome in merging.merge(titles[content_id], entries)
    ]


def _steps(entries: Sequence[tuple[int, Entry]]) -> Iterator[list[tuple[int, Entry]]]:
    """So many at a time as one transaction takes, in the order of the file's titles."""
    by_title: dict[int, list[tuple[int, Entry]]] = {}
    for content_id, entry in entries:
        by_title.setdefault(content_id, []).append((content_id, entry))
    step: list[tuple[int, Entry]] = []
    for some in by_title.values():
        if step and len(step) + len(some) > STEP:
            yield step
            step = []
        step += some
    if step:
        yield step


def _all_of(content_ids: set[int]) -> Wanted:
    return Wanted(
        progress=set(content_ids),
        watchlist=set(content_ids),
        reactions=set(content_ids),
        marks=set(content_ids),
    )


def _wanted(items: Iterable[Item]) -> Wanted:
    return _all_of({item.content_id for item in items})
