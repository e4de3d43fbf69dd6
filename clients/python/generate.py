"""Writes `media_gateway_client/operations.py` from `operations.graphql`: a method for each operation, and the
types of what it takes and answers. `python clients/python/generate.py` prints it; `make client` keeps it.

Answers are what the server sent, as they are: typed dictionaries cost nothing when they are read. Generators
at hand ask for another graphql-core than the server does.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    print_ast,
    type_from_ast,
    validate,
)

HERE: Final = Path(__file__).parent
SCALARS: Final = {"Int": "int", "Float": "float", "Boolean": "bool", "JSON": "Any"}
"""Others are texts."""
HEAD: Final = '''"""Operations of the graph, typed. Written by `make client`; do not edit."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, cast
'''
CLASS: Final = '''

class Operations(ABC):
    """A method for each operation; what is `None` is left to the server's default."""

    @abstractmethod
    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data of one operation."""

    @abstractmethod
    def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        """The data of each event of a subscription."""
'''
TAIL: Final = """

def _given(**variables: Any) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if value is not None}
"""


@dataclass
class Writer:
    """Collects the text of one module."""

    schema: GraphQLSchema
    document: DocumentNode
    types: dict[str, str] = field(default_factory=dict)
    """Definitions by name, what they need before them."""

    def module(self) -> str:
        operations = [d for d in self.document.definitions if isinstance(d, OperationDefinitionNode)]
        texts = [f'{_constant(_name(node))} = """{self._text_of(node)}"""' for node in operations]
        methods = [self._method(node) for node in operations]
        return "\n".join([HEAD, "\n\n".join(texts), "", *self.types.values(), CLASS, *methods, TAIL])

    # -- operations

    def _method(self, node: OperationDefinitionNode) -> str:
        name, root = _name(node), self.schema.get_root_type(node.operation)
        if root is None:
            raise ValueError(f"The graph has no root for {name}.")
        answer = self._object(f"{name}Data", root, [node.selection_set])
        parameters, passed = ["self"], []
        variables = sorted(node.variable_definitions or (), key=lambda one: not _is_required(one))
        if variables:
            parameters.append("*")
        for variable in variables:
            word, type_ = variable.variable.name.value, type_from_ast(self.schema, variable.type)
            parameters.append(f"{word}: {self._input(type_)}" + ("" if _is_required(variable) else " = None"))
            passed.append(f"{word}={word}")
        call = f"{_constant(name)}, **_given({', '.join(passed)})" if passed else _constant(name)
        header = f"def {_snake(name)}({', '.join(parameters)})"
        if node.operation is OperationType.SUBSCRIPTION:
            lines = [
                f"async {header} -> AsyncGenerator[{answer}, None]:",
                f"    async with aclosing(self.stream({call})) as events:",
                "        async for data in events:",
                f'            yield cast("{answer}", data)',
            ]
        else:
            lines = [
                f"async {header} -> {answer}:",
                f'    return cast("{answer}", await self.execute({call}))',
            ]
        return "\n".join(f"    {line}" for line in lines) + "\n"

    def _text_of(self, node: OperationDefinitionNode) -> str:
        """The operation with the fragments that it needs."""
        needed: dict[str, FragmentDefinitionNode] = {}
        ahead: list[Any] = [node]
        while ahead:
            for spread in _spreads(ahead.pop()):
                if spread not in needed:
                    needed[spread] = self._fragments[spread]
                    ahead.append(self._fragments[spread])
        return "\n".join(map(print_ast, (node, *needed.values())))

    @property
    def _fragments(self) -> Mapping[str, FragmentDefinitionNode]:
        return {d.name.value: d for d in self.document.definitions if isinstance(d, FragmentDefinitionNode)}

    # -- what is answered

    def _output(self, name: str, type_: Any, nodes: Sequence[FieldNode]) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._non_null(name, type_.of_type, nodes)
        return f"{self._non_null(name, type_, nodes)} | None"

    def _non_null(self, name: str, type_: Any, nodes: Sequence[FieldNode]) -> str:
        if isinstance(type_, GraphQLList):
            return f"list[{self._output(name, type_.of_type, nodes)}]"
        if is_leaf_type(type_):
            return self._leaf(type_)
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        name = _fragment_in(sets) or name
        if not is_abstract_type(type_):
            return self._object(name, type_, sets)
        return self._abstract(name, type_, sets)

    def _abstract(self, name: str, type_: Any, sets: Sequence[SelectionSetNode]) -> str:
        """A type for each set of fields that some of the possible types have."""
        alike: dict[tuple[str, ...], list[GraphQLObjectType]] = {}
        for possible in self.schema.get_possible_types(type_):
            alike.setdefault(tuple(self._fields(possible, sets)), []).append(possible)
        if len(alike) == 1:
            (types,) = alike.values()
            return self._object(name, types[0], sets, types)
        names = []
        for number, types in enumerate(alike.values()):
            own = types[0].name if len(types) == 1 else f"Other{number or ''}"
            names.append(self._object(f"{name}{own}", types[0], sets, types))
        self.types[name] = f"{name}: TypeAlias = {' | '.join(names)}"
        return name

    def _object(
        self,
        name: str,
        type_: GraphQLObjectType,
        sets: Sequence[SelectionSetNode],
        types: Sequence[GraphQLObjectType] = (),
    ) -> str:
        """`types` are those it stands for, where there are several."""
        members = {}
        for key, nodes in self._fields(type_, sets).items():
            word = nodes[0].name.value
            if word == "__typename":
                members[key] = f"Literal[{', '.join(repr(one.name) for one in types or [type_])}]"
                continue
            below = f"{name.removesuffix('Data')}{_capital(key)}"
            found = self._output(below, type_.fields[word].type, nodes)
            members[key] = f"NotRequired[{found}]" if any(node.directives for node in nodes) else found
        self.types[name] = _typed_dict(name, members)
        return name

    def _fields(
        self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        """By response key, what is asked of an object of this type."""
        found: dict[str, list[FieldNode]] = {}
        for selection in (one for selected in sets for one in selected.selections):
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                found.setdefault(key, []).append(selection)
                continue
            fragment: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
            condition = fragment.type_condition
            if condition is None or self._is(type_, condition.name.value):
                for key, nodes in self._fields(type_, [fragment.selection_set]).items():
                    found.setdefault(key, []).extend(nodes)
        return found

    def _is(self, type_: GraphQLObjectType, name: str) -> bool:
        other: Any = self.schema.type_map[name]
        return type_ is other or (is_abstract_type(other) and self.schema.is_sub_type(other, type_))

    # -- what is given

    def _input(self, type_: Any) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._given(type_.of_type)
        given = self._given(type_)
        return f'"{given[1:-1]} | None"' if given.startswith('"') else f"{given} | None"

    def _given(self, type_: Any) -> str:
        if isinstance(type_, GraphQLList):
            return f"list[{self._input(type_.of_type)}]"
        if not isinstance(type_, GraphQLInputObjectType):
            return self._leaf(type_)
        if self.types.get(type_.name) == "":
            return f'"{type_.name}"'
        if type_.name not in self.types:
            self.types[type_.name] = ""  # until it is known; it may contain itself
            members = {}
            for name, one in type_.fields.items():
                required = isinstance(one.type, GraphQLNonNull) and one.default is None
                found = self._input(one.type)
                members[name] = found if required else f"NotRequired[{found}]"
            del self.types[type_.name]
            self.types[type_.name] = _typed_dict(type_.name, members)
        return type_.name

    def _leaf(self, type_: Any) -> str:
        if isinstance(type_, GraphQLEnumType):
            values = ", ".join(map(repr, type_.values))
            self.types.setdefault(type_.name, f"{type_.name}: TypeAlias = Literal[{values}]")
            return type_.name
        return SCALARS.get(get_named_type(type_).name, "str")


def written(schema: str, operations: str) -> str:
    """The module; ValueError where an operation asks for what the graph has not."""
    graph, document = build_schema(schema, assume_valid=True), parse(operations)
    if errors := validate(graph, document):
        raise ValueError("\n\n".join(map(str, errors)))
    return Writer(graph, document).module()


def _typed_dict(name: str, members: Mapping[str, str]) -> str:
    # Called, as a name like `__typename` would be changed in the body of a class.
    inside = "".join(f"        {key!r}: {type_},\n" for key, type_ in members.items())
    return f"{name} = TypedDict(\n    {name!r},\n    {{\n{inside}    }},\n)"


def _spreads(node: Any) -> Iterator[str]:
    for selection in node.selection_set.selections:
        if isinstance(selection, FragmentSpreadNode):
            yield selection.name.value
        elif selection.selection_set is not None:
            yield from _spreads(selection)


def _fragment_in(sets: Sequence[SelectionSetNode]) -> str | None:
    """The name of the fragment that is all there is, whose type is the same wherever it stands."""
    selections = [selection for selected in sets for selection in selected.selections]
    if len(selections) == 1 and isinstance(selections[0], FragmentSpreadNode):
        return selections[0].name.value
    return None


def _is_required(variable: Any) -> bool:
    return variable.type.kind == "non_null_type" and variable.default_value is None


def _name(node: OperationDefinitionNode) -> str:
    if node.name is None:
        raise ValueError("Every operation needs a name, which its method is called by.")
    return node.name.value


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _constant(name: str) -> str:
    return _snake(name).upper()


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


if __name__ == "__main__":
    root = HERE.parents[1]
    schema, operations = (root / "schema.graphql").read_text(), (HERE / "operations.graphql").read_text()
    sys.stdout.write(written(schema, operations))
