"""Two states of a schema, side by side."""

from collections.abc import Collection
from dataclasses import replace

from gateway.evolution.directives import directive_changes
from gateway.evolution.elements import element_changes
from gateway.evolution.model import Change, Level
from gateway.evolution.source import Source


def compare(old: Source, new: Source, used: Collection[str] | None = None) -> list[Change]:
    """The changes from `old` to `new`, the worst first; `used` are the coordinates that clients use, where
    that is known.
    """
    found = [*element_changes(old.schema, new.schema), *directive_changes(old.document, new.document)]
    seen = [_as_used(change, used) for change in found] if used is not None else found
    order = list(Level)
    return sorted(seen, key=lambda change: (order.index(change.level), change.message))


def _as_used(change: Change, used: Collection[str]) -> Change:
    harmless = change.noticed_at is not None and change.noticed_at not in used
    return replace(change, level=Level.UNUSED) if change.level is Level.BREAKING and harmless else change
