"""Devices with the client's own queue and copy, through the graph, against the rules: all end with one state.

Steps are acts of users with and without a device, pushes and pulls that fail at any point, requests that come
late, again, and at once on two servers, clocks that are wrong, devices that are killed between two of their
statements, months that pass, and a log that is pruned. MEDIA_GATEWAY_TEST_STEPS says how many.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.platform.errors import Refused
from domain.sync import journal
from domain.sync.abandoned import Abandoned
from domain.sync.model import MarkKind, Verdict
from domain.sync.operations import Origin, Position
from domain.sync.postgres_retention import PostgresAttic, PostgresUnfinished
from domain.sync.retention import Retention
from media_gateway_client import (
    Change,
    Offline,
    Operation,
    Store,
    added,
    dropped,
    hidden,
    moved,
    noted,
    reacted,
    removed,
    sync,
    watched,
)
from media_gateway_client.operations import FORGET_TITLE, SET_INCOGNITO
from resolvers.ids import encode
from tests.clients.house import (
    DURATION,
    STEPS,
    Device,
    Request,
    Results,
    Way,
    World,
    deaths,
    house_of,
    open_world,
    servers,
    take_steps,
)
from tests.clients.rules import NOTHING, Conflict, Rules, State, Version, ends

DEVICES = 3
CREDITS = (100, 300)
"""Seconds of closing credits, of each title; those of the second are too long to be true."""
TITLES = len(CREDITS)
SMALL = 3
"""Operations of a request and entries of a page, so that there are several."""
TAKEN_AHEAD, TOO_FAR_AHEAD = 50_000, 90_000
ENOUGH_FOR_ALL = 5_000
"""Steps in which everything happens."""
KINDS = {"watched", "added", "removed", "moved", "reacted", "noted", "dropped", "hidden"}
FATES = {"APPLIED", "SUPERSEDED", "REPEATED", "FORGOTTEN", "REFUSED INVALID", "REFUSED CLOCK_AHEAD"}
FAULTS = {"request", "late", "commit", "answer", "killed", "conflict", "incognito"}
FAILURES = [None, None, None, None, "request", "late", "commit", "answer"]
"""What may happen to a request; `None` for nothing."""
LAST = Version(1 << 63, "~")
WRITTEN = """SELECT (SELECT seq FROM change_sequence WHERE account_id = $1),
                    (SELECT count(*) FROM outbox WHERE key = $1::text),
                    (SELECT count(*) FROM sync_operation WHERE account_id = $1)"""

devices = st.integers(0, DEVICES - 1)
titles = st.integers(0, TITLES - 1)
reactions = st.builds(
    lambda verdict, stars: (verdict, stars),
    st.sampled_from([None, "LIKE", "DISLIKE", "NOT_INTERESTED"]),
    st.sampled_from([None, 0.5, 5.0]),
)


class Devices(RuleBasedStateMachine):
    """Everything that can happen to the devices of one account."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.chance = Random(self.world.steps)
        """For what hypothesis is not to choose: it hardly ever takes another than the first or the last, and
        holds it for an error where the same draws lead to other choices, as they may after two servers raced.
        """
        self.world.steps -= 1  # what must hold does so before the first
        self.made: dict[str, tuple[int, Operation]] = {}
        """With the number of the device."""
        self.ended: set[str] = set()
        """Operations that the server took, or that wait for their user."""
        self.arrived: list[Request] = []
        self.account = self.run(house_of(self.world).account())
        self.folder = tempfile.TemporaryDirectory(dir=self.world.folder)
        self.devices = [self.device(f"{number}") for number in range(DEVICES)]
        self.ids = [encode("Movie", title) for title in self.world.movies]
        self.series = encode("Series", self.world.series)
        self.model = Rules(frozenset([self.series]), dict(zip(self.ids, self.world.closing, strict=True)))

    def run(self, doing: Any) -> Any:
        return self.world.runner.run(doing)

    def device(self, name: str) -> Device:
        known = self.run(house_of(self.world).device(self.account, name))
        made = Device(self.world, Path(self.folder.name), name, known.id, Way(self.world, self.account))
        made.store.name(encode("Device", known.id))
        return made

    # What users do on devices

    def do(self, device: int, change: Change, death: int | None = None) -> None:
        doer = self.devices[device]
        seen, alone = seen_version(doer.store, change), not waits_for(doer.queue, change)
        operation = doer.killed_after(death, lambda: doer.store.do(change))
        if operation is None:
            self.world.seen.add("killed")
            return
        assert not alone or operation.base == seen
        self.made[operation.id] = device, operation
        if change.kind == "watched":
            doer.queue = [each for each in doer.queue if not overtaken(each.change, change)]
        doer.queue.append(operation)

    @rule(
        device=devices,
        title=titles,
        seconds=st.sampled_from([0, 40, 899, 900, 949, 950, 1000, 2000]),
        duration=st.sampled_from([DURATION, DURATION, DURATION + 1]),
        back=st.booleans(),
        death=deaths,
    )
    def watch(
        self, device: int, title: int, seconds: int, duration: int, *, back: bool, death: int | None
    ) -> None:
        """The viewing that goes on, or again one that is finished."""
        content = self.ids[title]
        viewing = max(1, self.devices[device].store.viewing(content) - back)
        self.do(device, watched(content, viewing, seconds, duration, self.world.closing[title]), death)

    @rule(device=devices, title=titles, death=deaths)
    def put_on_list(self, device: int, title: int, death: int | None) -> None:
        self.do(device, added(self.ids[title]), death)

    @rule(device=devices, title=titles, death=deaths)
    def take_off_list(self, device: int, title: int, death: int | None) -> None:
        content = self.ids[title]
        self.do(device, removed(content, self.devices[device].store.tags(content)), death)

    @rule(device=devices, title=titles, place=st.sampled_from(["V", "k", "0000zV"]))
    def move(self, device: int, title: int, place: str) -> None:
        self.do(device, moved(self.ids[title], place))

    @rule(device=devices, title=titles, said=reactions)
    def react(self, device: int, title: int, said: tuple[str | None, float | None]) -> None:
        self.do(device, reacted(self.ids[title], *said))

    @rule(
        device=devices, title=titles, text=st.sampled_from([None, "", " ", "Again.", " Again. ", "ß" * 2000])
    )
    def note(self, device: int, title: int, text: str | None) -> None:
        self.do(device, noted(self.ids[title], text))

    @rule(device=devices, title=titles, drop=st.booleans())
    def drop(self, device: int, title: int, *, drop: bool) -> None:
        self.do(device, dropped(self.ids[title], dropped=drop))

    @rule(device=devices, title=titles, hide=st.booleans())
    def hide(self, device: int, title: int, *, hide: bool) -> None:
        self.do(device, hidden(self.ids[title], hidden=hide))

    @rule(device=devices, title=titles, which=st.integers(0, 5))
    def do_what_is_refused(self, device: int, title: int, which: int) -> None:
        content = self.ids[title]
        wrong = [
            watched(self.series, 1, 40, DURATION),
            watched(content, 1, -1, DURATION),
            watched(content, 0, 40, DURATION),
            reacted(content, None, 0.7),
            noted(content, "ß" * 2001),
            moved(content, "V0"),
        ]
        self.do(device, wrong[which])

    @rule(device=devices)
    def try_again_what_was_refused(self, device: int) -> None:
        store = self.devices[device].store
        for letter in store.dead_letters()[:1]:
            operation = store.retry(letter.id)
            self.made[operation.id] = device, operation
            if letter.change.kind == "watched":
                queue = self.devices[device].queue
                self.devices[device].queue = [
                    each for each in queue if not overtaken(each.change, letter.change)
                ]
            self.devices[device].queue.append(operation)

    # What they do without one

    @rule(
        title=titles, server=servers, kind=st.sampled_from(["watch", "react", "note", "hide"]), said=reactions
    )
    def write_without_a_device(
        self, title: int, server: int, kind: str, said: tuple[str | None, float | None]
    ) -> None:
        house, key, content = self.world.servers[server].house, self.world.movies[title], self.ids[title]
        now, verdict, stars = house.milliseconds(), *said
        match kind:
            case "watch":
                seconds = {"LIKE": 950, "DISLIKE": 900}.get(verdict or "", 40)
                finishing = ends((seconds, DURATION), self.world.closing[title])
                viewing = self.model.viewing(content, finishing=finishing)
                found = self.run(house.sync.record_progress(self.account, key, Position(seconds, DURATION)))
                told = {"viewing": viewing, "positionSeconds": seconds, "durationSeconds": DURATION}
                self.model.write("watched", {"contentId": content} | told, Version(*found.version), now)
            case "react":
                given = None if verdict is None else Verdict(verdict.lower())
                found = self.run(house.sync.react(self.account, key, given, stars))
                said_so = {"contentId": content, "verdict": verdict, "stars": stars}
                self.model.write("reacted", said_so, Version(*found.version), now)
            case "note":
                self.run(house.sync.mark(self.account, key, {MarkKind.NOTE: verdict}))
                self.model.write(
                    "noted", {"contentId": content, "text": verdict}, self.marked(key, "note"), now
                )
            case _:
                hide = verdict is not None
                self.run(house.sync.mark(self.account, key, {MarkKind.HIDDEN: hide}))
                self.model.write(
                    "hidden", {"contentId": content, "hidden": hide}, self.marked(key, "hidden"), now
                )

    @rule(title=titles, server=servers, kind=st.sampled_from(["add", "remove", "move"]))
    def list_without_a_device(self, title: int, server: int, kind: str) -> None:
        house, key, content = self.world.servers[server].house, self.world.movies[title], self.ids[title]
        listed = self.model.live(content)
        if kind == "add":
            entry = self.run(house.sync.add_to_watchlist(self.account, key))
            for tag in set(entry.tags) - listed.keys():
                statement = "SELECT added_hlc, added_by FROM watchlist_tag WHERE account_id = $1 AND tag = $2"
                version = self.version(statement, self.account, tag)
                told = {"contentId": content, "tag": tag}
                self.model.write("added", told, version, house.milliseconds())
        elif listed and kind == "remove":
            assert self.run(house.sync.remove_from_watchlist(self.account, key, list(listed)))
            self.model.removed |= listed.keys()
        elif listed:
            self.run(house.sync.move_on_watchlist(self.account, key, "z"))
            told = {"contentId": content, "place": "z"}
            self.model.write("moved", told, self.marked(key, "place"), house.milliseconds())

    @rule(title=titles, server=servers)
    def forget_title(self, title: int, server: int) -> None:
        content, now = self.ids[title], self.world.milliseconds
        told = [
            write.version
            for key, writes in self.model.writes.items()
            if key[:2] == ("watched", content)
            for write in writes
        ]
        asked = self.world.servers[server]
        payload = self.run(asked.data(FORGET_TITLE, self.account, input={"contentId": content}))[
            "forgetTitle"
        ]
        statement = "SELECT hlc, hlc_device FROM forgotten_title WHERE account_id = $1 AND content_id = $2"
        moment = self.version(statement, self.account, self.world.movies[title])

        viewings = {
            key for key, writes in self.model.writes.items() if key[:2] == ("watched", content) and writes
        }
        assert payload == {"viewings": len(viewings), "userErrors": []}
        assert moment > max(told, default=Version(0, ""))
        assert moment.milliseconds >= now
        self.model.forget(content, moment)

    @rule(device=devices, server=servers, incognito=st.sampled_from([True, False, False]))
    def switch(self, device: int, server: int, *, incognito: bool) -> None:
        """On whichever device: the one that it is about may not hear of it."""
        key = self.devices[device].key
        given = {"deviceId": encode("Device", key), "incognito": incognito}
        payload = self.run(self.world.servers[server].data(SET_INCOGNITO, self.account, input=given))
        assert payload["setIncognito"] == {"device": {"incognito": incognito}, "userErrors": []}
        self.model.switch(key, self.world.milliseconds, incognito=incognito)

    @rule(device=devices, server=servers, title=titles, said=reactions)
    def live_incognito(
        self, device: int, server: int, title: int, said: tuple[str | None, float | None]
    ) -> None:
        """What is done meanwhile is stored nowhere, also where it is told late."""
        self.send(device, server)
        self.switch(device, server, incognito=True)
        before = self.written()
        self.write_naming(device, server, title)
        self.watch(device, title, 950, DURATION, back=False, death=None)
        self.put_on_list(device, title, None)
        self.react(device, title, said)
        if self.waits_of_then(device):
            self.send(device, server, "answer")
            assert self.written() == before

        self.turn(1.0)
        self.switch(device, server, incognito=False)
        before = self.written()
        if self.waits_of_then(device):
            self.send(device, server)
            assert self.written() == before
            self.world.seen.add("incognito")

    def waits_of_then(self, device: int) -> bool:
        """Whether all that waits was done incognito: by the clock of its device, which may be wrong."""
        key, queue = self.devices[device].key, self.devices[device].queue
        return all(self.model.was_incognito(Version(each.version.clock, key)) for each in queue)

    def write_naming(self, device: int, server: int, title: int) -> None:
        """Writes of a device that keeps no queue."""
        sync, key = self.world.servers[server].house.sync, self.world.movies[title]
        origin = Origin(self.devices[device].key)
        self.run(sync.record_progress(self.account, key, Position(40, DURATION), origin))
        for write in (
            sync.react(self.account, key, Verdict.LIKE, None, origin),
            sync.add_to_watchlist(self.account, key, None, origin),
            sync.mark(self.account, key, {MarkKind.NOTE: "Again."}, origin),
        ):
            with pytest.raises(Refused):
                self.run(write)

    def written(self) -> Any:
        """How much was ever logged, told to the outside, and done."""
        ((logged, told, done),) = self.run(self.world.database.rows(WRITTEN, self.account))
        return logged, told, done

    def marked(self, title: int, kind: str) -> Version:
        statement = """SELECT hlc, hlc_device FROM title_mark
                        WHERE account_id = $1 AND content_id = $2 AND kind = $3"""
        return self.version(statement, self.account, title, kind)

    def version(self, statement: str, *arguments: Any) -> Version:
        """The time that the server gave a write."""
        ((clock, device),) = self.run(self.world.database.rows(statement, *arguments))
        return Version(clock, device)

    # What the way does

    @rule(device=devices, server=servers, death=deaths)
    def push(self, device: int, server: int, death: int | None) -> None:
        failing = self.chance.choice(FAILURES)
        note(f"# failing: {failing}")
        self.send(device, server, failing, death)

    def send(self, device: int, server: int, failing: str | None = None, death: int | None = None) -> None:
        pushed = self.devices[device]
        pushed.way.failing, pushed.way.server = failing, server
        try:
            report = pushed.killed_after(death, lambda: self.run(pushed.synchroniser.push()))
        except Offline:
            report, death = None, None
            assert failing is not None
            self.world.seen.add(failing)
        pushed.way.failing = None
        for told in taken(pushed.way.told):
            self.arrives(device, *told)
        self.answered(pushed, killed=report is None and death is not None)

    @rule(pair=st.permutations(range(DEVICES)))
    def push_at_once(self, pair: Sequence[int]) -> None:
        """On two servers: it comes to the same as one after the other, in some order."""
        both = [self.devices[device] for device in pair[:2]]
        for server, device in enumerate(both):
            device.way.server = server

        async def together() -> None:
            await asyncio.gather(*(device.synchroniser.push() for device in both))

        self.run(together())
        first, second = (taken(device.way.told) for device in both)
        conflicts = self.conflicts()
        ways = [
            rules
            for rules in interleaved(
                self.model, (both[0].key, first), (both[1].key, second), self.world.milliseconds
            )
            if rules.conflicts == conflicts
        ]
        assert ways, (first, second, conflicts)
        self.model = ways[0]
        for number, told in zip(pair[:2], (first, second), strict=True):
            for request, results in told:
                self.note_ends(number, request, results)
            self.answered(self.devices[number], killed=False)

    @rule(device=devices, server=servers, after=st.sampled_from([None, None, 0, 1, 2, 5]), death=deaths)
    def pull(self, device: int, server: int, after: int | None, death: int | None) -> None:
        pulled = self.devices[device]
        pulled.way.after_events, pulled.way.server = after, server
        whole = False
        try:
            pulled.killed_after(death, lambda: self.run(pulled.synchroniser.follow()))
            whole = death is None
        except Offline:
            assert after is not None
        pulled.way.after_events = None
        if whole:
            self.shows_what_was_told_and_what_waits(pulled)

    @rule(device=devices, server=servers)
    def synchronise(self, device: int, server: int) -> None:
        """All goes well for once."""
        self.send(device, server)
        self.pull(device, server, None, None)

    @rule(device=devices, server=servers, title=titles, which=st.integers(0, 4), said=reactions)
    def changes_what_is_seen(
        self, device: int, server: int, title: int, which: int, said: tuple[str | None, float | None]
    ) -> None:
        """Whatever the clocks say, a device that saw what stands replaces it."""
        if self.devices[device].skew > TAKEN_AHEAD:
            return
        self.synchronise(device, server)
        content, word = self.ids[title], said[0]
        change, register, value = [
            (reacted(content, *said), "reacted", said),
            (noted(content, word), "noted", word),
            (dropped(content, dropped=word is None), "dropped", word is None),
            (hidden(content, hidden=word is None), "hidden", word is None),
            (moved(content, "Z"), "watchlist", None),
        ][which]
        self.do(device, change)
        if self.waits_of_then(device):
            return

        self.synchronise(device, server)

        found = shown(self.devices[device].store).get((register, content, 0))
        if register == "watchlist":
            assert found is None or found[1] == "Z"
        else:
            assert found == value or (found is None and value in NOTHING)

    @rule(first=devices, doubled=st.booleans())
    def deliver_late(self, first: int, *, doubled: bool) -> None:
        for device in ((first + further) % DEVICES for further in range(DEVICES)):
            if self.devices[device].way.late:
                given = self.devices[device].way.late.pop(0)
                self.deliver(device, given | {"operations": given["operations"] * (1 + doubled)})
                return

    @rule()
    def deliver_again(self) -> None:
        if self.arrived:
            given = self.chance.choice(self.arrived)
            note(f"# again: {given}")
            names = [encode("Device", device.key) for device in self.devices]
            self.deliver(names.index(given["deviceId"]), given)

    def deliver(self, device: int, given: Request) -> None:
        way = self.devices[device].way
        self.run(way.deliver(given))
        for told in taken(way.told):
            self.arrives(device, *told)

    def arrives(self, device: int, given: Request, results: Results) -> None:
        """The server did with a request what the rules say."""
        fates = self.model.push(given, self.devices[device].key, self.world.milliseconds)
        assert fates_of(results) == fates, given
        self.note_ends(device, given, results)

    def note_ends(self, device: int, given: Request, results: Results) -> None:
        assert [result["operationId"] for result in results] == [told["id"] for told in given["operations"]]
        assert all(self.made[told["id"]][0] == device for told in given["operations"])
        for told, (fate, reason) in zip(given["operations"], fates_of(results), strict=True):
            self.world.seen |= {fate if reason is None else f"{fate} {reason}"}
            self.world.seen |= set(told["change"]) if fate == "APPLIED" else set()
        self.ended |= {result["operationId"] for result in results if result["fate"] != "REFUSED"}
        if given["operations"]:
            self.arrived.append(given)

    def answered(self, device: Device, *, killed: bool) -> None:
        """What was answered has left the queue, and nothing else; the process may die meanwhile."""
        answers = taken(device.way.answers)
        queues = [device.queue]
        for results in answers:
            gone = {
                result["operationId"]
                for result, (_, reason) in zip(results, fates_of(results), strict=True)
                if reason != "CLOCK_AHEAD"
            }
            queues.append([operation for operation in queues[-1] if operation.id not in gone])
        waiting = [operation.id for operation in device.store.waiting()]
        found = [queue for queue in queues if [operation.id for operation in queue] == waiting]
        assert found[-1:] == queues[-1:] if not killed else found, (waiting, queues)
        device.queue = found[-1]
        self.ended |= {letter.id for letter in device.store.dead_letters()}

    # What time and operators do

    @rule(
        device=devices,
        seconds=st.sampled_from([0.001, 1.0, 30.0]),
        skew=st.sampled_from([0, 0, -50_000, TAKEN_AHEAD, -86_400_000, TOO_FAR_AHEAD]),
    )
    def time_passes(self, device: int, seconds: float, skew: int) -> None:
        """The device starts again, with its clock set otherwise."""
        self.turn(seconds)
        self.devices[device].skew = skew
        self.devices[device].restart()

    @rule(days=st.sampled_from([0, 0, 0, 91, 181]))
    def months_pass(self, days: int) -> None:
        """And the worker does what it does at night."""
        statement = "UPDATE change SET created_at = $2 WHERE account_id = $1"
        self.run(self.world.database.execute(statement, self.account, house_of(self.world).clock.now()))
        self.turn(days * 86_400)
        house = house_of(self.world)
        retention = Retention(PostgresAttic(self.world.database), timedelta(days=30), house.clock.now)
        abandoned = Abandoned(PostgresUnfinished(self.world.database), house.sync, house.clock.now)
        while self.run(retention.run()) or self.run(abandoned.forget()):
            pass
        if days:
            self.model.age(self.world.milliseconds)

    @rule(entries=st.sampled_from([1, 3, 100]))
    def prune(self, entries: int) -> None:
        """The oldest entries of the log go, wherever devices are."""
        statement = """DELETE FROM change WHERE account_id = $1 AND seq IN
                       (SELECT seq FROM change WHERE account_id = $1 ORDER BY seq LIMIT $2)"""
        self.run(self.world.database.execute(statement, self.account, entries))

    def turn(self, seconds: float) -> None:
        house_of(self.world).clock.turn(seconds)

    # What must hold

    @invariant()
    def queues_hold_what_was_done(self) -> None:
        """In order, under versions that rise, and of unfinished positions in a viewing one."""
        self.world.steps += 1
        for device in self.devices:
            waiting = device.store.waiting()
            assert [(each.id, each.change) for each in waiting] == [
                (each.id, each.change) for each in device.queue
            ]
            clocks = [operation.version.clock for operation in waiting]
            assert clocks == sorted(set(clocks))
            positions = [each.change.register for each in waiting if goes_on(each.change)]
            assert len(positions) == len(set(positions))

    def shows_what_was_told_and_what_waits(self, device: Device) -> None:
        rules = deepcopy(self.model)
        waiting = device.store.waiting()
        for operation in waiting:
            change = operation.change
            kind, told = change.kind, {"contentId": change.content_id, "tag": operation.id} | change.arguments
            # Of marks a device knows no versions; of equal clocks it takes its own for the later.
            sure = kind in {"watched", "added", "removed", "reacted"}
            rules.removed -= {operation.id}
            rules.settled.clear()
            version = Version(operation.version.clock, "~") if sure else LAST
            if not sure:
                rules.writes.pop((kind, change.content_id, 0), None)
            rules.write(kind, told, version, 0)
        unplaced = {
            each.change.content_id for each in waiting if each.change.kind in {"added", "removed", "moved"}
        }

        assert without_places(shown(device.store), unplaced) == without_places(rules.state(), unplaced)

    def conflicts(self) -> dict[Conflict, Version]:
        statement = """SELECT kind, content_id, lost_hlc, lost_device, won_hlc, won_device
                         FROM sync_conflict WHERE account_id = $1"""
        rows = self.run(self.world.database.rows(statement, self.account))
        return {
            Conflict(row[0].upper(), encode("Movie", row[1]), Version(row[2], row[3])): Version(
                row[4], row[5]
            )
            for row in rows
        }

    def teardown(self) -> None:
        try:
            if hasattr(self, "model"):
                self.converge()
        finally:
            for device in getattr(self, "devices", []):
                device.store.close()
            self.folder.cleanup()

    def converge(self) -> None:
        """Everybody online, all queues sent, all changes taken in."""
        for number in range(DEVICES):
            self.send(number, number % 2)
        for number, device in enumerate(self.devices):
            self.pull(number, number % 2, None, None)
            assert len(device.store) == 0

        state = self.model.state()
        for device in self.devices:
            assert shown(device.store) == state
        assert self.conflicts() == self.model.conflicts
        self.world.seen |= {"conflict"} if self.model.conflicts else set()
        self.everything_made_has_ended()

    def everything_made_has_ended(self) -> None:
        """Taken by the server, or put aside for the user, or overtaken by a later position."""
        made = list(self.made.values())
        overtaken_ones = {
            operation.id
            for place, (device, operation) in enumerate(made)
            for other, later in made[place + 1 :]
            if other == device and overtaken(operation.change, later.change)
        }
        assert self.made.keys() <= self.ended | overtaken_ones


