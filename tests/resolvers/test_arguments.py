"""Arguments that many fields share."""

import pytest

from domain.platform.errors import BadInput
from resolvers.arguments import region_or


@pytest.mark.parametrize(("given", "expected"), [(None, "DE"), ("US", "US"), ("us", "US"), ("gB", "GB")])
def test_a_region_is_two_capitals_or_the_viewer_s(given: str | None, expected: str) -> None:
    assert region_or(given, "DE") == expected


@pytest.mark.parametrize("given", ["", "U", "USA", "U1", "ß", "ﬁ", "US\n", " US", "ÜS"])
def test_what_is_no_region_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="two letters"):
        region_or(given, "DE")
