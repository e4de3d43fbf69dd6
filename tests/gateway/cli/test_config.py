from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.cli.config import shown, unknown_keys
from tests.gateway.cli.conftest import Command


def test_each_value_stands_with_its_source(command: Command, environment: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("MEDIA_GATEWAY_PORT=9001\nMEDIA_GATEWAY_DEFAULT_REGION=DE\n", "utf-8")
    environment.setenv("MEDIA_GATEWAY_PORT", "9002")

    lines = command("config").stdout.splitlines()

    assert _of(lines, "MEDIA_GATEWAY_PORT") == ["9002", "(environment)"]
    assert _of(lines, "MEDIA_GATEWAY_DEFAULT_REGION") == ["DE", "(.env)"]
    assert _of(lines, "MEDIA_GATEWAY_HOST") == ["127.0.0.1", "(default)"]


def test_secrets_are_hidden(command: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MEDIA_GATEWAY_QDRANT_API_KEY", "s3cret-key")
    environment.setenv("MEDIA_GATEWAY_DATABASE_URL", "postgresql://mg:s3cret-word@db.example/mg")

    shown = command("config")

    assert "s3cret" not in shown.output
    assert "postgresql://mg:***@db.example/mg" in shown.stdout


def test_only_what_was_changed_can_be_asked_for(command: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MEDIA_GATEWAY_PORT", "9002")

    keys = [line.split()[0] for line in command("config", "--changed").stdout.splitlines() if line[0] != " "]

    assert keys == ["MEDIA_GATEWAY_PORT", "MEDIA_GATEWAY_DATA_DIR"]


def test_a_misspelt_setting_is_pointed_out(command: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MEDIA_GATEWAY_PROT", "9002")

    shown = command("config")

    assert shown.exit_code == 0
    assert "MEDIA_GATEWAY_PROT" in shown.stderr


def test_keys_of_others_are_not_taken_for_misspelt_ones(tmp_path: Path) -> None:
    environment = {"PATH": "/bin", "MEDIA_GATEWAY_HOST": "::1", "MEDIA_GATEWAY_TEST_DATABASE_URL": "x"}

    assert unknown_keys(environment, str(tmp_path / ".env")) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), ((), "—"), (True, "true"), (("a", "b"), "a,b"), (SecretStr("x"), "(hidden)"), (2.5, "2.5")],
)
def test_values_are_shown_as_they_are_written(value: object, text: str) -> None:
    assert shown(value) == text


def _of(lines: list[str], key: str) -> list[str]:
    return next(line.split()[1:] for line in lines if line.startswith(f"{key} "))
