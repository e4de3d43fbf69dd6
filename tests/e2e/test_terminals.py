"""Two devices in two terminals, as their users see them; the pictures are in var/recordings/terminals."""

import re
import shutil
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from media_gateway_client.signin import SCOPES
from tests.e2e.oauth import Browser, browsing, registered
from tests.e2e.server import PASSWORD, Client, Server, register
from tests.e2e.terminal import Recording, Terminal, terminal

EMAIL = "terminals@example.com"
FOLDER = Path(__file__).parents[2] / "var" / "recordings" / "terminals"
DOWN, RIGHT, ENTER = "\x1b[B", "\x1b[C", "\r"
CODE = re.compile(r"\b[A-Z2-9]{4}-[A-Z2-9]{4}\b")
DEVICES = "{ viewer { devices { id name online } } }"
SEND = """mutation ($device: ID!, $command: DeviceCommandInput!) {
  sendCommand(input: {deviceId: $device, command: $command}) { command { id } userErrors { message } } }"""


def recording() -> Recording:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    return Recording(FOLDER)


async def let_in(device: Terminal, browser: Browser) -> None:
    """What its user does with a phone: opens the address, and types the code."""
    shown = await device.shows(lambda text: CODE.search(text) is not None)
    found = CODE.search(shown)
    assert found is not None
    assert "/oauth/device" in shown
    assert "▀" in shown  # the QR code
    page = await browser.open("/oauth/device", user_code=found[0])
    await browser.send("/oauth/device", **page.hidden(), decision="allow")


async def test_two_terminals_are_in_step_through_everything(  # noqa: PLR0915 - a story in seven pictures
    server: Server, tmp_path: Path
) -> None:
    film = recording()
    viewer = await register(server, EMAIL)
    app = await registered(server, "--grant", "device_code", "--grant", "refresh_token", scope=SCOPES)

    def device(name: str, kind: str) -> AbstractAsyncContextManager[Terminal]:
        return terminal(
            *("device", "--name", name, "--kind", kind, "--url", server.url),
            *("--client-id", app.id, "--data", str(tmp_path / name)),
        )

    async with browsing(server) as browser, device("Phone", "PHONE") as phone:
        await browser.sign_in(await browser.open("/oauth/device"), EMAIL, PASSWORD)
        async with device("TV", "TV") as tv:
            both = [tv, phone]
            await tv.shows(lambda text: CODE.search(text) is not None)
            await phone.shows(lambda text: CODE.search(text) is not None)
            await film.take("Each shows a code and waits to be let in", both)

            await let_in(tv, browser)
            await let_in(phone, browser)
            await tv.shows("Nothing plays.")
            await phone.shows("Nothing plays.")
            await film.take("Both are let in and list titles", both)

            tv.press(ENTER)
            await tv.shows("▶")
            phone.press(DOWN, "a")
            await tv.shows("♥")
            await phone.shows("♥")
            await film.take("The TV plays; what the phone saves is saved on the TV", both)

            key = await key_of(viewer, "TV")
            commands: list[dict[str, Any]] = [{"seek": {"positionSeconds": 1200}}, {"pause": {}}]
            for command in commands:
                sent = await viewer.ask(SEND, device=key, command=command)
                assert sent["sendCommand"]["userErrors"] == []
            await tv.shows("▮▮")
            await tv.shows("pause: done")
            await phone.shows("20:0")
            await film.take("The TV obeys: it is paused at 20 minutes, and the phone knows", both)

            tv.press("c")
            await tv.shows("cut off")
            tv.press(*[RIGHT] * 6)
            await tv.shows("1 waiting to be sent")
            assert "23:0" not in phone.text
            await film.take("The TV is cut off, and is moved on to 23 minutes: that waits", both)

            tv.press("k")
            assert await tv.process.wait() == -signal.SIGKILL
        async with device("TV", "TV") as tv:
            both = [tv, phone]
            await tv.shows("0 waiting to be sent")
            await phone.shows("23:0")
            await film.take("The TV was killed; started again it needs no code, and has lost nothing", both)

            tv.press("i")
            await tv.shows("incognito: nothing is kept")
            tv.press(DOWN, DOWN, ENTER)
            await tv.shows("▶")
            tv.press(RIGHT, RIGHT, "s")
            await tv.shows("Nothing plays.")
            history = await viewer.ask("{ viewer { history { totalCount } } }")
            assert history["viewer"]["history"]["totalCount"] == 1
            await film.take("Incognito: what the TV played is known to nobody", both)

            tv.press("q")
            assert await tv.process.wait() == 0
        phone.press("q")
        assert await phone.process.wait() == 0

    assert film.taken == 7


async def key_of(viewer: Client, name: str) -> str:
    devices = (await viewer.ask(DEVICES))["viewer"]["devices"]
    (found,) = [each["id"] for each in devices if each["name"] == name and each["online"]]
    key: str = found
    return key


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (60, 16), (200, 50)])
async def test_a_terminal_of_any_size_shows_the_keys_and_the_line(
    server: Server, tmp_path: Path, columns: int, rows: int
) -> None:
    viewer = await register(server, f"sized-{columns}@example.com")

    async with terminal(
        *("device", "--name", "TV", "--url", server.url, "--data", str(tmp_path)),
        columns=columns,
        rows=rows,
        MEDIA_GATEWAY_TOKEN=viewer.token or "",
    ) as tv:
        await tv.shows("Nothing plays.")
        await tv.shows("The Dark Knight")
        tv.press(DOWN, ENTER)
        await tv.shows("▶")

        assert "q quit" in tv.text
        assert "on line" in tv.text
        assert "TV" in tv.screen.display[0]
        tv.press("q")
        assert await tv.process.wait() == 0
