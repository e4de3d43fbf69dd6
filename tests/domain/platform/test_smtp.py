"""Mail handed to a real SMTP server on this machine."""

import asyncio
import datetime as dt
import email
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from domain.platform.mail import Mail, MailFailed, MailRefused
from domain.platform.mail_folder import FolderMailer
from domain.platform.smtp import Encryption, SmtpMailer, SmtpServer

SENDER = "Media Gateway <gateway@example.org>"
LETTER = Mail(
    id="6f1c",
    to="ada@example.org",
    subject="Bestätigen Sie Ihre Adresse",
    text="Grüße, Ada",
    html="<p>Grüße, Ada</p>",
    language="de",
    at=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
)


class Inbox:
    """Keeps what arrives, and answers as a test says."""

    def __init__(self, recipient: str = "250 OK", data: str = "250 OK", delay: float = 0.0) -> None:
        self.recipient, self.data, self.delay = recipient, data, delay
        self.messages: list[EmailMessage] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.delay)
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.recipient

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.encrypted.append(session.ssl is not None)
        return self.data


@asynccontextmanager
async def listening(inbox: Inbox, **options: Any) -> AsyncIterator[int]:
    """A server on a port of this machine, which is answered."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox, loop=loop, **options), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def server_at(port: int, encryption: Encryption = Encryption.NONE, **login: str) -> SmtpServer:
    return SmtpServer("127.0.0.1", port, encryption, **login)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_message_arrives_as_text_and_as_html() -> None:
    inbox = Inbox()
    async with listening(inbox) as port:
        await SmtpMailer(server_at(port), SENDER)(LETTER)

    (message,) = inbox.messages
    assert (message["From"], message["To"]) == (SENDER, "ada@example.org")
    assert message["Subject"] == "Bestätigen Sie Ihre Adresse"
    assert (message["Message-ID"], message["Content-Language"]) == ("<6f1c@example.org>", "de")
    parts = {part.get_content_type(): part.get_content() for part in message.iter_parts()}
    assert {kind: part.strip() for kind, part in parts.items()} == {
        "text/plain": LETTER.text,
        "text/html": LETTER.html,
    }


async def test_nothing_is_said_in_clear_where_encryption_is_asked_for() -> None:
    inbox = Inbox()
    async with listening(inbox) as port:
        with pytest.raises(MailFailed):
            await SmtpMailer(server_at(port, Encryption.STARTTLS), SENDER)(LETTER)

    assert inbox.messages == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    inbox = Inbox()
    async with listening(inbox, tls_context=context_of(certificate)) as port:
        with pytest.raises(MailFailed):
            await SmtpMailer(server_at(port, Encryption.STARTTLS), SENDER)(LETTER)

    assert inbox.messages == []


async def test_a_message_goes_over_an_encrypted_connection(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    inbox = Inbox()

    def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (b"gateway", b"hidden"))

    async with listening(
        inbox, tls_context=context_of(certificate), authenticator=login, auth_required=True
    ) as port:
        server = server_at(port, Encryption.STARTTLS, username="gateway", password="hidden")
        await SmtpMailer(server, SENDER)(LETTER)
        wrong = server_at(port, Encryption.STARTTLS, username="gateway", password="wrong")
        with pytest.raises(MailFailed) as failed:
            await SmtpMailer(wrong, SENDER)(LETTER)

    assert inbox.encrypted == [True]
    assert not isinstance(failed.value, MailRefused)
    assert "wrong" not in str(failed.value)


@pytest.mark.parametrize(
    ("recipient", "data", "final"),
    [
        ("550 no such box", "250 OK", True),
        ("450 try later", "250 OK", False),
        ("250 OK", "554 not wanted", True),
        ("250 OK", "452 no room", False),
    ],
)
async def test_what_the_server_refuses_for_good_is_told_from_what_it_takes_later(
    recipient: str, data: str, *, final: bool
) -> None:
    async with listening(Inbox(recipient, data)) as port:
        with pytest.raises(MailFailed) as failed:
            await SmtpMailer(server_at(port), SENDER)(LETTER)

    assert isinstance(failed.value, MailRefused) is final


async def test_a_server_that_does_not_answer_is_left_alone_in_time() -> None:
    async with listening(Inbox(delay=5)) as port:
        began = time.monotonic()
        with pytest.raises(MailFailed):
            await SmtpMailer(server_at(port), SENDER, deadline_seconds=0.3)(LETTER)

    assert time.monotonic() - began < 3


async def test_no_server_is_a_failure_that_may_pass() -> None:
    with pytest.raises(MailFailed) as failed:
        await SmtpMailer(server_at(1), SENDER)(LETTER)

    assert not isinstance(failed.value, MailRefused)


async def test_development_finds_messages_in_a_folder_for_its_own_eyes(tmp_path: Path) -> None:
    await FolderMailer(tmp_path / "mail", SENDER)(LETTER)

    (path,) = (tmp_path / "mail").iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    assert message["Subject"] == LETTER.subject
    assert path.name == "20260301-120000-6f1c.eml"
    assert path.stat().st_mode & 0o077 == 0
