"""What the outside hears of playback, through the outbox."""

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from domain.playback.model import PlaybackEnd, PlaybackSession, of_session
from domain.sync.model import Event, mostly_watched, reaches_the_end

CREATED = "playback.session.created"
STATE = "playback.state.updated"
MOVED = "playback.position.updated"
ENDED = "playback.session.ended"
ACTIVITY = "playback.activity"
POSITION_EVENT_EVERY = timedelta(seconds=10)
"""Between two positions of one session, whichever processes are told them."""


class Activity(StrEnum):
    """What a session says of the viewer's taste, for those who recommend."""

    START = "playback_start"
    COMPLETE = "playback_complete"
    ABANDON = "playback_abandon"


def of_change(before: PlaybackSession | None, after: PlaybackSession) -> tuple[PlaybackSession, list[Event]]:
    """The session, and what is told of its change; `before` is nothing where it began."""
    if before is None:
        return after, [_event(CREATED, after), *_activity(Activity.START, after)]
    if not after.active:
        return after, [_event(ENDED, after), *_activity(_outcome(after), after)]
    told = [] if after.state is before.state else [_event(STATE, after)]
    if before.told_at is not None and abs(after.updated_at - before.told_at) < POSITION_EVENT_EVERY:
        return after, told
    return replace(after, told_at=after.updated_at), [*told, _event(MOVED, after)]


def _event(topic: str, session: PlaybackSession) -> Event:
    told: dict[str, Any] = of_session(session) | {"account": session.account_id}
    if not session.active and session.duration_seconds:
        told["completion"] = min(1.0, session.position_seconds / session.duration_seconds)
    return Event(topic, session.id, told)


def _outcome(session: PlaybackSession) -> Activity | None:
    """Nothing of what goes on elsewhere, may go on, or is not to be known."""
    if session.end_reason in {PlaybackEnd.HANDED_OVER, PlaybackEnd.SILENT, PlaybackEnd.FORGOTTEN}:
        return None
    position, duration = session.position_seconds, session.duration_seconds
    finished = reaches_the_end(position, duration, session.end_credits_seconds)
    return Activity.COMPLETE if finished or mostly_watched(position, duration) else Activity.ABANDON


def _activity(activity: Activity | None, session: PlaybackSession) -> list[Event]:
    if activity is None:
        return []
    told = {
        "account": session.account_id,
        "activity": activity,
        "content": session.content_id,
        "viewing": session.viewing,
        "session": session.id,
        "position": session.position_seconds,
        "duration": session.duration_seconds,
        "at": session.updated_at.isoformat(),
    }
    return [Event(ACTIVITY, session.account_id, told)]
