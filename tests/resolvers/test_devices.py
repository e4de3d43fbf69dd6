"""Devices and remote control through the graph."""

from dataclasses import replace
from typing import Any

import pytest
from strawberry.types import ExecutionResult

from domain.catalog.links import DeviceKind
from domain.catalog.restriction import Restriction
from domain.catalog.taxonomy import MaturityRating
from domain.identity.hours import Hours
from domain.identity.model import Tier
from domain.playback.model import PlaybackSession
from domain.playback.service import Beginning
from domain.sync.commands import Command
from domain.sync.model import Device
from resolvers.ids import encode
from tests.accounts import new_id, somebody
from tests.catalogue import add_movie, add_series, parts_of
from tests.servers import StatementCounter
from tests.viewers import Asker, did, refused

ERRORS = "userErrors { code field message }"
CAPABILITIES = """capabilities {
  maxQuality hdr remoteControllable canCast screenInches missingApps hdrFormats audioFormats }"""
DEVICE = f"device {{ id name kind platform appVersion online registeredAt lastSeenAt {CAPABILITIES} }}"
REGISTER = (
    "mutation ($input: RegisterDeviceInput!)"
    f" {{ done: registerDevice(input: $input) {{ {DEVICE} {ERRORS} }} }}"
)
RENAME = (
    f"mutation ($input: RenameDeviceInput!) {{ done: renameDevice(input: $input) {{ {DEVICE} {ERRORS} }} }}"
)
REMOVE = (
    f"mutation ($input: RemoveDeviceInput!) {{ done: removeDevice(input: $input) {{ {DEVICE} {ERRORS} }} }}"
)
BEAT = f"mutation ($input: HeartbeatInput!) {{ done: heartbeat(input: $input) {{ {DEVICE} {ERRORS} }} }}"
COMMAND = "command { id action arguments state failure createdAt expiresAt device { name } }"
SEND = f"mutation ($input: SendCommandInput!) {{ done: sendCommand(input: $input) {{ {COMMAND} {ERRORS} }} }}"
ACKNOWLEDGE = (
    "mutation ($input: AcknowledgeCommandInput!)"
    f" {{ done: acknowledgeCommand(input: $input) {{ {COMMAND} {ERRORS} }} }}"
)
NODE = "query ($id: ID!) { node(id: $id) { id ... on Device { name } ... on DeviceCommand { state } } }"
DOES = "{ viewer { devices { activity battery { level charging } networkQuality } } }"
LIST = "{ viewer { devices { id name online nowPlaying { id } } } }"


@pytest.fixture
async def tv(ask: Asker, ada: str) -> Device:
    return await ask.house.device(ada, "TV", DeviceKind.TV, can_cast=True)


def device_id(device: Device) -> str:
    return encode("Device", device.id)


async def test_a_device_is_registered_and_found(ask: Asker, ada: str) -> None:
    capabilities = {
        "maxQuality": "UHD",
        "hdr": True,
        "canCast": True,
        "screenInches": 55,
        "missingApps": ["hulu", "netflix"],
        "hdrFormats": ["DOLBY_VISION", "HDR10"],
        "audioFormats": ["ATMOS", "DTS_X"],
    }
    said: dict[str, Any] = {
        "name": "  Living room ",
        "kind": "TV",
        "platform": "tizen",
        "appVersion": "4.2.1",
    }

    done = await did(ask, REGISTER, ada, **said, capabilities=capabilities)

    moment = ask.house.clock.now().isoformat()
    device = done["device"]
    assert done["userErrors"] == []
    assert device == {
        "id": device["id"],
        "name": "Living room",
        "kind": "TV",
        "platform": "tizen",
        "appVersion": "4.2.1",
        "online": True,
        "registeredAt": moment,
        "lastSeenAt": moment,
        "capabilities": capabilities | {"remoteControllable": True},
    }
    assert (await ask.data(NODE, ada, id=device["id"]))["node"] == {"id": device["id"], "name": "Living room"}
    listed = (await ask.data(LIST, ada))["viewer"]["devices"]
    assert listed == [{"id": device["id"], "name": "Living room", "online": True, "nowPlaying": None}]


