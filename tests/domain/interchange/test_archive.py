"""The archive: written, read, and imported again without loss."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.catalog.links import DeviceKind
from domain.interchange import archive
from domain.interchange.archive import MANIFEST, Part, files_of, zipped
from domain.interchange.exporting import Archives
from domain.interchange.files import members_of
from domain.interchange.model import Entry, Problem, Trouble
from domain.interchange.postgres_state import PostgresState
from domain.platform.errors import Refused
from domain.platform.paging import Cut
from domain.platform.postgres import Database
from domain.sync.capabilities import AudioFormat, HdrFormat
from domain.sync.clock import COUNTER_BITS, Timestamp
from domain.sync.model import Addition, Device, Mark, MarkKind, Reaction, Verdict, WatchProgress
from domain.sync.operations import Act, Added, Operation, Position, Removed, Watched
from tests.accounts import new_id
from tests.catalogue import add_album, add_external_id, add_movie, add_series, parts_of
from tests.states import keep
from tests.viewers import Living

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TITLES = 8
PLAYABLE = (0, 3, 4, 6, 7)
"""In the order of the keys of `catalogue`."""

versions = st.builds(
    lambda hours, counter, device: Timestamp(
        (int((AT - timedelta(hours=hours)).timestamp() * 1000) << COUNTER_BITS) + counter, device
    ),
    st.integers(0, 50_000),
    st.integers(0, 3),
    st.sampled_from(["phone", "server.1", "import.trakt", "6a1f3c1e-0000-4000-8000-000000000001"]),
)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2026, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001
notes = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


@st.composite
def states(draw: st.DrawFn, titles: int) -> list[tuple[int, Any]]:
    """States of titles, which are numbered; each register at most once."""
    found: dict[tuple[Any, ...], tuple[int, Any]] = {}
    for title in draw(st.lists(st.integers(0, titles - 1), max_size=4)):
        version = draw(versions)
        viewing = draw(st.integers(-2, 3))
        done = draw(st.booleans())
        played = draw(st.sampled_from(PLAYABLE))
        found["viewing", played, viewing] = played, WatchProgress(
            0, viewing, draw(st.integers(0, 900)), draw(st.sampled_from([0, 1000])), done, version, None,
            draw(moments), draw(moments) if done else None,
        )  # fmt: skip
        tag = str(draw(st.uuids()))
        found["tag", tag] = title, Addition(0, tag, draw(moments), draw(versions), given=draw(st.booleans()))
        if draw(st.booleans()):
            said, stars = draw(st.sampled_from([None, *Verdict])), draw(st.sampled_from([None, 0.5, 4.5]))
            found["reaction", title] = title, Reaction(0, said, stars, version, draw(moments))
        kind, value = draw(
            st.one_of(
                st.tuples(st.just(MarkKind.NOTE), st.none() | notes.map(str.strip).filter(bool)),
                st.tuples(st.just(MarkKind.PLACE), st.sampled_from(["V", "kZ1"])),
                st.tuples(st.sampled_from([MarkKind.DROPPED, MarkKind.HIDDEN]), st.booleans()),
            )
        )
        found["mark", title, kind] = title, Mark(0, kind, value, version, draw(moments))
    return list(found.values())


async def catalogue(database: Database) -> list[int]:
    """A film with ids, one by its title alone, a series with its parts, an album with its tracks."""
    film = await add_movie(database, "Solaris")
    await add_external_id(database, film, "imdb", "tt0069293")
    series = await add_series(database, seasons=[2], slug="dekalog-1989")
    (season,) = await parts_of(database, series)
    album = await add_album(database, tracks=["So What"])
    return [
        film,
        await add_movie(database, "Mirror", year=1975),
        series,
        season,
        *await parts_of(database, season),
        album,
        *await parts_of(database, album),
    ]


async def table(database: Database, account: str, name: str) -> set[tuple[Any, ...]]:
    rows = await database.rows(f"SELECT * FROM {name} WHERE account_id = $1", account)
    left_out = {"account_id", "device_id", "removed_at"}
    return {tuple(str(value) for key, value in row.items() if key not in left_out) for row in rows}


async def test_an_archive_brings_the_devices_and_what_left_the_watchlist(
    house: Living, database: Database
) -> None:
    """As of an account that moves to another gateway."""
    film, series, *_ = sorted(await catalogue(database))
    ada, bob = await house.account(), await house.account()
    able = {
        "max_quality": "UHD",
        "can_cast": True,
        "screen_inches": 55,
        "missing_apps": ("hulu",),
        "hdr_formats": (HdrFormat.HDR10,),
        "audio_formats": (AudioFormat.AC3,),
    }
    tv = await house.device(ada, "TV", DeviceKind.TV, **able)
    await house.database.execute("UPDATE device SET app_version = '4.2.1'")
    phone = await house.device(ada, "Phone")
    acts: list[Act] = [Watched(film, Position(300, 1000)), Added(series, new_id()), Removed(series, None)]
    for device, act in [(tv, acts[0]), (phone, acts[1]), (phone, acts[2])]:
        await house.pushing.push(ada, device.id, [Operation(new_id(), act, house.version(-5))])
        house.clock.turn(1)
    await house.devices.remove(ada, phone.id)
    written = await exports(house).archive(ada)
    before = {name: await table(database, ada, name) for name in ("progress", "watchlist_tag")}
    await database.execute("DELETE FROM account WHERE id = $1", ada)

    report = await house.interchange.bring(bob, "archive.zip", written)

    assert report.problems == []
    assert _without_time(await exports(house).archive(bob)) == _without_time(written)
    assert {name: await table(database, bob, name) for name in before} == before
    [progress] = (await house.sync.store.history(bob, Cut.of(9, None))).nodes
    assert progress.device_id == tv.id
    kept = await house.devices.store.by_ids(bob, [tv.id, phone.id])
    assert (kept[tv.id].capabilities, kept[tv.id].app_version) == (tv.capabilities, "4.2.1")
    assert await house.devices.store.devices(bob) == []
    assert (await house.interchange.bring(bob, "again.zip", written)).brought == 0


async def test_a_device_of_another_account_is_not_taken_over(house: Living, database: Database) -> None:
    film, *_ = sorted(await catalogue(database))
    ada, bob = await house.account(), await house.account()
    tv = await house.device(ada, "TV", DeviceKind.TV)
    queue = [Operation(new_id(), Watched(film, Position(300, 1000)), house.version(-5))]
    await house.pushing.push(ada, tv.id, queue)
    written = await exports(house).archive(ada)

    for _ in range(2):
        await house.interchange.bring(bob, "archive.zip", written)

    [progress] = (await house.sync.store.history(bob, Cut.of(9, None))).nodes
    assert progress.device_id not in {None, tv.id}
    rows = await database.rows("SELECT account_id, name, removed_at IS NULL FROM device ORDER BY 3 DESC")
    assert [tuple(row) for row in rows] == [(ada, "TV", True), (bob, "TV", False)]


async def test_what_an_archive_put_on_the_list_and_in_its_place_is_taken_back(
    house: Living, database: Database
) -> None:
    film, *_ = sorted(await catalogue(database))
    ada, bob = await house.account(), await house.account()
    for account, place in ((ada, "k"), (bob, "V")):
        await house.sync.add_to_watchlist(account, film, new_id())
        house.clock.turn(1)
        await house.sync.move_on_watchlist(account, film, place)
        house.clock.turn(1)
    await house.sync.remove_from_watchlist(ada, film)
    report = await house.interchange.bring(ada, "archive.zip", await exports(house).archive(bob))
    brought = (await house.sync.store.entries(ada, [film]))[film]

    undone = await house.interchange.undo(ada, report.import_id or "")

    assert (brought.place, report.brought, undone.left) == ("V", 2, 0)
    assert await house.sync.store.entries(ada, [film]) == {}
    assert await database.value("SELECT value ->> 'is' FROM title_mark WHERE account_id = $1", ada) == "k"


async def test_what_an_archive_dates_ahead_of_our_clock_is_left_out(
    house: Living, database: Database
) -> None:
    film, *_ = sorted(await catalogue(database))
    ada = await house.account()
    title = {"kind": "movie", "title": "Solaris", "ids": {"imdb": "tt0069293"}}
    marks = [
        {"title": title, "kind": kind, "value": True, "version": str(house.version(seconds))}
        for kind, seconds in (("hidden", 59), ("dropped", 61))
    ]

    report = await house.interchange.bring(ada, "a.zip", packed([Part("marks.jsonl", marks)], AT))

    assert [problem.where for problem in report.problems] == ["marks.jsonl:2"]
    found = (await house.sync.store.marks(ada, [film]))[film]
    assert (found.hidden, found.dropped) == (True, False)


async def test_a_dry_run_brings_no_device(house: Living, database: Database) -> None:
    await catalogue(database)
    ada, bob = await house.account(), await house.account()
    await house.device(ada, "TV", DeviceKind.TV)
    written = await exports(house).archive(ada)

    await house.interchange.bring(bob, "archive.zip", written, dry=True)

    assert await database.value("SELECT count(*) FROM device") == 1


def exports(house: Living) -> Archives:
    return Archives(PostgresState(house.database), house.clock.now)


@given(states(TITLES))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_archive_imports_again_without_loss(
    house: Living, database: Database, drawn: list[tuple[int, Any]]
) -> None:
    titles = [row[0] for row in await database.rows("SELECT id FROM content ORDER BY id")]
    titles = titles or sorted(await catalogue(database))
    assert len(titles) == TITLES
    ada, bob = await house.account(), await house.account()
    for title, state in drawn:
        await keep(database, ada, type(state)(**{**_fields(state), "content_id": titles[title]}))

    written = await exports(house).archive(ada)
    report = await house.interchange.bring(bob, "archive.zip", written)

    assert report.problems == []
    for name in ("progress", "watchlist_tag", "reaction", "title_mark"):
        assert await table(database, bob, name) == await table(database, ada, name)
    assert _without_time(await exports(house).archive(bob)) == _without_time(written)
    again = await house.interchange.bring(ada, "archive.zip", written)
    assert again.brought == 0


def _fields(state: Any) -> dict[str, Any]:
    return {name: getattr(state, name) for name in state.__dataclass_fields__}


def _without_time(written: bytes) -> dict[str, list[bytes]]:
    return {m.name: sorted(m.data.splitlines()) for m in members_of("a.zip", written) if m.name != MANIFEST}


def packed(parts: list[Part], at: datetime) -> bytes:
    return zipped(files_of(parts, at))


def test_the_manifest_names_the_files_with_their_checksums() -> None:
    written = packed([Part("marks.jsonl", [{"a": 1}, {"b": 2}]), Part("account.jsonl", [])], AT)

    manifest = orjson.loads(members_of("a.zip", written)[-1].data)

    assert (manifest["format"], manifest["version"]) == (archive.FORMAT, 1)
    assert [(file["name"], file["records"], len(file["sha256"])) for file in manifest["files"]] == [
        ("marks.jsonl", 2, 64),
        ("account.jsonl", 0, 64),
    ]
    assert packed([Part("marks.jsonl", [{"a": 1}, {"b": 2}]), Part("account.jsonl", [])], AT) == written


def test_files_of_other_contexts_are_not_imported() -> None:
    files = files_of([], AT) | {"account.json": b"{}"}

    found = list(archive.read(members_of("a.zip", zipped(files))))

    assert [(one.where, one.trouble) for one in found if isinstance(one, Problem)] == [
        ("account.json", Trouble.LEFT_OUT)
    ]


def rewritten(written: bytes, **files: bytes | None) -> bytes:
    """The archive with other files in place of its own, or without them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as pack:
        for member in members_of("a.zip", written):
            data = files.get(member.base.split(".")[0], member.data)
            if data is not None:
                pack.writestr(member.name, data)
    return packed.getvalue()


