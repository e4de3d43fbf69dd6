"""The settings of the keys that tokens are signed with, and secrets are sealed with."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MARGIN_SECONDS: Final = 120
"""Of clocks that differ: twice what a token may be early or late."""


class KeySettings(BaseSettings):
    """Keys; a part of `Settings`."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    signing_key: SecretStr | None = None
    """The private key of access tokens, PEM or JWK (Ed25519), which nobody rotates but you. If it and the
    file are open, the gateway makes its own and rotates it: sealed in the database, in development in a file.
    """
    signing_key_file: Path | None = None
    """A file with these keys instead, that every process shares. It is read again when it changes."""
    signing_key_seconds: int = Field(default=7_776_000, ge=0, le=315_360_000)
    """For how long a key signs, 90 days if open; then the worker adds the next one. 0 leaves that to
    `media-gateway keys rotate`.
    """
    signing_key_ahead_seconds: int = Field(default=3_600, ge=2, le=604_800)
    """For how long a key is published before it signs, so that whoever keeps our keys has it by then."""
    signing_key_overlap_seconds: int = Field(default=86_400, ge=60, le=31_536_000)
    """For how long a key still verifies after the next one signs; longer than an access token holds."""
    sealing_keys: SecretStr | None = None
    """Keys that secrets in the database are sealed with, `id:` and 32 bytes in base64 each, by commas, the
    current one first; development makes and keeps its own.
    """

    def check_keys(self, access_token_seconds: int) -> None:
        """Raises `ValueError` where a key would go before its tokens, or never sign."""
        if self.signing_key_overlap_seconds < access_token_seconds + MARGIN_SECONDS:
            raise ValueError(
                f"SIGNING_KEY_OVERLAP_SECONDS must be {MARGIN_SECONDS} above ACCESS_TOKEN_SECONDS, as a key "
                "goes when its last token has lapsed"
            )
        if 0 < self.signing_key_seconds <= self.signing_key_ahead_seconds:
            raise ValueError("SIGNING_KEY_SECONDS must be above SIGNING_KEY_AHEAD_SECONDS")
