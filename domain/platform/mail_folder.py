"""Mail into a folder, for development: each message is a file that mail readers open."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from domain.platform.mail import Mail, MailFailed, message_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class FolderMailer:
    """Fills `Mailer`. The log says where the message is, and not what it says, as that may be a link."""

    folder: Path
    sender: str

    async def __call__(self, mail: Mail) -> None:
        path = self.folder / f"{mail.at:%Y%m%d-%H%M%S}-{mail.id}.eml"
        try:
            await asyncio.to_thread(self._write, path, message_of(mail, self.sender).as_bytes())
        except OSError as error:
            raise MailFailed(f"{path}: {error.strerror}") from error
        log.info("mail.written", to=mail.to, subject=mail.subject, path=str(path))

    def _write(self, path: Path, message: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(message)
