"""Playing a title on a device."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.platform.errors import Refused, UserErrorCode, refuse
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
    """Reached the end. A player that says so before it has stopped."""

    @property
    def final(self) -> bool:
        return not TRANSITIONS[self]


_GOING_ON = frozenset({PlaybackState.PLAYING, PlaybackState.PAUSED, PlaybackState.BUFFERING})
_ANY = _GOING_ON | {PlaybackState.STOPPED, PlaybackState.ENDED}

TRANSITIONS: Mapping[PlaybackState, frozenset[PlaybackState]] = {
    PlaybackState.PLAYING: _ANY,
    PlaybackState.PAUSED: _ANY,
    PlaybackState.BUFFERING: _ANY,
    PlaybackState.STOPPED: frozenset(),
    PlaybackState.ENDED: frozenset(),
}
"""What a player may say next. A session that silence has stopped goes on as if it played."""


class PlaybackEnd(StrEnum):
    """Why a session ended."""

    FINISHED = "finished"
    """It came to the end of the title."""
    STOPPED = "stopped"
    """Its player stopped, or somebody ended it."""
    REPLACED = "replaced"
    """Its device began to play something."""
    HANDED_OVER = "handed_over"
    """Another device goes on with it."""
    SILENT = "silent"
    """Nothing was heard of its player for long; it goes on as soon as that speaks again."""
    NOT_ALLOWED = "not_allowed"
    """The viewing profile may not watch at this hour, or not this title."""
    FORGOTTEN = "forgotten"
    """The viewer had the title forgotten."""
    INCOGNITO = "incognito"
    """Its device became incognito, or ceased to be."""
    DEVICE_REMOVED = "device_removed"
    """Its device was removed."""


class PlaybackQuality(StrEnum):
    """How good the picture is that the player asks for."""

    AUTO = "auto"
    """As good as the line allows."""
    LOW = "low"
    """480 lines."""
    MEDIUM = "medium"
    """720 lines."""
    HIGH = "high"
    """1080 lines."""
    ULTRA = "ultra"
    """2160 lines."""


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
    end_reason: PlaybackEnd | None = None
    quality: PlaybackQuality = PlaybackQuality.AUTO
    end_credits_seconds: int | None = None
    """Those of the title, as the catalogue had them when it began."""
    told_at: datetime | None = None
    """When its position was last told outside."""

    @property
    def active(self) -> bool:
        return self.ended_at is None

    @property
    def before(self) -> PlaybackState:
        """What its player goes on from: that it fell silent for good was a guess."""
        return PlaybackState.PLAYING if self.end_reason is PlaybackEnd.SILENT else self.state

    @property
    def takes_more(self) -> bool:
        """Whether its player may say more."""
        return not self.before.final

    def moved(self, to: WatchProgress, state: PlaybackState | None) -> "PlaybackSession":
        """Where the player stands from then on; at the last second it has ended, whatever it says.

        Raises `Refused` for what cannot follow.
        """
        reached = self.before if state is None else state
        if to.position_seconds >= to.duration_seconds:
            reached = PlaybackState.ENDED
        elif reached is PlaybackState.ENDED and not to.completed:
            reached = PlaybackState.STOPPED
        if reached not in TRANSITIONS[self.before]:
            raise has_ended(self)
        moved = replace(
            self,
            state=reached,
            position_seconds=to.position_seconds,
            duration_seconds=to.duration_seconds,
            updated_at=to.updated_at,
            ended_at=None,
            end_reason=None,
        )
        if not reached.final:
            return moved
        finished = reached is PlaybackState.ENDED
        return moved.ended(to.updated_at, PlaybackEnd.FINISHED if finished else PlaybackEnd.STOPPED)

    def ended(self, at: datetime, reason: PlaybackEnd) -> "PlaybackSession":
        """No more, where it stands."""
        state = PlaybackState.ENDED if reason is PlaybackEnd.FINISHED else PlaybackState.STOPPED
        return replace(self, state=state, updated_at=at, ended_at=at, end_reason=reason)

    def seconds_at(self, now: datetime) -> int:
        """Where it stands `now`, if it has gone on playing since the player last said something."""
        if self.state is not PlaybackState.PLAYING or self.updated_at >= now:
            return self.position_seconds
        played = min(now - self.updated_at, MAX_SILENCE)
        return min(self.position_seconds + int(played.total_seconds()), self.duration_seconds)


def has_ended(session: PlaybackSession) -> Refused:
    reason = (session.end_reason or PlaybackEnd.STOPPED).value.upper()
    return refuse(f"The session has ended ({reason}); start a new one.", UserErrorCode.CONFLICT, "sessionId")


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
        "endReason": session.end_reason,
        "quality": session.quality,
        "endCredits": session.end_credits_seconds,
    }


_END_OF = {PlaybackState.ENDED: PlaybackEnd.FINISHED, PlaybackState.STOPPED: PlaybackEnd.STOPPED}
"""Of entries that were written before they told why."""


def to_session(account_id: str, payload: Payload) -> PlaybackSession:
    ended, state = payload["ended"], PlaybackState(payload["state"])
    return PlaybackSession(
        id=payload["id"],
        account_id=account_id,
        device_id=payload["device"],
        content_id=payload["content"],
        viewing=payload["viewing"],
        state=state,
        platform_id=payload["platform"],
        position_seconds=payload["position"],
        duration_seconds=payload["duration"],
        started_at=datetime.fromisoformat(payload["started"]),
        updated_at=datetime.fromisoformat(payload["at"]),
        ended_at=None if ended is None else datetime.fromisoformat(ended),
        end_reason=None if ended is None else PlaybackEnd(payload.get("endReason") or _END_OF[state]),
        quality=PlaybackQuality(payload.get("quality", PlaybackQuality.AUTO)),
        end_credits_seconds=payload.get("endCredits"),
    )
