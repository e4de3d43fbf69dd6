"""The settings of mail, and of the accounts that it is about."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.platform.smtp import Encryption


def _sender(value: str) -> str:
    address = value.rpartition("<")[2].removesuffix(">")
    name, at, domain = address.rpartition("@")
    if not (name and at and domain) or any(character in value for character in "\r\n"):
        raise ValueError("write Media Gateway <gateway@example.org>")
    return value


class MailSettings(BaseSettings):
    """Where mail is handed in; a part of `Settings`."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    smtp_host: str | None = None
    """The mail server; messages go to `mail` in the data directory if open."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Its port."""
    smtp_encryption: Encryption = Encryption.STARTTLS
    """`starttls`, `tls` from the first byte, or `none` for a server on the same machine."""
    smtp_username: str | None = None
    """Who we are to it; nobody if open."""
    smtp_password: SecretStr | None = None
    """And the password."""
    mail_sender: Annotated[str, AfterValidator(_sender)] = "Media Gateway <gateway@localhost>"
    """Whom letters are from."""
    passkey_domain: str | None = None
    """The domain that passkeys are bound to, and do not survive; that of the issuer if open."""
    require_verified_email: bool = False
    """Whether signing in needs an address that was confirmed by the link in a letter."""
