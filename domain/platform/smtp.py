"""Mail over SMTP."""

import asyncio
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum

import aiosmtplib
from aiosmtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from domain.platform.mail import Mail, MailFailed, MailRefused, message_of

DEADLINE_SECONDS = 20.0
_PERMANENT = range(500, 600)


class Encryption(StrEnum):
    """How the connection to the mail server is encrypted."""

    TLS = "tls"
    """From its first byte, usually on port 465."""
    STARTTLS = "starttls"
    """Before anything is said, usually on port 587; a server without it gets nothing."""
    NONE = "none"
    """Not at all; for a server on the same machine."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in."""

    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SmtpMailer:
    """Fills `Mailer`, with a connection for each message."""

    server: SmtpServer
    sender: str
    deadline_seconds: float = DEADLINE_SECONDS

    async def __call__(self, mail: Mail) -> None:
        try:
            async with asyncio.timeout(self.deadline_seconds):
                await self._send(message_of(mail, self.sender))
        except SMTPRecipientsRefused as refused:
            codes = sorted({recipient.code for recipient in refused.recipients})
            kind = MailRefused if all(code in _PERMANENT for code in codes) else MailFailed
            raise kind(f"the server refused the address with {codes}") from None
        except SMTPDataError as refused:
            kind = MailRefused if refused.code in _PERMANENT else MailFailed
            raise kind(f"the server refused the message with {refused.code}") from None
        except SMTPResponseException as refused:
            # Such as our own password: for an operator to mend, and no fault of the message.
            raise MailFailed(f"the server answered {refused.code}") from None
        except (SMTPException, OSError, TimeoutError) as error:
            raise MailFailed(type(error).__name__) from None

    async def _send(self, message: EmailMessage) -> None:
        server = self.server
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.encryption is Encryption.TLS,
            start_tls=server.encryption is Encryption.STARTTLS,
            timeout=self.deadline_seconds,
        )