async def test_a_device_registers_again_under_its_id(ask: Asker, ada: str, tv: Device) -> None:
    done = await did(ask, REGISTER, ada, name="Den", kind="DESKTOP", deviceId=device_id(tv))

    assert (done["device"]["id"], done["device"]["name"], done["device"]["kind"]) == (
        device_id(tv),
        "Den",
        "DESKTOP",
    )
    assert len((await ask.data(LIST, ada))["viewer"]["devices"]) == 1


async def test_a_device_that_knows_a_format_of_high_dynamic_range_shows_it(ask: Asker, ada: str) -> None:
    able = {"maxQuality": "8K", "hdrFormats": ["HLG", "HLG"]}

    done = await did(ask, REGISTER, ada, name="TV", kind="TV", capabilities=able)

    shown = done["device"]["capabilities"]
    assert (shown["maxQuality"], shown["hdr"], shown["hdrFormats"]) == ("8K", True, ["HLG"])


async def test_nonsense_about_a_device_is_refused(ask: Asker, ada: str) -> None:
    answers = [
        await did(ask, REGISTER, ada, name=" ", kind="TV"),
        await did(ask, REGISTER, ada, name="TV", kind="TV", platform="x" * 65),
        await did(ask, REGISTER, ada, name="TV", kind="TV", appVersion=" "),
        await did(ask, REGISTER, ada, name="TV", kind="TV", capabilities={"maxQuality": "16K"}),
        await did(ask, REGISTER, ada, name="TV", kind="TV", capabilities={"screenInches": -1}),
        await did(ask, REGISTER, ada, name="TV", kind="TV", capabilities={"missingApps": ["myspace"]}),
    ]

    assert [refused(answer) for answer in answers] == [
        [("INVALID", ["name"])],
        [("INVALID", ["platform"])],
        [("INVALID", ["appVersion"])],
        [("INVALID", ["capabilities", "maxQuality"])],
        [("INVALID", ["capabilities", "screenInches"])],
        [("INVALID", ["capabilities", "missingApps"])],
    ]
    assert (await ask.data(LIST, ada))["viewer"]["devices"] == []


async def test_a_device_lives_leaves_and_is_removed(ask: Asker, ada: str, tv: Device) -> None:
    ask.house.clock.turn(89)
    renamed = await did(ask, RENAME, ada, deviceId=device_id(tv), name=" Den ")
    alive = await did(ask, BEAT, ada, deviceId=device_id(tv))
    gone = await did(ask, BEAT, ada, deviceId=device_id(tv), leaving=True)
    removed = await did(ask, REMOVE, ada, deviceId=device_id(tv))

    assert (renamed["device"]["name"], renamed["device"]["online"]) == ("Den", True)
    assert (alive["device"]["online"], alive["device"]["lastSeenAt"]) == (
        True,
        ask.house.clock.now().isoformat(),
    )
    assert gone["device"]["online"] is False
    assert removed["device"]["id"] == device_id(tv)
    assert (await ask.data(NODE, ada, id=device_id(tv)))["node"] is None
    assert (await ask.data(LIST, ada))["viewer"]["devices"] == []


async def test_a_device_tells_of_its_user_and_of_itself(ask: Asker, ada: str, tv: Device) -> None:
    battery = {"level": 0.5}
    await did(
        ask, BEAT, ada, deviceId=device_id(tv), idleSeconds=10, battery=battery, networkQuality="EXCELLENT"
    )
    browsing = (await ask.data(DOES, ada))["viewer"]["devices"]
    ask.house.clock.turn(290)
    await did(ask, BEAT, ada, deviceId=device_id(tv), idleSeconds=300)
    idle = (await ask.data(DOES, ada))["viewer"]["devices"]
    await did(ask, BEAT, ada, deviceId=device_id(tv), leaving=True)
    gone = (await ask.data(DOES, ada))["viewer"]["devices"]

    told = {"battery": {"level": 0.5, "charging": False}, "networkQuality": "EXCELLENT"}
    assert browsing == [{"activity": "BROWSING"} | told]
    assert idle == [{"activity": "IDLE"} | told]
    assert gone == [{"activity": "OFFLINE", "battery": None, "networkQuality": None}]


