"""What viewers bring from other services, on the command line: `import history`, `import undo`."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from domain.identity.postgres import PostgresAccounts
from domain.identity.profile import email_of
from domain.interchange.formats import Hints
from domain.interchange.model import Fate, ItemKind, Outcome, Problem, Source
from domain.interchange.service import Import, Interchange, Report
from domain.platform.errors import Refused
from domain.platform.postgres import Database
from gateway.cli.errors import Failed
from gateway.cli.screen import notes, results
from gateway.database import open_database_url
from gateway.interchange import open_interchange
from gateway.settings import Settings
from gateway.shared import open_shared

SHOWN: Final = 20
"""Changes and problems that are shown; `--all` shows all."""
NAMES: Final = {
    ItemKind.VIEWING: "viewings",
    ItemKind.OPINION: "ratings",
    ItemKind.LISTING: "watchlist",
    ItemKind.NOTED: "notes",
}
FATES: Final = {
    Fate.NEW: "new",
    Fate.KNOWN: "here already",
    Fate.NEWER_HERE: "later here",
    Fate.REMOVED_HERE: "taken off here",
}


@asynccontextmanager
async def opened(settings: Settings, account: str) -> AsyncIterator[tuple[Interchange, str]]:
    """Imports, and the id of the account of this name; raises `Failed` where there is none."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_database_url(settings))
        shared = await stack.enter_async_context(open_shared(settings))
        database = await stack.enter_async_context(Database.open(url, min_connections=1))
        accounts, address = PostgresAccounts(database), email_of(account)
        found = await (accounts.demonstration(account) if address is None else accounts.by_email(address))
        if found is None:
            raise Failed(f"No account is called {account}.")
        yield open_interchange(database, shared.fanout), found.id


async def import_history(  # noqa: PLR0913 - what the command line gives
    settings: Settings,
    name: str,
    data: bytes,
    account: str,
    *,
    source: Source | None,
    hints: Hints,
    dry: bool,
) -> Report:
    """Brings a file to an account; raises `Failed` with the reason."""
    async with opened(settings, account) as (interchange, account_id):
        try:
            return await interchange.bring(account_id, name, data, source=source, hints=hints, dry=dry)
        except Refused as refusal:
            raise Failed(str(refusal)) from None


async def undo_import(settings: Settings, account: str, import_id: str) -> Import:
    async with opened(settings, account) as (interchange, account_id):
        try:
            return await interchange.undo(account_id, import_id)
        except Refused as refusal:
            raise Failed(str(refusal)) from None


def tell(report: Report, account: str, *, everything: bool) -> None:
    """What the import did or would do, and what it could not, with the place and the reason."""
    screen = results()
    would = "would bring" if report.dry else "brought"
    screen.print(
        f"{report.file.name} ({report.file.source.value}): {would} {report.brought:,} of {report.read:,}"
    )
    counts = report.counts
    for kind, name in NAMES.items():
        told = ", ".join(
            f"{counts[kind, fate]:,} {shown}" for fate, shown in FATES.items() if counts[kind, fate]
        )
        if told:
            screen.print(f"  {name}: {told}")
    new = [outcome for outcome in report.outcomes if outcome.fate is Fate.NEW]
    if report.dry:
        _list([f"  + {described(outcome)}" for outcome in new], everything=everything)
    _tell_problems(report.problems, everything=everything)
    if report.import_id is not None:
        screen.print(f"Take it back with: media-gateway import undo {report.import_id} --account {account}")


def described(outcome: Outcome) -> str:
    at = outcome.entry.act.at
    when = "" if at is None else f", {at:%Y-%m-%d}"
    return f"{NAMES[outcome.kind]}: {outcome.entry.titles[0]}{when}"


def _tell_problems(problems: list[Problem], *, everything: bool) -> None:
    counted = Counter(problem.trouble for problem in problems)
    for trouble, count in counted.most_common():
        results().print(f"  {count:,} {trouble.value.replace('_', ' ')}")
    _list([f"  {p.where}: {p.reason}" for p in problems], everything=everything)


def _list(lines: list[str], *, everything: bool) -> None:
    shown = lines if everything else lines[:SHOWN]
    for line in shown:
        notes().print(line, markup=False)
    if len(lines) > len(shown):
        notes().print(f"  … and {len(lines) - len(shown):,} more; --all shows them")
