"""Simkl: the JSON of its backup, with films, shows and anime by status."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

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

LISTS: Final = {"movies": "movie", "shows": "show", "anime": "show"}
"""The lists of a backup, and where their records have the work."""


def recognises(members: Sequence[Member]) -> bool:
    return any(_document(member) is not None for member in members)


def read(members: Sequence[Member]) -> Iterator[Entry | Problem]:
    for member in members:
        document = _document(member)
        if document is None:
            yield Problem(member.name, "is no backup of Simkl", Trouble.LEFT_OUT)
            continue
        for name, records in document.items():
            where = f"{member.name}:{name}"
            if name not in LISTS or not isinstance(records, list):
                yield Problem(where, "is no list of films, shows or anime", Trouble.LEFT_OUT)
                continue
            for number, record in enumerate(records):
                yield from _record(f"{where}[{number}]", record, LISTS[name])


def _document(member: Member) -> dict[str, Any] | None:
    if not member.base.endswith(".json"):
        return None
    try:
        document = json_of(member)
    except ValueError:
        return None
    told = isinstance(document, dict) and any(isinstance(document.get(name), list) for name in LISTS)
    return document if told else None


def _record(where: str, record: object, work: str) -> Iterator[Entry | Problem]:
    if not isinstance(record, dict):
        yield Problem(where, "is not an object")
        return
    # Anime that are films stand among the anime, with the work in `show`.
    is_film = work == "movie" or record.get("anime_type") == "movie"
    fields = Fields(record)
    try:
        told = _work(fields.part(work if work in record else "movie"), "movie" if is_film else "series")
        whole = Reference(ContentKind.MOVIE if is_film else ContentKind.SERIES, *told)
        acts = list(_acts(fields))
        parts = list(_episodes(fields, told))
    except Broken as broken:
        yield Problem(f"{where}.{broken.field}", broken.reason)
        return
    for act in acts:
        yield Entry(where, (whole,), act)
    status = record.get("status")
    if is_film and status == "completed":
        at = _moment_or_unknown(fields, "last_watched_at")
        yield Entry(where, (whole,), Viewing(at, once=at == UNKNOWN_MOMENT))
    for place, title, act in parts:
        yield Entry(f"{where}.{place}", (title,), act)
    if not is_film and status == "completed" and not parts:
        reason = f"{whole} is completed, and the backup has no episodes of it"
        yield Problem(where, reason, Trouble.LEFT_OUT)
    if status in {"watching", "hold"} and not parts:
        yield Problem(
            where, f"{whole} has the status {status}, and nothing of it is watched", Trouble.LEFT_OUT
        )


def _acts(record: Fields) -> Iterator[Act]:
    """What is said of a work as a whole."""
    changed = moment(record, "user_rated_at") or moment(record, "last_watched_at")
    added = moment(record, "added_to_watchlist_at")
    rating, status = record.integer("user_rating", 1, 10), record.text("status", 40)
    if rating is not None:
        yield Opinion(changed or added or UNKNOWN_MOMENT, stars=rating / 2)
    if status == "plantowatch":
        yield Listing(added)
    if status in {"dropped", "notinteresting"}:
        yield Noted(changed or added or UNKNOWN_MOMENT, MarkKind.DROPPED, value=True)
    memo = record.part("memo").text("text", 2_000)
    if memo is not None:
        yield Noted(changed or added or UNKNOWN_MOMENT, MarkKind.NOTE, memo)


def _episodes(
    record: Fields, work: tuple[str | None, int | None, tuple[ExternalId, ...]]
) -> Iterator[tuple[str, Reference, Act]]:
    for s, season in enumerate(record.parts("seasons")):
        for e, episode in enumerate(season.parts("episodes")):
            title = Reference(
                ContentKind.EPISODE,
                *work,
                part=season.required_integer("number", 0),
                number=episode.required_integer("number", 0),
            )
            at = _moment_or_unknown(episode, "watched_at")
            yield f"seasons[{s}].episodes[{e}]", title, Viewing(at, once=at == UNKNOWN_MOMENT)


def _moment_or_unknown(record: Fields, name: str) -> Any:
    return moment(record, name) or UNKNOWN_MOMENT


def _work(record: Fields, kind: str) -> tuple[str | None, int | None, tuple[ExternalId, ...]]:
    return record.text("title", TITLE_LIMIT), record.integer("year", *YEARS), external_ids(record, kind)
