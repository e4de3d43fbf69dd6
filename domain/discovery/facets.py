"""Counts of values as the graph names them."""

from collections.abc import Callable, Mapping

from domain.catalog.model import ContentKind
from domain.catalog.taxonomy import GENRES, PLATFORMS, MaturityRating
from domain.discovery.model import Counts, Facet, FacetField, FacetValue


def labelled(counts: Counts) -> list[Facet]:
    """Every facet, its values as filters take them and with words for people."""
    return [
        Facet(field, tuple(FacetValue(*NAMES[field](value), count) for value, count in values))
        for field, values in counts.items()
    ]


def _kind(value: str) -> tuple[str, str]:
    name = ContentKind(value).name
    return name, name.capitalize()


NAMES: Mapping[FacetField, Callable[[str], tuple[str, str]]] = {
    FacetField.GENRE: lambda value: (value, GENRES[value].name),
    FacetField.PLATFORM: lambda value: (value, PLATFORMS[value].name),
    FacetField.DECADE: lambda value: (value, f"{value}s"),
    FacetField.KIND: _kind,
    FacetField.LANGUAGE: lambda value: (value, value),
    FacetField.MATURITY: lambda value: (MaturityRating(value).name, value),
}
