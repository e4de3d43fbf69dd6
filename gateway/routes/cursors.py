"""How far the client of a stream has come: what it may go on from when the stream breaks."""

from typing import Final, Protocol

from domain.platform.errors import ErrorCode
from gateway.engine.errors import FormattedError

MENDED_ELSEWHERE: Final = frozenset(
    {
        ErrorCode.UNAUTHENTICATED,
        ErrorCode.RATE_LIMITED,
        ErrorCode.UNAVAILABLE,
        ErrorCode.TIMEOUT,
        ErrorCode.INTERNAL,
    }
)
"""Ends of a stream after which the same operation may go on: later, or with a fresh token."""


class Course(Protocol):
    """Where a stream is, as its source tells; opaque to all but the source."""

    @property
    def began(self) -> str | None:
        """What it began behind; nothing before that is known, or where it cannot be gone on with."""
        ...

    @property
    def cursor(self) -> str | None:
        """Of the event that was taken from it last."""
        ...


class Reached:
    """What a client has for certain. An event counts once it was sent, so none is lost between."""

    __slots__ = ("_course", "_sending", "_sent")

    def __init__(self, course: Course | None) -> None:
        self._course = course
        self._sent: str | None = None
        self._sending: str | None = None

    def sending(self) -> str | None:
        """The cursor of the event that is about to be sent."""
        self._sending = self._course.cursor if self._course is not None else None
        return self._sending

    def staying(self) -> str | None:
        """Where it stays, as no event is about to be sent."""
        self._sending = self._sent
        return self.cursor

    def sent(self) -> None:
        self._sent = self._sending

    @property
    def cursor(self) -> str | None:
        if self._course is None:
            return None
        return self._sent or self._course.began

    def marked(self, errors: list[FormattedError]) -> list[FormattedError]:
        """What ended a stream, with the cursor to go on from where one can."""
        cursor = self.cursor
        if cursor is None or errors[0]["extensions"]["code"] not in MENDED_ELSEWHERE:
            return errors
        return [error | {"extensions": {**error["extensions"], "cursor": cursor}} for error in errors]
