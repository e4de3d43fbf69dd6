"""Makes up the offers of the demo catalogue: `python -m domain.ingestion.demo_offers` writes `offers.jsonl`.

Nothing of it is true but where a service's own productions are; it only has the shape of the truth. The
same works give the same file, and a new work leaves the offers of the others as they are, because every
choice is drawn from a digest of the work's key. Run it again after adding works.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from domain.ingestion.demo import FOLDER, work_paths

REGIONS = ("US", "GB", "DE", "FR", "JP", "BR", "IN")
SERVED = {
    "netflix": REGIONS,
    "prime_video": REGIONS,
    "disney_plus": REGIONS,
    "apple_tv_plus": REGIONS,
    "hbo_max": ("US", "GB", "DE", "FR", "BR"),
    "paramount_plus": ("US", "GB", "DE", "FR", "BR"),
    "hulu": ("US",),
    "peacock": ("US",),
}
# Services that license works of others, the ones that license most named most often.
LICENSING = (
    "netflix", "netflix", "netflix", "prime_video", "prime_video", "prime_video", "hbo_max", "hbo_max",
    "hulu", "hulu", "paramount_plus", "peacock",
)  # fmt: skip
# Their own productions are not for sale elsewhere.
EXCLUSIVE = {"netflix", "prime_video", "apple_tv_plus", "hulu"}

# Rental and purchase of films by age: before 1990, before 2015, later.
PRICES = {
    ("US",): ("USD", ("2.99", "3.99", "4.99"), ("7.99", "12.99", "19.99")),
    ("GB",): ("GBP", ("2.49", "3.49", "4.49"), ("5.99", "8.99", "13.99")),
    ("DE", "FR"): ("EUR", ("2.99", "3.99", "4.99"), ("6.99", "9.99", "16.99")),
    ("JP",): ("JPY", ("300", "400", "500"), ("1000", "1500", "2500")),
    ("BR",): ("BRL", ("7.90", "11.90", "14.90"), ("19.90", "29.90", "49.90")),
    ("IN",): ("INR", ("75", "100", "149"), ("290", "490", "690")),
}
OLD, RECENT = 1990, 2015
PUBLIC_DOMAIN = 1929
"""Films of earlier years are free in the United States."""

Offer = dict[str, Any]


def draw(key: str, purpose: str) -> float:
    """A number from 0 to 1, always the same for these words."""
    return int.from_bytes(sha256(f"{key}/{purpose}".encode()).digest()[:6]) / 2**48


def offers_of(work: Mapping[str, Any]) -> list[Offer]:
    """The offers of a work as it stands in a demo file."""
    key, year = work["key"], work["year"] or RECENT
    if work["kind"] == "album":
        return [_offer(platform, "subscription", REGIONS) for platform in ("spotify", "apple_music")]
    offers = list(_own(work)) if work["home"] else list(_licensed(key, year))
    if work["kind"] == "film" and year < PUBLIC_DOMAIN:
        offers.append(_offer("youtube", "free", ("US",), quality="SD"))
    if work["home"] not in EXCLUSIVE and draw(key, "sold") < (0.85 if work["kind"] == "film" else 0.4):
        offers += _sold(key, year, film=work["kind"] == "film")
    return offers


def _own(work: Mapping[str, Any]) -> Iterator[Offer]:
    """A service's own work is on it wherever it is; Hulu's are on Disney+ elsewhere."""
    quality = "UHD" if (work["year"] or 0) >= RECENT else "HD"
    served = SERVED[work["home"]]
    yield _offer(work["home"], "subscription", served, quality=quality)
    if work["home"] == "hulu":
        elsewhere = [region for region in REGIONS if region not in served]
        yield _offer("disney_plus", "subscription", elsewhere, quality=quality)
    elif work["home"] == "peacock":
        elsewhere = [region for region in REGIONS if region not in served]
        yield _offer("prime_video", "subscription", elsewhere, quality=quality)


def _licensed(key: str, year: int) -> Iterator[Offer]:
    """On one service or two, each in most of its regions; one in ten only until a day to come."""
    first = LICENSING[int(draw(key, "first") * len(LICENSING))]
    second = LICENSING[int(draw(key, "second") * len(LICENSING))]
    platforms = [first] if second == first or draw(key, "both") > 0.45 else [first, second]  # noqa: PLR2004
    for platform in platforms:
        regions = [r for r in SERVED[platform] if r == "US" or draw(key, f"{platform}/{r}") < 0.7]  # noqa: PLR2004
        until = _day(draw(key, "until")) if draw(key, f"lapses/{platform}") < 0.1 else None  # noqa: PLR2004
        quality = "UHD" if year >= RECENT and draw(key, "uhd") < 0.5 else "HD"  # noqa: PLR2004
        yield _offer(platform, "subscription", regions, quality=quality, until=until)


def _sold(key: str, year: int, *, film: bool) -> Iterator[Offer]:
    """Films are rented on YouTube and sold on Apple TV; series are sold by the whole on Prime Video."""
    age = 0 if year < OLD else 1 if year < RECENT else 2
    for regions, (currency, rental, purchase) in PRICES.items():
        if not film:
            yield _offer("prime_video", "purchase", regions, quality="HD", price=(purchase[age], currency))
            continue
        yield _offer("youtube", "rental", regions, quality="HD", price=(rental[age], currency))
        if draw(key, "purchase") < 0.7:  # noqa: PLR2004 - a share
            yield _offer("apple_tv_plus", "purchase", regions, quality="UHD", price=(purchase[age], currency))


def _offer(  # noqa: PLR0913 - one value a field
    platform: str,
    kind: str,
    regions: Iterable[str],
    *,
    quality: str | None = None,
    price: tuple[str, str] | None = None,
    until: str | None = None,
) -> Offer:
    offer: Offer = {"platform": platform, "kind": kind, "regions": list(regions)}
    if quality is not None:
        offer["quality"] = quality
    if price is not None:
        offer["price"], offer["currency"] = price
    if until is not None:
        offer["until"] = until
    return offer


def _day(drawn: float) -> str:
    """A first of a month from February 2027 to December 2028."""
    month = 1 + int(drawn * 23)
    return f"{2027 + month // 12}-{month % 12 + 1:02}-01"


def lines(folder: Path) -> Iterator[str]:
    """The lines of `offers.jsonl` for the works of a folder, in their order."""
    for path in work_paths(folder):
        for line in path.read_text(encoding="utf-8").splitlines():
            work = json.loads(line)
            yield json.dumps({"key": work["key"], "offers": offers_of(work)}, separators=(",", ":"))


def main() -> None:
    text = "".join(f"{line}\n" for line in lines(FOLDER))
    (FOLDER / "offers.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
