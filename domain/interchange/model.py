"""What a file of another service tells: titles as the service names them, and what was done to them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeAlias

from domain.catalog.model import ContentKind, ExternalId
from domain.sync.clock import COUNTER_BITS, Timestamp
from domain.sync.model import MarkKind, MarkValue, Verdict

UNKNOWN_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
"""When something was seen of which nobody knows when."""


class Source(StrEnum):
    """Where a file comes from."""

    TRAKT = "trakt"
    """The JSON files of Trakt's export, or its ZIP."""
    LETTERBOXD = "letterboxd"
    """The ZIP of Letterboxd's export, or CSV files of it."""
    SIMKL = "simkl"
    """The JSON backup of Simkl."""
    NETFLIX = "netflix"
    """NetflixViewingHistory.csv, the viewing activity of one profile."""
    ARCHIVE = "archive"
    """An archive that Media Gateway exported."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A title as a file names it: a film, series or album, or a part of one.

    `title`, `year` and `ids` are of the whole; `own_ids` of the part. `part` is the number of the season or
    disc, `number` that of the episode or track within it; `part_title` names an episode without a number.
    """

    kind: ContentKind
    title: str | None = None
    year: int | None = None
    ids: tuple[ExternalId, ...] = ()
    own_ids: tuple[ExternalId, ...] = ()
    part: int | None = None
    number: int | None = None
    part_title: str | None = None

    @property
    def whole(self) -> ContentKind:
        """What kind of work the title, the year and the ids are of."""
        return WHOLES.get(self.kind, self.kind)

    def __str__(self) -> str:
        shown = self.title or next((f"{i.source} {i.value}" for i in (*self.own_ids, *self.ids)), "?")
        if self.year is not None:
            shown += f" ({self.year})"
        if self.part is not None:
            shown += f" {self.part}" if self.number is None else f" {self.part}x{self.number:02}"
        return shown if self.part_title is None else f"{shown}: {self.part_title}"


WHOLES = {
    ContentKind.SEASON: ContentKind.SERIES,
    ContentKind.EPISODE: ContentKind.SERIES,
    ContentKind.TRACK: ContentKind.ALBUM,
}


@dataclass(frozen=True, slots=True)
class Viewing:
    """Watched a title, to the end or up to a point."""

    at: datetime | None
    """When; nothing where nobody knows."""
    day_only: bool = False
    """Whether the file tells the day alone; `at` is its noon then."""
    once: bool = False
    """Whether the file only says that the title was seen by then, which another viewing also tells."""
    finished: bool = True
    fraction: float | None = None
    """How far an unfinished one came, where the file does not tell seconds."""
    position_seconds: int | None = None
    duration_seconds: int | None = None
    viewing: int | None = None
    version: Timestamp | None = None
    known_at: datetime | None = None
    device: str | None = None
    """Where, by the id of a device that the file tells of."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Rated a title, or said in a word what one thinks; what is open is not told."""

    at: datetime
    stars: float | None = None
    verdict: Verdict | None = None
    version: Timestamp | None = None
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Put a title on the watchlist; `tag` names the addition where the file does."""

    at: datetime | None
    tag: str | None = None
    version: Timestamp | None = None
    given: bool = False


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Took an addition off the watchlist, of which it may be told again; `at` is that of the addition."""

    at: datetime | None
    tag: str
    version: Timestamp | None
    removal: Timestamp | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Noted something of a title."""

    at: datetime
    kind: MarkKind
    value: MarkValue
    version: Timestamp | None = None
    known_at: datetime | None = None


Act: TypeAlias = Viewing | Opinion | Listing | Unlisted | Noted


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a file tells; of several `titles` it means the one that the catalogue has."""

    where: str
    """The file, and the line or path within it."""
    titles: tuple[Reference, ...]
    act: Act


class Trouble(StrEnum):
    """Why something of a file did not come along."""

    UNREADABLE = "unreadable"
    """It does not follow the documented format."""
    LEFT_OUT = "left_out"
    """It is of a kind that there is nothing like here."""
    UNKNOWN = "unknown"
    """The catalogue has no such title."""
    AMBIGUOUS = "ambiguous"
    """The catalogue has several such titles, and the file does not say which."""
    REFUSED = "refused"
    """The title cannot take it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of a file that did not come along, where it stands, and why."""

    where: str
    reason: str
    trouble: Trouble = Trouble.UNREADABLE


class Fate(StrEnum):
    """What becomes of an entry."""

    NEW = "new"
    """It is brought."""
    KNOWN = "known"
    """It was here already."""
    NEWER_HERE = "newer_here"
    """What is here is later, and stays."""
    REMOVED_HERE = "removed_here"
    """An earlier import brought it, and the viewer took it off since; or had the title forgotten."""


class ItemKind(StrEnum):
    """What an import can bring."""

    VIEWING = "viewing"
    """A viewing of a title."""
    OPINION = "opinion"
    """Stars, or a word."""
    LISTING = "listing"
    """An addition to the watchlist."""
    NOTED = "noted"
    """A note, or that a title is given up or hidden."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that an import brought, as is needed to take it back."""

    content_id: int
    kind: ItemKind
    version: Timestamp
    at: datetime | None
    viewing: int | None = None
    tag: str | None = None
    mark: MarkKind | None = None
    before: dict[str, object] = field(default_factory=dict)
    """What it replaced, in the names of the graph."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an entry, and what it brings where it is new."""

    entry: Entry
    content_id: int
    kind: ItemKind
    fate: Fate
    item: Item | None = None


def kind_of(act: Act) -> ItemKind:
    match act:
        case Viewing():
            return ItemKind.VIEWING
        case Opinion():
            return ItemKind.OPINION
        case Listing():
            return ItemKind.LISTING
        case _:
            return ItemKind.NOTED


def noon(day: date) -> datetime:
    """The moment that stands for a day."""
    return datetime.combine(day, time(12), UTC)


def version_of(at: datetime, source: Source) -> Timestamp:
    """The version of what a file tells: its own time, in the name of where it comes from."""
    return Timestamp(int(at.timestamp() * 1000) << COUNTER_BITS, f"import.{source.value}")
