"""Documents, prepared once and found again by their hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from domain.platform.errors import BadInput, GatewayError
from gateway.engine.cost.documents import DocumentCosts
from gateway.engine.cost.weights import Weights
from gateway.engine.errors import ErrorFormatter, FormattedError
from gateway.engine.incremental.directives import IncrementalDocument
from gateway.engine.incremental.launch import IncrementalLauncher
from gateway.engine.kept import Kept
from gateway.engine.limits import Excess, Guard
from gateway.engine.measure import excesses
from gateway.engine.outline import Outline
from gateway.engine.plan.launch import Launcher
from gateway.engine.scan import introspects

_MAX_ERRORS: Final = 20
"""More than a person mends at a time; each costs a search for suggestions."""


def document_hash(text: str) -> str:
    """SHA-256 in hexadecimal."""
    # A JSON string may hold what UTF-8 cannot; such text is a syntax error, not a fault.
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that was parsed, limited and validated."""

    id: str
    """SHA-256 of the text, in hexadecimal."""
    text: str
    document: DocumentNode
    operations: Mapping[str | None, OperationType]
    """The type of each operation by its name; a lone anonymous one is under None."""
    costs: DocumentCosts
    introspects: bool = False
    """Whether it asks for the schema."""
    exceeded: tuple[Excess, ...] = ()
    """Limits it is let over, as they only warn."""
    incremental: IncrementalDocument | None = None
    """What of it may come in parts; None where it has neither @defer nor @stream."""
    _launchers: dict[str | None, Launcher] = field(default_factory=dict, repr=False)
    _incremental_launchers: dict[str | None, IncrementalLauncher] = field(default_factory=dict, repr=False)

    @property
    def whole(self) -> DocumentNode:
        """The document that is answered in one piece."""
        return self.document if self.incremental is None else self.incremental.whole

    def launcher(self, name: str | None, schema: GraphQLSchema) -> Launcher:
        """What executes the operation of this name in one piece."""
        found = self._launchers.get(name)
        if found is None:
            found = self._launchers[name] = Launcher(schema, self.whole, name)
        return found

    def incremental_launcher(self, name: str | None, schema: GraphQLSchema) -> IncrementalLauncher:
        """What executes the operation of this name in parts."""
        found = self._incremental_launchers.get(name)
        if found is None:
            found = self._incremental_launchers[name] = IncrementalLauncher(schema, self.document, name)
        return found

    def operation_name(self, asked: str | None) -> str | None:
        """Of the operation to run; BadInput if the request leaves it open or names none of them."""
        if asked is not None:
            if asked not in self.operations:
                raise BadInput(f'The document has no operation named "{asked}".')
            return asked
        if len(self.operations) != 1:
            raise BadInput("The document has several operations: say which one by operationName.")
        return next(iter(self.operations))


class Rejected(Exception):
    """The operation will not run, and these are the errors to answer with."""

    def __init__(self, errors: list[FormattedError], text: str | None = None) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.text = text
        """The document, where it is what is wrong."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a document cannot run."""

    errors: list[FormattedError]
    excess: Excess | None = None


class _Exceeds(Exception):
    """A document is larger than it may be."""

    def __init__(self, excess: Excess) -> None:
        super().__init__(excess.message)
        self.excess = excess


class DocumentStore:
    """Prepares documents and keeps them, bounded by number and characters; the least recent go first.

    Refused documents are kept apart, so that a flood of them displaces no good one; and so are trusted ones,
    which no ad hoc document displaces, and which were held to the limits when they were published.
    """

    def __init__(self, schema: GraphQLSchema, guard: Guard, errors: ErrorFormatter) -> None:
        self._schema = schema
        self._guard = guard
        self._weights = Weights(schema)
        self._errors = errors
        self._outline = Outline.of(schema)
        self._rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
        limits = guard.limits
        self._kept, self._trusted = (
            Kept[str, Prepared](limits.cached_documents, limits.cached_document_characters, _characters)
            for _ in range(2)
        )
        self._failures = Kept[str, _Failure](limits.cached_failures, limits.cached_failures, _one)

    def prepare(self, text: str, *, trusted: bool = False) -> Prepared:
        """The prepared document; raises Rejected. Costs some 20 µs a token the first time, then 1 µs."""
        kept = self._trusted if trusted else self._kept
        prepared = kept.get(text)
        if prepared is None:
            prepared = self._prepare(document_hash(text), text, trusted=trusted)
            kept.put(text, prepared)
        for excess in prepared.exceeded:
            self._guard.note(excess, False)  # noqa: FBT003 - by position, as the guard calls it
        return prepared

    def explain(self, text: str, errors: list[FormattedError]) -> list[FormattedError]:
        """The errors of a document that was rejected, with what its names may have been meant to be."""
        try:
            self._within_limits(text)
            failures = validate(self._schema, parse(text), self._rules, max_errors=_MAX_ERRORS)
        except (_Exceeds, GatewayError, GraphQLError):
            return errors
        return self._errors.suggesting().of_request(failures) or errors

    def _prepare(self, key: str, text: str, *, trusted: bool) -> Prepared:
        # A trusted document that fails has outlived its schema; ad hoc it may fail for another reason.
        failure_key = f"trusted:{key}" if trusted else key
        failure = self._failures.get(failure_key)
        if failure is None:
            prepared = self._parsed(key, text, trusted=trusted)
            if isinstance(prepared, Prepared):
                return prepared
            failure = prepared
            self._failures.put(failure_key, failure)
        if failure.excess is not None:
            self._guard.note(failure.excess, True)  # noqa: FBT003 - as above
        raise Rejected(failure.errors, text)

    def _parsed(self, key: str, text: str, *, trusted: bool) -> "Prepared | _Failure":
        try:
            exceeded = () if trusted else self._within_limits(text)
            document = _unlinked(parse(text))
        except _Exceeds as exceeds:
            return _Failure([self._errors.of_exception(exceeds.excess.refusal())], exceeds.excess)
        except GatewayError as error:
            return _Failure([self._errors.of_exception(error)])
        except GraphQLError as error:
            return _Failure(self._errors.of_request([error]))
        failures = validate(
            self._schema,
            document,
            self._rules,
            max_errors=_MAX_ERRORS,
            hide_suggestions=not self._errors.suggestions,
        )
        incremental = None if failures else IncrementalDocument.of(document, text)
        failures = failures or (incremental.mistakes if incremental is not None else [])
        if failures:
            return _Failure(self._errors.of_request(failures))
        operations = {
            node.name.value if node.name else None: node.operation
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        if not operations:
            return _Failure([self._errors.of_exception(BadInput("The document has no operation."))])
        return Prepared(
            key,
            text,
            document,
            MappingProxyType(operations),
            DocumentCosts(self._weights, document),
            introspects(text),
            exceeded,
            incremental,
        )

    def _within_limits(self, text: str) -> tuple[Excess, ...]:
        """What is let pass although it exceeds a limit; raises _Exceeds for what is not."""
        passed = []
        for excess in excesses(text, self._guard.limits, self._outline):
            if self._guard.enforces(excess.limit):
                raise _Exceeds(excess)
            passed.append(excess)
        return tuple(passed)


def _characters(prepared: Prepared) -> int:
    return len(prepared.text)


def _one(_failure: object) -> int:
    return 1


def _unlinked(document: DocumentNode) -> DocumentNode:
    """Without the links between its tokens, which would keep it until the collector comes by."""
    token = document.loc.start_token if document.loc is not None else None
    while token is not None:
        token.prev, token.next, token = None, None, token.next
    return document
