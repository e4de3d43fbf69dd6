"""What can go wrong, as values every context shares.

GatewayError            whole-request refusals and faults; leaves as a top-level error with its code
├── Unauthenticated     nobody is signed in, or the token is not ours
├── Forbidden           signed in, and still not allowed
├── StepUpRequired      signed in, and still to be confirmed
├── NotFound            what a stream is to follow does not exist
├── BadInput            the request itself cannot be understood
├── CostLimitExceeded   one operation that asks for more than one may
├── TooManyRequests     come back later
├── TimedOut            a deadline passed
└── Unavailable         a dependency that this answer needs is down
Refused                 what the caller can mend; leaves as `userErrors` of a payload
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """`extensions.code` of every top-level error."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    STEP_UP_REQUIRED = "STEP_UP_REQUIRED"
    NOT_FOUND = "NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    RATE_LIMITED = "RATE_LIMITED"
    COST_LIMIT_EXCEEDED = "COST_LIMIT_EXCEEDED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    PERSISTED_QUERY_MISMATCH = "PERSISTED_QUERY_MISMATCH"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    TIMEOUT = "TIMEOUT"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class GatewayError(Exception):
    """Ends a request or nulls a field; `message` is shown to the caller, `extensions` beside `code`."""

    code = ErrorCode.INTERNAL

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = extensions


class Unauthenticated(GatewayError):
    code = ErrorCode.UNAUTHENTICATED


class Forbidden(GatewayError):
    code = ErrorCode.FORBIDDEN


class StepUpRequired(GatewayError):
    code = ErrorCode.STEP_UP_REQUIRED


class NotFound(GatewayError):
    code = ErrorCode.NOT_FOUND


class BadInput(GatewayError):
    code = ErrorCode.BAD_USER_INPUT


class CostLimitExceeded(GatewayError):
    code = ErrorCode.COST_LIMIT_EXCEEDED


class TooManyRequests(GatewayError):
    code = ErrorCode.RATE_LIMITED


class TimedOut(GatewayError):
    code = ErrorCode.TIMEOUT


class Unavailable(GatewayError):
    code = ErrorCode.UNAVAILABLE


class UserErrorCode(StrEnum):
    """Why a mutation did not do what was asked."""

    INVALID = "INVALID"
    """A value is malformed or out of range; the message says which range."""
    NOT_FOUND = "NOT_FOUND"
    """Nothing with this id exists that the caller may use."""
    CONFLICT = "CONFLICT"
    """Somebody or something else already holds this, or the state has moved on."""
    UNAVAILABLE = "UNAVAILABLE"
    """The device or title cannot do this now."""
    LIMIT_REACHED = "LIMIT_REACHED"
    """A limit of the account is used up."""
    CREDENTIALS = "CREDENTIALS"
    """E-mail address and password do not belong together."""
    NOT_VERIFIED = "NOT_VERIFIED"
    """The e-mail address has to be confirmed first, by the link in a letter."""
    PIN_REQUIRED = "PIN_REQUIRED"
    """This session is limited, or what limits others is to change: the PIN has to be entered first."""
    CLOCK_AHEAD = "CLOCK_AHEAD"
    """The write claims a time too far in the future; set the device's clock."""


@dataclass(frozen=True, slots=True)
class UserError:
    """What a user can mend, in words for a user."""

    message: str
    code: UserErrorCode = UserErrorCode.INVALID
    field: tuple[str, ...] = field(default=())


class Refused(Exception):
    """A rule says no, for reasons the caller can mend."""

    def __init__(self, *errors: UserError) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def refuse(message: str, code: UserErrorCode = UserErrorCode.INVALID, *path: str) -> Refused:
    """A refusal with one reason; `path` leads to the input field, outermost first."""
    return Refused(UserError(message, code, path))
