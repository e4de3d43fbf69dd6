"""What a profile says of a viewer's taste."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from domain.sona.model import EvidenceKind, Profile, Seed, Taste, Touch, Tuning
from domain.sync.model import Verdict

SECONDS_PER_DAY = 86_400
DECAY, DECAY_DAYS = 0.95, 30
"""What is 30 days old counts 0.95 of what it did."""

GOOD_STARS, BAD_STARS, MOST_STARS = 4.0, 2.0, 5.0
WATCHED, BEGUN = 0.8, 0.3
"""Fractions of a work from which it counts as watched, and as tried in earnest."""
LIKED_WEIGHT, WATCHED_WEIGHT, BEGUN_WEIGHT, SAVED_WEIGHT, AGAIN_WEIGHT = 1.0, 0.8, 0.5, 0.4, 0.2


def read(profile: Profile, as_of: datetime, tuning: Tuning) -> Taste:
    """The latest seeds and the strongest of the rest, the latest dislikes, and the genres they speak for.

    What is merely saved fills up where little was watched.
    """
    seeds: list[tuple[datetime, Seed, Touch]] = []
    disliked: list[tuple[datetime, Touch]] = []
    for touch in profile.touches:
        moment = _latest(touch)
        if moment is None:
            continue
        if averse(touch):
            disliked.append((moment, touch))
        elif (found := engagement(touch)) is not None:
            weight, because = found
            seeds.append((moment, Seed(touch.id, weight * fading(moment, as_of), because), touch))
    seeds.sort(key=lambda entry: (entry[0], entry[1].id), reverse=True)
    disliked.sort(key=lambda entry: (entry[0], entry[1].id), reverse=True)
    return Taste(
        liked=_chosen([seed for _, seed, _ in seeds], tuning),
        disliked=tuple(touch.id for _, touch in disliked[: tuning.disliked]),
        genres=_genres([(seed, touch) for _, seed, touch in seeds], [touch for _, touch in disliked]),
    )


def engagement(touch: Touch) -> tuple[float, EvidenceKind] | None:
    """How much a work speaks for taste, 0 to 1, and what makes it so; nothing where it does not."""
    if touch.stars is not None and touch.stars >= GOOD_STARS:
        return touch.stars / MOST_STARS, EvidenceKind.LIKED
    if touch.verdict is Verdict.LIKE:
        return LIKED_WEIGHT, EvidenceKind.LIKED
    again = AGAIN_WEIGHT if touch.viewings > 1 else 0.0
    if touch.completed or touch.fraction >= WATCHED:
        return WATCHED_WEIGHT + again, EvidenceKind.WATCHED
    if touch.fraction >= BEGUN:
        return BEGUN_WEIGHT + again, EvidenceKind.WATCHED
    # A lukewarm rating of what was never watched here says nothing; a saved title says a little.
    if touch.saved_at is not None and not touch.known:
        return SAVED_WEIGHT, EvidenceKind.SAVED
    return None


def averse(touch: Touch) -> bool:
    return touch.verdict in {Verdict.DISLIKE, Verdict.NOT_INTERESTED} or (
        touch.stars is not None and touch.stars <= BAD_STARS
    )


def fading(moment: datetime, as_of: datetime) -> float:
    days = max(0.0, (as_of - moment).total_seconds() / SECONDS_PER_DAY)
    return float(DECAY ** (days / DECAY_DAYS))


def _chosen(latest_first: Sequence[Seed], tuning: Tuning) -> tuple[Seed, ...]:
    saved = [seed for seed in latest_first if seed.because is EvidenceKind.SAVED]
    lived = [seed for seed in latest_first if seed.because is not EvidenceKind.SAVED]
    latest, rest = lived[: tuning.latest_seeds], lived[tuning.latest_seeds :]
    strongest = sorted(rest, key=lambda seed: (-seed.weight, seed.id))[: tuning.strongest_seeds]
    return (*latest, *strongest, *saved[: tuning.latest_seeds - len(latest)])


def _genres(liked: Sequence[tuple[Seed, Touch]], disliked: Sequence[Touch]) -> dict[str, float]:
    """Each work's weight is shared by its genres."""
    scores: defaultdict[str, float] = defaultdict(float)
    for seed, touch in liked:
        for genre in touch.genres:
            scores[genre] += seed.weight / len(touch.genres)
    for touch in disliked:
        for genre in touch.genres:
            scores[genre] -= 1 / len(touch.genres)
    best = max(scores.values(), default=0.0)
    ordered = sorted(scores, key=lambda genre: (-scores[genre], genre))
    return {genre: scores[genre] / best for genre in ordered if scores[genre] > 0}


def _latest(touch: Touch) -> datetime | None:
    moments = [at for at in (touch.played_at, touch.reacted_at, touch.saved_at) if at is not None]
    return max(moments, default=None)
