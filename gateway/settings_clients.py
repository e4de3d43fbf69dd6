"""The settings of what clients may send."""

from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.engine.limits import Limit, Limits
from gateway.engine.trusted import DocumentsMode

_DEFAULTS = Limits()


class ClientSettings(BaseSettings):
    """Documents by id, and limits; a part of `Settings`."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    documents: DocumentsMode = DocumentsMode.OFF
    """Published documents: `off`; `log` what is not published; `prefer` what is; or run `only` these."""
    documents_refresh_seconds: float = Field(default=5.0, ge=0.1, le=3600)
    """Within how many seconds every process knows what was published."""
    documents_usage_seconds: float = Field(default=30.0, ge=0.1, le=3600)
    """How often a process writes down which operations and fields were used."""
    persisted_queries: bool = True
    """Whether clients may send hashes for texts they have sent before (automatic persisted queries)."""
    persisted_queries_bytes: int = Field(default=8 << 20, ge=1024)
    """Bytes of such texts that a process keeps."""
    persisted_queries_seconds: int = Field(default=86_400, ge=60)
    """How long Redis keeps such a text after its last use."""

    limits_mode: Annotated[str, Field(pattern="enforce|warn")] = "enforce"
    """`warn` lets everything pass that exceeds a limit, and logs and counts it; `enforce` refuses it."""
    limits_warn_only: Annotated[tuple[Limit, ...], NoDecode] = ()
    """Limits that only warn, separated by commas: `tokens`, `depth`, `root_fields`, …"""
    max_body_bytes: int = Field(default=_DEFAULTS.max_body_bytes, ge=1024, le=1 << 30)
    """Bytes of a request body, packed or not, of a URL's query, and of one WebSocket message."""
    max_batch_size: int = Field(default=_DEFAULTS.max_batch_size, ge=1)
    """Operations in one request; 1 turns batches off."""
    max_variables_bytes: int = Field(default=_DEFAULTS.max_variables_bytes, ge=2)
    """Bytes of the variables of an operation."""
    max_list_items: int = Field(default=_DEFAULTS.max_list_items, ge=1)
    """Items of one list, in a document or in variables."""
    max_document_characters: int = Field(default=_DEFAULTS.max_document_characters, ge=100)
    """Characters of a document."""
    max_tokens: int = Field(default=_DEFAULTS.max_tokens, ge=10)
    """Lexical tokens of a document."""
    max_depth: int = Field(default=_DEFAULTS.max_depth, ge=1)
    """Fields within fields; below `__schema` and `__type` they are counted apart."""
    max_introspection_depth: int = Field(default=_DEFAULTS.max_introspection_depth, ge=1)
    """Fields within fields, below `__schema` and `__type`."""
    max_fields: int = Field(default=_DEFAULTS.max_fields, ge=1)
    """Fields of an operation, those of a fragment as often as it is spread."""
    max_root_fields: int = Field(default=_DEFAULTS.max_root_fields, ge=1)
    """Root fields of an operation."""
    max_aliases: int = Field(default=_DEFAULTS.max_aliases, ge=0)
    """Aliases of an operation."""
    max_directives: int = Field(default=_DEFAULTS.max_directives, ge=0)
    """Directives of an operation."""
    max_repeated_fields: int = Field(default=_DEFAULTS.max_repeated_fields, ge=0)
    """Fields written again in a selection set that has them already."""
    max_operations: int = Field(default=_DEFAULTS.max_operations, ge=1)
    """Operations in a document."""
    max_fragments: int = Field(default=_DEFAULTS.max_fragments, ge=0)
    """Fragments in a document."""
    max_literal_depth: int = Field(default=_DEFAULTS.max_literal_depth, ge=1)
    """Lists and objects within each other, as arguments in a document."""
    max_number_characters: int = Field(default=_DEFAULTS.max_number_characters, ge=1)
    """Characters of one number in a document."""
    max_deferred: int = Field(default=_DEFAULTS.max_deferred, ge=0)
    """Parts of an answer that `@defer` and `@stream` may put off; what is more comes with the rest."""
    max_concurrent_operations: int = Field(default=_DEFAULTS.max_concurrent_operations, ge=1)
    """Queries and mutations of one caller (an account, or else an address) at a time, in one process."""
    max_concurrent_subscriptions: int = Field(default=_DEFAULTS.max_concurrent_subscriptions, ge=1)
    """Subscriptions of one caller at a time, in one process."""
    max_concurrent_sockets: int = Field(default=_DEFAULTS.max_concurrent_sockets, ge=1)
    """WebSockets of one caller at a time, in one process."""
    max_socket_operations: int = Field(default=_DEFAULTS.max_socket_operations, ge=1)
    """Operations at a time on one WebSocket."""

    @field_validator("limits_warn_only", mode="before")
    @classmethod
    def _limits(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        names = [part.strip() for part in value.split(",") if part.strip()]
        unknown = sorted(set(names) - set(Limit))
        if unknown:
            raise ValueError(f"no limit is called {', '.join(unknown)}; there are {', '.join(Limit)}")
        return tuple(Limit(name) for name in names)

    def limits(self, deadline_seconds: float) -> Limits:
        """What is allowed, for operations that may take so long."""
        warns = frozenset(Limit if self.limits_mode == "warn" else self.limits_warn_only)
        given = {f"max_{limit}": getattr(self, f"max_{limit}") for limit in Limit}
        return Limits(warn_only=warns, deadline_seconds=deadline_seconds, **given)
