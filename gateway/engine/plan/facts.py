"""What is found out once about the fields of a schema, for all its plans."""

from collections.abc import Sequence
from typing import Final

from graphql import GraphQLField, GraphQLSchema

from gateway.engine.plan.cache_policy import ALWAYS, Policy, overall, policy_of
from gateway.engine.plan.fields import Way, way_of
from gateway.engine.plan.positions import Position

_ATTRIBUTE: Final = "_media_gateway_facts"


class Facts:
    """Kept with their schema, which keeps the fields, so that their ids stay theirs."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._ways: dict[int, Way] = {}
        self._policies: dict[tuple[int, bool], Policy] = {}
        self._types: dict[int, str] = {}

    @staticmethod
    def of(schema: GraphQLSchema) -> "Facts":
        found = getattr(schema, _ATTRIBUTE, None)
        if not isinstance(found, Facts):
            found = Facts(schema)
            setattr(schema, _ATTRIBUTE, found)
        return found

    def way(self, field: GraphQLField) -> Way:
        way = self._ways.get(id(field))
        if way is None:
            way = self._ways[id(field)] = way_of(field, self._schema)
        return way

    def policy(self, field: GraphQLField, *, is_root: bool) -> Policy:
        key = id(field), is_root
        policy = self._policies.get(key)
        if policy is None:
            policy = self._policies[key] = policy_of(field, is_root=is_root)
        return policy

    def policies(self, positions: Sequence[Position]) -> dict[str, Policy]:
        """Of each field of the root, by response key, with all that is below it.

        The root's own `__typename` is left out: to keep it costs more than to answer it.
        """
        found: dict[str, Policy] = {}
        for position in positions:
            root = position.root
            if root.name != "__typename":
                found[root.key] = found.get(root.key, ALWAYS).and_(self._policy_at(position))
        return found

    def _policy_at(self, position: Position) -> Policy:
        is_root = position.parent is None
        if len(position.parent_types) == 1:
            return self.policy(position.definition, is_root=is_root)
        fields = (type_.fields.get(position.name, position.definition) for type_ in position.parent_types)
        return overall(self.policy(field, is_root=is_root) for field in fields)

    def type(self, field: GraphQLField) -> str:
        """Its type as the schema's language writes it."""
        text = self._types.get(id(field))
        if text is None:
            text = self._types[id(field)] = str(field.type)
        return text
