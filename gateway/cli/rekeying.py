"""Reads and writes the file of keys."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from domain.identity.keys import SigningKeys
from gateway.authentication import key_file, signing_keys
from gateway.cli.errors import Failed
from gateway.settings import Settings


def read(settings: Settings) -> str:
    """The keys as they are; raises `Failed` where they are in no file."""
    if settings.signing_key is not None:
        raise Failed(
            "The keys come from MEDIA_GATEWAY_SIGNING_KEY: put the new one before the old one there, or name "
            "a file in MEDIA_GATEWAY_SIGNING_KEY_FILE."
        )
    signing_keys(settings)
    return key_file(settings).read_text("utf-8")


def write(settings: Settings, text: str) -> None:
    """All or nothing, for nobody else to read."""
    path = key_file(settings)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def described(settings: Settings) -> list[str]:
    """A line for each key."""
    keys: SigningKeys = signing_keys(settings)
    return [_line(keys, jwk["kid"], jwk["alg"]) for jwk in keys.jwks()["keys"]]


def _line(keys: SigningKeys, kid: str, algorithm: str) -> str:
    key = keys.find(kid)
    signs_from = 0 if key is None else key.signs_from
    since = f"{datetime.fromtimestamp(signs_from, UTC):%Y-%m-%d %H:%M} UTC" if signs_from else "the beginning"
    return f"{kid}  {algorithm}  {'signs' if key is keys.current else 'verifies'}, from {since}"
