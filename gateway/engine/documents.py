"""Documents, prepared once and found again by their hash."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
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
from gateway.engine.limits import Limits
from gateway.engine.measure import refuse_large_document, refuse_long_text
from gateway.engine.plan.launch import Launcher

_MAX_ERRORS = 20
"""More than a person mends at a time; each costs a search for suggestions."""


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
    _launchers: dict[str | None, Launcher] = field(default_factory=dict, repr=False)

    def launcher(self, name: str | None, schema: GraphQLSchema) -> Launcher:
        """What executes the operation of this name."""
        found = self._launchers.get(name)
        if found is None:
            found = self._launchers[name] = Launcher(schema, self.document, name)
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

    def __init__(self, errors: list[FormattedError]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


class DocumentStore:
    """Prepares documents and keeps them, bounded by number and characters; the least recent go first.

    Refused documents are kept apart, so that a flood of them displaces no good one.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        errors: ErrorFormatter,
        *,
        introspection: bool = True,
    ) -> None:
        self._schema = schema
        self._weights = Weights(schema)
        self._limits = limits
        self._errors = errors
        rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
        self._rules = rules if introspection else (*rules, NoSchemaIntrospectionCustomRule)
        self._kept: OrderedDict[str, Prepared] = OrderedDict()
        self._kept_characters = 0
        self._failures: OrderedDict[str, list[FormattedError]] = OrderedDict()

    def prepare(self, text: str) -> Prepared:
        """The prepared document; raises Rejected. Costs some 20 µs a token the first time, then 1 µs."""
        # A JSON string may hold what UTF-8 cannot; such text is a syntax error, not a fault.
        key = sha256(text.encode(errors="surrogatepass")).hexdigest()
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        failure = self._failures.get(key)
        if failure is None:
            prepared = self._prepare(key, text)
            if isinstance(prepared, Prepared):
                self._keep(prepared)
                return prepared
            failure = self._failures[key] = prepared
            if len(self._failures) > self._limits.cached_failures:
                self._failures.popitem(last=False)
        raise Rejected(failure)

    def _prepare(self, key: str, text: str) -> Prepared | list[FormattedError]:
        try:
            refuse_long_text(text, self._limits)
            document = parse(text)
            refuse_large_document(document, self._limits)
        except GatewayError as error:
            return [self._errors.of_exception(error)]
        except GraphQLError as error:
            return self._errors.of_request([error])
        failures = validate(
            self._schema,
            document,
            self._rules,
            max_errors=_MAX_ERRORS,
            hide_suggestions=not self._errors.suggestions,
        )
        if failures:
            return self._errors.of_request(failures)
        operations = {
            node.name.value if node.name else None: node.operation
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        if not operations:
            return [self._errors.of_exception(BadInput("The document has no operation."))]
        costs = DocumentCosts(self._weights, document)
        return Prepared(key, text, document, MappingProxyType(operations), costs)

    def _keep(self, prepared: Prepared) -> None:
        self._kept[prepared.id] = prepared
        self._kept_characters += len(prepared.text)
        while (
            len(self._kept) > self._limits.cached_documents
            or self._kept_characters > self._limits.cached_document_characters
        ):
            _, oldest = self._kept.popitem(last=False)
            self._kept_characters -= len(oldest.text)
