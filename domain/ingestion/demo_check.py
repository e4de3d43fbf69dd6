"""Checks the demo files for what their parser lets pass; each fault is a text that names its place."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from domain.catalog.model import ContentKind
from domain.catalog.taxonomy import GENRES, PLATFORMS
from domain.identity.model import Role, Tier
from domain.ingestion.accounts import DemoAccount
from domain.ingestion.accounts import parse as parse_accounts
from domain.ingestion.demo import parse, read_offers, work_paths
from domain.ingestion.lines import LineFile
from domain.ingestion.model import Refusal, Work, WorkOffer
from domain.ingestion.staging import wished_slug

SYNOPSIS = (120, 600)
"""Short enough for a card, long enough to be found by."""
MOST_GENRES = 4


def problems(folder: Path) -> list[str]:
    """Everything that is wrong with the files of a folder; empty for good ones."""
    works: list[Work] = []
    found: list[str] = []
    for path in work_paths(folder):
        for item in parse(LineFile(path), {}):
            if isinstance(item, Work):
                works.append(item)
            else:
                found.append(_told(item))
    keys = _keys(works)
    found += _shared(works)
    found += (problem for work in works for problem in _work(work))
    found += _offers(folder / "offers.jsonl", {wished_slug(work) for work in works})
    found += _accounts(folder / "accounts.jsonl", keys)
    return found


def _told(refusal: Refusal) -> str:
    return f"{refusal.file}:{refusal.line}: {refusal.field} {refusal.reason}"


def _keys(works: Iterable[Work]) -> set[str]:
    """Of the works and, led to by them, of their parts."""
    keys: set[str] = set()
    for work in works:
        keys |= {wished_slug(work), *(path for path in _paths(work, wished_slug(work)))}
    return keys


def _paths(work: Work, path: str) -> Iterator[str]:
    for part in work.parts:
        step = (
            f"{path}/{part.disc}/{part.number}" if part.kind is ContentKind.TRACK else f"{path}/{part.number}"
        )
        yield step
        yield from _paths(part, step)


def _shared(works: Iterable[Work]) -> Iterator[str]:
    """Ids are of one work only."""
    ids = Counter((i.source, i.value) for work in works for i in work.external_ids)
    for (source, value), times in ids.items():
        if times > 1:
            yield f"{source} {value} stands for {times} works"


def _work(work: Work) -> Iterator[str]:
    place = f"{work.origin.file}:{work.origin.line}: {wished_slug(work)}"
    music = work.kind is ContentKind.ALBUM
    yield from (f"{place}: the genre {name!r} is not known" for name in work.unknown_genres)
    if not 1 <= len(work.genres) <= MOST_GENRES:
        yield f"{place}: has {len(work.genres)} genres"
    if any(GENRES[genre].music != music for genre in work.genres):
        yield f"{place}: mixes genres of music and screen: {', '.join(work.genres)}"
    if work.year is None or not wished_slug(work).endswith(f"-{work.year}"):
        yield f"{place}: the key must end in the year {work.year}"
    if work.release_date and work.year and work.release_date.year != work.year:
        yield f"{place}: is of {work.year} but was released on {work.release_date}"
    if not SYNOPSIS[0] <= len(work.synopsis or "") <= SYNOPSIS[1]:
        yield f"{place}: the synopsis has {len(work.synopsis or '')} characters"
    if not music and work.maturity_rating is None:
        yield f"{place}: has no maturity rating"
    if not work.credits:
        yield f"{place}: names nobody"
    yield from (f"{place}: {name!r} is not tidy" for name in _untidy(work))
    yield from _numbering(work, place)


def _untidy(work: Work) -> Iterator[str]:
    texts = [work.title, work.original_title or "", *(credit.person.name for credit in work.credits)]
    return (text for text in texts if text != " ".join(text.split()))


def _numbering(work: Work, place: str) -> Iterator[str]:
    """Seasons are in order; episodes, and the tracks of each disc, are numbered from 1 without a gap."""
    discs: dict[int, list[int | None]] = {}
    for part in work.parts:
        discs.setdefault(part.disc, []).append(part.number)
        yield from _numbering(part, f"{place}: {part.title}")
        if part.parts and part.episode_count is not None and len(part.parts) > part.episode_count:
            yield f"{place}: {part.title} lists {len(part.parts)} of {part.episode_count} episodes"
    for disc, numbers in discs.items():
        counted = list(range(1, len(numbers) + 1))
        if work.kind is ContentKind.SERIES:
            if numbers != sorted(set(numbers), key=lambda number: number or 0):
                yield f"{place}: seasons are not in order: {numbers}"
        elif numbers != counted:
            yield f"{place}: disc {disc} is not numbered from 1: {numbers}"


def _offers(path: Path, works: set[str]) -> Iterator[str]:
    offered: dict[str, tuple[WorkOffer, ...]] = {}
    for entry in LineFile(path):
        match read_offers(entry):
            case Refusal() as refusal:
                yield _told(refusal)
            case key, offers:
                if key in offered:
                    yield f"{path.name}: {key} comes twice"
                offered[key] = offers
    yield from (f"{path.name}: {key} is no work" for key in sorted(offered.keys() - works))
    yield from (f"{path.name}: {key} has no offers" for key in sorted(works - offered.keys()))
    for key, offers in offered.items():
        yield from _repeated(path.name, key, offers)
    missing = PLATFORMS.keys() - {offer.platform for offers in offered.values() for offer in offers}
    yield from (f"{path.name}: {platform} offers nothing" for platform in sorted(missing))


def _repeated(file: str, key: str, offers: Iterable[WorkOffer]) -> Iterator[str]:
    ways = Counter((o.region, o.platform, o.kind.value, o.quality) for o in offers)
    for way, times in ways.items():
        if times > 1:
            yield f"{file}: {key} has {times} offers for {' '.join(way)}"


def _accounts(path: Path, keys: set[str]) -> Iterator[str]:
    seen: set[str] = set()
    for account in parse_accounts(LineFile(path)):
        if isinstance(account, Refusal):
            yield _told(account)
            continue
        if account.email in seen:
            yield f"{path.name}: {account.email} comes twice"
        seen.add(account.email)
        yield from (f"{path.name}: {account.email}: {problem}" for problem in _account(account, keys))


def _account(account: DemoAccount, keys: set[str]) -> Iterator[str]:
    if not account.email.endswith("@example.com"):
        yield "is not of example.com"
    if account.tier not in list(Tier) or not set(account.roles) <= set(Role):
        yield f"has an unknown tier or role: {account.tier}, {', '.join(account.roles)}"
    yield from (f"refers to {key}, which is no work" for key in sorted(account.keys - keys))
    devices = {device.id for device in account.devices}
    used = {p.device for p in account.progress} | {e.device for e in account.watchlist}
    yield from (f"uses the device {device}, which it does not have" for device in sorted(used - devices))
    histories: Mapping[str, list[str]] = {
        "progress": [entry.key for entry in account.progress],
        "watchlist": [entry.key for entry in account.watchlist],
        "reactions": [entry.key for entry in account.reactions],
    }
    for name, entries in histories.items():
        for key, times in Counter(entries).items():
            if times > 1:
                yield f"has {times} entries for {key} in {name}"
