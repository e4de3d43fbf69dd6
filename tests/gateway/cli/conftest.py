"""Commands run as they are typed, on a database of their own."""

from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app

Command = Callable[..., Result]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No settings but those a test makes, and a data directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDIA_GATEWAY_DATA_DIR", str(tmp_path / "var"))
    return monkeypatch


@pytest.fixture
def command(environment: pytest.MonkeyPatch) -> Command:
    """Runs `media-gateway` with these words."""
    runner = CliRunner()

    def run(*words: str, answer: str | None = None) -> Result:
        return runner.invoke(app, list(words), input=answer)

    return run


@pytest.fixture
async def empty_database_url(postgres_url: str, environment: pytest.MonkeyPatch) -> str:
    """A database without tables, which the settings name."""
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute('DROP DATABASE IF EXISTS "media_gateway_cli" WITH (FORCE)')
        await connection.execute('CREATE DATABASE "media_gateway_cli"')
    finally:
        await connection.close()
    head, _, tail = postgres_url.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/media_gateway_cli" + (f"?{tail}" if tail else "")
    environment.setenv("MEDIA_GATEWAY_DATABASE_URL", url)
    return url
