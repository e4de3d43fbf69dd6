"""The one door to PostgreSQL: a pool of connections, set up the same way everywhere."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import orjson

from domain.platform.deadline import seconds_left
from domain.platform.errors import BadInput, TimedOut, Unavailable

Row: TypeAlias = asyncpg.Record
Session: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Observer: TypeAlias = Callable[[Any], None]

ACQUIRE_TIMEOUT_SECONDS = 30.0

# Plans made for the first, small arguments of a statement are wrong for the next ones, and planning again
# costs more than it saves here; JIT compilation costs more than our statements take. The price of a page
# is that of memory and flash: by that of turning disks the planner rather reads the whole of a table, such as
# all people for the credits of one title, than a few of its rows by key.
SERVER_SETTINGS = {
    "application_name": "media-gateway",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "random_page_cost": "1.1",
    "timezone": "UTC",
}

LOST = (asyncpg.PostgresConnectionError, asyncpg.exceptions.OperatorInterventionError)
PERHAPS_LOST = (asyncpg.InterfaceError, ConnectionError)
"""On a connection that is still open these are of somebody else's making."""
UNREACHED = (
    *LOST,
    asyncpg.InterfaceError,
    asyncpg.exceptions.InsufficientResourcesError,
    OSError,
    TimeoutError,
)
"""While connecting; later on these may come from whatever a transaction does besides."""

TOO_LATE = "The database took too long to answer; ask for less."
UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""Texts with the character NUL; only a client sends such."""


# asyncpg asks the server about each kind of array when it first meets it; better here than in a request.
USED_ARRAYS = "SELECT " + ", ".join(
    f"NULL::{element}[]"
    for element in (
        "bigint",
        "int",
        "float8",
        "numeric",
        "text",
        "bool",
        "date",
        "timestamptz",
        "uuid",
        "jsonb",
    )
)


class Connection(asyncpg.Connection):
    """A connection whose session is never changed, so that nothing needs resetting on release."""

    def get_reset_query(self) -> str:
        return ""


class Ambient(NamedTuple):
    """The transaction that a task is in."""

    task: "asyncio.Task[Any] | None"
    session: Session


class Database:
    """Runs statements; raises `Unavailable` when the server cannot be reached, `TimedOut` when a statement
    takes longer than it may or than there is time for, `BadInput` for text that PostgreSQL cannot hold.
    """

    def __init__(self, pool: asyncpg.Pool, acquire_timeout_seconds: float = ACQUIRE_TIMEOUT_SECONDS) -> None:
        self._pool = pool
        self._acquire_timeout_seconds = acquire_timeout_seconds
        self._ambient: ContextVar[Ambient | None] = ContextVar("transaction", default=None)

    @classmethod
    @asynccontextmanager
    async def open(  # noqa: PLR0913 - what is not given has its default
        cls,
        url: str,
        *,
        min_connections: int = 2,
        max_connections: int = 20,
        statement_timeout_seconds: float = 30.0,
        acquire_timeout_seconds: float = ACQUIRE_TIMEOUT_SECONDS,
        observe: Observer | None = None,
    ) -> AsyncIterator["Database"]:
        """A pool on `url`; `observe` sees every statement with its time."""

        async def prepare(connection: asyncpg.Connection) -> None:
            await set_codecs(connection)
            await connection.fetch(USED_ARRAYS)
            if observe is not None:
                connection.add_query_logger(observe)

        settings = SERVER_SETTINGS | {"statement_timeout": str(int(statement_timeout_seconds * 1000))}
        with _reached(UNREACHED):
            pool = await asyncpg.create_pool(
                dsn=url,
                min_size=min_connections,
                max_size=max_connections,
                connection_class=Connection,
                init=prepare,
                server_settings=settings,
                max_inactive_connection_lifetime=600.0,
            )
        try:
            yield cls(pool, acquire_timeout_seconds)
        finally:
            await _close(pool)

    async def rows(self, statement: str, *arguments: Any) -> list[Row]:
        async with self._session() as session:
            with _in_time() as seconds:
                return await session.fetch(statement, *arguments, timeout=seconds)

    async def row(self, statement: str, *arguments: Any) -> Row | None:
        async with self._session() as session:
            with _in_time() as seconds:
                return await session.fetchrow(statement, *arguments, timeout=seconds)

    async def value(self, statement: str, *arguments: Any) -> Any:
        async with self._session() as session:
            with _in_time() as seconds:
                return await session.fetchval(statement, *arguments, timeout=seconds)

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with self._session() as session:
            with _in_time() as seconds:
                await session.execute(statement, *arguments, timeout=seconds)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """One transaction: committed on leaving, rolled back on an exception.

        What this task asks of the database meanwhile runs inside it, so that a use case can join what
        several adapters write; a transaction within one is a savepoint. A task started meanwhile is
        outside: one connection cannot serve two at once.
        """
        async with self._session() as session, session.transaction():
            token = self._ambient.set(Ambient(asyncio.current_task(), session))
            try:
                yield session
            finally:
                self._ambient.reset(token)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        ambient = self._ambient.get()
        if ambient is not None and ambient.task is asyncio.current_task():
            yield ambient.session
            return
        with _reached(UNREACHED):
            left = seconds_left()
            most = self._acquire_timeout_seconds
            session = await self._pool.acquire(timeout=most if left is None else min(most, left))
        try:
            with _reached(LOST, session):
                yield session
        finally:
            await self._pool.release(session)

    @property
    def connections_in_use(self) -> int:
        return self._pool.get_size() - self._pool.get_idle_size()

    @property
    def idle_connections(self) -> int:
        return self._pool.get_idle_size()


async def set_codecs(connection: asyncpg.Connection) -> None:
    """Identifiers are `str`, documents are what JSON says."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str, format="text")
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda document: orjson.dumps(document).decode(),
        decoder=orjson.loads,
        format="text",
    )


def affected(tag: str) -> int:
    """How many rows a statement touched, from its command tag (`UPDATE 3`)."""
    return int(tag.rsplit(" ", 1)[-1])


def columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows turned into columns, for `unnest` of several arrays; `width` columns even of no rows."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


class _in_time:  # noqa: N801 - reads as `with _in_time() as seconds:`
    """Answers the seconds that a statement may take, after which asyncpg cancels it in the server as well."""

    def __enter__(self) -> float | None:
        return seconds_left()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise TimedOut(TOO_LATE) from error


class _reached:  # noqa: N801 - reads as `with _reached(…):`
    """Turns a lost connection into `Unavailable`, leaving what the statement itself raised."""

    def __init__(self, lost: tuple[type[BaseException], ...], session: "Session | None" = None) -> None:
        self._lost = lost
        self._session = session

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, asyncpg.QueryCanceledError):
            raise TimedOut(TOO_LATE) from error
        if isinstance(error, UNSTORABLE):
            raise BadInput("A text holds the character NUL, which cannot be stored or found.") from error
        if isinstance(error, self._lost) or self._is_gone(error):
            raise Unavailable("The database cannot be reached just now; try again in a moment.") from error

    def _is_gone(self, error: BaseException | None) -> bool:
        if not isinstance(error, PERHAPS_LOST) or self._session is None:
            return False
        try:
            return self._session.is_closed()
        except asyncpg.InterfaceError:  # the pool has taken it back already
            return True


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(10):
            await pool.close()
    except TimeoutError:
        pool.terminate()
