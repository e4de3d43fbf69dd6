"""A TV or phone without a screen: it plays by the clock, obeys commands, and can be cut off and killed."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import InitVar, dataclass, field
from time import monotonic
from typing import Any, NamedTuple

from gateway.cli.faring import Battery, Faring
from gateway.cli.line import Line
from media_gateway_client import (
    Change,
    Offline,
    Playing,
    Rejected,
    Showing,
    Store,
    Synchroniser,
    added,
    removed,
    watched,
)
from media_gateway_client.operations import AcknowledgeCommandInput, ContinueOnInput

REPORT_SECONDS = 10.0
REPORT_PAUSED_SECONDS = 1_800.0
"""That it is there all the same."""
AGAIN_SECONDS = 0.5
USUAL_SECONDS = 2_700
"""A player knows how long a title is; this one takes so much for what the catalogue does not."""
SWITCHED_OFF = "The device was switched off before it was done."

Say = Callable[[str], None]


class Known(NamedTuple):
    """What a title is called, how long it is, and how much of that are the closing credits."""

    title: str
    seconds: int = 0
    end_credits_seconds: int | None = None


@dataclass
class SimulatedDevice:
    """One device: what its user does goes through the queue, whether the line is cut or not.

    What plays is shown by a session as long as there is a line, and is taken up again after a kill.
    """

    store: Store
    line: Line
    say: Say
    battery: InitVar[Battery | None] = None
    volume: float = 0.5
    muted: bool = False
    subtitles: str | None = None
    audio: str | None = None
    quality: str | None = None
    known: dict[str, Known] = field(default_factory=dict)
    """Of what was listed or played."""

    def __post_init__(self, battery: Battery | None) -> None:
        self.faring = Faring(self.store, self.line, battery)
        kept = self.store.remembered("playing")
        self.playing: Playing | None = None if kept is None else Playing.again(kept)
        self.incognito = bool(self.store.remembered("incognito"))
        self.showing = Showing(self.store, self.line)
        self._synchroniser = Synchroniser(self.store, self.line)
        self._wake, self._changed = asyncio.Event(), asyncio.Event()
        self._changed.set()
        self._sure = False
        """Whether what is shown of this device has been looked at since the line was last cut."""

    async def run(self) -> None:
        """Keeps in step, shows what plays, and obeys until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._synchroniser.keep_pushing(self._wake))
            tasks.create_task(self._synchroniser.keep_following(self._hear))
            tasks.create_task(self._show_for_ever())
            tasks.create_task(self._obey_for_ever())
            tasks.create_task(self.faring.tell_for_ever(self.say))
            tasks.create_task(self.faring.look_for_ever(self.say))

    @property
    def listens(self) -> bool:
        """Whether it was ever told where its commands begin: whatever is sent from then on reaches it."""
        return self.store.remembered("commands") is not None

    # What its user does

    async def titles(self, first: int = 15) -> list[str]:
        """The ids of titles there are."""
        nodes = (await self.line.titles(first=first, filter={"kinds": ["MOVIE"]}))["contents"]["nodes"]
        films = [node for node in nodes if node["__typename"] == "Movie"]
        for film in films:
            self._learn(film)
        return [film["id"] for film in films]

    async def start(self, content_id: str, seconds: int | None = None) -> Playing:
        """Plays a title, from where its viewer stopped unless `seconds` says otherwise."""
        title, duration, closing = self.known.get(content_id) or await self._look_up(content_id)
        viewing = self.store.viewing(content_id)
        stopped = [known for known in self.store.progress(content_id) if known.viewing == viewing]
        at = seconds if seconds is not None else (stopped[0].position_seconds if stopped else 0)
        duration = duration or USUAL_SECONDS
        self.playing = Playing(content_id, title, duration, viewing, float(at), monotonic(), closing)
        self._keep()
        return self.playing

    async def set_incognito(self, *, incognito: bool) -> None:
        """Whether nothing is kept of what is done here: then nothing goes into the queue either."""
        payload = (await self.line.set_incognito(input={"deviceId": self._id, "incognito": incognito}))[
            "setIncognito"
        ]
        if payload["device"] is not None:
            self._set_incognito(incognito=payload["device"]["incognito"])

    def stop(self) -> None:
        self.report()
        self.playing = None
        self._keep()

    def report(self) -> None:
        """Notes where it stands."""
        on = self.playing
        if on is not None:
            at, closing = on.position_seconds, on.end_credits_seconds
            self._do(watched(on.content_id, on.viewing, at, on.duration_seconds, closing))
            self.showing.stands(on)
        self._keep()

    def add(self, content_id: str) -> None:
        self._do(added(content_id))

    def remove(self, content_id: str) -> None:
        self._do(removed(content_id, self.store.tags(content_id)))

    def name_of(self, content_id: str) -> str:
        return self.known.get(content_id, Known(content_id)).title

    # What it is told

    async def obey(
        self, action: str, arguments: Mapping[str, Any], command_id: str | None = None
    ) -> str | None:
        """Does what a command says, and has it shown where there is a line; why it could not, if so."""
        failure = await self._do_as_told(action, arguments, command_id)
        with suppress(Offline):
            return failure or await self.show()
        return failure

    async def obey_commands(self) -> None:
        """Does what it is told, and first what it missed, until the line is cut (`Offline`)."""
        await self._finish_answering()
        if not self.listens:
            # What is said between one stream and the next is missed by no device that knows this.
            viewer = (await self.line.sync_cursor())["viewer"]
            self.store.remember("commands", None if viewer is None else viewer["syncCursor"])
        told = self.line.device_commands(device=self._id, after=self.store.remembered("commands"))
        async with aclosing(told):
            async for data in told:
                await self._answer(data["deviceCommands"])

    async def show(self) -> str | None:
        """Has the graph show what is so; why it is over, if it must not go on. `Offline` where it is cut."""
        self._changed.clear()
        try:
            await self._look_again()
            if len(self.store):
                # First what it did before, which says where in which viewing it goes on.
                await self._synchroniser.push()
            on = self.playing
            over = await self.showing.settle(on)
        except Offline:
            self._doubt()
            raise
        if over is None or on is None:
            return None
        self._is_over(on.key, over)
        return None if over == "FINISHED" else over

    async def _look_again(self) -> None:
        """After the line was cut: what is shown of this device, and whether it became incognito."""
        if not self._sure:
            incognito = await self.showing.look()
            self._set_incognito(incognito=self.incognito if incognito is None else incognito)
            self._sure = True

    async def _do_as_told(
        self, action: str, arguments: Mapping[str, Any], command_id: str | None
    ) -> str | None:
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
            case "stop":
                self.stop()
            case _ if self.playing is None:
                return "Nothing plays here."
            case "castTo":
                return await self._cast(self.playing, arguments["deviceId"], command_id)
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
            case "skip":
                on.go_to(max(0, on.position_seconds + arguments["seconds"]))
            case "next" | "previous":
                return await self._go_to_part(on, 1 if action == "next" else -1)
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

    async def _cast(self, on: Playing, device_id: str, command_id: str | None) -> str | None:
        """Has another device go on from here."""
        over, session = await self.show(), self.showing.session_id
        if over is not None or session is None:
            return over or "What plays here is shown to nobody."
        given: ContinueOnInput = {
            "sessionId": session,
            "deviceId": device_id,
            "positionSeconds": on.position_seconds,
            "commandId": command_id,
        }
        refusals = (await self.line.continue_on(input=given))["continueOn"]["userErrors"]
        if refusals:
            return refusals[0]["message"]
        self.playing = None
        self._keep()
        return None

    async def _obey_for_ever(self) -> None:
        while True:
            with suppress(Offline):
                await self.obey_commands()
            self._doubt()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _answer(self, event: Mapping[str, Any]) -> None:
        """Acknowledges a command, does it, and tells what became of it; what came too late is not done."""
        command = event["command"]
        self.store.remember("answer", {"event": event})
        begun = await self._tell({"commandId": command["id"], "report": "ACKNOWLEDGED"})
        if begun:
            self.store.remember("answer", {"commandId": command["id"], "failure": SWITCHED_OFF})
        self.store.remember("commands", event["cursor"])
        if not begun:
            self.store.remember("answer", None)
            return
        failure = await self._tried(command)
        self.say(f"{command['action']}: {failure or 'done'}")
        self.store.remember("answer", {"commandId": command["id"], "failure": failure})
        await self._finish_answering()

    async def _tried(self, command: Mapping[str, Any]) -> str | None:
        if command["content"] is not None:
            self._learn(command["content"])
        try:
            return await self.obey(command["action"], command["arguments"], command["id"])
        except Offline:
            return "The line was cut."
        except Rejected as error:
            return str(error)

    async def _finish_answering(self) -> None:
        """Tells what became of the last command, where that is not known to have arrived; one of which it is
        not even known whether it may be done has not been begun, and is answered now.
        """
        answer = self.store.remembered("answer")
        if answer is not None and "event" in answer:
            await self._answer(answer["event"])
        elif answer is not None:
            await self._tell(answer)
            self.store.remember("answer", None)

    async def _tell(self, told: AcknowledgeCommandInput) -> bool:
        """Tells how far a command is, until that has arrived; whether it was in time."""
        while True:
            try:
                payload = (await self.line.acknowledge_command(input=told))["acknowledgeCommand"]
            except Offline:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            except Rejected as error:
                self.say(f"Could not answer: {error}")
                return False
            for refusal in payload["userErrors"]:
                self.say(f"Too late: {refusal['message']}")
            return not payload["userErrors"]

    async def _show_for_ever(self) -> None:
        while True:
            if self._changed.is_set():
                try:
                    await self.show()
                except Offline:
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
                except Rejected as error:
                    self.say(str(error))
            try:
                await asyncio.wait_for(self._changed.wait(), self._report_seconds)
            except TimeoutError:
                self.report()

    @property
    def _report_seconds(self) -> float | None:
        if self.playing is None:
            return None
        return REPORT_PAUSED_SECONDS if self.playing.since is None else REPORT_SECONDS

    def _hear(self, event: Mapping[str, Any]) -> None:
        ended = self.showing.hear(event)
        if ended is not None:
            self._is_over(*ended)

    def _is_over(self, key: str, reason: str) -> None:
        """What it played, unless it plays something else by now."""
        if self.playing is not None and self.playing.key == key:
            # It notes nothing: where another device goes on, that one knows better.
            self.say(f"{self.playing.title} is over: {reason}")
            self.playing = None
            self._keep()

    def _doubt(self) -> None:
        """The line was cut: who knows what became of what is shown."""
        self._sure = False
        self._changed.set()

    async def _look_up(self, content_id: str) -> Known:
        node: Mapping[str, Any] = (await self.line.content(id=content_id))["node"] or {"id": content_id}
        return self._learn(node)

    def _learn(self, title: Mapping[str, Any]) -> Known:
        name = title.get("title", title["id"])
        if title.get("season") is not None:
            season = title["season"]
            name = f"{season['series']['title']} {season['number']}x{title['number']:02} {name}"
        seconds = title.get("runtimeSeconds") or title.get("durationSeconds") or 0
        found = Known(name, seconds, title.get("endCreditsSeconds"))
        self.known[title["id"]] = found
        return found

    @property
    def _id(self) -> str:
        if self.store.device_id is None:
            raise Rejected("This device is not registered yet.", None)
        return self.store.device_id

    def _do(self, change: Change) -> None:
        if not self.incognito:
            self.store.do(change)
            self._wake.set()

    def _keep(self) -> None:
        """On the disk, so that it goes on after a kill."""
        self.store.remember("playing", None if self.playing is None else self.playing.kept())
        self._changed.set()

    def _set_incognito(self, *, incognito: bool) -> None:
        self.incognito = incognito
        self.store.remember("incognito", incognito)
