"""Mail: what is sent, and what sends it.

MailFailed          it did not leave; it may later
└── MailRefused     it never will: the server takes no mail for this address, or from us
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TypeAlias


class MailFailed(Exception):
    """The message says what the server answered, and nothing of what was to be sent."""


class MailRefused(MailFailed):
    """Trying again is of no use."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one address, the same as text and as HTML; `id` is the same in every try to send it."""

    id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    at: datetime


Mailer: TypeAlias = Callable[[Mail], Awaitable[None]]
"""Sends a message, in a bounded time; raises `MailFailed`."""


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The message as RFC 5322 has it, from an address such as `Media Gateway <gateway@example.org>`."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.at)
    # The same for every try, so that a reader drops what a lost answer made us send twice.
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    message["Content-Language"] = mail.language
    return message
