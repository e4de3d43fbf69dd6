"""Variables of the built-in scalars, read without graphql-core's detours."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    VariableDefinitionNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

MAX_ERRORS: Final = 50
_CLASSES: Final[dict[Any, type]] = {
    GraphQLString: str,
    GraphQLID: str,
    GraphQLInt: int,
    GraphQLFloat: float,
    GraphQLBoolean: bool,
}
_NONE: Final = VariableValues({}, {})


class Variables:
    """The variable definitions of one operation."""

    def __init__(self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]) -> None:
        self._schema = schema
        self._definitions = definitions
        signatures = [get_variable_signature(schema, definition) for definition in definitions]
        self._plain = [s for s in signatures if isinstance(s, GraphQLVariableSignature) and _is_plain(s)]
        names = {signature.name for signature in self._plain}
        self._others = [d for d in definitions if d.variable.name.value not in names]

    def read(self, given: Mapping[str, Any] | None) -> VariableValues | list[GraphQLError]:
        """The coerced values, or what is wrong with those given."""
        if not self._definitions:
            return _NONE
        inputs = dict(given) if given else {}
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in self._plain:
            value = inputs.get(signature.name, Undefined)
            if _fits(value, signature.type):
                sources[signature.name] = VariableValueSource(signature, value)
                if value is not Undefined:
                    coerced[signature.name] = value
            else:
                return self._interpreted(self._definitions, inputs)
        if self._others:
            others = self._interpreted(self._others, inputs)
            if isinstance(others, list):
                # The errors of all variables belong together.
                return self._interpreted(self._definitions, inputs)
            sources |= others.sources
            coerced |= others.coerced
        return VariableValues(sources, coerced)

    def _interpreted(
        self, definitions: Sequence[VariableDefinitionNode], inputs: dict[str, Any]
    ) -> VariableValues | list[GraphQLError]:
        return get_variable_values(self._schema, definitions, inputs, max_errors=MAX_ERRORS)


def _is_plain(signature: GraphQLVariableSignature) -> bool:
    type_ = signature.type
    named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    return signature.default is None and named in _CLASSES


def _fits(value: Any, type_: Any) -> bool:
    """Whether a value is coerced to itself."""
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    elif value is None or value is Undefined:
        return True
    if type(value) is not _CLASSES[type_]:
        return False
    if isinstance(value, float):
        return isfinite(value)
    return not isinstance(value, int) or GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT
