from pathlib import Path

import orjson
import pytest

from gateway.documents.manifests import ClientDocument, ManifestError, id_problem, read_documents
from gateway.engine.documents import document_hash

CALLER = "query Caller { caller }"


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else orjson.dumps(content))
    return path


def apollo(*operations: object, version: int = 1) -> dict[str, object]:
    return {
        "format": "apollo-persisted-query-manifest",
        "version": version,
        "operations": list(operations),
    }


def test_apollos_manifest_names_its_operations(tmp_path: Path) -> None:
    operation = {"id": "abc", "name": "Caller", "type": "query", "body": CALLER}
    path = written(tmp_path, "persisted-query-manifest.json", apollo(operation))

    assert read_documents(path) == [ClientDocument("abc", CALLER, "Caller", f"{path}, operation 1")]


def test_relays_file_maps_ids_to_texts(tmp_path: Path) -> None:
    path = written(tmp_path, "persisted_queries.json", {"0f1e": CALLER, "2d3c": "{ doubled }"})

    assert read_documents(path) == [
        ClientDocument("0f1e", CALLER, "Caller", f"{path}, 0f1e"),
        ClientDocument("2d3c", "{ doubled }", None, f"{path}, 2d3c"),
    ]


@pytest.mark.parametrize("name", ["caller.graphql", "caller.gql"])
def test_a_plain_document_is_known_by_the_hash_of_the_file(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, f"{CALLER}\n")

    assert read_documents(path) == [
        ClientDocument(document_hash(f"{CALLER}\n"), f"{CALLER}\n", "Caller", str(path))
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{ caller }", "neither .graphql nor JSON"),
        ("[]", "a manifest is a JSON object"),
        (apollo(version=2), "only version 1"),
        ({"format": "apollo-persisted-query-manifest", "version": 1}, 'no list "operations"'),
        (apollo("x"), "operation 1: an operation is a JSON object"),
        (apollo({"id": "a", "body": CALLER}, {"id": "b"}), 'operation 2: "id" and "body" are texts'),
        ({"a": CALLER, "b": 1}, "b has no text"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_with_the_reason(
    tmp_path: Path, content: object, said: str
) -> None:
    path = written(tmp_path, "manifest.json", content)

    with pytest.raises(ManifestError, match=said) as refused:
        read_documents(path)

    assert str(path) in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.graphql"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ManifestError, match="no text in UTF-8"):
        read_documents(path)


@pytest.mark.parametrize(
    "document_id",
    ["a", "Movie-1.0_x~", document_hash(CALLER), f"sha256:{document_hash(CALLER)}", "x-build:17", "0" * 32],
)
def test_ids_of_the_specification_are_allowed(document_id: str) -> None:
    assert id_problem(ClientDocument(document_id, CALLER, None, "")) is None


@pytest.mark.parametrize(
    "document_id",
    ["", "a b", "md5:1", "a" * 129, "a/b", "é", "0" * 64, f"sha256:{'0' * 64}", "x-:1", "a\n"],
)
def test_other_ids_are_refused(document_id: str) -> None:
    assert id_problem(ClientDocument(document_id, CALLER, None, "")) is not None
