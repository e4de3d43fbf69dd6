"""What follows from the use of an element: who calls a field meets its type, its arguments, their types."""

from collections.abc import Iterable, Iterator
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    get_named_type,
    type_from_ast,
    visit,
)
from graphql.utilities import resolve_schema_coordinate


class Reach:
    """Gathers the coordinates of one schema that are met."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self.found: set[str] = set()

    def add_document(self, document: DocumentNode) -> None:
        """What a document names; of a variable, all that its type can hold."""
        types = TypeInfo(self.schema)
        visit(document, TypeInfoVisitor(types, _Names(self, types)))

    def add_coordinates(self, coordinates: Iterable[str]) -> None:
        """What was counted, as far as the schema has it.

        Where no argument was counted, fields are taken to be used with all of theirs; where no input field
        and no enum value was, arguments are taken to be used with all that their types can hold.
        """
        kinds = {name: kind for name in coordinates if (kind := self._kind(name)) is not None}
        whole = not {"InputField", "EnumValue"} & set(kinds.values())
        for name, kind in kinds.items():
            owner, _, member = name.partition(".")
            field, _, argument = member.partition("(")
            parent = self.schema.type_map.get(owner)
            self.found |= {name, *([owner] if parent else [])}
            if kind == "Field":
                self.add_field(parent, field)
                if "FieldArgument" not in kinds.values():
                    self.add_arguments(parent, field, _fields(parent)[field].args, whole=whole)
            if kind == "FieldArgument":
                self.add_arguments(parent, field, [argument.removesuffix(":)")], whole=whole)

    def add_field(self, parent: GraphQLNamedType | None, name: str) -> None:
        """A field, with what it answers; of an interface, also that of the types behind it."""
        if parent is None or name not in _fields(parent):
            return
        answer = get_named_type(_fields(parent)[name].type)
        self.found |= {parent.name, *(f"{owner}.{name}" for owner in self._owners(parent))}
        self.add_type(answer, whole=isinstance(answer, GraphQLEnumType))

    def add_arguments(
        self, parent: GraphQLNamedType | None, field: str, names: Iterable[str], *, whole: bool
    ) -> None:
        """Arguments of a field; `whole` with all that their types can hold."""
        known = _fields(parent)[field].args if parent is not None and field in _fields(parent) else {}
        for name in known.keys() & set(names):
            self.found |= {f"{owner}.{field}({name}:)" for owner in self._owners(parent)}
            self.add_type(get_named_type(known[name].type), whole=whole)

    def add_type(self, type_: GraphQLNamedType, *, whole: bool) -> None:
        self.found.add(type_.name)
        if whole and isinstance(type_, GraphQLEnumType):
            self.found |= {f"{type_.name}.{value}" for value in type_.values}
        if whole and isinstance(type_, GraphQLInputObjectType):
            for name, field in type_.fields.items():
                # Input types may hold one another in a circle.
                if (coordinate := f"{type_.name}.{name}") not in self.found:
                    self.found.add(coordinate)
                    self.add_type(get_named_type(field.type), whole=True)

    def _owners(self, parent: GraphQLNamedType | None) -> Iterator[str]:
        if parent is not None:
            yield parent.name
        if isinstance(parent, GraphQLInterfaceType):
            implementations = self.schema.get_implementations(parent)
            yield from (type_.name for type_ in (*implementations.objects, *implementations.interfaces))

    def _kind(self, coordinate: str) -> str | None:
        try:
            element = resolve_schema_coordinate(self.schema, coordinate)
        except TypeError:  # its type is not there
            return None
        return None if element is None else element.kind


class _Names(Visitor):
    """Tells `reach` what the nodes of a document name."""

    def __init__(self, reach: Reach, types: TypeInfo) -> None:
        super().__init__()
        self._reach = reach
        self._types = types

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, name = self._types.get_parent_type(), node.name.value
        self._reach.add_field(parent, name)
        self._reach.add_arguments(
            parent, name, (given.name.value for given in node.arguments or ()), whole=False
        )

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        name = f"@{node.name.value}"
        self._reach.found |= {name, *(f"{name}({given.name.value}:)" for given in node.arguments or ())}

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        type_ = type_from_ast(self._reach.schema, node.type)
        if type_ is not None:
            self._reach.add_type(get_named_type(type_), whole=True)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        parent = get_named_type(self._types.get_parent_input_type())
        if parent is not None:
            self._reach.found |= {parent.name, f"{parent.name}.{node.name.value}"}

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        type_ = get_named_type(self._types.get_input_type())
        if type_ is not None:
            self._reach.found |= {type_.name, f"{type_.name}.{node.value}"}

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        if node.type_condition is not None:
            self._reach.found.add(node.type_condition.name.value)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self._reach.found.add(node.type_condition.name.value)


def _fields(type_: GraphQLNamedType | None) -> Any:
    return getattr(type_, "fields", {})
