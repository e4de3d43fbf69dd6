"""A real Redis of this test run."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

START_SECONDS = 10.0


@pytest.fixture(scope="session")
def redis_url(scratch: Path) -> Iterator[str]:
    """A server on a loopback port of its own that writes nothing to disk."""
    port = free_port()
    with redis_on(port, scratch):
        yield f"redis://127.0.0.1:{port}/0"


def redis_binary() -> str:
    """Where it is; without it the test that asks is skipped. `.ci/run` installs it."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed; .ci/run installs it")
    return binary


@contextmanager
def redis_on(port: int, folder: Path) -> Iterator[None]:
    """A server that is killed at the end, as in a crash."""
    binary = redis_binary()
    options = {
        "--port": str(port),
        "--bind": "127.0.0.1",
        "--save": "",
        "--appendonly": "no",
        "--dir": str(folder),
    }
    server = subprocess.Popen(
        [binary, *(part for option in options.items() for part in option)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, server)
        yield
    finally:
        server.kill()
        server.wait(START_SECONDS)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("redis-server did not start")