async def test_nonsense_in_a_heartbeat_is_refused(ask: Asker, ada: str, tv: Device) -> None:
    answers = [
        await did(ask, BEAT, ada, deviceId=device_id(tv), idleSeconds=-1),
        await did(ask, BEAT, ada, deviceId=device_id(tv), battery={"level": 42}),
        await did(ask, BEAT, ada, deviceId=device_id(tv), battery={"level": -0.1, "charging": True}),
    ]

    assert [refused(answer) for answer in answers] == [
        [("INVALID", ["idleSeconds"])],
        [("INVALID", ["battery", "level"])],
        [("INVALID", ["battery", "level"])],
    ]
    assert (await ask.data(DOES, ada))["viewer"]["devices"][0]["battery"] is None


@pytest.mark.parametrize(
    ("action", "given", "arguments"),
    [
        ("play", {}, {}),
        ("pause", {"reason": "Dinner"}, {"reason": "Dinner"}),
        ("stop", {}, {}),
        ("seek", {"positionSeconds": 90}, {"positionSeconds": 90}),
        ("skip", {"seconds": -10}, {"seconds": -10}),
        ("setVolume", {"level": 0.5}, {"level": 0.5}),
        ("mute", {}, {}),
        ("unmute", {}, {}),
        ("next", {}, {}),
        ("previous", {}, {}),
        ("setSubtitles", {"language": "pt-BR"}, {"language": "pt-BR"}),
        ("setSubtitles", {}, {"language": None}),
        ("setAudio", {"language": "en"}, {"language": "en"}),
        ("setQuality", {"quality": "HD"}, {"quality": "HD"}),
    ],
)
async def test_a_command_carries_its_arguments(
    ask: Asker, ada: str, tv: Device, action: str, given: dict[str, Any], arguments: dict[str, Any]
) -> None:
    done = await did(ask, SEND, ada, deviceId=device_id(tv), command={action: given}, expiresInSeconds=60)

    assert done["userErrors"] == []
    assert done["command"] | {"id": "", "createdAt": "", "expiresAt": ""} == {
        "id": "",
        "createdAt": "",
        "expiresAt": "",
        "action": action,
        "arguments": arguments,
        "state": "QUEUED",
        "failure": None,
        "device": {"name": "TV"},
    }


async def test_commands_name_titles_and_devices_by_ids_of_the_graph(ask: Asker, ada: str, tv: Device) -> None:
    phone = await ask.house.device(ada)
    movie = encode("Movie", await add_movie(ask.house.database, "Solaris"))
    about = "query ($id: ID!) { node(id: $id) { ... on DeviceCommand { content { id title } } } }"

    load = await did(
        ask, SEND, ada, deviceId=device_id(tv), command={"load": {"contentId": movie, "startSeconds": 9}}
    )
    pause = await did(ask, SEND, ada, deviceId=device_id(phone), command={"pause": {}})
    titles = [
        (await ask.data(about, ada, id=sent["command"]["id"]))["node"]["content"] for sent in (load, pause)
    ]

    assert load["command"]["arguments"] == {"contentId": movie, "startSeconds": 9}
    assert titles == [{"id": movie, "title": "Solaris"}, None]


# Handing over what plays

CASTING = """mutation ($input: SendCommandInput!) { done: sendCommand(input: $input) {
  command { id state arguments content {
    title ... on Episode { number season { number series { title } } } } }
  userErrors { code field message } } }"""
CARRY_OUT = """mutation ($input: ContinueOnInput!) { done: continueOn(input: $input) {
  session { state endReason positionSeconds } command { action arguments device { name } }
  userErrors { code field } } }"""


@pytest.fixture
async def phone(ask: Asker, ada: str) -> Device:
    return await ask.house.device(ada)


@pytest.fixture
async def episode(ask: Asker) -> int:
    series = await add_series(ask.house.database, "Twin Peaks", seasons=[2])
    season = (await parts_of(ask.house.database, series))[0]
    return (await parts_of(ask.house.database, season))[1]


async def casting(ask: Asker, ada: str, source: Device, target: Device) -> dict[str, Any]:
    return await did(
        ask, CASTING, ada, deviceId=device_id(source), command={"castTo": {"deviceId": device_id(target)}}
    )


async def plays(ask: Asker, ada: str, device: Device, content: int) -> PlaybackSession:
    begin = Beginning(position_seconds=90, duration_seconds=1000)
    return await ask.house.playback.start(ada, content, device.id, begin)


