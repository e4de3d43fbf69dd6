"""The one door to PostgreSQL: a pool of connections, set up the same way everywhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import orjson
from asyncpg.prepared_stmt import PreparedStatement

from domain.platform.deadline import seconds_left
from domain.platform.errors import BadInput, TimedOut, Unavailable
from domain.platform.sessions import Session, Sessions, is_lost

Row: TypeAlias = asyncpg.Record

ACQUIRE_TIMEOUT_SECONDS = 30.0

ALL = 0
"""Rows of an answer: as many as there are."""

MAX_PREPARED = 200
"""Statements that a connection keeps prepared."""

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


Observer: TypeAlias = Callable[[str, float, BaseException | None], None]
"""Hears of a statement that has run, the seconds that took, and what it raised."""


class Connection(asyncpg.Connection):
    """A connection whose session is never changed, so that nothing needs resetting on release.

    `observe` hears of each statement as soon as it has run; the driver's own loggers hear later.
    """

    observe: Observer | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepared: dict[str, PreparedStatement[Row]] = {}

    async def answer(
        self, most: int, query: str, arguments: Sequence[Any], seconds: float | None
    ) -> list[Row]:
        """At most so many rows, all of them for 0; as `fetch` has them, with less around it: what the driver
        does itself, from its cache of prepared statements on, makes a small statement three times as dear.
        """
        started = time.perf_counter()
        failure: BaseException | None = None
        try:
            statement = self._prepared.get(query) or await self._prepare_once(query, seconds)
            answer = await self._protocol.bind_execute(  # type: ignore[attr-defined]
                # Nothing public is without the detours.
                statement._state,  # type: ignore[attr-defined]  # noqa: SLF001
                arguments,
                "",
                most,
                True,  # noqa: FBT003 - by position, as the driver has it
                seconds,
            )
            return answer[0]  # type: ignore[no-any-return]
        except asyncpg.InvalidCachedStatementError as error:
            # A table has changed since; nothing was done yet.
            self._prepared.clear()
            if self.is_in_transaction():
                failure = error
                raise
            fetched: list[Row] = await super().fetch(query, *arguments, timeout=seconds)
            return fetched[:most] if most else fetched
        except BaseException as error:
            failure = error
            if isinstance(error, asyncpg.exceptions.OutdatedSchemaCacheError):
                self._prepared.clear()
                await self.reload_schema_state()
            raise
        finally:
            if self.observe is not None:
                self.observe(query, time.perf_counter() - started, failure)

    async def _prepare_once(self, query: str, seconds: float | None) -> "PreparedStatement[Row]":
        statement = await self.prepare(query, timeout=seconds)
        if len(self._prepared) >= MAX_PREPARED:
            del self._prepared[next(iter(self._prepared))]
        self._prepared[query] = statement
        return statement

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the driver's name
        """Statements do not outlive a stay outside of the pool."""
        self._prepared.clear()
        await super().reset(timeout=timeout)

    def get_reset_query(self) -> str:
        return ""

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._observed(query, super().fetch(query, *args, **options))

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._observed(query, super().fetchrow(query, *args, **options))

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._observed(query, super().fetchval(query, *args, **options))

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._observed(query, super().execute(query, *args, **options))

    async def executemany(self, command: str, args: Any, **options: Any) -> Any:
        return await self._observed(command, super().executemany(command, args, **options))

    async def _observed(self, query: str, running: Awaitable[Any]) -> Any:
        if self.observe is None:
            return await running
        started, failure = time.perf_counter(), None
        try:
            return await running
        except BaseException as error:
            failure = error
            raise
        finally:
            self.observe(query, time.perf_counter() - started, failure)


class Ambient(NamedTuple):
    """The transaction that a task is in."""

    task: "asyncio.Task[Any] | None"
    session: Session


class Database:
    """Runs statements; raises `Unavailable` when the server cannot be reached, `TimedOut` when a statement
    takes longer than it may or than there is time for, `BadInput` for text that PostgreSQL cannot hold.
    """

    def __init__(self, pool: asyncpg.Pool, acquire_timeout_seconds: float = ACQUIRE_TIMEOUT_SECONDS) -> None:
        self.sessions = Sessions(pool, acquire_timeout_seconds)
        self.ambient: ContextVar[Ambient | None] = ContextVar("transaction", default=None)

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

        async def prepare(connection: Any) -> None:
            await set_codecs(connection)
            await connection.fetch(USED_ARRAYS)
            connection.observe = observe

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
        database = cls(pool, acquire_timeout_seconds)
        try:
            yield database
        finally:
            await _close(pool, database.sessions)

    def rows(self, statement: str, *arguments: Any) -> Coroutine[Any, Any, list[Row]]:
        return self._answer(ALL, statement, arguments)

    async def row(self, statement: str, *arguments: Any) -> Row | None:
        rows = await self._answer(1, statement, arguments)
        return rows[0] if rows else None

    async def value(self, statement: str, *arguments: Any) -> Any:
        rows = await self._answer(1, statement, arguments)
        return rows[0][0] if rows else None

    async def _answer(self, most: int, statement: str, arguments: Sequence[Any]) -> list[Row]:
        """As a block of `_Use` would have it: this is most of what a small read costs."""
        ambient = self.ambient.get()
        if ambient is not None and ambient.task is asyncio.current_task():
            with _in_time() as seconds:
                return await ambient.session.answer(most, statement, arguments, seconds)
        session = self.sessions.take_idle()
        if session is None:
            with _reached(UNREACHED):
                session = await self.sessions.take(seconds_left())
        try:
            answered = await session.answer(most, statement, arguments, seconds_left())
        except BaseException as error:
            try:
                if isinstance(error, TimeoutError):
                    raise TimedOut(TOO_LATE) from error
                _raise_told(error, LOST, session)
            finally:
                await self.sessions.give(session, sound=False)
            raise
        if not self.sessions.give_idle(session):
            await self.sessions.give(session, sound=True)
        return answered

    async def execute(self, statement: str, *arguments: Any) -> None:
        async with _Use(self) as session:
            with _in_time() as seconds:
                await session.execute(statement, *arguments, timeout=seconds)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """One transaction: committed on leaving, rolled back on an exception.

        What this task asks of the database meanwhile runs inside it, so that a use case can join what
        several adapters write; a transaction within one is a savepoint. A task started meanwhile is
        outside: one connection cannot serve two at once.
        """
        async with _Use(self) as session, session.transaction():
            token = self.ambient.set(Ambient(asyncio.current_task(), session))
            try:
                yield session
            finally:
                self.ambient.reset(token)

    def in_transaction(self) -> bool:
        """Whether this task is in one."""
        ambient = self.ambient.get()
        return ambient is not None and ambient.task is asyncio.current_task()

    @property
    def max_connections(self) -> int:
        return self.sessions.most

    @property
    def connections_in_use(self) -> int:
        return self.sessions.in_use

    @property
    def idle_connections(self) -> int:
        return self.sessions.idle


class _Use:
    """A connection for one block: that of the task's transaction, else one of its own."""

    __slots__ = ("_database", "_own", "_session")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._own = False

    async def __aenter__(self) -> Session:
        ambient = self._database.ambient.get()
        if ambient is not None and ambient.task is asyncio.current_task():
            self._session = ambient.session
            return ambient.session
        with _reached(UNREACHED):
            self._session = await self._database.sessions.take(seconds_left())
        self._own = True
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if not self._own:
            return
        try:
            if error is not None:
                _reached(LOST, self._session).__exit__(kind, error, trace)
        finally:
            await self._database.sessions.give(self._session, sound=error is None)


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
        if error is not None:
            _raise_told(error, self._lost, self._session)


def _raise_told(
    error: BaseException, lost: tuple[type[BaseException], ...], session: "Session | None"
) -> None:
    """Raises what the caller is to be told; returns where that is the error itself."""
    if isinstance(error, asyncpg.QueryCanceledError):
        raise TimedOut(TOO_LATE) from error
    if isinstance(error, UNSTORABLE):
        raise BadInput("A text holds the character NUL, which cannot be stored or found.") from error
    gone = session is not None and isinstance(error, PERHAPS_LOST) and is_lost(session)
    if gone or isinstance(error, lost):
        raise Unavailable("The database cannot be reached just now; try again in a moment.") from error


async def _close(pool: asyncpg.Pool, sessions: Sessions) -> None:
    try:
        async with asyncio.timeout(10):
            await sessions.close()
            await pool.close()
    except TimeoutError:
        pool.terminate()
