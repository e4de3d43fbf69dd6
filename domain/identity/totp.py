"""Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits, steps of 30 seconds."""

from datetime import datetime

import pyotp
from pyotp.utils import strings_equal

SECRET_CHARACTERS = 32
"""Of base32: 160 bits."""
ISSUER = "MediaGateway"


def new_secret() -> str:
    return pyotp.random_base32(SECRET_CHARACTERS)


def uri_of(secret: str, name: str) -> str:
    """What an app scans as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The step that a code is of: the present one, or one beside it; nothing where it is wrong."""
    totp = pyotp.TOTP(secret)
    given = code.replace(" ", "")
    present = totp.timecode(at)
    fitting = [
        step for step in range(present - 1, present + 2) if strings_equal(given, totp.generate_otp(step))
    ]
    return fitting[0] if fitting else None
