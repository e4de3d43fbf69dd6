"""The conventions that a schema keeps, and what departs from them."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from graphql import GraphQLSchema

from gateway.evolution.rules import mutations, names, relay, unused, values, words
from gateway.evolution.rules.walk import Rule

RULES: Final[Mapping[str, Rule]] = {
    "type-names": names.type_names,
    "field-names": names.field_names,
    "enum-values": names.enum_values,
    "descriptions": words.descriptions,
    "sentences": words.sentences,
    "deprecations": words.deprecations,
    "times": values.times,
    "lengths": values.lengths,
    "ids": values.ids,
    "addresses": values.addresses,
    "list-items": values.list_items,
    "lists": values.lists,
    "connections": relay.connections,
    "paging": relay.paging,
    "entities": relay.entities,
    "mutation-inputs": mutations.inputs,
    "mutation-payloads": mutations.payloads,
    "unused-types": unused.unused_types,
}

Exceptions = Mapping[tuple[str, str], str]
"""By rule and coordinate, why the rule does not hold there."""


class Breach(NamedTuple):
    rule: str
    coordinate: str
    message: str

    def __str__(self) -> str:
        return f"{self.coordinate}: {self.message} [{self.rule}]"


def breaches(schema: GraphQLSchema, exceptions: Exceptions) -> list[Breach]:
    """What departs from the rules without a reason, and exceptions that nothing needs any more."""
    found = [
        Breach(name, departure.coordinate, departure.message)
        for name, rule in RULES.items()
        for departure in rule(schema)
    ]
    excused = {place for place, reason in exceptions.items() if reason.strip()}
    unexcused = [breach for breach in found if (breach.rule, breach.coordinate) not in excused]
    return [*unexcused, *_idle(exceptions, {(breach.rule, breach.coordinate) for breach in found})]


def _idle(exceptions: Exceptions, departed: set[tuple[str, str]]) -> Iterator[Breach]:
    for rule, coordinate in exceptions:
        if (rule, coordinate) not in departed:
            yield Breach(rule, coordinate, "it keeps the rule: remove its exception")
