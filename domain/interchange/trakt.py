"""Trakt: JSON lists as its export and its API write them, each record of which says what it is."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from domain.catalog.model import ContentKind, ExternalId
from domain.interchange.fields import TITLE_LIMIT, YEARS, external_ids, moment
from domain.interchange.files import Member, json_of
from domain.interchange.model import (
    UNKNOWN_MOMENT,
    Act,
    Entry,
    Listing,
    Noted,
    Opinion,
    Problem,
    Reference,
    Trouble,
    Viewing,
)
from domain.platform.fields import Broken, Fields
from domain.sync.model import MarkKind
from domain.sync.operations import MAX_NOTE

MEDIA = ("movie", "show", "season", "episode")
HISTORY, WATCHED, RATING, LISTED, PAUSED = (
    "watched_at",
    "last_watched_at",
    "rated_at",
    "listed_at",
    "paused_at",
)
KEYS = {HISTORY, WATCHED, RATING, LISTED, PAUSED}


def recognises(members: Sequence[Member]) -> bool:
    return any(_is_list(member) for member in members)


def read(members: Sequence[Member]) -> Iterator[Entry | Problem]:
    """What the lists tell, in the order of the files."""
    lists: list[tuple[Member, list[Any]]] = []
    for member in members:
        if not member.base.endswith(".json"):
            yield Problem(member.name, "is no JSON file", Trouble.LEFT_OUT)
            continue
        try:
            document = json_of(member)
        except ValueError as error:
            yield Problem(member.name, str(error))
            continue
        if isinstance(document, list):
            lists.append((member, document))
        else:
            yield Problem(member.name, "is not a list of watched, rated or listed titles", Trouble.LEFT_OUT)
    # The history has each viewing; without it the last of each title is all that is told.
    complete = any(
        HISTORY in record for _, records in lists for record in records[:1] if isinstance(record, dict)
    )
    for member, records in lists:
        for number, record in enumerate(records):
            yield from _record(f"{member.name}[{number}]", record, complete=complete)


def _is_list(member: Member) -> bool:
    if not member.base.endswith(".json"):
        return False
    try:
        document = json_of(member)
    except ValueError:
        return False
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and bool(KEYS & first.keys()) and any(name in first for name in MEDIA)


def _record(where: str, record: object, *, complete: bool) -> Iterator[Entry | Problem]:
    if not isinstance(record, dict):
        yield Problem(where, "is not an object")
        return
    fields = Fields(record)
    try:
        if WATCHED in record and "show" in record and "seasons" in record:
            yield from _watched_show(where, fields, complete=complete)
        elif WATCHED in record:
            yield from _plays(where, fields, _title(fields, record), complete=complete)
        elif found := next((read for key, read in ACTS.items() if record.get(key) is not None), None):
            for act in found(fields):
                yield Entry(where, (_title(fields, record),), act)
        else:
            yield Problem(where, "was neither watched, rated nor listed", Trouble.LEFT_OUT)
    except Broken as broken:
        yield Problem(f"{where}.{broken.field}", broken.reason)


def _history(record: Fields) -> Iterator[Act]:
    at = moment(record, HISTORY)
    yield Viewing(at, once=True) if at == UNKNOWN_MOMENT else Viewing(at)


def _rating(record: Fields) -> Iterator[Act]:
    rating, at = record.required_integer("rating", 1, 10), moment(record, RATING)
    if at is not None:
        yield Opinion(at, stars=rating / 2)


def _listed(record: Fields) -> Iterator[Act]:
    at, notes = moment(record, LISTED), record.text("notes", MAX_NOTE)
    yield Listing(at)
    if notes is not None and at is not None:
        yield Noted(at, MarkKind.NOTE, notes)


def _paused(record: Fields) -> Iterator[Act]:
    progress = record.number("progress", 0, 100)
    if progress is None:
        raise record.broken("progress", "is missing")
    yield Viewing(moment(record, PAUSED), finished=False, fraction=progress / 100)


ACTS: dict[str, Callable[[Fields], Iterator[Act]]] = {
    HISTORY: _history,
    RATING: _rating,
    LISTED: _listed,
    PAUSED: _paused,
}


def _plays(where: str, record: Fields, title: Reference, *, complete: bool) -> Iterator[Entry | Problem]:
    plays, at = record.integer("plays", 1) or 1, moment(record, WATCHED)
    yield Entry(where, (title,), Viewing(at, once=at is None or at == UNKNOWN_MOMENT))
    if plays > 1 and not complete:
        reason = f"was watched {plays} times, and only the time of the last is told; add the history's file"
        yield Problem(where, reason, Trouble.LEFT_OUT)


def _watched_show(where: str, record: Fields, *, complete: bool) -> Iterator[Entry | Problem]:
    whole = _work(record.part("show"), "series")
    for s, season in enumerate(record.parts("seasons")):
        for e, episode in enumerate(season.parts("episodes")):
            title = Reference(
                ContentKind.EPISODE,
                *whole,
                part=season.required_integer("number", 0),
                number=episode.required_integer("number", 0),
            )
            yield from _plays(f"{where}.seasons[{s}].episodes[{e}]", episode, title, complete=complete)


def _title(fields: Fields, record: dict[str, Any]) -> Reference:
    if "episode" in record:
        episode = fields.part("episode")
        own = tuple(found for found in external_ids(episode, "series") if found.source == "imdb")
        return Reference(
            ContentKind.EPISODE,
            *_work(fields.part("show"), "series"),
            own_ids=own,
            part=episode.integer("season", 0),
            number=episode.integer("number", 0),
        )
    if "season" in record:
        number = fields.part("season").required_integer("number", 0)
        return Reference(ContentKind.SEASON, *_work(fields.part("show"), "series"), part=number)
    if "show" in record:
        return Reference(ContentKind.SERIES, *_work(fields.part("show"), "series"))
    if "movie" in record:
        return Reference(ContentKind.MOVIE, *_work(fields.part("movie"), "movie"))
    raise Broken("type", "is neither a film, a series, a season nor an episode")


def _work(record: Fields, kind: str) -> tuple[str | None, int | None, tuple[ExternalId, ...]]:
    return record.text("title", TITLE_LIMIT), record.integer("year", *YEARS), external_ids(record, kind)
