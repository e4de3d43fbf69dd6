"""Faults to seed into the engine: each takes one rule away, or bends it."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import graphql.execution.collect_fields as collecting
from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    Undefined,
    located_error,
)
from graphql.execution.executor import CollectedErrors

from gateway.engine.plan import (
    arguments,
    calls,
    emit_leaves,
    failures,
    inputs,
    leaves,
    plan,
    run,
    selections,
    variables,
)
from gateway.engine.plan.positions import Raised
from tests.gateway.engine.plan.seeding import (
    CALM,
    ERRORS,
    FAULTS,
    LEAVES,
    NULLS,
    WAITING,
    Patch,
    around,
    fault,
)

__all__ = ["FAULTS"]


def guard(name: str, type_: Any, test: str) -> None:
    """A leaf type of which something else is written as it is, where it stands alone."""

    def bent(original: Any, asked: Any, variable: str) -> Any:
        return test.format(variable) if asked is type_ else original(asked, variable)

    fault(name, LEAVES)(lambda patch: around(patch, leaves, "guard", bent))


def bounds(name: str, type_: Any, test: str) -> None:
    """A leaf type of which more values are written as they are."""
    fault(name, LEAVES)(lambda patch: patch.setitem(leaves.BOUNDS, type_, test))


# -- leaves

guard("whatever comes is a string", GraphQLString, "True")
guard("whatever comes is an id", GraphQLID, "True")
bounds("an int may be larger than 32 bits", GraphQLInt, "-2147483648 <= {0}")
bounds("an int may be smaller than 32 bits", GraphQLInt, "{0} <= 2147483647")
guard("a truth is an int", GraphQLInt, "isinstance({0}, int) and -2147483648 <= {0} <= 2147483647")
bounds("NaN and infinity are floats", GraphQLFloat, "{0} is not None")
guard(
    "an int is written as a float as it is", GraphQLFloat, "{0}.__class__ in (int, float) and {0} - {0} == 0"
)
guard("0 and 1 are truths as they are", GraphQLBoolean, "{0} in (True, False)")


@fault("leaves of any classes are written as they are where they stand together", LEAVES)
def _together(patch: Patch) -> None:
    def together(original: Any, calling: Any, group: Any, values: Any, *rest: Any) -> Any:
        group.classes.add(tuple(value.__class__ for value in values))
        return original(calling, group, values, *rest)

    around(patch, calls.Calls, "together", together)


@fault("null is a leaf like any other where several stand together", LEAVES)
def _null_together(patch: Patch) -> None:
    def together(_original: Any, calling: Any, group: Any, values: Any, *rest: Any) -> Any:
        return [
            value if value is None else calling.leaf(position, 0, value, *rest)
            for position, value in zip(group.positions, values, strict=True)
        ]

    around(patch, calls.Calls, "together", together)


@fault("a batch function is asked for its neighbour's sources", WAITING)
def _neighbours(patch: Patch) -> None:
    def start(original: Any, going: Any, position: Any, there: Any) -> Any:
        return original(going, position, [(there[0][0], *entry[1:]) for entry in there])

    around(patch, run.Run, "_start_at", start)


@fault("an enum is written as its value", LEAVES)
def _enum(patch: Patch) -> None:
    def written(original: Any, type_: Any) -> Any:
        found = original(type_)
        if found is not None:
            found.names.update({member.name: str(member.value) for member in found.members})
        return found

    around(patch, leaves, "enum_names", written)


@fault("what a scalar refuses is null", LEAVES)
def _refused(patch: Patch) -> None:
    def fail(_original: Any, *_args: Any) -> None:
        return None

    around(patch, calls.Calls, "_fail", fail)


# -- null


@fault("items that must not be null may be", NULLS)
def _items(patch: Patch) -> None:
    around(
        patch,
        emit_leaves.LeafEmitter,
        "_is_non_null",
        lambda original, _writer, place, depth: depth == 0 and original(place, depth),
    )


@fault("fields that must not be null may be", NULLS)
def _fields(patch: Patch) -> None:
    around(
        patch,
        emit_leaves.LeafEmitter,
        "_is_non_null",
        lambda original, _writer, place, depth: depth > 0 and original(place, depth),
    )


def _moved(patch: Patch, move: Callable[[Any, Any], Any]) -> None:
    """Null goes to another position than it should, given that and the path of the error."""

    def record(original: Any, self: Any, error: Exception, position: Any, depth: int, path: Any) -> None:
        count = len(self._nulls)
        original(self, error, position, depth, path)
        if len(self._nulls) > count:
            self._nulls[-1] = move(self._nulls[-1], path)

    around(patch, failures.Failures, "record", record)


@fault("null stops one level too low", NULLS)
def _low(patch: Patch) -> None:
    def lower(null: Any, path: Any) -> Any:
        while path.prev is not null:
            path = path.prev
        return path

    _moved(patch, lower)


@fault("null goes one level too high", NULLS)
def _high(patch: Patch) -> None:
    _moved(patch, lambda null, _path: null and null.prev)


@fault("a null in a list is not found in the list's own null", NULLS)
def _lists(patch: Patch) -> None:
    around(
        patch, failures, "_is_non_null", lambda original, place, depth: depth == 0 and original(place, depth)
    )


@fault("Undefined is a value", NULLS)
def _undefined(patch: Patch) -> None:
    patch.setattr(calls, "Undefined", object())


# -- errors


def _told(
    patch: Patch, change: Callable[[Sequence[Any], list[Any]], tuple[Sequence[Any], list[Any]]]
) -> None:
    """Errors are told with other nodes and another path."""

    def located(error: Exception, nodes: Sequence[Any], path: list[Any]) -> Any:
        return located_error(error, *change(nodes, path))

    patch.setattr(failures, "located_error", located)


@fault("a path has no indices", ERRORS)
def _indices(patch: Patch) -> None:
    _told(patch, lambda nodes, path: (nodes, [key for key in path if not isinstance(key, int)]))


@fault("indices in a path begin at 1", ERRORS)
def _from_one(patch: Patch) -> None:
    _told(patch, lambda nodes, path: (nodes, [key + 1 if isinstance(key, int) else key for key in path]))


@fault("a path ends with the field's name, not with its alias", ERRORS)
def _alias(patch: Patch) -> None:
    def named(nodes: Sequence[Any], path: list[Any]) -> tuple[Sequence[Any], list[Any]]:
        end = len(path) - next(n for n, key in enumerate(reversed(path)) if isinstance(key, str))
        return nodes, [*path[: end - 1], nodes[0].name.value, *path[end:]]

    _told(patch, named)


@fault("only the first of merged selections is located", ERRORS)
def _first(patch: Patch) -> None:
    _told(patch, lambda nodes, path: (nodes[:1], path))


@fault("an error is told twice", ERRORS)
def _twice(patch: Patch) -> None:
    def record(original: Any, self: Any, *args: Any) -> None:
        original(self, *args)
        self.collected._errors.append(self.collected._errors[-1])

    around(patch, failures.Failures, "record", record)


@fault("what is lost with a position is told of as well", ERRORS)
def _lost(patch: Patch) -> None:
    patch.setattr(CollectedErrors, "has_nulled_position", lambda _self, _path: False)


@fault("one attribute that fails takes those beside it along", ERRORS)
def _beside(patch: Patch) -> None:
    def read(original: Any, self: Any, source: Any, names: Sequence[str]) -> list[Any]:
        found = original(self, source, names)
        failed = [value for value in found if isinstance(value, Raised)]
        return failed[:1] * len(names)

    around(patch, calls.Calls, "read", read)


@fault("an exception that is answered is a value", ERRORS)
def _answered(patch: Patch) -> None:
    patch.setattr(
        calls, "_is_ordinary", lambda v: v is not None and v is not Undefined and not isinstance(v, Raised)
    )


# -- selections


@fault("conditions of fragments are not looked at", CALM)
def _conditions(patch: Patch) -> None:
    patch.setattr(collecting, "does_fragment_condition_match", lambda *_args: True)


@fault("@include and @skip are not looked at", CALM)
def _included(patch: Patch) -> None:
    patch.setattr(collecting, "should_include_node", lambda *_args: True)


@fault("@include and @skip are decided once for all requests", CALM)
def _decided(patch: Patch) -> None:
    patch.setattr(
        plan.PlannedOperation, "key", lambda _self, _variables, *, serial, wrapped: (serial, wrapped)
    )


@fault("selections are answered in another order", CALM)
def _order(patch: Patch) -> None:
    def collect(original: Any, self: Any, *args: Any) -> Any:
        return dict(reversed(original(self, *args).items()))

    around(patch, selections.Selections, "_collect", collect)


@fault("only the first of merged selections is collected", CALM)
def _merged(patch: Patch) -> None:
    around(
        patch,
        selections.Selections,
        "_collect",
        lambda original, self, type_, details: original(self, type_, details[:1]),
    )


@fault("types that share a text share a name", CALM)
def _named(patch: Patch) -> None:
    def group(original: Any, self: Any, position: Any, value: Any, *args: Any) -> Any:
        found = original(self, position, value, *args)
        if value.__class__ in position.names:
            position.names[value.__class__] = next(iter(position.groups))
        return found

    around(patch, calls.Calls, "_group", group)


@fault("an object of another type is one of the type that is wanted", CALM)
def _type(patch: Patch) -> None:
    around(patch, calls.Calls, "_group", lambda original, *args: original(*args) or 0)


# -- arguments


def _passing(patch: Patch, **changes: Any) -> None:
    """Variables are passed on in another way."""

    def pass_on(original: Any, *args: Any) -> Any:
        found = original(*args)
        return found and found._replace(**changes)

    around(patch, arguments.ArgumentsOf, "_pass_on", pass_on)


@fault("a variable without a value is null", CALM)
def _absent(patch: Patch) -> None:
    _passing(patch, default=None)


@fault("null is passed where none may be", CALM)
def _null(patch: Patch) -> None:
    _passing(patch, may_be_null=True)


@fault("an explicit null is left out", CALM)
def _omitted(patch: Patch) -> None:
    def make(original: Any, self: Any, given: Any) -> Any:
        coerced = {name: value for name, value in given.coerced.items() if value is not None}
        return original(self, SimpleNamespace(coerced=coerced, sources=given.sources))

    around(patch, arguments.ArgumentsOf, "make", make)


@fault("arguments are those of the first request", CALM)
def _kept(patch: Patch) -> None:
    patch.setattr(arguments, "variables_in", lambda _node: frozenset())


@fault("an input object is made once for all requests", CALM)
def _template(patch: Patch) -> None:
    kept: dict[int, Any] = {}

    def make(original: Any, self: Any, coerced: Any) -> Any:
        return kept.setdefault(id(self), original(self, coerced))

    around(patch, inputs.Template, "make", make)


@fault("null is passed on in an input object that may not have it", CALM)
def _within(patch: Patch) -> None:
    def make(original: Any, self: Any, coerced: Any) -> Any:
        return original(self, {name: coerced.get(name, 0) or 0 for _, name in self.passed})

    around(patch, inputs.Template, "make", make)


@fault("a launcher takes variables as they come", CALM)
def _variables(patch: Patch) -> None:
    patch.setattr(variables, "_fits", lambda _value, _type: True)


@fault("a launcher leaves out variables that are null", CALM)
def _nulls(patch: Patch) -> None:
    def read(original: Any, self: Any, given: Any) -> Any:
        return original(self, {name: value for name, value in (given or {}).items() if value is not None})

    around(patch, variables.Variables, "read", read)
