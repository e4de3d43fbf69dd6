import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.gateway.serving import serving

HERE = Path(__file__).parent


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=HERE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js runs the audits, and is not installed")
async def test_every_server_audit_of_graphql_http_passes() -> None:
    if not (HERE / "node_modules" / "graphql-http").exists():
        await _run("npm", "ci", "--no-audit", "--no-fund")

    async with serving() as shop:
        results = json.loads(await _run("node", "run.mjs", shop.url))

    assert len(results) > 60
    assert [result for result in results if result["status"] != "ok"] == []
