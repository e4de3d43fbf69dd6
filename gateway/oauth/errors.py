"""Errors of the protocol that Authlib does not have, and how ours become its."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError

from domain.identity.sessions import InvalidGrant
from gateway.oauth.bridge import wait

T = TypeVar("T")

NONCE: Final = "DPoP-Nonce"
"""The header with what the next proof has to contain."""


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]
    """RFC 8707, section 2."""

    error = "invalid_target"
    description = "No tokens are given out for this resource."


class InvalidDPoPProofError(OAuth2Error):  # type: ignore[misc]
    """RFC 9449, section 5."""

    error = "invalid_dpop_proof"
    description = "The DPoP proof is missing or not valid."


class UseDPoPNonceError(OAuth2Error):  # type: ignore[misc]
    """RFC 9449, section 8."""

    error = "use_dpop_nonce"
    description = "The DPoP proof has to contain the nonce of the header DPoP-Nonce."

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self._nonce = nonce

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), (NONCE, self._nonce)]


class LoginRequiredError(OAuth2Error):  # type: ignore[misc]
    """OpenID Connect Core, section 3.1.2.6."""

    error = "login_required"


class ConsentRequiredError(OAuth2Error):  # type: ignore[misc]
    """OpenID Connect Core, section 3.1.2.6."""

    error = "consent_required"


class TooManyRequestsError(OAuth2Error):  # type: ignore[misc]
    error = "rate_limit_exceeded"
    status_code = 429
    description = "Too many requests; come back later."


@contextmanager
def readable() -> Iterator[None]:
    """Authlib repeats what it was sent in its errors, and fails where that has signs they must not have."""
    try:
        yield
    except ValueError:
        raise InvalidRequestError("A parameter has signs that it must not have.") from None


def granted(answer: Awaitable[T]) -> T:
    """The answer, where the grant behind it is valid."""
    try:
        return wait(answer)
    except InvalidGrant:
        raise InvalidGrantError("The grant is not valid, has expired or was used before.") from None
