"""What discovery can do, and the ports it asks."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from domain.catalog.filters import Filter, among_of
from domain.catalog.restriction import Restriction
from domain.discovery import spelling
from domain.discovery.fusion import ranked
from domain.discovery.model import (
    Correction,
    Counts,
    Highlight,
    MeaningHit,
    Question,
    Ranking,
    Results,
    SearchMode,
    Suggestion,
    Terms,
    TextHit,
    Trend,
    TrendWindow,
)
from domain.discovery.parsing import KnownWord, Word, split, terms_of
from domain.platform.encoder import Encoder, EncoderError
from domain.platform.errors import TimedOut
from domain.platform.tracing import span
from domain.platform.vectors import VectorIndex, VectorsUnavailable


class SearchStore(Protocol):
    """What the catalogue's texts can be asked; each method is one statement, however much it is asked."""

    async def understand(self, words: Sequence[Word]) -> list[KnownWord]: ...

    async def similar_words(self, words: Sequence[str]) -> Mapping[str, list[str]]:
        """Words of the catalogue that share much with each."""

    async def frequency(self, words: Sequence[str]) -> Mapping[str, int]:
        """In how many titles each word stands."""

    async def by_words(self, terms: Terms, wanted: Filter, limit: int) -> tuple[list[TextHit], int]:
        """The best works by their words, best first, and how many there are."""

    async def by_meaning(
        self, near: Mapping[int, float], terms: Terms | None, wanted: Filter, limit: int
    ) -> list[MeaningHit]:
        """Those of the near works (id → similarity) that are wanted, nearest first."""

    async def facets(self, terms: Terms | None, near: Sequence[int], wanted: Filter) -> Counts:
        """The whole result counted by each field, as if that field were not filtered."""

    async def highlights(self, terms: Terms, ids: Sequence[int]) -> Mapping[int, list[Highlight]]: ...


class Suggestions(Protocol):
    async def suggest(self, prefix: str, limit: int, within: Restriction | None = None) -> list[Suggestion]:
        """How a query that begins with `prefix` could go on, best first."""


class Trends(Protocol):
    async def trending(
        self, window: TrendWindow, region: str | None, wanted: Filter, as_of: datetime
    ) -> list[Trend]:
        """The works most watched and wanted up to `as_of`, best first; by viewers of `region` if given."""


