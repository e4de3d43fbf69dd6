"""How a command begins: the settings are read, and logging follows them."""

from typing import Any

from gateway import logs
from gateway.settings import Settings, load


def configured(**given: Any) -> Settings:
    """The settings with what the command line gives; raises `SettingsError`."""
    settings = load(**{name: value for name, value in given.items() if value is not None})
    logs.configure(readable=settings.development, level=settings.log_level)
    return settings
