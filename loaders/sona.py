"""Batched reads of what is like a work."""

from domain.sona.similar import Similarity
from loaders.loader import many


class SonaLoaders:
    def __init__(self, similarity: Similarity) -> None:
        self.similar = many(similarity.similar)
