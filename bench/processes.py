"""The processes that a benchmark starts, and ends again."""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class NotStarted(Exception):
    """A process did not come to answer; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process that answers on a port of the loopback address."""

    port: int
    pid: int
    started_in_seconds: float
    start_cpu_seconds: float
    """Of the process itself until it answered, whoever else was busy."""

    @property
    def memory_bytes(self) -> int:
        """What it has in memory now, of its own and shared."""
        resident: int = psutil.Process(self.pid).memory_info().rss
        return resident

    @property
    def peak_memory_bytes(self) -> int | None:
        """The most it ever had; known on Linux."""
        status = Path(f"/proc/{self.pid}/status")
        for line in status.read_text().splitlines() if status.exists() else ():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return None


@asynccontextmanager
async def gateway(folder: Path, **settings: str) -> AsyncIterator[Running]:
    """`media-gateway serve` with its data in `folder`, from the moment it is ready."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs meanwhile
    port = free_port()
    issuer = "http://localhost:8000"  # of all: what one issues the others take
    own = {"data_dir": str(folder), "port": str(port), "issuer": issuer, "log_level": "warning", **settings}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MEDIA_GATEWAY_")},
        **{f"MEDIA_GATEWAY_{name.upper()}": value for name, value in own.items()},
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "gateway", "serve"]
    async with running(command, port, "/readyz", folder, environment) as process:
        yield process


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[str | None]:
    """The URL of a Redis that writes nothing to disk; nothing where none is installed."""
    binary = shutil.which("redis-server")
    if binary is None:
        yield None
        return
    port = free_port()
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
    command = [binary, *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
    async with running(command, port, None, folder, dict(os.environ)):
        yield f"redis://127.0.0.1:{port}/0"


@asynccontextmanager
async def running(
    command: list[str], port: int, ready_path: str | None, folder: Path, environment: dict[str, str]
) -> AsyncIterator[Running]:
    """A process in `folder` (where no `.env` is), until the block ends; raises `NotStarted`."""
    log = folder / f"{Path(command[0]).name}-{port}.log"
    began = time.perf_counter()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        await _until_ready(process, port, ready_path, log)
        elapsed = time.perf_counter() - began
        yield Running(port, process.pid, elapsed, cpu_seconds(process.pid))
    finally:
        await _stop(process)


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    spent = psutil.Process(pid).cpu_times()
    return float(spent.user + spent.system)


def busy_seconds(pid: int) -> float:
    """What a process and those it started have used so far; by the nanosecond on Linux."""
    process = psutil.Process(pid)
    return sum(_busy_seconds(one.pid) for one in (process, *process.children(recursive=True)))


def _busy_seconds(pid: int) -> float:
    """Of all threads; nothing for a process that has just ended."""
    try:
        told = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        return sum(int(text.split()[0]) for text in told) / 1e9 if told else cpu_seconds(pid)
    except (OSError, psutil.NoSuchProcess):
        return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_ready(
    process: asyncio.subprocess.Process, port: int, ready_path: str | None, log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not await is_ready(port, ready_path):
        if process.returncode is not None or time.monotonic() > deadline:
            raise NotStarted(f"{log}:\n{log.read_text()[-2000:]}")  # noqa: ASYNC240 - as above
        await asyncio.sleep(0.02)


async def is_ready(port: int, path: str | None) -> bool:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            if path is None:
                return True
            writer.write(f"GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n".encode())
            return (await reader.readline()).split()[1:2] == [b"200"]
        finally:
            writer.close()
    return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