def seen_version(store: Store, change: Change) -> str | None:
    """Of what the user sees and replaces, where it is one register that tells it."""
    content = change.content_id
    if change.kind == "watched":
        viewing = change.arguments["viewing"]
        return next((it.version for it in store.progress(content) if it.viewing == viewing), None)
    if change.kind == "reacted":
        return next((it.version for it in store.reactions() if it.content_id == content), None)
    return None


def waits_for(queue: Sequence[Operation], change: Change) -> bool:
    """Whether something waits that is shown in the same place."""
    return any(each.change.register == change.register for each in queue)


def goes_on(change: Change) -> bool:
    """A position that finishes nothing."""
    told = change.arguments
    return change.kind == "watched" and not ends(
        (told["positionSeconds"], told["durationSeconds"]), told.get("endCreditsSeconds", 0)
    )


def overtaken(change: Change, later: Change) -> bool:
    """Whether a position need not be sent any more, as one in the same viewing came behind it."""
    return goes_on(change) and later.kind == "watched" and change.register == later.register


def taken(found: list[Any]) -> list[Any]:
    """All of a list, which is empty then."""
    told = list(found)
    found.clear()
    return told


def fates_of(results: Results) -> list[tuple[str, str | None]]:
    return [
        (result["fate"], next((error["code"] for error in result["userErrors"]), None)) for result in results
    ]


