"""Every bound on what a client may send, in one place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import Any

from domain.platform.errors import BadInput, TimedOut

_MAX_SHOWN = 1_000_000


class Limit(StrEnum):
    """The bounds that can be set to warn; each is named in `extensions.limit` of its refusal.

    Its maximum is the setting, and the attribute of Limits, of the same name after `max_`.
    """

    BODY_BYTES = "body_bytes"
    BATCH_SIZE = "batch_size"
    VARIABLES_BYTES = "variables_bytes"
    LIST_ITEMS = "list_items"
    DOCUMENT_CHARACTERS = "document_characters"
    TOKENS = "tokens"
    OPERATIONS = "operations"
    FRAGMENTS = "fragments"
    DEPTH = "depth"
    INTROSPECTION_DEPTH = "introspection_depth"
    FIELDS = "fields"
    ROOT_FIELDS = "root_fields"
    ALIASES = "aliases"
    DIRECTIVES = "directives"
    REPEATED_FIELDS = "repeated_fields"
    LITERAL_DEPTH = "literal_depth"
    NUMBER_CHARACTERS = "number_characters"
    DEFERRED = "deferred"
    CONCURRENT_OPERATIONS = "concurrent_operations"
    CONCURRENT_SUBSCRIPTIONS = "concurrent_subscriptions"
    CONCURRENT_SOCKETS = "concurrent_sockets"
    SOCKET_OPERATIONS = "socket_operations"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


_MAXIMA: Mapping[Limit, Callable[["Limits"], int]] = {
    limit: attrgetter(f"max_{limit.value}") for limit in Limit
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request, one socket and the engine's own memory.

    Fields, aliases, directives and depth are counted as executed: a fragment counts as often as it is spread.
    A full introspection query has 183 tokens and 13 levels.
    """

    warn_only: frozenset[Limit] = frozenset()
    """Those that are noted when they are exceeded, and let pass."""
    max_body_bytes: int = 1 << 20
    """Of a request body, compressed or not, of a query string, and of one WebSocket message."""
    max_batch_size: int = 10
    """Operations in one request; 1 turns batches off."""
    max_document_characters: int = 100_000
    max_variables_bytes: int = 256 << 10
    max_list_items: int = 1_000
    """Of one list, in the document or anywhere in the variables."""
    max_json_depth: int = 64
    """Nesting of arrays and objects in a body, the body itself included."""
    max_tokens: int = 2_000
    """Parsing costs some 10 µs a token, validating twice that; a rich front end sends up to some 1,500."""
    max_depth: int = 15
    """Fields within fields. What stands below `__schema` and `__type` is counted apart."""
    max_introspection_depth: int = 20
    """Tools ask for `ofType` nine times over; graphql-core bounds the lists within lists itself."""
    max_fields: int = 2_000
    max_root_fields: int = 20
    max_aliases: int = 30
    max_directives: int = 50
    max_operations: int = 20
    """Operation definitions in one document; each is validated, whichever is run."""
    max_fragments: int = 60
    """Fragment definitions. Checking that fields can be merged compares fragments in pairs."""
    max_repeated_fields: int = 50
    """Fields written again in the selection set that already has them: these are compared in pairs too."""
    max_literal_depth: int = 16
    """Lists and objects within each other, as arguments in the document."""
    max_number_characters: int = 64
    """Of one number in the document. Reading a number costs the square of its length."""
    max_deferred: int = 500
    """Deferred fragments, each for every object it stands on, and streamed lists, of one operation.
    What is more comes with what is around it.
    """
    deadline_seconds: float = 30.0
    """For a query or mutation, from its first resolver to its last; for a batch, of all of it."""
    body_seconds: float = 15.0
    """For a request body to arrive."""
    max_concurrent_operations: int = 100
    """Queries and mutations of one caller that run at the same time in this process."""
    max_concurrent_subscriptions: int = 500
    """Subscriptions of one caller that run at the same time in this process."""
    max_concurrent_sockets: int = 500
    """WebSockets of one caller that are open at the same time in this process."""
    max_socket_operations: int = 100
    """Running at the same time on one WebSocket."""
    cached_documents: int = 1_000
    cached_document_characters: int = 400_000
    """Of all kept documents together; a parsed document takes some 250 bytes a character."""
    cached_failures: int = 200
    """Refused documents whose errors are kept, so that repeating one costs nothing."""

    def maximum(self, limit: Limit) -> int:
        return _MAXIMA[limit](self)

    def too_late(self) -> TimedOut:
        """Says that an operation took longer than it may."""
        return TimedOut(f"The operation took longer than {self.deadline_seconds:g} seconds.")

    @property
    def most_body_bytes(self) -> int:
        """What is read of a body at all. One that only warns must not fill the memory all the same."""
        factor = 16 if Limit.BODY_BYTES in self.warn_only else 1
        return factor * self.max_body_bytes


@dataclass(frozen=True, slots=True)
class Excess:
    """Something of a request is larger than it may be."""

    limit: Limit
    maximum: int
    actual: int
    at_least: bool = False
    """Whether counting stopped at `actual`."""

    @property
    def message(self) -> str:
        # Fragments can multiply to numbers that no JSON reader would take.
        figure = (
            f"at least {self.shown:,}" if self.at_least or self.shown < self.actual else f"{self.shown:,}"
        )
        return f"The operation exceeds the limit of {self.maximum:,} for {self.limit.words}: it has {figure}."

    @property
    def shown(self) -> int:
        return min(self.actual, max(_MAX_SHOWN, self.maximum + 1))

    @property
    def extensions(self) -> dict[str, Any]:
        return {"limit": self.limit.value, "maximum": self.maximum, "actual": self.shown}

    def refusal(self) -> BadInput:
        return BadInput(self.message, **self.extensions)


@dataclass(frozen=True, slots=True)
class Guard:
    """Holds requests to the limits: refuses what exceeds one, or only notes it where that limit warns."""

    limits: Limits = field(default_factory=Limits)
    note: Callable[[Excess, bool], None] = lambda _excess, _refused: None
    """Hears of each excess, and whether it was refused."""

    def enforces(self, limit: Limit) -> bool:
        return limit not in self.limits.warn_only

    def check(self, limit: Limit, actual: int) -> None:
        """Raises BadInput for an excess that is not let pass."""
        excess = self.refuses(limit, actual)
        if excess is not None:
            raise excess.refusal()

    def refuses(self, limit: Limit, actual: int) -> Excess | None:
        """The excess, noted, for which to refuse; None where there is none, or it is let pass."""
        maximum = _MAXIMA[limit](self.limits)
        if actual <= maximum:
            return None
        excess = Excess(limit, maximum, actual)
        refused = self.enforces(limit)
        self.note(excess, refused)
        return excess if refused else None
