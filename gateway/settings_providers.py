"""The settings of other providers that people may sign in with."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class ProviderKind(StrEnum):
    """How a provider says who somebody is."""

    OPENID = "openid"
    """By OpenID Connect, found by discovery."""
    GITHUB = "github"
    """GitHub, which has an interface of its own."""
    APPLE = "apple"
    """By OpenID Connect; the client's secret is a JWT that it signs itself."""


_ISSUERS: Final = {"google": "https://accounts.google.com", "apple": "https://appleid.apple.com"}
_KINDS: Final = {"github": ProviderKind.GITHUB, "apple": ProviderKind.APPLE}


class ProviderSetting(BaseModel):
    """A provider, and what we are to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_secret: SecretStr | None = None
    kind: ProviderKind = ProviderKind.OPENID
    issuer: str | None = None
    name: str | None = None
    scope: str = "openid email profile"
    team_id: str | None = None
    key_id: str | None = None
    private_key: SecretStr | None = None

    @model_validator(mode="after")
    def _whole(self) -> "ProviderSetting":
        if self.kind is ProviderKind.APPLE:
            if not (self.team_id and self.key_id and self.private_key):
                raise ValueError("Apple needs team_id, key_id and private_key")
        elif self.client_secret is None:
            raise ValueError("client_secret is missing")
        if self.kind is not ProviderKind.GITHUB:
            parts = urlsplit(self.issuer or "")
            if parts.scheme != "https" and parts.hostname not in _LOCAL:
                raise ValueError("issuer is missing, or no https URL")
        return self


class ProviderSettings(BaseSettings):
    """Whom people may sign in with; a part of `Settings`."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    sign_in_providers: Mapping[str, ProviderSetting] = Field(default_factory=dict)
    """Other providers to sign in with, as JSON by a short name: `client_id` and `client_secret`; `issuer` for
    all but `google`, `apple` and `github`; for Apple `team_id`, `key_id` and `private_key`. They send
    people back to /oauth/with/<name>/callback."""

    dpop_nonces: bool = False
    """Whether proofs of applications that bind their tokens to a key have to contain a nonce of ours (RFC
    9449, section 8), so that they cannot be made ahead. Each then asks twice every minute or two.
    """
    client_documents: bool = True
    """Whether applications may be known by the https address of a document that describes them, as assistants
    are (Client ID Metadata Documents); the server then fetches it, from public addresses only.
    """

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: object) -> object:
        found = values.get("sign_in_providers") if isinstance(values, dict) else None
        if isinstance(found, dict):
            for name, setting in found.items():
                if isinstance(setting, dict):
                    setting.setdefault("kind", _KINDS.get(name, ProviderKind.OPENID))
                    setting.setdefault("issuer", _ISSUERS.get(name))
                    setting.setdefault("name", {"github": "GitHub"}.get(name, name.capitalize()))
        return values