async def test_casting_carries_what_plays_and_where_it_stands(
    ask: Asker, ada: str, tv: Device, phone: Device, episode: int
) -> None:
    await plays(ask, ada, tv, episode)
    ask.house.clock.turn(7)

    sent = await casting(ask, ada, tv, phone)

    assert sent["userErrors"] == []
    assert sent["command"]["arguments"] == {
        "deviceId": device_id(phone),
        "contentId": encode("Episode", episode),
        "startSeconds": 97,
    }
    assert sent["command"]["content"]["number"] == 2
    assert sent["command"]["content"]["season"] == {"number": 1, "series": {"title": "Twin Peaks"}}


async def test_who_casts_hands_over_and_is_done_in_one_write(
    ask: Asker, ada: str, tv: Device, phone: Device, episode: int
) -> None:
    session = await plays(ask, ada, tv, episode)
    sent = await casting(ask, ada, tv, phone)
    given = {
        "sessionId": encode("PlaybackSession", session.id),
        "deviceId": device_id(phone),
        "positionSeconds": 99,
        "commandId": sent["command"]["id"],
    }

    done = await did(ask, CARRY_OUT, ada, **given)
    again = await did(ask, CARRY_OUT, ada, **given)

    assert done == {
        "session": {"state": "STOPPED", "endReason": "HANDED_OVER", "positionSeconds": 99},
        "command": {
            "action": "load",
            "arguments": {"contentId": encode("Episode", episode), "startSeconds": 99},
            "device": {"name": "Phone"},
        },
        "userErrors": [],
    }
    assert (await ask.data(NODE, ada, id=sent["command"]["id"]))["node"]["state"] == "EXECUTED"
    assert refused(again) == [("CONFLICT", ["sessionId"])]
    # No command tells who casts to stop: it knows.
    kinds = await ask.house.kinds(ada)
    assert kinds[-3:] == ["playback", "command", "command_state"]


async def test_a_hand_over_carries_out_the_command_for_it_alone(
    ask: Asker, ada: str, tv: Device, phone: Device, episode: int
) -> None:
    tablet = await ask.house.device(ada, "Tablet", can_cast=True)
    session = await plays(ask, ada, tv, episode)
    await plays(ask, ada, tablet, episode)
    pause = await did(ask, SEND, ada, deviceId=device_id(tv), command={"pause": {}})
    elsewhere = await casting(ask, ada, tablet, phone)
    other_way = await casting(ask, ada, tv, tablet)
    late = await casting(ask, ada, tv, phone)
    keys = [each["command"]["id"] for each in (pause, elsewhere, other_way, late)]
    ask.house.clock.turn(5)
    rows = await ask.house.written()

    answers = [
        await did(
            ask,
            CARRY_OUT,
            ada,
            sessionId=encode("PlaybackSession", session.id),
            deviceId=device_id(phone),
            commandId=key,
        )
        for key in (*keys, encode("DeviceCommand", new_id()), "x")
    ]

    not_found, too_late = [("NOT_FOUND", ["commandId"])], [("CONFLICT", ["commandId"])]
    assert [refused(answer) for answer in answers] == [*[not_found] * 3, too_late, *[not_found] * 2]
    assert await ask.house.written() == rows


async def test_only_what_plays_and_may_be_known_is_cast(
    ask: Asker, ada: str, tv: Device, phone: Device, episode: int
) -> None:
    nothing = await casting(ask, ada, tv, phone)
    await ask.house.playback.set_incognito(ada, tv.id, incognito=True)
    await plays(ask, ada, tv, episode)
    unseen = await casting(ask, ada, tv, phone)
    await ask.house.playback.set_incognito(ada, tv.id, incognito=False)
    await plays(ask, ada, tv, episode)
    await ask.house.playback.set_incognito(ada, phone.id, incognito=True)
    to_incognito = await casting(ask, ada, tv, phone)
    await ask.house.playback.set_incognito(ada, phone.id, incognito=False)
    ask.house.restriction = Restriction(max_rating=MaturityRating.PG)
    hidden = await casting(ask, ada, tv, phone)
    ask.house.restriction, ask.house.hours = Restriction(), Hours(0, 1, "UTC")
    too_late = await casting(ask, ada, tv, phone)

    assert [refused(each) for each in (nothing, unseen, to_incognito, hidden, too_late)] == [
        *[[("UNAVAILABLE", ["deviceId"])]] * 4,
        [("UNAVAILABLE", [])],
    ]
    messages = [each["userErrors"][0]["message"] for each in (nothing, unseen, hidden)]
    assert set(messages) == {"Nothing plays on the device."}


