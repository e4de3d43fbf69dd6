"""A TV or phone without a screen: it plays by the clock, obeys commands, and can be cut off and killed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from media_gateway_client import (
    ClientError,
    Gateway,
    Offline,
    Operation,
    Rejected,
    Store,
    Synchroniser,
    added,
    removed,
    watched,
)
from media_gateway_client.operations import Operations, SendCommandInput

REPORT_SECONDS = 10.0

Say = Callable[[str], None]


@dataclass
class Line(Operations):
    """The way to the server, which can be cut; fills `Server`."""

    gateway: Gateway
    cut: bool = False

    @property
    def milliseconds(self) -> int | None:
        return self.gateway.milliseconds

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        return await self._whole().push(device_id, operations, settled_through)

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        async for event in self._whole().changes(cursor):
            self._whole()
            yield event

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        return await self._whole().execute(document, **variables)

    async def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        async with aclosing(self._whole().stream(document, **variables)) as events:
            async for event in events:
                self._whole()
                yield event

    def _whole(self) -> Gateway:
        if self.cut:
            raise Offline("The line is cut.")
        return self.gateway


@dataclass
class Playing:
    """What is on, and since when; the position goes on by the clock unless it is paused."""

    content_id: str
    title: str
    duration_seconds: int
    viewing: int
    seconds: float
    since: float | None

    @property
    def position_seconds(self) -> int:
        gone = 0.0 if self.since is None else monotonic() - self.since
        return min(int(self.seconds + gone), self.duration_seconds)

    def go_to(self, seconds: float) -> None:
        self.seconds = seconds
        self.since = None if self.since is None else monotonic()

    def pause(self) -> None:
        self.seconds, self.since = float(self.position_seconds), None

    def play(self) -> None:
        if self.since is None:
            self.since = monotonic()


@dataclass
class SimulatedDevice:
    """One device: what its user does goes through the queue, whether the line is cut or not."""

    store: Store
    line: Line
    say: Say
    playing: Playing | None = None
    volume: float = 0.5
    muted: bool = False
    subtitles: str | None = None
    audio: str | None = None
    quality: str | None = None
    incognito: bool = False
    known: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Titles and lengths of what was listed or played."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _cursor: str | None = None

    async def run(self) -> None:
        """Keeps in step and obeys until cancelled."""
        synchroniser = Synchroniser(self.store, self.line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(synchroniser.keep_pushing(self._wake))
            tasks.create_task(synchroniser.keep_following())
            tasks.create_task(self._obey_for_ever())
            tasks.create_task(self._report_for_ever())

    # What its user does

    async def titles(self, first: int = 15) -> list[str]:
        """The ids of titles there are."""
        nodes = (await self.line.titles(first=first, filter={"kinds": ["MOVIE"]}))["contents"]["nodes"]
        films = [node for node in nodes if node["__typename"] == "Movie"]
        self.known |= {film["id"]: (film["title"], film["runtimeSeconds"] or 0) for film in films}
        return [film["id"] for film in films]

    async def start(self, content_id: str, seconds: int | None = None) -> Playing:
        """Plays a title, from where its viewer stopped unless `seconds` says otherwise."""
        title, duration = self.known.get(content_id) or await self._look_up(content_id)
        viewing = self.store.viewing(content_id)
        stopped = [known for known in self.store.progress(content_id) if known.viewing == viewing]
        at = seconds if seconds is not None else (stopped[0].position_seconds if stopped else 0)
        self.playing = Playing(content_id, title, duration, viewing, float(at), monotonic())
        self.report()
        return self.playing

    async def set_incognito(self, *, incognito: bool) -> None:
        """Whether nothing is kept of what is done here: then nothing goes into the queue either."""
        payload = (await self.line.set_incognito(input={"deviceId": self._id, "incognito": incognito}))[
            "setIncognito"
        ]
        if payload["device"] is not None:
            self.incognito = payload["device"]["incognito"]

    async def look_at_itself(self) -> None:
        """Whether it was made incognito elsewhere, or before it was switched off."""
        node = (await self.line.device_itself(id=self._id))["node"]
        self.incognito = node is not None and node["__typename"] == "Device" and node["incognito"]

    def stop(self) -> None:
        self.report()
        self.playing = None

    def report(self) -> None:
        """Notes where it stands."""
        on = self.playing
        if on is not None and on.duration_seconds > 0:
            self._do(watched(on.content_id, on.viewing, on.position_seconds, on.duration_seconds))

    def add(self, content_id: str) -> None:
        self._do(added(content_id))

    def remove(self, content_id: str) -> None:
        self._do(removed(content_id, self.store.tags(content_id)))

    def name_of(self, content_id: str) -> str:
        return self.known.get(content_id, (content_id, 0))[0]

    # What it is told

    async def obey(self, action: str, arguments: Mapping[str, Any]) -> str | None:
        """Does what a command says; why it cannot, where it cannot."""
        match action:
            case "load":
                await self.start(arguments["contentId"], arguments["startSeconds"])
            case "setVolume":
                self.volume, self.muted = arguments["level"], False
            case "mute" | "unmute":
                self.muted = action == "mute"
            case "setSubtitles":
                self.subtitles = arguments["language"]
            case "setAudio":
                self.audio = arguments["language"]
            case "setQuality":
                self.quality = arguments["quality"]
            case _ if self.playing is None:
                return "Nothing plays here."
            case _:
                return await self._do_with(self.playing, action, arguments)
        return None

    async def _do_with(self, on: Playing, action: str, arguments: Mapping[str, Any]) -> str | None:
        match action:
            case "play":
                on.play()
            case "pause":
                on.pause()
            case "seek":
                on.go_to(arguments["positionSeconds"])
            case "stop":
                self.stop()
            case "next" | "previous":
                return await self._go_to_part(on, 1 if action == "next" else -1)
            case "castTo":
                return await self._cast(on, arguments["deviceId"])
            case _:
                return f"This device does not know {action}."
        self.report()
        return None

    async def _go_to_part(self, on: Playing, step: int) -> str | None:
        """The episode or track behind or before this one, from its start."""
        node = (await self.line.parts(id=on.content_id))["node"]
        parts = [on.content_id]
        if node is not None and node["__typename"] == "Episode":
            seasons = node["season"]["series"]["seasons"]
            parts = [episode["id"] for season in seasons for episode in season["episodes"]["nodes"]]
        elif node is not None and node["__typename"] == "Track" and node["album"] is not None:
            parts = [track["id"] for track in node["album"]["tracks"]]
        place = parts.index(on.content_id) + step
        if not 0 <= place < len(parts):
            return f"Nothing comes {'after' if step > 0 else 'before'} this."
        self.report()
        await self.start(parts[place], 0)
        return None

    async def _cast(self, on: Playing, device_id: str) -> str | None:
        """Has another device go on from here."""
        at = on.position_seconds
        given: SendCommandInput = {
            "deviceId": device_id,
            "command": {"load": {"contentId": on.content_id, "startSeconds": at}},
        }
        sent = (await self.line.send_command(input=given))["sendCommand"]
        if sent["userErrors"]:
            return sent["userErrors"][0]["message"]
        self.stop()
        return None

    async def _obey_for_ever(self) -> None:
        while True:
            try:
                if self._cursor is None:
                    # What is said between one stream and the next is missed by no device that knows this.
                    viewer = (await self.line.sync_cursor())["viewer"]
                    self._cursor = None if viewer is None else viewer["syncCursor"]
                told = self.line.device_commands(device=self._id, after=self._cursor)
                async for data in told:
                    await self._answer(data["deviceCommands"])
            except Offline:
                pass
            await asyncio.sleep(1.0)

    async def _answer(self, event: Mapping[str, Any]) -> None:
        command = event["command"]
        failure = await self.obey(command["action"], command["arguments"])
        self._cursor = event["cursor"]
        self.say(f"{command['action']}: {failure or 'done'}")
        try:
            await self.line.acknowledge_command(input={"commandId": command["id"], "failure": failure})
        except ClientError as error:
            self.say(f"Could not answer: {error}")

    async def _report_for_ever(self) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            if self.playing is not None and self.playing.since is not None:
                self.report()

    async def _look_up(self, content_id: str) -> tuple[str, int]:
        node: Mapping[str, Any] = (await self.line.content(id=content_id))["node"] or {}
        found = node.get("title", content_id), node.get("runtimeSeconds") or node.get("durationSeconds") or 0
        self.known[content_id] = found
        return found

    @property
    def _id(self) -> str:
        if self.store.device_id is None:
            raise Rejected("This device is not registered yet.", None)
        return self.store.device_id

    def _do(self, change: Any) -> None:
        if not self.incognito:
            self.store.do(change)
            self._wake.set()
