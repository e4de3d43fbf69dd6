"""Links into the services' apps."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.links import FORMS, DeviceKind, LinkKind, links_for
from domain.catalog.model import ContentKind
from domain.catalog.taxonomy import PLATFORMS

# Platform, kind of work: the app's link, the web's, whether the web's opens the app, and both at 90 seconds.
GOLDEN = {
    ("netflix", "movie"): (
        "nflx://www.netflix.com/title/70136120",
        "https://www.netflix.com/title/70136120",
        True,
        "nflx://www.netflix.com/title/70136120?t=90",
        "https://www.netflix.com/title/70136120?t=90",
    ),
    ("prime_video", "movie"): (
        "aiv://aiv/view?gti=70136120",
        "https://www.amazon.com/gp/video/detail/70136120",
        False,
        "aiv://aiv/view?gti=70136120&t=90",
        "https://www.amazon.com/gp/video/detail/70136120?t=90",
    ),
    ("disney_plus", "movie"): (
        "disneyplus://content/70136120",
        "https://www.disneyplus.com/video/70136120",
        True,
        "disneyplus://content/70136120",
        "https://www.disneyplus.com/video/70136120",
    ),
    ("hulu", "movie"): (
        "hulu://watch/70136120",
        "https://www.hulu.com/watch/70136120",
        True,
        "hulu://watch/70136120",
        "https://www.hulu.com/watch/70136120",
    ),
    ("hbo_max", "movie"): (
        "hbomax://deeplink?contentId=70136120",
        "https://play.max.com/video/watch/70136120",
        True,
        "hbomax://deeplink?contentId=70136120",
        "https://play.max.com/video/watch/70136120",
    ),
    ("apple_tv_plus", "movie"): (
        "videos://watch/70136120",
        "https://tv.apple.com/us/video/70136120",
        True,
        "videos://watch/70136120",
        "https://tv.apple.com/us/video/70136120",
    ),
    ("paramount_plus", "movie"): (
        "paramountplus://content/70136120",
        "https://www.paramountplus.com/movies/70136120",
        False,
        "paramountplus://content/70136120",
        "https://www.paramountplus.com/movies/70136120",
    ),
    ("peacock", "movie"): (
        "peacock://watch/70136120",
        "https://www.peacocktv.com/watch/70136120",
        False,
        "peacock://watch/70136120",
        "https://www.peacocktv.com/watch/70136120",
    ),
    ("youtube", "movie"): (
        "vnd.youtube://watch/70136120",
        "https://www.youtube.com/watch?v=70136120",
        True,
        "vnd.youtube://watch/70136120?t=90",
        "https://www.youtube.com/watch?v=70136120&t=90",
    ),
    ("spotify", "album"): (
        "spotify:album:70136120",
        "https://open.spotify.com/album/70136120",
        True,
        "spotify:album:70136120",
        "https://open.spotify.com/album/70136120",
    ),
    ("spotify", "track"): (
        "spotify:track:70136120",
        "https://open.spotify.com/track/70136120",
        True,
        "spotify:track:70136120",
        "https://open.spotify.com/track/70136120",
    ),
    ("apple_music", "album"): (
        "music://music.apple.com/us/album/70136120",
        "https://music.apple.com/us/album/70136120",
        True,
        "music://music.apple.com/us/album/70136120",
        "https://music.apple.com/us/album/70136120",
    ),
    ("apple_music", "track"): (
        "music://music.apple.com/us/track/70136120",
        "https://music.apple.com/us/track/70136120",
        True,
        "music://music.apple.com/us/track/70136120",
        "https://music.apple.com/us/track/70136120",
    ),
}
VIDEO = [kind for kind in ContentKind if kind not in {ContentKind.ALBUM, ContentKind.TRACK}]
DEVICES = [None, *DeviceKind]


def expected(app: str, web: str, device: DeviceKind | None, *, universal: bool) -> list[tuple[LinkKind, str]]:
    links = []
    if device is not DeviceKind.WEB:
        links.append((LinkKind.DEEP_LINK, app))
    if universal and device is not DeviceKind.TV:
        links.append((LinkKind.UNIVERSAL_LINK, web))
    return [*links, (LinkKind.WEB, web)]


def test_every_platform_has_its_links() -> None:
    assert set(FORMS) == set(PLATFORMS)
    assert {platform for platform, _ in GOLDEN} == set(PLATFORMS)


@pytest.mark.parametrize(("platform", "kind"), GOLDEN)
@pytest.mark.parametrize("device", DEVICES)
def test_links_are_those_of_the_table(platform: str, kind: str, device: DeviceKind | None) -> None:
    app, web, universal, later_app, later_web = GOLDEN[platform, kind]
    content_kinds = VIDEO if kind == "movie" else [ContentKind(kind)]

    for content_kind in content_kinds:
        start = links_for(platform, "70136120", content_kind, device)
        later = links_for(platform, "70136120", content_kind, device, start_seconds=90)

        assert [(link.kind, link.url) for link in start] == expected(app, web, device, universal=universal)
        assert [(link.kind, link.url) for link in later] == expected(
            later_app, later_web, device, universal=universal
        )


SHOPS = {
    ("apple_tv_plus", ContentKind.MOVIE): "https://tv.apple.com/de/video/70136120",
    ("apple_music", ContentKind.ALBUM): "https://music.apple.com/de/album/70136120",
    ("apple_music", ContentKind.TRACK): "https://music.apple.com/de/track/70136120",
}


def test_a_shop_of_its_own_is_opened_in_the_region_of_the_offer() -> None:
    webs = {
        (platform, kind): links_for(platform, "70136120", kind, region="DE")[-1].url
        for platform, kind in [
            *SHOPS,
            *((platform, ContentKind.MOVIE) for platform in FORMS if "apple" not in platform),
        ]
    }

    assert {key: webs[key] for key in SHOPS} == SHOPS
    assert not any("/de/" in url for key, url in webs.items() if key not in SHOPS)


@pytest.mark.parametrize("region", ["../evil", "evil.example/", "@", "d e"])
def test_a_region_is_one_word_of_the_link(region: str) -> None:
    for platform in ("apple_music", "apple_tv_plus"):
        for ours, theirs in zip(
            links_for(platform, "1"), links_for(platform, "1", region=region), strict=True
        ):
            was, became = urlsplit(ours.url), urlsplit(theirs.url)
            assert (became.scheme, became.netloc) == (was.scheme, was.netloc)
            assert became.path.count("/") == was.path.count("/")


@pytest.mark.parametrize("seconds", [0, -1])
def test_the_beginning_needs_no_start(seconds: int) -> None:
    assert links_for("netflix", "1", start_seconds=seconds) == links_for("netflix", "1")


HOSTILE = [
    "../../evil",
    "..",
    "@evil.example/",
    "//evil.example",
    "\\\\evil.example",
    "1?t=5#top",
    "1&gti=2",
    "{type}{id}",
    "%2e%2e%2f",
    "a b\r\nSet-Cookie: x=1",
    "javascript:alert(1)",
    "日本",
    "",
]


@pytest.mark.parametrize("device", [None, *DeviceKind])
@pytest.mark.parametrize("platform", FORMS)
def test_a_device_without_the_app_gets_the_web_alone(platform: str, device: DeviceKind | None) -> None:
    every = links_for(platform, "1", ContentKind.ALBUM, device, 90, "DE")

    without = links_for(platform, "1", ContentKind.ALBUM, device, 90, "DE", installed=False)

    assert [link.kind for link in without] == [LinkKind.WEB]
    assert list(without) == [link for link in every if link.kind is LinkKind.WEB]


@pytest.mark.parametrize("platform", FORMS)
@pytest.mark.parametrize("link_id", HOSTILE)
def test_an_id_is_one_word_of_the_link_and_leads_nowhere_else(platform: str, link_id: str) -> None:
    check_links(platform, link_id)


@given(platform=st.sampled_from(sorted(FORMS)), link_id=st.text(st.characters(exclude_categories=["Cs"])))
def test_no_id_leads_to_another_host(platform: str, link_id: str) -> None:
    check_links(platform, link_id)


def check_links(platform: str, link_id: str) -> None:
    plain = links_for(platform, "ID", ContentKind.ALBUM, start_seconds=5)
    hostile = links_for(platform, link_id, ContentKind.ALBUM, start_seconds=5)

    for ours, theirs in zip(plain, hostile, strict=True):
        was, became = urlsplit(ours.url), urlsplit(theirs.url)
        assert (became.scheme, became.netloc, became.fragment) == (was.scheme, was.netloc, "")
        assert unquote(became.path) == was.path.replace("ID", link_id)
        assert became.path.count("/") == was.path.count("/")
        assert parse_qs(became.query, keep_blank_values=True) == {
            name: [value.replace("ID", link_id) for value in values]
            for name, values in parse_qs(was.query).items()
        }
        assert theirs.url.isascii()
        assert theirs.url.isprintable()