async def test_a_command_that_cannot_be_is_refused(ask: Asker, ada: str, tv: Device) -> None:
    foreign = await ask.house.device(await ask.house.account())
    rows = await ask.house.written()

    answers = [
        await did(ask, SEND, ada, deviceId=device_id(tv), command=command)
        for command in (
            {"seek": {"positionSeconds": -1}},
            {"setVolume": {"level": 1.01}},
            {"load": {"contentId": encode("Movie", 1), "startSeconds": -1}},
            {"castTo": {"deviceId": device_id(foreign)}},
            {"setSubtitles": {"language": "?"}},
            {"setAudio": {"language": ""}},
        )
    ]
    answers.append(
        await did(ask, SEND, ada, deviceId=device_id(tv), command={"play": {}}, expiresInSeconds=0)
    )

    assert [refused(answer) for answer in answers] == [
        [("INVALID", ["command", "seek", "positionSeconds"])],
        [("INVALID", ["command", "setVolume", "level"])],
        [("INVALID", ["command", "load", "startSeconds"])],
        [("NOT_FOUND", ["deviceId"])],
        [("INVALID", ["command", "setSubtitles", "language"])],
        [("INVALID", ["command", "setAudio", "language"])],
        [("INVALID", ["expiresInSeconds"])],
    ]
    assert await ask.house.written() == rows


async def test_a_device_says_how_far_it_is(ask: Asker, ada: str, tv: Device) -> None:
    sent = await ask.house.commands.send(ada, tv.id, Command("play", {}))
    key = encode("DeviceCommand", sent.id)

    states = [
        (await did(ask, ACKNOWLEDGE, ada, commandId=key, report=report))["command"]["state"]
        for report in ("ACKNOWLEDGED", "EXECUTED")
    ]

    assert states == ["ACKNOWLEDGED", "EXECUTED"]


@pytest.mark.parametrize("command", [{}, {"play": {}, "pause": {}}, {"play": None}])
async def test_a_command_is_exactly_one(ask: Asker, ada: str, tv: Device, command: dict[str, Any]) -> None:
    rows = await ask.house.written()

    found = await ask.result(SEND, ada, input={"deviceId": device_id(tv), "command": command})

    assert found.errors is not None
    assert await ask.house.written() == rows


async def test_a_command_is_answered_once_and_in_time(ask: Asker, ada: str, tv: Device) -> None:
    async def send() -> str:
        done = await did(ask, SEND, ada, deviceId=device_id(tv), command={"play": {}})
        return str(done["command"]["id"])

    ok, failed, late = [await send() for _ in range(3)]

    answers = [
        await did(ask, ACKNOWLEDGE, ada, commandId=ok),
        await did(ask, ACKNOWLEDGE, ada, commandId=ok),
        await did(ask, ACKNOWLEDGE, ada, commandId=ok, failure="No."),
        await did(ask, ACKNOWLEDGE, ada, commandId=failed, failure="No such title."),
    ]
    ask.house.clock.turn(5)
    answers.append(await did(ask, ACKNOWLEDGE, ada, commandId=late))

    assert [answer["command"] and answer["command"]["state"] for answer in answers] == [
        "EXECUTED",
        "EXECUTED",
        None,
        "FAILED",
        None,
    ]
    assert answers[3]["command"]["failure"] == "No such title."
    assert [refused(answers[2]), refused(answers[4])] == [[("CONFLICT", ["commandId"])]] * 2
    states = [(await ask.data(NODE, ada, id=key))["node"]["state"] for key in (ok, failed, late)]
    assert states == ["EXECUTED", "FAILED", "EXPIRED"]


async def test_what_was_acknowledged_and_has_lapsed_is_not_acknowledged_again(
    ask: Asker, ada: str, tv: Device
) -> None:
    sent = await ask.house.commands.send(ada, tv.id, Command("play", {}))
    key = encode("DeviceCommand", sent.id)

    begun = await did(ask, ACKNOWLEDGE, ada, commandId=key, report="ACKNOWLEDGED")
    ask.house.clock.turn(31)
    again = await did(ask, ACKNOWLEDGE, ada, commandId=key, report="ACKNOWLEDGED")

    assert begun["userErrors"] == []
    assert refused(again) == [("CONFLICT", ["commandId"])]


