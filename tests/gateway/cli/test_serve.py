"""The server as a process: how it starts, what it says when it cannot, and how it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gateway.cli.server import give_up_silent, listening
from gateway.cli.welcome import lines
from gateway.settings import load
from tests.gateway.cli.conftest import Command

ROOT = Path(__file__).parents[3]


def test_it_prepares_its_database_answers_and_stops_in_order(empty_database_url: str, tmp_path: Path) -> None:
    with _server(tmp_path, MEDIA_GATEWAY_DATABASE_URL=empty_database_url) as (server, port):
        alive = _get(f"http://127.0.0.1:{port}/livez")
        answer = _get(f"http://127.0.0.1:{port}/graphql?query=%7BcontentsCount:contents%7BtotalCount%7D%7D")
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)

    assert alive["status"] == "alive"
    assert answer == {"data": {"contentsCount": {"totalCount": 0}}}
    assert server.returncode == 0
    assert f"http://localhost:{port}/graphql" in said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_one_line(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shown = command("serve", "--port", str(taken.getsockname()[1]))

    assert shown.exit_code == 1
    assert shown.stderr.startswith("error: Port ")
    assert shown.stderr.count("\n") == 1
    assert not Path("var").exists()


def test_an_address_of_another_machine_is_one_line(command: Command) -> None:
    shown = command("serve", "--host", "192.0.2.1")

    assert shown.exit_code == 1
    assert shown.stderr == "error: MEDIA_GATEWAY_HOST: 192.0.2.1 is not an address of this machine.\n"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such limit")
def test_connections_end_of_which_nothing_is_acknowledged() -> None:
    with listening("127.0.0.1", 0) as listener:
        listener.listen()
        give_up_silent(listener, 2.5)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2500


def test_a_data_directory_that_cannot_be_written_is_one_line(
    command: Command, environment: pytest.MonkeyPatch
) -> None:
    Path("taken").write_text("a file", "utf-8")
    environment.setenv("MEDIA_GATEWAY_DATA_DIR", "taken")

    shown = command("serve", "--port", str(_free_port()))

    assert shown.exit_code == 1
    assert "taken" in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_production_does_not_change_the_schema(
    command: Command, environment: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    environment.setenv("MEDIA_GATEWAY_MODE", "production")
    environment.setenv("MEDIA_GATEWAY_SIGNING_KEY", "not looked at before the database is")
    environment.setenv("MEDIA_GATEWAY_ISSUER", "https://gateway.example")
    environment.setenv("MEDIA_GATEWAY_SEALING_KEYS", "nor is this")
    environment.setenv("MEDIA_GATEWAY_ALLOWED_ORIGINS", "https://tv.example")

    shown = command("serve", "--port", str(_free_port()))

    assert empty_database_url
    assert shown.exit_code == 1
    assert "media-gateway migrate up" in shown.stderr
    assert command("migrate", "status").stdout.startswith("0001  missing")


def test_a_developer_is_told_the_address_and_the_stores() -> None:
    settings = load(host="0.0.0.0", port=8123, redis_url="redis://:s3cret@cache:6379", data_dir=Path("var"))

    told = "\n".join(text for _, text in lines(settings))

    assert "http://localhost:8123/graphql" in told
    assert "embedded in var/postgres" in told
    assert "Redis at redis://:***@cache:6379" in told


@contextmanager
def _server(folder: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = _free_port()
    given = {
        **{key: value for key, value in os.environ.items() if not key.startswith("MEDIA_GATEWAY_")},
        "PYTHONPATH": str(ROOT),
        "MEDIA_GATEWAY_PORT": str(port),
        "MEDIA_GATEWAY_DATA_DIR": str(folder / "var"),
        "MEDIA_GATEWAY_DEMO_CATALOGUE": "false",
        "MEDIA_GATEWAY_BACKGROUND_WORK": "false",
        **environment,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve"],
        cwd=folder,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait(server, port)
        yield server, port
    finally:
        if server.poll() is None:
            server.kill()
            server.communicate()


def _wait(server: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    server.kill()
    raise AssertionError(server.communicate()[1])


def _get(url: str) -> dict[str, object]:
    request = urllib.request.Request(url, headers={"accept": "application/json", "x-requested-with": "test"})
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, object] = json.load(response)
        return answer


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


def test_it_may_open_as_many_files_as_the_system_lets_it() -> None:
    program = """
import resource
from gateway.cli.server import allow_open_files
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
allow_open_files()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
"""
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert told.returncode == 0, told.stderr
