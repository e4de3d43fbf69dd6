"""What the Python client asks, held against the schema as it is printed."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from graphql import build_schema, parse

from media_gateway_client import operations

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "python"
SCHEMA = (ROOT / "schema.graphql").read_text("utf-8")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", CLIENT / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


def test_the_typed_operations_are_those_of_the_schema(generate: ModuleType) -> None:
    written = generate.written(SCHEMA, (CLIENT / "operations.graphql").read_text("utf-8"))
    kept = Path(operations.__file__)
    told = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", kept, "-"],
        input=written, capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip

    assert told.stdout == kept.read_text("utf-8"), "run `make client`"


def test_an_operation_that_asks_for_what_is_not_there_is_refused(generate: ModuleType) -> None:
    with pytest.raises(ValueError, match="Cannot query field 'plot'"):
        generate.written(SCHEMA, "query A { contents { nodes { plot } } }")
    with pytest.raises(ValueError, match="needs a name"):
        generate.written(SCHEMA, "{ __typename }")


def test_types_are_as_exact_as_what_is_asked(generate: ModuleType) -> None:
    written = generate.written(
        """type Query { pets(kind: Kind = CAT, by: By!): [Pet]! } enum Kind { CAT DOG }
           input By { names: [String!]!, age: Int, also: By } union Pet = Cat | Dog
           type Cat { name: String! lives: Int! } type Dog { name: String! friend: Pet }""",
        """query Pets($by: By!, $kind: Kind, $more: Boolean!) { pets(by: $by, kind: $kind) {
             __typename
             ... on Cat { n: name lives @include(if: $more) }
             ... on Dog { name friend { __typename } } } }""",
    )
    module: dict[str, Any] = {"__name__": "written"}
    exec(compile(written, "written", "exec"), module)

    assert "async def pets(self, *, by: By, more: bool, kind: Kind | None = None) -> PetsData:" in written
    assert "Kind: TypeAlias = Literal['CAT', 'DOG']" in written
    assert "'lives': NotRequired[int]" in written
    assert "'friend': PetsPetsDogFriend | None" in written
    assert "'__typename': Literal['Cat', 'Dog']" in written
    assert "'also': NotRequired[\"By | None\"]" in written
    assert module["By"].__required_keys__ == {"names"}
    assert module["PetsPetsCat"].__required_keys__ == {"__typename", "n"}
    assert module["PetsData"].__annotations__.keys() == {"pets"}


def test_the_client_tells_every_kind_of_change_apart() -> None:
    """A change that the client had not heard of would be passed over in silence."""
    union: Any = build_schema(SCHEMA, assume_valid=True).type_map["Change"]
    operation: Any = parse(operations.FOLLOW_CHANGES).definitions[0]
    (changes,) = operation.selection_set.selections
    asked = {
        selection.type_condition.name.value
        for selection in changes.selection_set.selections
        if selection.kind == "inline_fragment"
    }

    assert asked == {type_.name for type_ in union.types}
