"""How a command fails: one clear line and a non-zero exit; a traceback only when asked for."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from domain.platform.errors import Unavailable

# Their messages are written for whoever reads them.
WELL_SAID = {"gateway", "schema", "subscriptions", "resolvers", "loaders", "domain", "migrations", "alembic"}
DATABASE_CLIENTS = {"asyncpg", "sqlalchemy"}


class Failed(Exception):
    """What a command was asked for cannot be done; the message says why and what to do."""


class Commands(TyperGroup):
    """The root of the commands. `--debug` may stand anywhere on the line."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - the overridden signature
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - same
        **extra: Any,
    ) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in words
        words.sort(key=lambda word: word != "--debug")
        try:
            status = super().main(
                words,
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except typer.TyperException as error:
            _fail(_usage(error), error.exit_code)
        except typer.Abort:
            _fail("stopped, nothing was done", 1)
        except Exception as error:
            if debug:
                raise
            _fail(describe(error), 1)
        if standalone_mode:
            sys.exit(status)
        return status


def _fail(message: str, status: int) -> NoReturn:
    if message:
        typer.echo(f"{typer.style('error:', fg='red', bold=True)} {message}", err=True)
    sys.exit(status)


def _usage(error: typer.TyperException) -> str:
    """What is wrong with the line as typed; nothing where the help has just been shown."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if not message or context is None:
        return message
    return f"{message.rstrip('.')}. See: {context.command_path} --help"


def describe(error: Exception) -> str:
    """The error in one line, for whoever typed the command."""
    source = type(error).__module__.partition(".")[0]
    said = " ".join(str(error).split())
    if source in WELL_SAID:
        cause = error.__cause__
        if isinstance(error, Unavailable) and cause is not None and str(cause):
            return f"{said} ({' '.join(str(cause).split())})"
        return said
    if source in DATABASE_CLIENTS:
        return f"PostgreSQL: {' '.join(str(getattr(error, 'orig', error)).split())}"
    if isinstance(error, ConnectionError | TimeoutError) or type(error).__name__ == "gaierror":
        return f"The database cannot be reached ({said}); see MEDIA_GATEWAY_DATABASE_URL."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {said} (--debug shows where)"
