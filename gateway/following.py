"""The logs that streams follow: each is read once in a process, for all who listen."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from domain.news.feed import Feed
from domain.news.postgres import PostgresNews
from domain.platform.postgres import Database
from domain.sync.journal import Journal
from domain.sync.lookout import Lookout
from domain.sync.postgres_log import PostgresChangeLog
from gateway.background import in_background
from gateway.shared import Shared


async def open_journal(database: Database, shared: Shared, stack: AsyncExitStack) -> Journal:
    """The change log and its listeners, kept in step by messages, and by looks into the log."""
    log = PostgresChangeLog(database)
    await stack.enter_async_context(in_background(Lookout(log, shared.listeners).run()))
    return Journal(log, shared.fanout)


async def open_feed(
    database: Database, shared: Shared, catch_up: Callable[[], Awaitable[None]], stack: AsyncExitStack
) -> Feed:
    """The news and their listeners, kept in step by hints, and by looks into the log."""
    feed = Feed(PostgresNews(database), shared.news, catch_up)
    await stack.enter_async_context(in_background(feed.run()))
    return feed
