"""Demo accounts into PostgreSQL."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.catalog.model import ContentKind
from domain.ingestion.accounts import DemoAccount, clock, identifier
from domain.platform.postgres import Database
from domain.platform.sessions import Session
from domain.sync.model import reaches_the_end

ASSUMED_SECONDS = {
    ContentKind.MOVIE: 6000,
    ContentKind.EPISODE: 2700,
    ContentKind.TRACK: 240,
}
"""How long a work of unknown length is taken to last."""

WORKS = """
SELECT e.value, c.id, c.kind, c.runtime_seconds
  FROM external_id e JOIN content c ON c.id = e.content_id
 WHERE e.source = 'demo' AND e.value = ANY($1::text[])"""

PARTS = """
SELECT parent_id, disc, number, id, kind, runtime_seconds FROM content WHERE parent_id = ANY($1::bigint[])"""

INSERT_ACCOUNT = """
INSERT INTO account (id, email, password_hash, display_name, region, language, roles, tier, demonstration,
                     created_at, email_verified_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, TRUE, $9, $9)
ON CONFLICT DO NOTHING RETURNING TRUE"""

INSERT_DEVICE = """
INSERT INTO device (id, account_id, name, kind, platform, capabilities, registered_at, last_seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""

INSERT_PROGRESS = """
INSERT INTO progress (account_id, content_id, position_seconds, duration_seconds, completed, hlc, hlc_device,
                      device_id, updated_at, viewing)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)"""

INSERT_TAG = """
INSERT INTO watchlist_tag (account_id, tag, content_id, added_at, added_hlc, added_by)
VALUES ($1, $2, $3, $4, $5, $6)"""

INSERT_REACTION = """
INSERT INTO reaction (account_id, content_id, verdict, stars, hlc, hlc_device, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""


class _Title(NamedTuple):
    content_id: int
    kind: str
    runtime_seconds: int | None

    @property
    def duration_seconds(self) -> int:
        return self.runtime_seconds or ASSUMED_SECONDS[ContentKind(self.kind)]


async def load_accounts(
    database: Database,
    accounts: Iterable[DemoAccount],
    hash_password: Callable[[str], Awaitable[str]],
    now: datetime,
) -> list[str]:
    """Makes the accounts with their histories, counted back from `now`; answers keys nothing was found for.

    An account that is there already is left as its user left it.
    """
    missing: set[str] = set()
    for account in accounts:
        known = await database.value(
            "SELECT TRUE FROM account WHERE id = $1 OR email = $2", account.id, account.email
        )
        if known:
            continue
        password_hash = await hash_password(account.password)
        async with database.transaction() as session:
            titles = await _titles(session, account.keys)
            missing |= account.keys - titles.keys()
            await _make(session, account, password_hash, titles, now)
    return sorted(missing)


async def _make(
    session: Session, account: DemoAccount, password_hash: str, titles: Mapping[str, _Title], now: datetime
) -> None:
    created = await session.fetchval(
        INSERT_ACCOUNT, account.id, account.email, password_hash, account.display_name, account.region,
        account.language, list(account.roles), account.tier, _beginning(account, now),
    )  # fmt: skip
    if not created:  # another process was faster
        return
    await session.executemany(INSERT_DEVICE, _devices(account, now))
    await session.executemany(INSERT_PROGRESS, _progress(account, titles, now))
    await session.executemany(INSERT_TAG, _watchlist(account, titles, now))
    await session.executemany(INSERT_REACTION, _reactions(account, titles, now))


async def _titles(session: Session, keys: Iterable[str]) -> dict[str, _Title]:
    """The works and parts of these keys."""
    keys = set(keys)
    roots = await session.fetch(WORKS, sorted({key.split("/")[0] for key in keys}))
    found = {row[0]: _Title(*row[1:]) for row in roots}
    for parts in (1, 2):
        wholes = {"/".join(key.split("/")[:parts]) for key in keys if key.count("/") >= parts} & found.keys()
        paths = {found[whole].content_id: whole for whole in wholes}
        for row in await session.fetch(PARTS, list(paths)):
            parent, disc, number, *rest = row
            # Seasons and episodes are told by number alone, tracks by disc and number.
            path = f"{disc}/{number}" if rest[1] == ContentKind.TRACK else f"{number}"
            found[f"{paths[parent]}/{path}"] = _Title(*rest)
    return {key: title for key, title in found.items() if key in keys}


def _beginning(account: DemoAccount, now: datetime) -> datetime:
    return now - max((entry.ago for entry in account.entries), default=timedelta())


def _device(account: DemoAccount, name: str) -> str:
    return identifier("account", account.email, "device", name)


def _devices(account: DemoAccount, now: datetime) -> list[tuple[Any, ...]]:
    return [
        (
            _device(account, device.id), account.id, device.name, device.kind, device.platform,
            {
                "maxQuality": device.max_quality, "hdr": device.hdr, "remoteControllable": True,
                "canCast": device.can_cast, "screenInches": device.screen_inches,
            },
            _beginning(account, now),
            now - min((p.ago for p in account.progress if p.device == device.id), default=timedelta()),
        )
        for device in account.devices
    ]  # fmt: skip


def _progress(account: DemoAccount, titles: Mapping[str, _Title], now: datetime) -> Sequence[tuple[Any, ...]]:
    rows = []
    for entry in account.progress:
        if (title := titles.get(entry.key)) is None:
            continue
        at, device, duration = now - entry.ago, _device(account, entry.device), title.duration_seconds
        position = round(entry.position * duration)
        rows.append((
            account.id, title.content_id, position, duration, reaches_the_end(position, duration),
            clock(at), device, device, at,
        ))  # fmt: skip
    return rows


def _watchlist(
    account: DemoAccount, titles: Mapping[str, _Title], now: datetime
) -> Sequence[tuple[Any, ...]]:
    return [
        (
            account.id, identifier("account", account.email, "watchlist", entry.key),
            titles[entry.key].content_id, now - entry.ago, clock(now - entry.ago),
            _device(account, entry.device),
        )
        for entry in account.watchlist
        if entry.key in titles
    ]  # fmt: skip


def _reactions(
    account: DemoAccount, titles: Mapping[str, _Title], now: datetime
) -> Sequence[tuple[Any, ...]]:
    device = _device(account, account.devices[0].id) if account.devices else "demo"
    return [
        (
            account.id, titles[entry.key].content_id, entry.verdict, entry.stars, clock(now - entry.ago),
            device, now - entry.ago,
        )
        for entry in account.reactions
        if entry.key in titles
    ]  # fmt: skip
