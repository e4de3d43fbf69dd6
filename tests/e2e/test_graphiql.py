"""GraphiQL in a real browser that reaches nothing but the server; its picture is kept."""

import asyncio
import shutil
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import Server

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "tests" / "gateway" / "pages" / "graphiql.browser.mjs"
PICTURE = ROOT / "var" / "screenshots" / "graphiql.png"
MISSING = [
    name
    for name, present in {
        "node": shutil.which("node"),
        "chromium": shutil.which("chromium"),
        "the page (make pages)": (ROOT / "gateway" / "pages" / "graphiql" / "index.html").is_file(),
        "its test's modules (make pages)": (ROOT / "web/graphiql/node_modules/playwright-core").is_dir(),
    }.items()
    if not present
]


@pytest.mark.skipif(bool(MISSING), reason=f"missing here: {', '.join(MISSING)}")
async def test_graphiql_works_with_the_network_cut_off(server: Server) -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.unlink(missing_ok=True)
    chromium = shutil.which("chromium") or ""

    driver = await asyncio.create_subprocess_exec(
        "node",
        str(SCRIPT),
        server.url,
        str(PICTURE),
        chromium,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(driver.communicate(), 110)

    assert driver.returncode == 0, complained.decode()
    assert said.strip() == b"ok"
    assert PICTURE.stat().st_size > 20_000


async def test_programs_get_no_page(server: Server) -> None:
    async with httpx.AsyncClient(verify=False) as client:
        page = await client.get(f"{server.url}/graphql", headers={"accept": "text/html"})
        answer = await client.get(f"{server.url}/graphql", params={"query": "{__typename}"})

    assert page.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert answer.json() == {"data": {"__typename": "Query"}}
