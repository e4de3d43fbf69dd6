"""`media-gateway config`: what the process would be told, and by whom."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from gateway.settings import Settings

ENV_FILE = ".env"
KEY_WIDTH = 38
# Tests read it, the gateway does not.
FOREIGN = {"MEDIA_GATEWAY_TEST_DATABASE_URL"}


class Row(NamedTuple):
    """One setting as it may be shown."""

    key: str
    value: str
    source: str
    meaning: str


def config(
    *,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not a default.")] = False,
) -> None:
    """Show every setting, its value and where the value comes from. Secrets are hidden.

    The environment wins over .env, and .env over the defaults.
    """
    from rich.markup import escape  # noqa: PLC0415 - `--help` must not wait for it

    from gateway.cli.screen import notes, results  # noqa: PLC0415
    from gateway.settings import load  # noqa: PLC0415

    screen = results()
    for row in rows(load(), os.environ, ENV_FILE):
        if not changed or row.source != "default":
            screen.print(f"[bold]{row.key:{KEY_WIDTH}}[/bold] {escape(row.value)}  [dim]({row.source})[/dim]")
            screen.print(f"  [dim]{escape(row.meaning)}[/dim]")
    if unknown := unknown_keys(os.environ, ENV_FILE):
        notes().print(f"[yellow]No such setting:[/yellow] {', '.join(unknown)}")


def rows(settings: "Settings", environment: Any, env_file: str) -> Iterator[Row]:
    """Every setting in the order of its declaration, those of what clients may send last."""
    from gateway.settings import PREFIX  # noqa: PLC0415 - as above
    from gateway.settings_clients import ClientSettings  # noqa: PLC0415

    given, written = _keys(environment), _keys(_env_file(env_file))
    fields = type(settings).model_fields
    for name in sorted(fields, key=ClientSettings.model_fields.__contains__):
        field = fields[name]
        key = PREFIX + name.upper()
        source = "environment" if key in given else env_file if key in written else "default"
        yield Row(key, shown(getattr(settings, name)), source, field.description or "")


def shown(value: Any) -> str:
    """A value without its secret."""
    from pydantic import AnyUrl, SecretStr  # noqa: PLC0415 - as above

    from gateway.settings import without_password  # noqa: PLC0415

    match value:
        case None | ():
            return "—"
        case SecretStr():
            return "(hidden)"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(value)
        case str() | AnyUrl():
            text = str(value)
            return without_password(text) if "://" in text else text
    return str(value)


def unknown_keys(environment: Any, env_file: str) -> list[str]:
    """Keys that look like settings and are none; most likely misspelt."""
    from gateway.settings import PREFIX, Settings  # noqa: PLC0415 - as above

    known = {PREFIX + name.upper() for name in Settings.model_fields} | FOREIGN
    found = _keys(environment) | _keys(_env_file(env_file))
    return sorted(key for key in found if key.startswith(PREFIX) and key not in known)


def _keys(values: Any) -> set[str]:
    # As the settings read them: in any case, and empty means not given.
    return {key.upper() for key, value in values.items() if value}


def _env_file(path: str) -> dict[str, str | None]:
    from dotenv import dotenv_values  # noqa: PLC0415 - as above

    return dotenv_values(path)