async def test_what_is_anothers_behaves_as_if_it_did_not_exist(ask: Asker, ada: str, tv: Device) -> None:
    house, bob = ask.house, await ask.house.account()
    sent = await house.commands.send(ada, tv.id, Command("play", {}), 60)
    missing = encode("Device", new_id())
    before = (await ask.data(LIST, ada), await house.kinds(ada))

    for device in (device_id(tv), missing, encode("Movie", 1), "x", encode("Device", "\0")):
        answers = [
            await did(ask, REGISTER, bob, name="Mine", kind="TV", deviceId=device),
            await did(ask, RENAME, bob, deviceId=device, name="Mine"),
            await did(ask, REMOVE, bob, deviceId=device),
            await did(ask, BEAT, bob, deviceId=device),
            await did(ask, BEAT, bob, deviceId=device, leaving=True),
            await did(ask, SEND, bob, deviceId=device, command={"play": {}}),
        ]
        assert [refused(answer) for answer in answers] == [[("NOT_FOUND", ["deviceId"])]] * 6
    command = encode("DeviceCommand", sent.id)
    answer = await did(ask, ACKNOWLEDGE, bob, commandId=command)
    nodes = [
        (await ask.data(NODE, account, id=key))["node"]
        for account in (bob, None)
        for key in (device_id(tv), command)
    ]

    assert refused(answer) == [("NOT_FOUND", ["commandId"])]
    assert nodes == [None] * 4
    assert (await ask.data(LIST, bob))["viewer"]["devices"] == []
    assert (await ask.data(LIST, ada), await house.kinds(ada)) == before
    assert (await ask.data(NODE, ada, id=command))["node"] == {"id": command, "state": "QUEUED"}


async def test_refusals_of_anothers_and_of_nothing_are_word_for_word_the_same(ask: Asker, tv: Device) -> None:
    bob = await ask.house.account()

    answers = [
        await did(ask, RENAME, bob, deviceId=key, name="Mine")
        for key in (device_id(tv), encode("Device", new_id()), encode("Device", "x"), "x")
    ]

    assert answers == [answers[0]] * 4


@pytest.mark.parametrize(
    ("document", "given"),
    [
        (REGISTER, {"name": "TV", "kind": "TV"}),
        (RENAME, {"name": "TV"}),
        (REMOVE, {}),
        (BEAT, {}),
        (SEND, {"command": {"play": {}}}),
        (ACKNOWLEDGE, {"commandId": encode("DeviceCommand", new_id())}),
    ],
)
async def test_nobody_has_devices(ask: Asker, tv: Device, document: str, given: dict[str, Any]) -> None:
    named = {} if "kind" in given or "commandId" in given else {"deviceId": device_id(tv)}
    rows = await ask.house.written()

    assert await ask.code(document, input=given | named) == "UNAUTHENTICATED"
    assert await ask.house.written() == rows


async def test_the_number_of_statements_does_not_grow_with_the_devices(
    ask: Asker, ada: str, tv: Device, statements: StatementCounter
) -> None:
    document = "{ viewer { devices { name online nowPlaying { content { title } device { name } } } } }"
    movie = await add_movie(ask.house.database)
    counts = []
    for device in (tv, *[await ask.house.device(ada, f"Device {n}") for n in range(9)]):
        await ask.house.playback.start(ada, movie, device.id)
        statements.clear()
        await ask.data(document, ada)
        counts.append(len(statements.seen))

    assert counts == [counts[0]] * 10
    assert counts[0] <= 5


@pytest.mark.parametrize(("tier", "most"), [(Tier.FREE, 5), (Tier.PREMIUM, 20)])
async def test_a_subscription_covers_so_many_devices(ask: Asker, ada: str, tier: Tier, most: int) -> None:
    caller = replace(somebody(ada), tier=tier)
    graph = ask._graph
    context = replace(ask.house.context(ada), caller=caller)

    outcomes = [
        await graph.execute(
            REGISTER,
            variable_values={"input": {"name": f"Device {number}", "kind": "PHONE"}},
            context_value=context,
        )
        for number in range(most + 1)
    ]

    done = [one.data["done"] for one in outcomes if isinstance(one, ExecutionResult) and one.data]
    codes = [[error["code"] for error in one["userErrors"]] for one in done]
    assert codes == [[]] * most + [["LIMIT_REACHED"]]
    assert len(await ask.house.devices.store.devices(ada)) == most
