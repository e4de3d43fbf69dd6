"""Reading the fields of a record from outside: each has its type and limits, or the record is refused."""

from collections.abc import Mapping
from datetime import date
from typing import Any

MAX_INTEGER = 2**31 - 1


class Broken(Exception):
    """A field breaks a rule."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Fields:
    """A record; `path` leads to it from the top of its line (`cast[2].`)."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path

    @property
    def names(self) -> list[str]:
        """Of all its fields."""
        return list(self._values)

    def broken(self, name: str, reason: str) -> Broken:
        return Broken(self._path + name, reason)

    def text(self, name: str, limit: int) -> str | None:
        """Without space around it; an empty text is none."""
        value = self._values.get(name)
        return None if value is None else self._checked(name, value, limit)

    def required_text(self, name: str, limit: int) -> str:
        value = self.text(name, limit)
        if value is None:
            raise self.broken(name, f"must have 1 to {limit} characters, and is missing or empty")
        return value

    def texts(self, name: str, limit: int) -> list[str]:
        """A list of texts of up to `limit` characters each; empty ones are left out."""
        checked = (self._checked(f"{name}[{i}]", value, limit) for i, value in enumerate(self._list(name)))
        return [value for value in checked if value is not None]

    def integer(self, name: str, low: int, high: int = MAX_INTEGER) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.broken(name, f"must be a whole number, and is {_shown(value)}")
        if not low <= value <= high:
            raise self.broken(name, f"must be between {low} and {high}, and is {value}")
        return value

    def required_integer(self, name: str, low: int, high: int = MAX_INTEGER) -> int:
        value = self.integer(name, low, high)
        if value is None:
            raise self.broken(name, "is missing")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.broken(name, f"must be a number, and is {_shown(value)}")
        if not low <= value <= high:
            raise self.broken(name, f"must be between {low:g} and {high:g}, and is {value:g}")
        return float(value)

    def either(self, name: str, limit: int = 40) -> str | None:
        """A text, or a whole number as one."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(name, limit)

    def flag(self, name: str) -> bool:
        """False where it is missing."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.broken(name, f"must be true or false, and is {_shown(value)}")
        return bool(value)

    def day(self, name: str) -> date | None:
        value = self.text(name, 10)
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise self.broken(name, f"must be a date like 2001-12-31, and is {_shown(value)}") from None

    def part(self, name: str) -> "Fields":
        """A record within this one; an empty one where it is missing."""
        value = self._values.get(name)
        if value is None:
            return Fields({}, f"{self._path}{name}.")
        if not isinstance(value, dict):
            raise self.broken(name, f"must be an object, and is {_shown(value)}")
        return Fields(value, f"{self._path}{name}.")

    def parts(self, name: str) -> list["Fields"]:
        """The records of a list within this one."""
        found = []
        for i, value in enumerate(self._list(name)):
            if not isinstance(value, dict):
                raise self.broken(f"{name}[{i}]", f"must be an object, and is {_shown(value)}")
            found.append(Fields(value, f"{self._path}{name}[{i}]."))
        return found

    def _list(self, name: str) -> list[Any]:
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.broken(name, f"must be a list, and is {_shown(value)}")
        return value

    def _checked(self, name: str, value: object, limit: int) -> str | None:
        if not isinstance(value, str):
            raise self.broken(name, f"must be a text, and is {_shown(value)}")
        if "\0" in value:
            raise self.broken(name, "has a NUL character")
        value = value.strip()
        if len(value) > limit:
            raise self.broken(name, f"may have up to {limit} characters, and has {len(value)}")
        return value or None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 - fits a line of a report
