import pytest

from tests.gateway.cli.conftest import Command


@pytest.mark.usefixtures("empty_database_url")
def test_a_database_goes_up_and_down_again(command: Command) -> None:
    before = command("migrate", "status")
    up = command("migrate", "up")
    after = command("migrate", "status")
    down = command("migrate", "down", "base", "--yes")
    again = command("migrate", "status")

    assert (before.exit_code, up.exit_code, after.exit_code, down.exit_code) == (1, 0, 0, 0)
    assert before.stdout.startswith("0001  missing  ")
    assert "missing" not in after.stdout
    assert again.stdout == before.stdout


@pytest.mark.usefixtures("empty_database_url")
def test_going_down_asks_first_and_does_nothing_on_no(command: Command) -> None:
    command("migrate", "up")

    shown = command("migrate", "down", "base", answer="n\n")

    assert shown.exit_code == 1
    assert command("migrate", "status").exit_code == 0


@pytest.mark.usefixtures("empty_database_url")
def test_an_unknown_revision_is_one_line(command: Command) -> None:
    shown = command("migrate", "up", "9999")

    assert shown.exit_code == 1
    assert shown.stderr == "error: Can't locate revision identified by '9999'\n"


def test_a_database_that_is_not_there_is_one_line(command: Command, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MEDIA_GATEWAY_DATABASE_URL", "postgresql://mg:s3cret@127.0.0.1:1/mg")

    shown = command("migrate", "status")

    assert shown.exit_code == 1
    assert shown.stderr.count("\n") == 1
    assert "MEDIA_GATEWAY_DATABASE_URL" in shown.stderr
    assert "s3cret" not in shown.stderr
