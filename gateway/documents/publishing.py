"""What a document must be to be published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.documents.manifests import ClientDocument, id_problem
from gateway.documents.postgres import PostgresDocuments
from gateway.engine.documents import DocumentStore, Rejected


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason not to publish, and where it is."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did."""

    new: int
    known: int


async def publish(
    documents: Sequence[ClientDocument],
    client: str | None,
    store: PostgresDocuments,
    checked_by: DocumentStore,
) -> Published | list[Problem]:
    """Publishes all of the documents, or none: then every problem of every one is told."""
    different = {document.id: document for document in documents}
    held = await store.hashes(list(different))
    problems = [
        *_problems(documents, checked_by),
        *(
            Problem(document.place, f"the id {document.id} is published with another text already")
            for document in different.values()
            if held.get(document.id, document.hash) != document.hash
        ),
    ]
    if problems:
        return problems
    new = await store.publish(list(different.values()), client)
    return Published(new, len(different) - new)


def _problems(documents: Sequence[ClientDocument], checked_by: DocumentStore) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for document in documents:
        reason = id_problem(document)
        if reason is not None:
            yield Problem(document.place, reason)
        if seen.setdefault(document.id, document.text) != document.text:
            yield Problem(document.place, f"the id {document.id} stands for two texts here")
        try:
            checked_by.prepare(document.text)
        except Rejected as rejected:
            for error in rejected.errors:
                yield Problem(_place(document, error.get("locations")), error["message"])


def _place(document: ClientDocument, locations: list[dict[str, int]] | None) -> str:
    name = f" ({document.operation_name})" if document.operation_name else ""
    where = f", line {locations[0]['line']}, column {locations[0]['column']}" if locations else ""
    return f"{document.place}{name}{where}"