Told = tuple[str, Sequence[tuple[Request, Results]]]


def interleaved(rules: Rules, one: Told, other: Told, now: int) -> Iterator[Rules]:
    """What comes of the requests of two devices in any order that explains their answers."""
    if not one[1] and not other[1]:
        yield rules
    for (key, requests), rest in ((one, other), (other, one)):
        if requests:
            (given, results), *left = requests
            after = deepcopy(rules)
            if after.push(given, key, now) == fates_of(results):
                yield from interleaved(after, (key, left), rest, now)


def shown(store: Store) -> State:
    """What the user of a device sees."""
    state: State = {
        ("watched", known.content_id, known.viewing): (
            (known.position_seconds, known.duration_seconds),
            known.completed,
        )
        for known in store.progress()
    }
    state |= {
        ("watchlist", entry.content_id, 0): (frozenset(entry.tags), entry.place)
        for entry in store.watchlist()
    }
    state |= {("reacted", found.content_id, 0): (found.verdict, found.stars) for found in store.reactions()}
    for marks in store.marks():
        state |= {
            ("noted", marks.content_id, 0): marks.note,
            ("dropped", marks.content_id, 0): marks.dropped,
            ("hidden", marks.content_id, 0): marks.hidden,
        }
    return {key: value for key, value in state.items() if value not in NOTHING}


def without_places(state: State, contents: set[str]) -> State:
    return {
        key: value[0] if key[0] == "watchlist" and key[1] in contents else value
        for key, value in state.items()
    }


@pytest.mark.timeout(120 + STEPS // 10)
def test_devices_converge_whatever_happens(
    database_url: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "BATCH", SMALL)
    monkeypatch.setattr(journal, "CATCH_UP_PAGE", SMALL)
    with open_world(database_url, scratch, CREDITS) as world:
        take_steps(Devices, world, STEPS)
    if world.steps >= ENOUGH_FOR_ALL:
        assert world.seen >= {*KINDS, *FATES, *FAULTS}