HIDDEN = {"title": {"kind": "movie", "title": "A"}, "kind": "hidden", "value": True, "version": f"{1:016x}@a"}
WRITTEN = packed([Part("marks.jsonl", [HIDDEN])], AT)


def test_what_was_tampered_with_or_lost_is_told() -> None:
    entries = list(archive.read(members_of("a.zip", WRITTEN)))
    changed = list(archive.read(members_of("a.zip", rewritten(WRITTEN, marks=b"{}\n"))))
    lost = list(archive.read(members_of("a.zip", rewritten(WRITTEN, marks=None))))

    assert [isinstance(one, Entry) for one in entries] == [True]
    assert [one.reason for one in changed if isinstance(one, Problem)] == [
        "is not what the manifest says: its checksum differs"
    ]
    assert [one.reason for one in lost if isinstance(one, Problem)] == ["is missing from the archive"]


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b'{"format": "other"}', b'{"format": "media-gateway-archive", "version": 2, "files": []}'],
)
def test_an_archive_of_another_kind_or_version_is_refused(manifest: bytes) -> None:
    with pytest.raises(Refused):
        list(archive.read(members_of("a.zip", rewritten(WRITTEN, manifest=manifest))))


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"kind": "book"}},
        {"title": {"kind": "movie", "year": 1}},
        {"title": []},
        {"kind": "shouted"},
        {"version": "now"},
        {"kind": "note", "value": "x" * 3000},
        {"kind": "place", "value": "0"},
        {"value": 7},
    ],
)
def test_a_record_that_breaks_a_rule_is_told_with_its_line(change: dict[str, Any]) -> None:
    record = orjson.loads(members_of("a.zip", WRITTEN)[0].data) | change

    found = list(archive.read(members_of("a.zip", packed([Part("marks.jsonl", [record])], AT))))

    assert [one.where for one in found if isinstance(one, Problem)] == ["marks.jsonl:1"]


def test_no_more_devices_are_taken_over_than_anybody_has() -> None:
    told = {"kind": "tv", "name": "TV", "registered_at": AT.isoformat(), "capabilities": {}}
    lines = [{"id": new_id(), **told} for _ in range(archive.MAX_DEVICES + 2)]

    found = list(archive.read(members_of("a.zip", packed([Part(archive.DEVICES, lines)], AT))))

    assert sum(isinstance(one, Device) for one in found) == archive.MAX_DEVICES
    assert [one.trouble for one in found if isinstance(one, Problem)] == [Trouble.LEFT_OUT] * 2
