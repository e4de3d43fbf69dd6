"""The sizes of a parsed document, by walking it: what reading its text must find as well."""

from graphql import (
    ArgumentNode,
    DirectiveNode,
    ExecutableDefinitionNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectFieldNode,
    ObjectValueNode,
    SelectionSetNode,
    parse,
)

from gateway.engine.scan import Definition, Size, Spread

ROOTS = {"__schema", "__type"}


def walked(text: str) -> list[Definition]:
    return [_walk(node) for node in parse(text).definitions if isinstance(node, ExecutableDefinitionNode)]


def _walk(node: ExecutableDefinitionNode) -> Definition:
    found = Definition(node.name.value if isinstance(node, FragmentDefinitionNode) else None)
    size = found.own
    for variable in node.variable_definitions or ():
        _values(size, variable.default_value, *(variable.directives or ()))
    _directives(size, node.directives)
    _selections(found, node.selection_set, 0, set(), introspective=False)
    return found


def _selections(
    found: Definition, selected: SelectionSetNode, depth: int, names: set[str], *, introspective: bool
) -> None:
    size = found.own
    for node in selected.selections:
        _directives(size, node.directives)
        if isinstance(node, FieldNode):
            name = (node.alias or node.name).value
            size.repeated_fields += name in names
            names.add(name)
            _field(size, node, depth, introspective=introspective)
            if node.selection_set:
                enters = not introspective and node.name.value in ROOTS
                _selections(
                    found,
                    node.selection_set,
                    1 if enters else depth + 1,
                    set(),
                    introspective=introspective or enters,
                )
        elif isinstance(node, InlineFragmentNode):
            _selections(found, node.selection_set, depth, names, introspective=introspective)
        elif isinstance(node, FragmentSpreadNode):
            found.spreads.append(Spread(node.name.value, depth, introspective))


def _field(size: Size, node: FieldNode, depth: int, *, introspective: bool) -> None:
    size.fields += 1
    size.aliases += node.alias is not None
    size.root_fields += depth == 0
    if introspective:
        size.introspection_depth = max(size.introspection_depth, depth + 1)
    else:
        size.depth = max(size.depth, depth + 1)
    _values(size, *(node.arguments or ()))


def _directives(size: Size, directives: tuple[DirectiveNode, ...] | None) -> None:
    size.directives += len(directives or ())
    _values(size, *(directives or ()))


def _values(size: Size, *nodes: Node | None, depth: int = 0) -> None:
    for node in nodes:
        if isinstance(node, IntValueNode | FloatValueNode):
            size.number_characters = max(size.number_characters, len(node.value))
        elif isinstance(node, ListValueNode):
            size.list_items = max(size.list_items, len(node.values))
            size.literal_depth = max(size.literal_depth, depth + 1)
            _values(size, *node.values, depth=depth + 1)
        elif isinstance(node, ObjectValueNode):
            size.literal_depth = max(size.literal_depth, depth + 1)
            _values(size, *node.fields, depth=depth + 1)
        elif isinstance(node, DirectiveNode):
            _values(size, *(node.arguments or ()), depth=depth)
        elif isinstance(node, ArgumentNode | ObjectFieldNode):
            _values(size, node.value, depth=depth)
