"""The Python client as others get it: its wheel, in an environment that has nothing else of ours."""

import asyncio
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.e2e.server import Server, register

PACKAGE = Path(__file__).parents[2] / "clients" / "python"
USER = '''"""Watches a film on a new television, by the client's own README."""

import asyncio
import sys
import time
from pathlib import Path

import httpx
import media_gateway_client
from media_gateway_client import Gateway, Store, Synchroniser, added, watched


async def main(url: str, token: str, file: str, film: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        gateway = Gateway(http, token)
        store = Store(Path(file), lambda: time.time_ns() // 1_000_000)
        store.name(await gateway.register("Living room", "TV"))
        store.do(added(film))
        store.do(watched(film, store.viewing(film), 600, 7200))
        await Synchroniser(store, gateway).push()
        found = await gateway.content(id=film)
        node = found["node"]
        assert node is not None
        assert node["__typename"] == "Movie"
        print(len(store), node["title"], media_gateway_client.__file__, sep="|")


asyncio.run(main(*sys.argv[1:]))
'''
KNOWN = """query ($id: ID!) { node(id: $id) { ... on Movie { title } }
  viewer { continueWatching { nodes { positionSeconds content { id } } }
           watchlist { nodes { content { id } } } devices { name } } }"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; what the wheel needs is lent by ours, where it is pinned."""
    folder = tmp_path_factory.mktemp("client")
    source = folder / "source"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=source, check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("media_gateway_client-*-py3-none-any.whl")
    venv.create(folder / "venv", symlinks=True)
    (packages,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # A path that a .pth file adds has no .pth files read: the project itself is not to be found there.
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib"))
    shutil.rmtree(source)
    return folder / "venv"


def python_of(environment: Path) -> str:
    return str(environment / "bin" / "python")


async def run(*command: str, folder: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={"PATH": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_who_installs_the_wheel_keeps_a_device_in_step(
    server: Server, environment: Path, tmp_path: Path
) -> None:
    client = await register(server, "package@example.com")
    films = await client.ask("{ contents(first: 1, filter: {kinds: [MOVIE]}) { nodes { id } } }")
    film = films["contents"]["nodes"][0]["id"]
    program = tmp_path / "user.py"
    program.write_text(USER)

    code, said = await run(
        *(python_of(environment), str(program), server.url, client.token or "", "tv.sqlite", film),
        folder=tmp_path,
    )

    assert code == 0, said
    known = await client.ask(KNOWN, id=film)
    waiting, title, where = said.strip().split("|")
    assert (waiting, title) == ("0", known["node"]["title"])
    assert Path(where).is_relative_to(environment)
    assert known["viewer"]["continueWatching"]["nodes"] == [{"positionSeconds": 600, "content": {"id": film}}]
    assert known["viewer"]["watchlist"]["nodes"] == [{"content": {"id": film}}]
    assert "Living room" in [device["name"] for device in known["viewer"]["devices"]]


@pytest.mark.timeout(240)
async def test_its_types_come_with_it(environment: Path, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(USER)
    wrong.write_text(USER.replace('"TV"', "55").replace('node["title"]', 'node["name"]'))
    checked = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python_of(environment)]

    code, said = await run(*checked, str(right), folder=tmp_path)
    assert code == 0, said
    code, said = await run(*checked, str(wrong), folder=tmp_path)

    assert code == 1
    assert 'Argument 2 to "register"' in said
    assert '"name"' in said


async def test_nothing_else_of_ours_is_needed(environment: Path, tmp_path: Path) -> None:
    code, said = await run(python_of(environment), "-c", "import gateway", folder=tmp_path)

    assert code == 1
    assert "No module named 'gateway'" in said
