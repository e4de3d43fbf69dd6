"""A ranking made various: near-duplicates apart, the like of the disliked down.

Works are compared by hashed features (Weinberger et al., "Feature Hashing for Large Scale Multitask
Learning", ICML 2009), so that this needs no vector index and means the same without one; the order is that of
maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from domain.catalog.links import DeviceKind
from domain.sona.model import Candidate, Tuning, Work

Matrix: TypeAlias = NDArray[np.float32]

DIMENSIONS = 256
GENRE, KEYWORD, PERSON = 1.0, 1.0, 1.5
LEAST_RELEVANCE = 0.01
STEP = 1e-6
"""The least by which scores of neighbours in a list differ, so that they order it."""

LONG_SECONDS, SHORT_SECONDS = 60 * 60, 30 * 60
FITS_WELL, FITS_BADLY = 1.15, 0.6
HANDHELD = {DeviceKind.PHONE, DeviceKind.TABLET}


def arranged(
    candidates: Sequence[Candidate],
    works: Mapping[int, Work],
    disliked: Sequence[int],
    device: DeviceKind | None,
    tuning: Tuning,
) -> list[Candidate]:
    """The candidates that `works` knows, at most `tuning.length`, with falling scores from 0 to 1.

    CPU only: about 5 ms for 400 candidates; call it off the event loop.
    """
    known = [candidate for candidate in candidates if candidate.id in works]
    if not known:
        return []
    features = vectors_of([works[candidate.id] for candidate in known])
    away = vectors_of([works[id_] for id_ in disliked if id_ in works])
    relevance = np.array([candidate.score for candidate in known], np.float32)
    relevance *= np.array([runtime_fit(works[candidate.id], device) for candidate in known], np.float32)
    relevance *= 1 - tuning.aversion * likeness(features, away)
    relevance = np.maximum(relevance / max(float(relevance.max()), LEAST_RELEVANCE), LEAST_RELEVANCE)
    order = mmr(relevance, features, tuning.diversity, tuning.length)
    return _scored([known[index] for index in order], [float(relevance[index]) for index in order])


def vectors_of(works: Sequence[Work]) -> Matrix:
    """[works, DIMENSIONS], rows of unit length; a work without features has zeros."""
    matrix = np.zeros((len(works), DIMENSIONS), np.float32)
    for row, work in enumerate(works):
        for name, weight in _features(work):
            digest = crc32(name.encode())
            matrix[row, digest % DIMENSIONS] += weight if digest & 0x8000_0000 else -weight
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), STEP)
    return matrix


def likeness(features: Matrix, others: Matrix) -> NDArray[np.float32]:
    """How like each row is to the most like of the others, 0 to 1."""
    if not len(others):
        return np.zeros(len(features), np.float32)
    nearest: NDArray[np.float32] = np.clip((features @ others.T).max(axis=1), 0.0, 1.0)
    return nearest


def mmr(relevance: NDArray[np.float32], features: Matrix, diversity: float, length: int) -> list[int]:
    """Indexes in the order of λ·relevance - (1-λ)·likeness to the most like of those before."""
    nearest = np.zeros(len(relevance), np.float32)
    open_ = np.ones(len(relevance), bool)
    order: list[int] = []
    for _ in range(min(length, len(relevance))):
        value = np.where(open_, diversity * relevance - (1 - diversity) * nearest, -np.inf)
        index = int(value.argmax())
        order.append(index)
        open_[index] = False
        np.maximum(nearest, features @ features[index], out=nearest)
    return order


def runtime_fit(work: Work, device: DeviceKind | None) -> float:
    """How well the length suits the device: long for a television, short for what is held in a hand."""
    seconds = work.runtime_seconds
    if seconds is None or device is None:
        return 1.0
    if device is DeviceKind.TV:
        if seconds < SHORT_SECONDS:
            return FITS_BADLY
        return FITS_WELL if seconds > LONG_SECONDS else 1.0
    if device in HANDHELD:
        if seconds > LONG_SECONDS:
            return FITS_BADLY
        return FITS_WELL if seconds < SHORT_SECONDS else 1.0
    return 1.0


def _features(work: Work) -> list[tuple[str, float]]:
    return [
        *((f"genre {genre}", GENRE) for genre in work.genres),
        *((f"keyword {keyword}", KEYWORD) for keyword in work.keywords),
        *((f"person {person}", PERSON) for person in work.people),
    ]


def _scored(ordered: Sequence[Candidate], relevance: Sequence[float]) -> list[Candidate]:
    """The relevance of each, but always less than that of the one before: the score orders the list."""
    scored = []
    last = 1.0 + STEP
    for candidate, value in zip(ordered, relevance, strict=True):
        last = round(min(value, last - STEP), 6)
        scored.append(replace(candidate, score=last))
    return scored
