"""Live streams of the viewer's own changes, through the graph."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.catalog.links import DeviceKind
from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import MaturityRating
from domain.identity.model import Caller
from domain.identity.sessions import Sessions
from domain.platform.postgres import Database
from domain.playback.model import PlaybackState
from domain.playback.service import Report
from domain.sync.commands import Command
from domain.sync.devices import LEASE_SECONDS, Devices
from domain.sync.model import CommandState, Device, MarkKind, Verdict
from domain.sync.operations import Origin, Position
from domain.sync.presence import IDLE_SECONDS, UNTOLD, Battery, DeviceCondition, NetworkQuality, Sign
from resolvers.ids import encode
from resolvers.sync import cursor_of
from tests.accounts import new_id
from tests.catalogue import add_movie
from tests.subscriptions.streams import code, following
from tests.viewers import Asker, Living

DURATION = 1000

PROGRESS = """subscription ($after: String, $content: ID) { progress(after: $after, contentId: $content) {
  cursor progress { positionSeconds content { title myProgress { positionSeconds } } } } }"""
WATCHLIST = """subscription ($after: String) { watchlist(after: $after) {
  cursor content { title myWatchlistEntry { tags } } entry { tags } } }"""
PLAYBACK = """subscription ($after: String) { playback(after: $after) {
  cursor session { id state positionSeconds content { title } device { name } } } }"""
DEVICES = "subscription { devices { cursor removed device { name online } } }"
ACTIVITIES = """subscription { devices { device {
  name activity nowPlaying { content { title } } battery { level charging } networkQuality } } }"""
COMMANDS = """subscription ($device: ID!, $after: String) { deviceCommands(deviceId: $device, after: $after) {
  cursor command { id action arguments state } } }"""
CHANGES = """subscription ($after: String) { changes(after: $after) { __typename
  ... on ProgressChanged { cursor progress { positionSeconds } }
  ... on WatchlistChanged { cursor entry { tags } }
  ... on ReactionChanged { cursor reaction { verdict } }
  ... on SnapshotBegan { cursor } ... on SnapshotEnded { cursor }
  ... on TitleMarksChanged { cursor marks { note content { title } } }
  ... on DeviceChanged { cursor device { name } }
  ... on DeviceCommandChanged { cursor command { action state } }
  ... on PlaybackChanged { cursor session { state } } } }"""


@pytest.fixture
async def movie(database: Database) -> int:
    return await add_movie(database, runtime_seconds=DURATION)


async def watch(house: Living, account: str, movie: int, seconds: int) -> None:
    await house.sync.record_progress(account, movie, Position(seconds))


async def test_progress_arrives_with_what_is_true_by_then(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    async with following(ask, PROGRESS, ada) as stream:
        for seconds in (100, 200):
            await watch(house, ada, movie, seconds)
            event = await stream.next()
            assert event == {
                "cursor": cursor_of(seconds // 100),
                "progress": {
                    "positionSeconds": seconds,
                    "content": {"title": "Solaris", "myProgress": {"positionSeconds": seconds}},
                },
            }


async def test_progress_of_one_title_leaves_out_the_others(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    other = await add_movie(house.database, "Stalker", runtime_seconds=DURATION)

    async with following(ask, PROGRESS, ada, content=encode("Movie", movie)) as stream:
        await watch(house, ada, other, 100)
        await house.sync.add_to_watchlist(ada, movie)
        await watch(house, ada, movie, 200)

        assert (await stream.next())["cursor"] == cursor_of(3)


async def test_the_watchlist_is_followed(ask: Asker, house: Living, ada: str, movie: int) -> None:
    async with following(ask, WATCHLIST, ada) as stream:
        entry = await house.sync.add_to_watchlist(ada, movie)
        added = await stream.next()
        await house.sync.remove_from_watchlist(ada, movie)
        removed = await stream.next()

    assert entry is not None
    tags = {"tags": list(entry.tags)}
    assert added == {
        "cursor": cursor_of(1),
        "content": {"title": "Solaris", "myWatchlistEntry": tags},
        "entry": tags,
    }
    assert removed == {
        "cursor": cursor_of(2),
        "content": {"title": "Solaris", "myWatchlistEntry": None},
        "entry": None,
    }


async def test_playback_is_followed(ask: Asker, house: Living, ada: str, movie: int) -> None:
    phone = await house.device(ada)

    async with following(ask, PLAYBACK, ada) as stream:
        session = await house.playback.start(ada, movie, phone.id)
        await house.playback.report(ada, session.id, Report(None, Position(60)), Origin())
        await house.playback.end(ada, session.id, None, Origin())
        events = [(await stream.next())["session"] for _ in range(3)]

    assert [(event["state"], event["positionSeconds"]) for event in events] == [
        ("PLAYING", 0),
        ("PLAYING", 60),
        ("STOPPED", 60),
    ]
    assert events[0]["id"] == encode("PlaybackSession", session.id)
    assert (events[0]["content"], events[0]["device"]) == ({"title": "Solaris"}, {"name": "Phone"})


async def _everything(house: Living, account: str, movie: int) -> None:
    phone = await house.device(account, "Phone")
    await watch(house, account, movie, 100)
    await house.sync.add_to_watchlist(account, movie)
    await house.sync.react(account, movie, Verdict.LIKE, None)
    sent = await house.commands.send(account, phone.id, Command("play", {}))
    await house.commands.acknowledge(account, sent.id, None)
    await house.playback.start(account, movie, phone.id)


async def test_one_stream_has_everything_in_order(ask: Asker, house: Living, ada: str, movie: int) -> None:
    async with following(ask, CHANGES, ada) as stream:
        await _everything(house, ada, movie)
        events = [await stream.next() for _ in range(7)]

    assert [event["__typename"] for event in events] == [
        "DeviceChanged",
        "ProgressChanged",
        "WatchlistChanged",
        "ReactionChanged",
        "DeviceCommandChanged",
        "DeviceCommandChanged",
        "PlaybackChanged",
    ]
    assert [event["cursor"] for event in events] == [cursor_of(seq) for seq in range(1, 8)]
    assert [events[place]["command"]["state"] for place in (4, 5)] == ["QUEUED", "EXECUTED"]
    assert events[3]["reaction"] == {"verdict": "LIKE"}


async def test_a_device_that_was_away_for_long_gets_the_state_and_what_follows(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    await _everything(house, ada, movie)
    await house.database.execute("DELETE FROM change WHERE seq < 5")

    async with following(ask, CHANGES, ada, after=cursor_of(1)) as stream:
        events = [await stream.next() for _ in range(7)]
        await watch(house, ada, movie, 300)
        live = await stream.next()

    assert [event["__typename"] for event in events] == [
        "SnapshotBegan",
        "DeviceChanged",
        "ProgressChanged",
        "WatchlistChanged",
        "ReactionChanged",
        "PlaybackChanged",
        "SnapshotEnded",
    ]
    assert [event["cursor"] for event in events] == [cursor_of(1)] * 6 + [cursor_of(7)]
    assert live == {
        "__typename": "ProgressChanged",
        "cursor": cursor_of(8),
        "progress": {"positionSeconds": 300},
    }


async def test_a_device_that_has_nothing_begins_with_the_state(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    await _everything(house, ada, movie)
    document = "subscription { changes(snapshot: true) { __typename } }"

    async with following(ask, document, ada) as stream:
        names = [(await stream.next())["__typename"] for _ in range(7)]

    assert (names[0], names[-1]) == ("SnapshotBegan", "SnapshotEnded")


async def test_streams_of_one_kind_say_that_a_cursor_is_too_old_and_commands_go_on(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    await _everything(house, ada, movie)
    tv = await house.device(ada, "TV")
    await house.database.execute("DELETE FROM change WHERE seq < 8")

    for document in (PROGRESS, WATCHLIST, PLAYBACK):
        assert await code(ask, document, ada, after=cursor_of(1)) == "BAD_USER_INPUT"
    async with following(ask, COMMANDS, ada, after=cursor_of(1), device=encode("Device", tv.id)) as stream:
        await house.commands.send(ada, tv.id, Command("play", {}))
        assert (await stream.next())["command"]["action"] == "play"


async def test_what_is_noted_of_a_title_is_told(ask: Asker, house: Living, ada: str, movie: int) -> None:
    async with following(ask, CHANGES, ada) as stream:
        await house.sync.mark(ada, movie, {MarkKind.NOTE: "Soon"})

        assert await stream.next() == {
            "__typename": "TitleMarksChanged",
            "cursor": cursor_of(1),
            "marks": {"note": "Soon", "content": {"title": "Solaris"}},
        }


async def test_what_was_missed_comes_first_from_any_cursor(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    await _everything(house, ada, movie)
    whole: list[Any] = []
    async with following(ask, CHANGES, ada, after=cursor_of(0)) as stream:
        whole = [await stream.next() for _ in range(7)]

    for place, event in enumerate(whole[:-1]):
        async with following(ask, CHANGES, ada, after=event["cursor"]) as stream:
            assert [await stream.next() for _ in whole[place + 1 :]] == whole[place + 1 :]
    async with following(ask, CHANGES, ada, after=whole[-1]["cursor"]) as stream:
        assert await stream.quiet()
        await watch(house, ada, movie, 300)
        assert (await stream.next())["cursor"] == cursor_of(8)


async def test_a_cursor_of_one_stream_fits_another(ask: Asker, house: Living, ada: str, movie: int) -> None:
    await _everything(house, ada, movie)
    cursor = (await ask.data("{ viewer { syncCursor } }", ada))["viewer"]["syncCursor"]
    await watch(house, ada, movie, 400)

    async with following(ask, PROGRESS, ada, after=cursor) as stream:
        assert (await stream.next())["progress"]["positionSeconds"] == 400


async def test_without_a_cursor_a_stream_starts_now(ask: Asker, house: Living, ada: str, movie: int) -> None:
    await watch(house, ada, movie, 100)

    async with following(ask, PROGRESS, ada) as stream:
        assert await stream.quiet()
        await watch(house, ada, movie, 200)
        assert (await stream.next())["cursor"] == cursor_of(2)


async def test_nobody_hears_of_anothers_changes(ask: Asker, house: Living, ada: str, movie: int) -> None:
    bob = await house.account()

    async with following(ask, CHANGES, bob) as stream, following(ask, CHANGES, ada) as own:
        await _everything(house, ada, movie)
        for _ in range(7):
            await own.next()

        assert await stream.quiet()
        await house.sync.add_to_watchlist(bob, movie)
        assert (await stream.next())["cursor"] == cursor_of(1)


@pytest.mark.parametrize("document", [PROGRESS, WATCHLIST, PLAYBACK, CHANGES, DEVICES, COMMANDS])
async def test_the_anonymous_follow_nothing(ask: Asker, house: Living, ada: str, document: str) -> None:
    device = encode("Device", (await house.device(ada)).id)
    variables = {"device": device} if document is COMMANDS else {}

    assert await code(ask, document, None, **variables) == "UNAUTHENTICATED"
    assert house.fanout.accounts == []


@pytest.mark.parametrize("document", [PROGRESS, WATCHLIST, PLAYBACK, CHANGES])
@pytest.mark.parametrize("after", ["x", "", cursor_of(2), cursor_of(10**17)])
async def test_a_cursor_that_is_none_of_the_accounts_is_refused(
    ask: Asker, house: Living, ada: str, movie: int, document: str, after: str
) -> None:
    await watch(house, ada, movie, 100)

    assert await code(ask, document, ada, after=after) == "BAD_USER_INPUT"
    assert house.fanout.accounts == []


async def test_closing_a_stream_releases_everything(ask: Asker, house: Living, ada: str) -> None:
    device = await house.device(ada)

    for document in (PROGRESS, WATCHLIST, PLAYBACK, CHANGES, DEVICES, COMMANDS):
        variables = {"device": encode("Device", device.id)} if document is COMMANDS else {}
        before = asyncio.all_tasks()
        async with following(ask, document, ada, **variables):
            pass
        await asyncio.sleep(0)
        assert house.fanout.accounts == []
        assert asyncio.all_tasks() <= before


# Devices


async def test_devices_that_come_change_and_go_are_told(ask: Asker, house: Living, ada: str) -> None:
    async with following(ask, DEVICES, ada) as stream:
        tv = await house.device(ada, "TV")
        registered = await stream.next()
        await house.devices.rename(ada, tv.id, "Den")
        renamed = await stream.next()
        await house.devices.leave(ada, tv.id)
        left = await stream.next()
        await house.devices.heartbeat(ada, tv.id)
        back = await stream.next()
        await house.devices.remove(ada, tv.id)
        removed = await stream.next()
        assert await stream.quiet()

    assert [event["device"] for event in (registered, renamed, left, back, removed)] == [
        {"name": "TV", "online": True},
        {"name": "Den", "online": True},
        {"name": "Den", "online": False},
        {"name": "Den", "online": True},
        {"name": "Den", "online": False},
    ]
    assert [event["removed"] for event in (registered, renamed, left, back, removed)] == [False] * 4 + [True]
    assert [event["cursor"] for event in (registered, removed)] == [cursor_of(1), cursor_of(5)]


async def test_what_a_device_does_is_told_as_it_begins(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    tv, phone = await house.device(ada, "TV"), await house.device(ada, "Phone")
    async with following(ask, ACTIVITIES, ada) as stream:
        told = []

        async def next_of(act: Awaitable[Any]) -> Any:
            done = await act
            told.append((await stream.next())["device"])
            return done

        await next_of(house.devices.heartbeat(ada, phone.id, sign=Sign(0, UNTOLD)))
        watched = await next_of(house.playback.start(ada, movie, tv.id))
        await house.playback.report(ada, watched.id, Report(None, Position(60)), Origin(tv.id))
        paused = Report(PlaybackState.PAUSED, Position(70))
        await next_of(house.playback.report(ada, watched.id, paused, Origin(tv.id)))
        await house.playback.report(ada, watched.id, paused, Origin(tv.id))
        await next_of(house.playback.end(ada, watched.id, None, Origin(tv.id)))
        battery = DeviceCondition(Battery(0.25, charging=True), NetworkQuality.FAIR)
        await next_of(house.devices.heartbeat(ada, phone.id, sign=Sign(1, battery)))
        house.clock.turn(IDLE_SECONDS)
        await house.devices.renew({tv.id: "stream", phone.id: "stream"})
        await next_of(house.devices.lapse())
        assert await stream.quiet()

    nothing = {"nowPlaying": None, "battery": None, "networkQuality": None}
    solaris = nothing | {"nowPlaying": {"content": {"title": "Solaris"}}}
    condition = {"battery": {"level": 0.25, "charging": True}, "networkQuality": "FAIR"}
    assert told == [
        {"name": "Phone", "activity": "BROWSING"} | nothing,
        {"name": "TV", "activity": "WATCHING"} | solaris,
        {"name": "TV", "activity": "WATCHING"} | solaris,
        {"name": "TV", "activity": None} | nothing,
        {"name": "Phone", "activity": "BROWSING"} | nothing | condition,
        {"name": "Phone", "activity": "IDLE"} | nothing,
    ]


async def test_a_device_whose_player_crashed_is_told_to_watch_nothing(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    tv = await house.device(ada, "TV")
    async with following(ask, ACTIVITIES, ada) as stream:
        await house.playback.start(ada, movie, tv.id)
        told = [await stream.next()]
        house.clock.turn(90 - 1)
        await house.devices.renew({tv.id: "stream"})
        house.clock.turn(1)
        await house.playback.end_silent()
        told.append(await stream.next())

    assert [event["device"]["activity"] for event in told] == ["WATCHING", None]
    assert told[-1]["device"]["nowPlaying"] is None


async def test_what_a_device_plays_incognito_is_told_to_nobody(
    ask: Asker, house: Living, ada: str, movie: int
) -> None:
    tv = await house.device(ada, "TV")
    await house.devices.heartbeat(ada, tv.id, sign=Sign(0, UNTOLD))
    async with following(ask, ACTIVITIES, ada) as stream:
        await house.playback.set_incognito(ada, tv.id, incognito=True)
        incognito = await stream.next()
        session = await house.playback.start(ada, movie, tv.id)
        await house.devices.heartbeat(ada, tv.id, sign=Sign(0, UNTOLD))
        await house.playback.end(ada, session.id, None, Origin(tv.id))
        assert await stream.quiet()

    assert (incognito["device"]["activity"], incognito["device"]["nowPlaying"]) == (None, None)


async def test_who_may_not_see_a_title_is_told_that_something_is_watched(
    ask: Asker, house: Living, ada: str, movie: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stays(_context: object) -> None:
        """The profile is not looked up again: this account has none."""

    monkeypatch.setattr("subscriptions.sync.renew", stays)
    tv = await house.device(ada, "TV")
    house.restriction = Restriction(MaturityRating.G)
    async with following(ask, ACTIVITIES, ada) as stream:
        await house.playback.start(ada, movie, tv.id)
        event = await stream.next()

    assert (event["device"]["activity"], event["device"]["nowPlaying"]) == ("WATCHING", None)


async def test_a_device_that_falls_silent_is_told_offline(ask: Asker, house: Living, ada: str) -> None:
    await house.device(ada, "TV")
    house.clock.turn(LEASE_SECONDS / 2)
    await house.device(ada, "Phone")

    async with following(ask, DEVICES, ada) as stream:
        assert await house.devices.lapse() == 0
        house.clock.turn(LEASE_SECONDS / 2)
        assert await house.devices.lapse() == 1
        event = await stream.next()
        assert await house.devices.lapse() == 0
        assert await stream.quiet()

    assert event == {"cursor": cursor_of(3), "removed": False, "device": {"name": "TV", "online": False}}


# Commands


@pytest.fixture
async def tv(house: Living, ada: str) -> Device:
    return await house.device(ada, "TV", DeviceKind.TV)


async def test_commands_reach_their_device_only(ask: Asker, house: Living, ada: str, tv: Device) -> None:
    phone = await house.device(ada, "Phone")

    async with (
        following(ask, COMMANDS, ada, device=encode("Device", tv.id)) as on_tv,
        following(ask, COMMANDS, ada, device=encode("Device", phone.id)) as on_phone,
    ):
        sent = [
            await house.commands.send(ada, device.id, Command("seek", {"positionSeconds": place}))
            for place, device in enumerate((tv, phone, tv))
        ]
        for_tv = [(await on_tv.next())["command"]]
        await house.commands.acknowledge(ada, sent[0].id, None)
        for_tv.append((await on_tv.next())["command"])
        for_phone = (await on_phone.next())["command"]
        assert await on_tv.quiet()
        assert await on_phone.quiet()

    assert [command["arguments"] for command in for_tv] == [{"positionSeconds": 0}, {"positionSeconds": 2}]
    assert for_phone["id"] == encode("DeviceCommand", sent[1].id)


async def test_a_command_that_lapsed_meanwhile_is_not_handed_over(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    await house.commands.send(ada, tv.id, Command("play", {}), 5)
    house.clock.turn(4)
    await house.commands.send(ada, tv.id, Command("pause", {}), 5)
    house.clock.turn(1)

    async with following(ask, COMMANDS, ada, device=encode("Device", tv.id), after=cursor_of(1)) as stream:
        command = (await stream.next())["command"]

    assert (command["action"], command["state"]) == ("pause", "DELIVERED")


async def test_of_two_streams_of_a_device_the_one_opened_last_gets_its_commands(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    device = encode("Device", tv.id)
    async with following(ask, COMMANDS, ada, device=device) as broken:
        first = await house.commands.send(ada, tv.id, Command("play", {}))
        heard = await broken.next()
        async with following(ask, COMMANDS, ada, device=device) as stream:
            sent = [await house.commands.send(ada, tv.id, Command("play", {})) for _ in range(10)]
            got = [(await stream.next())["command"]["id"] for _ in sent]
            assert await stream.quiet()
            assert await broken.quiet()

    assert heard["command"]["id"] == encode("DeviceCommand", first.id)
    assert got == [encode("DeviceCommand", command.id) for command in sent]


async def test_a_device_whose_stream_broke_is_handed_over_what_it_missed(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    device = encode("Device", tv.id)
    async with following(ask, COMMANDS, ada, device=device) as stream:
        sent = [
            await house.commands.send(ada, tv.id, Command(action, {}), 60)
            for action in ("play", "pause", "stop")
        ]
        events = [await stream.next() for _ in sent]
    await house.commands.acknowledge(ada, sent[1].id, None)

    # It had taken in no more than the first, and another stream of it has done the second.
    async with following(ask, COMMANDS, ada, device=device, after=events[0]["cursor"]) as stream:
        again = (await stream.next())["command"]["action"]
        assert await stream.quiet()

    assert [event["command"]["action"] for event in events] == ["play", "pause", "stop"]
    assert again == "stop"


SENT = """subscription ($id: ID, $after: String) { commands(commandId: $id, after: $after) {
  command { state failure } } }"""


async def test_the_sender_sees_what_becomes_of_a_command(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    async with (
        following(ask, SENT, ada) as sender,
        following(ask, COMMANDS, ada, device=encode("Device", tv.id)) as device,
    ):
        done = await house.commands.send(ada, tv.id, Command("play", {}))
        await device.next()
        await house.commands.acknowledge(ada, done.id, None, CommandState.ACKNOWLEDGED)
        await house.commands.acknowledge(ada, done.id, None)
        seen = [(await sender.next())["command"]["state"] for _ in range(4)]

    assert seen == ["QUEUED", "DELIVERED", "ACKNOWLEDGED", "EXECUTED"]


async def test_a_sender_that_was_away_is_told_of_no_end_but_the_one_that_came(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    begin = cursor_of(await house.journal.log.latest(ada))
    async with following(ask, COMMANDS, ada, device=encode("Device", tv.id)) as device:
        done = await house.commands.send(ada, tv.id, Command("play", {}), 5)
        await device.next()
    await house.commands.acknowledge(ada, done.id, None, CommandState.ACKNOWLEDGED)
    house.clock.turn(10)
    await house.commands.acknowledge(ada, done.id, None)
    house.clock.turn(100)

    async with following(ask, SENT, ada, after=begin, id=encode("DeviceCommand", done.id)) as sender:
        seen = [(await sender.next())["command"]["state"] for _ in range(4)]

    assert seen == ["QUEUED", "DELIVERED", "ACKNOWLEDGED", "EXECUTED"]


async def test_the_sender_hears_that_nobody_answered(ask: Asker, house: Living, ada: str, tv: Device) -> None:
    sent = await house.commands.send(ada, tv.id, Command("play", {}), 5)
    other = await house.commands.send(ada, tv.id, Command("stop", {}), 6)

    async with following(ask, SENT, ada, id=encode("DeviceCommand", sent.id)) as sender:
        house.clock.turn(5)
        assert await house.commands.expire() == 1
        assert (await sender.next())["command"] == {"state": "EXPIRED", "failure": None}
        await house.commands.acknowledge(ada, other.id, None)
        assert await sender.quiet()
    assert await code(ask, SENT, ada, id="x") == "NOT_FOUND"


async def test_a_device_is_online_while_it_listens(
    ask: Asker, house: Living, ada: str, tv: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Devices, "heartbeat_seconds", 0.01)
    house.clock.turn(LEASE_SECONDS)
    assert await house.presence.online([tv.id]) == set()

    async with following(ask, COMMANDS, ada, device=encode("Device", tv.id)):
        for _ in range(5):
            assert await house.presence.online([tv.id]) == {tv.id}
            house.clock.turn(LEASE_SECONDS / 2)
            await asyncio.sleep(0.1)

    assert await house.presence.online([tv.id]) == set()
    assert (await house.devices.own(ada, tv.id)).last_seen_at == house.clock.now()


async def test_others_are_told_that_a_listening_device_came_and_went(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    house.clock.turn(LEASE_SECONDS)

    async with following(ask, DEVICES, ada) as stream:
        async with following(ask, COMMANDS, ada, device=encode("Device", tv.id)):
            came = await stream.next()
        went = await stream.next()

    assert [event["device"]["online"] for event in (came, went)] == [True, False]


async def test_the_end_of_a_broken_stream_does_not_take_its_successor_offline(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    device = encode("Device", tv.id)

    async with following(ask, COMMANDS, ada, device=device) as new:
        async with following(ask, COMMANDS, ada, device=device):
            pass
        assert await house.presence.online([tv.id]) == {tv.id}
        await house.commands.send(ada, tv.id, Command("play", {}))
        assert (await new.next())["command"]["action"] == "play"

    assert await house.presence.online([tv.id]) == set()


async def test_a_removed_device_stays_offline_though_it_still_listens(
    ask: Asker, house: Living, ada: str, tv: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Devices, "heartbeat_seconds", 0.01)

    async with following(ask, COMMANDS, ada, device=encode("Device", tv.id)) as stream:
        await house.devices.remove(ada, tv.id)
        assert await stream.quiet()
        assert await house.presence.online([tv.id]) == set()

    assert await house.kinds(ada) == ["device", "device"]


async def test_anothers_commands_are_not_followed(ask: Asker, house: Living, ada: str, tv: Device) -> None:
    bob = await house.account()
    house.clock.turn(LEASE_SECONDS)

    codes = [
        await code(ask, COMMANDS, bob, device=key)
        for key in (encode("Device", tv.id), encode("Device", new_id()), encode("Movie", 1), "x")
    ]

    assert codes == ["NOT_FOUND"] * 4
    assert await house.presence.online([tv.id]) == set()
    assert await house.kinds(ada) == ["device"]


# Devices that are known by their streams


@pytest.mark.parametrize("document", [PROGRESS, WATCHLIST, PLAYBACK, CHANGES, DEVICES, SENT])
async def test_a_device_is_there_while_any_stream_of_its_sign_in_is_open(
    ask: Asker, house: Living, ada: str, tv: Device, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sessions, "device_of", tied_to(tv))
    house.clock.turn(LEASE_SECONDS)
    assert await house.devices.online([tv.id]) == set()

    async with following(ask, document, ada), following(ask, document, ada):
        assert await house.devices.online([tv.id]) == {tv.id}

    assert await house.devices.online([tv.id]) == set()
    assert await house.kinds(ada) == ["device"] * 3  # registered, came, went


def tied_to(device: Device) -> Callable[[Sessions, Caller], Awaitable[str | None]]:
    async def device_of(_sessions: Sessions, caller: Caller) -> str | None:
        return None if caller.anonymous else device.id

    return device_of


async def test_a_device_that_is_named_is_there_rather_than_that_of_the_sign_in(
    ask: Asker, house: Living, ada: str, tv: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await house.device(ada, "Phone")
    monkeypatch.setattr(Sessions, "device_of", tied_to(phone))
    house.clock.turn(LEASE_SECONDS)
    document = "subscription ($device: ID) { changes(deviceId: $device) { __typename } }"

    async with following(ask, document, ada, device=encode("Device", tv.id)):
        assert await house.devices.online([tv.id, phone.id]) == {tv.id}

    bob = await house.account()
    for foreign in (encode("Device", tv.id), encode("Device", new_id()), "x"):
        assert await code(ask, document, bob, device=foreign) == "NOT_FOUND"
    assert await house.devices.online([tv.id]) == set()


async def test_a_stream_of_a_sign_in_whose_device_is_gone_goes_on(
    ask: Asker, house: Living, ada: str, tv: Device, movie: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sessions, "device_of", tied_to(tv))
    await house.devices.remove(ada, tv.id)

    async with following(ask, PROGRESS, ada) as stream:
        await watch(house, ada, movie, 100)
        assert (await stream.next())["progress"]["positionSeconds"] == 100

    assert await house.devices.online([tv.id]) == set()


async def test_a_device_that_lapsed_while_its_stream_is_open_comes_back_with_the_next_beat(
    ask: Asker, house: Living, ada: str, tv: Device
) -> None:
    """As after the database could not be reached for longer than a lease."""
    async with following(ask, COMMANDS, ada, device=encode("Device", tv.id)):
        house.clock.turn(LEASE_SECONDS)
        assert await house.devices.lapse() == 1
        assert await house.devices.online([tv.id]) == set()

        renewed = await house.devices.renew({tv.id: "stream"})

        assert renewed == []
        assert await house.devices.online([tv.id]) == {tv.id}
        assert await house.devices.lapse() == 0
