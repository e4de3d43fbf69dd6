"""The vector index in Qdrant: a server by URL, or the client's local mode in a folder.

A collection per encoder, named after it; the alias `works` points at the one that is searched.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import numpy as np
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from domain.platform.vectors import (
    EVERYTHING,
    Among,
    Neighbour,
    Point,
    Traits,
    Vector,
    VectorsUnavailable,
)

ALIAS = "works"
PREFIX = f"{ALIAS}-"
PAGE = 1_000
SERVER_BATCH = 256
# Local mode writes each point in a transaction of its own; searches wait for one batch at most.
LOCAL_BATCH = 16
# Local mode asks a filter of each point in Python: 110 ms for 10,000 points, against 10 ms for the whole
# search without one. So it is asked for this many times more, and what comes back is filtered.
WIDENING = 5
NARROWEST = 200

Call: TypeAlias = Callable[..., Awaitable[Any]]
"""Calls a method of the client by its name, with keyword arguments."""


class QdrantIndex:
    """Fills `VectorIndex`. Vectors have unit length, so the dot product is the cosine, and is faster."""

    def __init__(self, call: Call, *, local: bool) -> None:
        self._call = call
        self._local = local

    @classmethod
    @asynccontextmanager
    async def at_url(
        cls, url: str, api_key: str | None = None, *, timeout_seconds: int = 10
    ) -> AsyncIterator["QdrantIndex"]:
        client = AsyncQdrantClient(
            url=url, api_key=api_key, timeout=timeout_seconds, check_compatibility=False
        )
        try:
            yield cls(_asking(client), local=False)
        finally:
            await client.close()

    @classmethod
    @asynccontextmanager
    async def in_folder(cls, folder: Path) -> AsyncIterator["QdrantIndex"]:
        """Opens the folder at the first call, and again at later ones while another process holds it."""
        async with _Local.open(folder) as local:
            yield cls(local, local=True)

    async def space(self) -> str | None:
        target = await self._target()
        return None if target is None else target.removeprefix(PREFIX)

    async def prepare(self, encoder: str, dimensions: int) -> bool:
        name = PREFIX + encoder
        created = not await self._exists(name) and await self._created(name, dimensions)
        if created:
            for field, schema in INDEXED.items() if not self._local else ():
                await self._call(
                    "create_payload_index", collection_name=name, field_name=field, field_schema=schema
                )
        if await self._target() is None:
            await self._point_alias_at(name)
        return created

    async def switch(self, encoder: str) -> None:
        name = PREFIX + encoder
        if await self._target() != name:
            await self._point_alias_at(name)
        for other in await self._collections():
            if other != name:
                await self._call("delete_collection", collection_name=other)

    async def upsert(self, encoder: str, points: Sequence[Point]) -> None:
        size = LOCAL_BATCH if self._local else SERVER_BATCH
        for start in range(0, len(points), size):
            await self._call(
                "upsert",
                collection_name=PREFIX + encoder,
                points=[
                    models.PointStruct(
                        id=point.id,
                        vector=point.vector.tolist(),
                        payload=payload_of(point.traits, encoder),
                    )
                    for point in points[start : start + size]
                ],
                wait=True,
            )

    async def remove(self, ids: Sequence[int]) -> None:
        for name in await self._collections() if ids else ():
            await self._call(
                "delete",
                collection_name=name,
                points_selector=models.PointIdsList(points=list(ids)),
                wait=True,
            )

    async def ids(self, encoder: str) -> set[int]:
        found: set[int] = set()
        offset = None
        while True:
            records, offset = await self._call(
                "scroll",
                collection_name=PREFIX + encoder,
                limit=PAGE,
                offset=offset,
                with_payload=False,
                with_vectors=False,
            )
            found.update(record.id for record in records)
            if offset is None:
                return found

    async def nearest(
        self,
        vector: Vector,
        limit: int,
        *,
        among: Among = EVERYTHING,
        excluding: Sequence[int] = (),
        floor: float = -1.0,
    ) -> list[Neighbour]:
        if self._local:
            # The local mode copies every payload that it answers with, which costs more than the search.
            filtered = among != EVERYTHING
            wide = (max(NARROWEST, limit * WIDENING) if filtered else limit) + len(excluding)
            found = await self._search(vector, wide, floor, None, with_payload=filtered)
            hidden = set(excluding)
            kept = [
                Neighbour(hit.id, hit.score)
                for hit in found
                if hit.id not in hidden and (not filtered or among.admits(traits_of(hit.payload)))
            ]
            if len(kept) >= limit or len(found) < wide:
                return kept[:limit]
        hits = await self._search(vector, limit, floor, filter_of(among, excluding))
        return [Neighbour(hit.id, hit.score) for hit in hits]

    async def vectors(self, ids: Sequence[int]) -> Mapping[int, Vector]:
        records = await self._call(
            "retrieve",
            collection_name=ALIAS,
            ids=list(ids),
            with_payload=False,
            with_vectors=True,
        )
        return {record.id: np.asarray(record.vector, np.float32) for record in records}

    async def count(self) -> int:
        answer = await self._call("count", collection_name=ALIAS, exact=True)
        return int(answer.count)

    async def health(self) -> str:
        space = await self.space()
        if space is None:
            return "no vectors yet"
        return f"{await self.count()} works by {space}"

    async def _exists(self, name: str) -> bool:
        return bool(await self._call("collection_exists", collection_name=name))

    async def _created(self, name: str, dimensions: int) -> bool:
        """False where somebody else was faster."""
        vectors = models.VectorParams(size=dimensions, distance=models.Distance.DOT)
        try:
            await self._call("create_collection", collection_name=name, vectors_config=vectors)
        except VectorsUnavailable:
            if await self._exists(name):
                return False
            raise
        return True

    async def _search(
        self,
        vector: Vector,
        limit: int,
        floor: float,
        wanted: models.Filter | None,
        *,
        with_payload: bool = False,
    ) -> list[Any]:
        answer = await self._call(
            "query_points",
            collection_name=ALIAS,
            query=vector.tolist(),
            query_filter=wanted,
            limit=limit,
            score_threshold=floor,
            with_payload=with_payload,
            with_vectors=False,
        )
        return list(answer.points)

    async def _target(self) -> str | None:
        answer = await self._call("get_aliases")
        return next((a.collection_name for a in answer.aliases if a.alias_name == ALIAS), None)

    async def _collections(self) -> list[str]:
        answer = await self._call("get_collections")
        return [c.name for c in answer.collections if c.name.startswith(PREFIX)]

    async def _point_alias_at(self, name: str) -> None:
        """In one step: there is no moment at which the alias points nowhere."""
        drop = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=ALIAS))
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(collection_name=name, alias_name=ALIAS)
        )
        present = await self._target() is not None
        await self._call(
            "update_collection_aliases",
            change_aliases_operations=[drop, create] if present else [create],
        )


INDEXED = {
    "kind": models.PayloadSchemaType.KEYWORD,
    "genres": models.PayloadSchemaType.KEYWORD,
    "language": models.PayloadSchemaType.KEYWORD,
    "maturity": models.PayloadSchemaType.KEYWORD,
    "year": models.PayloadSchemaType.INTEGER,
}
"""The fields of a payload that a server filters by."""


def payload_of(traits: Traits, encoder: str) -> dict[str, Any]:
    """The traits as a point carries them, with the encoder its vector is by."""
    return {
        "kind": traits.kind,
        "genres": list(traits.genres),
        "year": traits.year,
        "language": traits.language,
        "maturity": traits.maturity,
        "encoder": encoder,
    }


def traits_of(payload: Mapping[str, Any]) -> Traits:
    return Traits(
        kind=payload["kind"],
        genres=tuple(payload["genres"]),
        year=payload["year"],
        language=payload["language"],
        maturity=payload["maturity"],
    )


def filter_of(among: Among, excluding: Sequence[int]) -> models.Filter | None:
    any_of = {
        "kind": among.kinds,
        "genres": among.genres,
        "language": among.languages,
        "maturity": among.maturities,
    }
    must: list[models.Condition] = [
        models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))
        for field, values in any_of.items()
        if values is not None
    ]
    if among.year_from is not None or among.year_to is not None:
        years = models.Range(gte=among.year_from, lte=among.year_to)
        must.append(models.FieldCondition(key="year", range=years))
    must_not: list[models.Condition] = [models.HasIdCondition(has_id=list(excluding))] if excluding else []
    if among.without_genres:
        unwanted = models.MatchAny(any=list(among.without_genres))
        must_not.append(models.FieldCondition(key="genres", match=unwanted))
    return models.Filter(must=must, must_not=must_not) if must or must_not else None


def _asking(client: AsyncQdrantClient) -> Call:
    async def call(method: str, /, **arguments: Any) -> Any:
        try:
            return await getattr(client, method)(**arguments)
        except (ApiException, httpx.HTTPError, ValueError) as error:
            raise VectorsUnavailable(f"Qdrant: {error}") from error

    return call


class _Local:
    """The local mode on a thread of its own: it computes and writes to SQLite without yielding."""

    def __init__(self, folder: Path, thread: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._thread = thread
        self._client: QdrantClient | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator["_Local"]:
        thread = ThreadPoolExecutor(1, thread_name_prefix="vectors")
        local = cls(folder, thread)
        try:
            yield local
        finally:
            await asyncio.get_running_loop().run_in_executor(thread, local._close)
            thread.shutdown()

    async def __call__(self, method: str, /, **arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(self._run, method, arguments))

    def _run(self, method: str, arguments: dict[str, Any]) -> Any:
        if self._client is None:
            self._client = self._opened()
        try:
            return getattr(self._client, method)(**arguments)
        except (ValueError, KeyError, OSError, RuntimeError, sqlite3.Error) as error:
            raise VectorsUnavailable(f"Qdrant in {self._folder}: {error}") from error

    def _opened(self) -> QdrantClient:
        try:
            return QdrantClient(path=str(self._folder))
        except Exception as error:
            # A held lock is a bare RuntimeError, a damaged folder anything from JSON to pickle.
            raise VectorsUnavailable(
                f"The vectors in {self._folder} cannot be opened ({error}). Let one process have the folder, "
                "or set MEDIA_GATEWAY_QDRANT_URL."
            ) from error

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
