"""The values a device holds of the viewer's state, as the graph shows them."""

from dataclasses import dataclass
from typing import Any

from media_gateway_client.changes import Change
from media_gateway_client.clock import Version


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one viewing came."""

    content_id: str
    viewing: int
    position_seconds: int
    duration_seconds: int
    completed: bool
    version: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A title on the watchlist, with the additions that hold it there."""

    content_id: str
    tags: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Reaction:
    content_id: str
    verdict: str | None
    stars: float | None
    version: str


@dataclass(frozen=True, slots=True)
class Marks:
    content_id: str
    note: str | None
    dropped: bool
    hidden: bool


Told = dict[str, Any]
NOTHING_NOTED: Told = {"note": None, "dropped": False, "hidden": False}


def key_and_value(event: Told) -> tuple[tuple[str, str, int], Told | None] | None:
    """What of the state an event is about, and what that is from then on; nothing for other events, and for
    titles that the catalogue dropped.
    """
    match event:
        case {"__typename": "ProgressChanged", "progress": {"content": {"id": content}} as told}:
            return ("watched", content, told["viewing"]), told
        case {"__typename": "ViewingWithdrawn", "content": {"id": content}, "viewing": viewing}:
            return ("watched", content, viewing), None
        case {"__typename": "WatchlistChanged", "content": {"id": content}, "entry": entry}:
            return ("watchlist", content, 0), entry
        case {"__typename": "ReactionChanged", "reaction": {"content": {"id": content}} as told}:
            return ("reacted", content, 0), told
        case {"__typename": "TitleMarksChanged", "marks": {"content": {"id": content}} as told}:
            return ("marks", content, 0), told
    return None


def overlaid(  # noqa: PLR0911 - one for each kind
    known: Told | None, change: Change, operation_id: str, version: Version
) -> Told | None:
    """What a change that waits in the queue makes of what is known, before the server has heard of it."""
    told = change.arguments
    match change.kind:
        case "watched":
            return _watched(known, change, version)
        case "added":
            tags = [] if known is None else known["tags"]
            place = "" if known is None else known["place"]
            return {"tags": [*dict.fromkeys([*tags, operation_id])], "place": place}
        case "removed":
            left = [] if known is None else [tag for tag in known["tags"] if tag not in told["tags"]]
            return {"tags": left, "place": known["place"]} if known is not None and left else None
        case "moved":
            return None if known is None else known | told
        case "reacted":
            stands = known is not None and Version.parse(known["version"]).clock > version.clock
            return known if stands else {**told, "version": str(version)}
        case "noted":
            return NOTHING_NOTED | (known or {}) | {"note": (told["text"] or "").strip() or None}
    return NOTHING_NOTED | (known or {}) | told


def _watched(known: Told | None, change: Change, version: Version) -> Told:
    told = change.arguments
    stands = known is not None and Version.parse(known["version"]).clock > version.clock
    position = min(told["positionSeconds"], told["durationSeconds"])
    later = known if known is not None and stands else told | {"positionSeconds": position}
    return {
        "positionSeconds": later["positionSeconds"],
        "durationSeconds": later["durationSeconds"],
        "completed": change.finishes or (known is not None and known["completed"]),
        "version": later.get("version", str(version)),
    }
