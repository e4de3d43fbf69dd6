"""What can go wrong, in every context."""

import pytest

from domain.platform import errors
from domain.platform.errors import ErrorCode, GatewayError, Refused, UserError, UserErrorCode, refuse

CODES = {
    errors.Unauthenticated: ErrorCode.UNAUTHENTICATED,
    errors.Forbidden: ErrorCode.FORBIDDEN,
    errors.StepUpRequired: ErrorCode.STEP_UP_REQUIRED,
    errors.NotFound: ErrorCode.NOT_FOUND,
    errors.BadInput: ErrorCode.BAD_USER_INPUT,
    errors.TooManyRequests: ErrorCode.RATE_LIMITED,
    errors.CostLimitExceeded: ErrorCode.COST_LIMIT_EXCEEDED,
    errors.TimedOut: ErrorCode.TIMEOUT,
    errors.Unavailable: ErrorCode.UNAVAILABLE,
}


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_each_error_leaves_with_its_code_and_what_it_carries(
    kind: type[GatewayError], code: ErrorCode
) -> None:
    error = kind("Sorry.", retryAfter=3)

    assert error.code is code
    assert (error.message, str(error), error.extensions) == ("Sorry.", "Sorry.", {"retryAfter": 3})


def test_every_error_is_in_the_table() -> None:
    own = {kind for kind in GatewayError.__subclasses__() if kind.__module__ == errors.__name__}

    assert set(CODES) == own


def test_a_refusal_is_no_error_of_the_request() -> None:
    refusal = refuse("No.", UserErrorCode.CONFLICT, "input", "name")

    assert not isinstance(refusal, GatewayError)
    assert refusal.errors == (UserError("No.", UserErrorCode.CONFLICT, ("input", "name")),)
    assert str(Refused(UserError("One."), UserError("Two."))) == "One.; Two."
