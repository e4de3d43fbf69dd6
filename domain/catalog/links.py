"""Links into the services' apps: one registry, by platform, for every kind of device."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from domain.catalog.model import ContentKind


class LinkKind(StrEnum):
    """How a link reaches the service."""

    DEEP_LINK = "deep_link"
    """Opens the installed app by its own scheme."""
    UNIVERSAL_LINK = "universal_link"
    """Opens the app where installed, else the web site."""
    WEB = "web"
    """Opens the web site."""


class DeviceKind(StrEnum):
    """What a device is."""

    TV = "tv"
    """A television or a box beside it."""
    PHONE = "phone"
    """A phone."""
    TABLET = "tablet"
    """A tablet."""
    DESKTOP = "desktop"
    """A desktop or laptop app."""
    WEB = "web"
    """A browser."""


@dataclass(frozen=True, slots=True)
class PlaybackLink:
    """A link that starts a title on its service."""

    kind: LinkKind
    url: str


@dataclass(frozen=True, slots=True)
class LinkForms:
    """How a service writes its links; `{id}` stands for the title's id there, `{type}` for album or track,
    `{country}` for the shop.

    `start` is the query parameter for a position in seconds, where the service has one.
    """

    app: str | None
    web: str
    universal: bool = False
    start: str | None = None


FORMS = {
    "netflix": LinkForms(
        app="nflx://www.netflix.com/title/{id}",
        web="https://www.netflix.com/title/{id}",
        universal=True,
        start="t",
    ),
    "prime_video": LinkForms(
        app="aiv://aiv/view?gti={id}",
        web="https://www.amazon.com/gp/video/detail/{id}",
        start="t",
    ),
    "disney_plus": LinkForms(
        app="disneyplus://content/{id}",
        web="https://www.disneyplus.com/video/{id}",
        universal=True,
    ),
    "hulu": LinkForms(app="hulu://watch/{id}", web="https://www.hulu.com/watch/{id}", universal=True),
    "hbo_max": LinkForms(
        app="hbomax://deeplink?contentId={id}",
        web="https://play.max.com/video/watch/{id}",
        universal=True,
    ),
    "apple_tv_plus": LinkForms(
        app="videos://watch/{id}",
        web="https://tv.apple.com/{country}/video/{id}",
        universal=True,
    ),
    "paramount_plus": LinkForms(
        app="paramountplus://content/{id}",
        web="https://www.paramountplus.com/movies/{id}",
    ),
    "peacock": LinkForms(app="peacock://watch/{id}", web="https://www.peacocktv.com/watch/{id}"),
    "youtube": LinkForms(
        app="vnd.youtube://watch/{id}",
        web="https://www.youtube.com/watch?v={id}",
        universal=True,
        start="t",
    ),
    "spotify": LinkForms(
        app="spotify:{type}:{id}",
        web="https://open.spotify.com/{type}/{id}",
        universal=True,
    ),
    "apple_music": LinkForms(
        app="music://music.apple.com/{country}/{type}/{id}",
        web="https://music.apple.com/{country}/{type}/{id}",
        universal=True,
    ),
}


def links_for(  # noqa: PLR0913, PLR0917 - all that a link depends on
    platform_id: str,
    link_id: str,
    content_kind: ContentKind = ContentKind.MOVIE,
    device: DeviceKind | None = None,
    start_seconds: int = 0,
    region: str = "US",
    *,
    installed: bool = True,
) -> Sequence[PlaybackLink]:
    """The links of a title in a region, best first for `device`; the web is always the last resort.

    Ids are percent-encoded, so nothing in them can lead to another host. A browser gets no app links; who has
    not `installed` the app gets the web alone.
    """
    forms = FORMS[platform_id]
    names = {
        "id": quote(link_id, safe=""),
        "country": quote(region.lower(), safe=""),
        "type": "track" if content_kind is ContentKind.TRACK else "album",
    }
    links = []
    if forms.app is not None and device is not DeviceKind.WEB and installed:
        links.append(PlaybackLink(LinkKind.DEEP_LINK, _at(forms.app.format(**names), forms, start_seconds)))
    web = _at(forms.web.format(**names), forms, start_seconds)
    if forms.universal and device is not DeviceKind.TV and installed:
        links.append(PlaybackLink(LinkKind.UNIVERSAL_LINK, web))
    links.append(PlaybackLink(LinkKind.WEB, web))
    return links


def _at(url: str, forms: LinkForms, seconds: int) -> str:
    if forms.start is None or seconds <= 0:
        return url
    return f"{url}{'&' if '?' in url else '?'}{forms.start}={seconds}"
