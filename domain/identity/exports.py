"""A copy of all that is kept of an account, for its owner: one ZIP archive."""

import asyncio
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson

from domain.identity.audit import Action, Actor, Audit
from domain.identity.links import LIVES, LinkToken, LinkTokens, Purpose, digest_of, link_refused
from domain.identity.model import Account
from domain.platform.errors import UserErrorCode, refuse

READ_ME = """What Media Gateway keeps of your account, as of {at}.

Each file is one kind of thing, as a list in JSON (RFC 8259, UTF-8). Times are in UTC, in the form of
RFC 3339; lengths are in seconds; titles are named by the numbers of the catalogue (content_id). Left out
are the hashes of passwords, PINs and tokens, sealed secrets and keys, which are of use to thieves only.
Your picture is at the address that the application shows.

{files}
"""


class Holdings(Protocol):
    """All that is kept of an account, by kind; nothing that is secret."""

    async def columns(self) -> Mapping[str, Sequence[str]]: ...
    async def of_account(self, account_id: str) -> Mapping[str, Sequence[Mapping[str, Any]]]: ...


@dataclass(frozen=True)
class Exports:
    """Gives owners a link, and whoever has the link, once, the archive."""

    holdings: Holdings
    tokens: LinkTokens
    audit: Audit
    now: Callable[[], datetime]
    new_token: Callable[[], str]

    async def link(self, account: Account, by: Actor) -> tuple[str, datetime]:
        """A token that gets the archive once, and until when."""
        if account.email is None:
            raise refuse("This account has no address.", UserErrorCode.CONFLICT)
        token, expires_at = self.new_token(), self.now() + LIVES[Purpose.EXPORT_DATA]
        kept = LinkToken(digest_of(token), Purpose.EXPORT_DATA, account.id, account.email, expires_at)
        async with self.audit.writing():
            await self.tokens.add(kept)
            await self.audit.record(by, Action.DATA_EXPORTED, account.id)
        return token, expires_at

    async def archive(self, token: str) -> bytes:
        """The archive; raises `Refused` for a token that was used or has expired."""
        now = self.now()
        used = await self.tokens.use(digest_of(token), Purpose.EXPORT_DATA, now)
        if used is None:
            raise link_refused()
        found = await self.holdings.of_account(used.account_id)
        return await asyncio.to_thread(_packed, found, now)


def _packed(found: Mapping[str, Sequence[Mapping[str, Any]]], at: datetime) -> bytes:
    packed = io.BytesIO()
    files = "\n".join(f"{name}.json: {len(rows)}" for name, rows in sorted(found.items()))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", READ_ME.format(at=at.isoformat(), files=files))
        for name, rows in sorted(found.items()):
            archive.writestr(f"{name}.json", orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    return packed.getvalue()
