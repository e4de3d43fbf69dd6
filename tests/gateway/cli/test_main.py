import pytest

from domain.platform.errors import Unavailable
from gateway.cli.errors import Failed, describe
from tests.gateway.cli.conftest import Command

COMMANDS = ("serve", "worker", "migrate", "import", "schema", "documents", "token", "config")


def test_help_names_every_command_with_what_it_does(command: Command) -> None:
    shown = command("--help")

    assert shown.exit_code == 0
    assert all(f" {name} " in shown.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(command: Command, name: str) -> None:
    shown = command(name, "--help")

    assert shown.exit_code == 0
    assert f"{name} [OPTIONS]" in shown.stdout


def test_a_misspelt_option_is_one_line_that_names_the_help(command: Command) -> None:
    shown = command("schema", "--bogus")

    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert shown.stderr.startswith("error: No such option: --bogus")
    assert shown.stderr.count("\n") == 1
    assert "schema --help" in shown.stderr


def test_a_bad_setting_is_one_line_that_names_the_key(
    command: Command, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("MEDIA_GATEWAY_PORT", "eighty")

    shown = command("config")

    assert shown.exit_code == 1
    assert shown.stderr.startswith("error: MEDIA_GATEWAY_PORT: ")
    assert shown.stderr.count("\n") == 1


def test_an_unforeseen_error_shows_no_traceback(command: Command, environment: pytest.MonkeyPatch) -> None:
    _break_schema(environment)

    shown = command("schema")

    assert shown.exit_code == 1
    assert shown.stderr == "error: ZeroDivisionError: by nought (--debug shows where)\n"


@pytest.mark.parametrize("words", [("--debug", "schema"), ("schema", "--debug")])
def test_debug_shows_where_an_error_came_from(
    command: Command, environment: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    _break_schema(environment)

    shown = command(*words)

    assert isinstance(shown.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Failed("There is no such thing."), "There is no such thing."),
        (Unavailable("The database is down."), "The database is down."),
        (PermissionError(13, "Permission denied", "/data"), "/data: Permission denied"),
        (ValueError("over\ntwo lines"), "ValueError: over two lines (--debug shows where)"),
    ],
)
def test_errors_are_told_in_one_line(error: Exception, said: str) -> None:
    assert describe(error) == said


def test_a_database_that_cannot_be_reached_names_the_setting() -> None:
    said = describe(ConnectionRefusedError(111, "Connect call failed"))

    assert "MEDIA_GATEWAY_DATABASE_URL" in said


def _break_schema(environment: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("by nought")

    environment.setattr("schema.graph.graph", fail)
