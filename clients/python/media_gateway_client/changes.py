"""What a user can do, as `OperationChangeInput` of the graph has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COMPLETED_FRACTION = 0.95
LONGEST_CREDITS = 0.25
CREDITS = "endCreditsSeconds"
"""Among the arguments for this device alone, as the server knows them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to one title; `kind` is the name of the input's field."""

    kind: str
    content_id: str
    arguments: dict[str, Any]

    @property
    def register(self) -> tuple[str, str, int]:
        """What of the state it writes to."""
        kind = "watchlist" if self.kind in {"added", "removed"} else self.kind
        return kind, self.content_id, int(self.arguments.get("viewing", 0))

    @property
    def shown_as(self) -> str:
        """Of what a device shows, the part that it is seen in."""
        return {
            "added": "watchlist",
            "removed": "watchlist",
            "moved": "watchlist",
            "noted": "marks",
            "dropped": "marks",
            "hidden": "marks",
        }.get(self.kind, self.kind)

    @property
    def replaces_what_is_shown(self) -> bool:
        """Whether it writes to one register that is told as a whole, rather than to one of several."""
        return self.kind in {"watched", "reacted"}

    @property
    def finishes(self) -> bool:
        """Whether it is an end of a viewing, which no later position takes back."""
        told = self.arguments
        duration, closing = told.get("durationSeconds") or 0, told.get(CREDITS) or 0
        end = COMPLETED_FRACTION * duration
        if 0 < closing <= LONGEST_CREDITS * duration:
            end = min(end, duration - closing)
        return duration > 0 and told.get("positionSeconds", 0) >= end

    def input(self) -> dict[str, Any]:
        told = {name: value for name, value in self.arguments.items() if name != CREDITS}
        return {self.kind: {"contentId": self.content_id} | told}


def watched(
    content_id: str,
    viewing: int,
    position_seconds: int,
    duration_seconds: int,
    end_credits_seconds: int | None = None,
) -> Change:
    """Came so far with a viewing; who knows the length of the closing credits knows when that ends it."""
    told = {
        "viewing": viewing,
        "positionSeconds": position_seconds,
        "durationSeconds": duration_seconds,
    }
    return Change(
        "watched", content_id, told if end_credits_seconds is None else told | {CREDITS: end_credits_seconds}
    )


def added(content_id: str) -> Change:
    """Put on the watchlist; the tag is the id of the operation."""
    return Change("added", content_id, {})


def removed(content_id: str, tags: Sequence[str]) -> Change:
    """Taken off the watchlist, as far as these additions hold it there."""
    return Change("removed", content_id, {"tags": list(tags)})


def moved(content_id: str, place: str) -> Change:
    return Change("moved", content_id, {"place": place})


def reacted(content_id: str, verdict: str | None = None, stars: float | None = None) -> Change:
    return Change("reacted", content_id, {"verdict": verdict, "stars": stars})


def noted(content_id: str, text: str | None) -> Change:
    return Change("noted", content_id, {"text": text})


def dropped(content_id: str, *, dropped: bool = True) -> Change:
    return Change("dropped", content_id, {"dropped": dropped})


def hidden(content_id: str, *, hidden: bool = True) -> Change:
    return Change("hidden", content_id, {"hidden": hidden})
