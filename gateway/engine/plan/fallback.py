"""Why an operation is left to graphql-core as a whole; README.md of the engine lists the same."""

from enum import StrEnum


class Fallback(StrEnum):
    """By the name that statistics and metrics give it."""

    DEFER = "defer"
    """A fragment is put off by @defer, or was in the document of a schema that knows it."""
    STREAM = "stream"
    """A list is put off by @stream."""
    FRAGMENT_VARIABLES = "fragment variables"
    """A fragment has variables of its own, which is an experiment of graphql-core."""
    CONDITION = "condition"
    """The value for a @skip or @include is one that graphql-core refuses, with its own words."""
    SIZE = "size"
    """The operation is too large, or too deep, to be written as functions."""
    UNKNOWN_FIELD = "unknown field"
    """It was not validated, and asks for what is not there."""
    NO_ROOT_TYPE = "no root type"
    """The schema has none for this kind of operation."""
    ERROR_PROPAGATION = "error propagation"
    """@experimental_disableErrorPropagation: errors do not take nullable parents with them."""
    ABORT_SIGNAL = "abort signal"
    """Whoever executes it may abort it in the middle."""
    HOOKS = "hooks"
    """Whoever executes it wants to hear of asynchronous work."""


class Unplannable(Exception):
    """The operation has to be interpreted."""

    def __init__(self, reason: Fallback) -> None:
        super().__init__(reason)
        self.reason = reason
