"""Playing a title on a device."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.sync.model import WatchProgress

MAX_SILENCE = timedelta(seconds=30)
"""A player that was silent for longer may have stopped."""


class PlaybackState(StrEnum):
    """What the player does."""

    PLAYING = "playing"
    """Plays."""
    PAUSED = "paused"
    """Pauses."""
    BUFFERING = "buffering"
    """Waits for data."""
    STOPPED = "stopped"
    """Was stopped before the end."""
    ENDED = "ended"
    """Reached the end."""

    @property
    def final(self) -> bool:
        return self in {PlaybackState.STOPPED, PlaybackState.ENDED}


@dataclass(frozen=True, slots=True)
class PlaybackSession:
    """One device playing one title, from start to end."""

    id: str
    account_id: str
    device_id: str
    content_id: int
    viewing: int
    state: PlaybackState
    platform_id: str | None
    position_seconds: int
    duration_seconds: int
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    @property
    def active(self) -> bool:
        return self.ended_at is None

    def moved(self, to: WatchProgress, state: PlaybackState | None) -> "PlaybackSession":
        """Where the player stands from then on; at the end it has ended, whatever it says."""
        reached = PlaybackState.ENDED if to.position_seconds >= to.duration_seconds else state or self.state
        return replace(
            self,
            state=reached,
            position_seconds=to.position_seconds,
            duration_seconds=to.duration_seconds,
            updated_at=to.updated_at,
            ended_at=to.updated_at if reached.final else None,
        )

    def seconds_at(self, now: datetime) -> int:
        """Where it stands `now`, if it has gone on playing since the player last said something."""
        if self.state is not PlaybackState.PLAYING or self.updated_at >= now:
            return self.position_seconds
        played = min(now - self.updated_at, MAX_SILENCE)
        return min(self.position_seconds + int(played.total_seconds()), self.duration_seconds)


Payload = dict[str, Any]


def of_session(session: PlaybackSession) -> Payload:
    """The session as it lies in the change log."""
    return {
        "id": session.id,
        "device": session.device_id,
        "content": session.content_id,
        "viewing": session.viewing,
        "state": session.state,
        "platform": session.platform_id,
        "position": session.position_seconds,
        "duration": session.duration_seconds,
        "started": session.started_at.isoformat(),
        "at": session.updated_at.isoformat(),
        "ended": None if session.ended_at is None else session.ended_at.isoformat(),
    }


def to_session(account_id: str, payload: Payload) -> PlaybackSession:
    ended = payload["ended"]
    return PlaybackSession(
        id=payload["id"],
        account_id=account_id,
        device_id=payload["device"],
        content_id=payload["content"],
        viewing=payload["viewing"],
        state=PlaybackState(payload["state"]),
        platform_id=payload["platform"],
        position_seconds=payload["position"],
        duration_seconds=payload["duration"],
        started_at=datetime.fromisoformat(payload["started"]),
        updated_at=datetime.fromisoformat(payload["at"]),
        ended_at=None if ended is None else datetime.fromisoformat(ended),
    )
