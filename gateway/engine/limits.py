"""Every bound on what a client may send, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request, one socket and the engine's own memory.

    Fields, aliases, directives and depth are counted as executed: a fragment counts as often as it is spread.
    A full introspection query has 183 tokens and 13 levels.
    """

    max_body_bytes: int = 1 << 20
    """Of a request body, compressed or not, of a query string, and of one WebSocket message."""
    max_document_characters: int = 100_000
    max_variables_bytes: int = 256 << 10
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
    deadline_seconds: float = 30.0
    """For a query or mutation, from its first resolver to its last."""
    body_seconds: float = 15.0
    """For a request body to arrive."""
    max_socket_operations: int = 100
    """Running at the same time on one WebSocket."""
    cached_documents: int = 1_000
    cached_document_characters: int = 400_000
    """Of all kept documents together; a parsed document takes some 250 bytes a character."""
    cached_failures: int = 200
    """Refused documents whose errors are kept, so that repeating one costs nothing."""