@dataclass(frozen=True)
class Discovery:
    """Finding works by what one knows of them."""

    store: SearchStore
    suggestions: Suggestions
    trends: Trends
    vectors: VectorIndex
    encoder: Callable[[], Encoder | None]
    now: Callable[[], datetime]
    ranking: Ranking = field(default_factory=Ranking)
    fallbacks: Counter[str] = field(default_factory=Counter)
    """How often a search went on by keywords alone, by the reason."""

    async def search(self, question: Question, wanted: Filter) -> Results:
        """Every work that fits, best first.

        Without vectors or encoder it answers by keywords, and its `mode` says so. Raises `TimedOut` and
        `Unavailable` when the texts cannot be asked.
        """
        started = time.perf_counter()
        with span("search", mode=question.mode.value):
            known = await self._understood(question.text)
            results = await self._corrected(question, known, wanted)
        return replace(results, took_ms=(time.perf_counter() - started) * 1000)

    async def _corrected(self, question: Question, known: list[KnownWord], wanted: Filter) -> Results:
        """Mends words that the catalogue does not have; beginnings of words only where they find nothing."""
        if question.exact:
            return await self._found(question.mode, terms_of(question.text, known), wanted)
        query, known = await self._mended(
            question.text, known, lambda word: word.misspelt and not word.unfinished
        )
        results = await self._found(question.mode, terms_of(query, known), wanted)
        if not results.worded:
            again, known = await self._mended(query, known, lambda word: word.misspelt)
            if again != query:
                query = again
                results = await self._found(question.mode, terms_of(query, known), wanted)
        if query == question.text:
            return results
        return replace(results, correction=Correction(query, question.text))

    async def _understood(self, text: str) -> list[KnownWord]:
        async with _deadline(self.ranking.keyword_seconds):
            return await self.store.understand(split(text))

    async def _mended(
        self, query: str, known: list[KnownWord], doubtful: Callable[[KnownWord], bool]
    ) -> tuple[str, list[KnownWord]]:
        """The query with doubtful words replaced by the nearest ones that the catalogue has."""
        words = [word.word.plain for word in known if doubtful(word)]
        async with _deadline(self.ranking.keyword_seconds):
            nearest = await self._nearest_words([word for word in words if spelling.slips_allowed(word)])
        if not nearest:
            return query, known
        query = " ".join(nearest.get(word.word.plain, word.word.written) for word in known)
        return query, await self._understood(query)

    async def _nearest_words(self, words: Sequence[str]) -> dict[str, str]:
        similar = await self.store.similar_words(words) if words else {}
        tied = {word: spelling.nearest(word, candidates) for word, candidates in similar.items()}
        rivals = {other for others in tied.values() if len(others) > 1 for other in others}
        frequency = await self.store.frequency(sorted(rivals)) if rivals else {}
        return {word: spelling.best(word, others, frequency) for word, others in tied.items() if others}

    async def _found(self, mode: SearchMode, terms: Terms, wanted: Filter) -> Results:
        if mode is SearchMode.KEYWORD:
            return await self._by_words(terms, wanted)
        if mode is SearchMode.SEMANTIC:
            near = await self._by_meaning(terms, None, wanted)
            if near is not None:
                return self._results(([], 0), near, terms, SearchMode.SEMANTIC)
            return await self._by_words(terms, wanted)
        asking = asyncio.create_task(self._by_meaning(terms, terms, wanted))
        try:
            words = await self._text_hits(terms, wanted)
            near = await asking
        finally:
            asking.cancel()
        if near is None or not (near or words[0]):
            return await self._by_words(terms, wanted, words)
        return self._results(words, near, terms, SearchMode.HYBRID)

    async def _by_words(
        self, terms: Terms, wanted: Filter, found: tuple[list[TextHit], int] | None = None
    ) -> Results:
        """By keywords alone; where nothing has all the words, what has some of them."""
        found = found or await self._text_hits(terms, wanted)
        worded = bool(found[0])
        if not found[0] and terms.loose != terms.queries:
            terms = replace(terms, queries=terms.loose)
            found = await self._text_hits(terms, wanted)
        return self._results(found, [], terms, SearchMode.KEYWORD, worded=worded)

    async def _text_hits(self, terms: Terms, wanted: Filter) -> tuple[list[TextHit], int]:
        async with _deadline(self.ranking.keyword_seconds):
            return await self.store.by_words(terms, wanted, self.ranking.candidates)

    async def _by_meaning(
        self, terms: Terms, worded: Terms | None, wanted: Filter
    ) -> list[MeaningHit] | None:
        """Works near to the query's meaning; nothing at all where meaning is out of reach."""
        try:
            async with asyncio.timeout(self.ranking.semantic_seconds):
                near = await self._neighbours(terms.written, wanted)
        except TimeoutError:
            self._fell_back("slow")
        except VectorsUnavailable:
            self._fell_back("vectors")
        except EncoderError as error:
            self._fell_back("encoder")
            structlog.get_logger("search").warning("A query could not be encoded.", reason=str(error))
        else:
            if near is not None:
                async with _deadline(self.ranking.keyword_seconds):
                    hits = await self.store.by_meaning(near, worded, wanted, self.ranking.near_kept)
                least = hits[0].similarity * self.ranking.near_enough if hits else 0.0
                return [hit for hit in hits if hit.similarity >= least]
        return None

    async def _neighbours(self, text: str, wanted: Filter) -> dict[int, float] | None:
        encoder = self.encoder()
        if encoder is None:
            self._fell_back("no encoder yet")
            return None
        vectors, space = await asyncio.gather(encoder.encode([text]), self.vectors.space())
        if space != encoder.name:
            self._fell_back("no vectors yet")
            return None
        found = await self.vectors.nearest(
            vectors[0],
            self.ranking.near,
            among=among_of(wanted),
            floor=self.ranking.similarity_floor,
        )
        return {neighbour.id: neighbour.similarity for neighbour in found}

    def _results(
        self,
        words: tuple[list[TextHit], int],
        near: list[MeaningHit],
        terms: Terms,
        mode: SearchMode,
        *,
        worded: bool | None = None,
    ) -> Results:
        hits, total = words
        return Results(
            hits=tuple(ranked(hits, near, self.ranking)),
            total=total + sum(not hit.worded for hit in near),
            terms=terms,
            near=tuple(hit.id for hit in near),
            mode=mode,
            worded=bool(hits) if worded is None else worded,
            correction=None,
            took_ms=0.0,
        )

    def _fell_back(self, reason: str) -> None:
        self.fallbacks[reason] += 1


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    """Ends a question to the texts that takes too long, as `TimedOut`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TimedOut(f"The search took more than {seconds:g} seconds; ask for less.") from error
