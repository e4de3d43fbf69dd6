"""What a device plays, and the graph shows the same: through cuts, kills, and ends from elsewhere."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal
from uuid import uuid4

from media_gateway_client.errors import Rejected
from media_gateway_client.operations import (
    EndPlaybackInput,
    Operations,
    Refusal,
    ReportProgressInput,
    ReportProgressReportProgress,
    StartPlaybackInput,
)
from media_gateway_client.store import Store

GUESSED = "SILENT"
"""The end of a session whose player was given up: it goes on with the next report."""


@dataclass
class Playing:
    """One title on the screen, and since when; the position goes on by the clock unless it is paused."""

    content_id: str
    title: str
    duration_seconds: int
    viewing: int
    seconds: float
    since: float | None
    end_credits_seconds: int | None = None
    key: str = field(default_factory=lambda: str(uuid4()))
    """Of this start of it: the same title started anew is another."""

    @property
    def position_seconds(self) -> int:
        gone = 0.0 if self.since is None else monotonic() - self.since
        return min(int(self.seconds + gone), self.duration_seconds)

    @property
    def state(self) -> Literal["PLAYING", "PAUSED"]:
        return "PAUSED" if self.since is None else "PLAYING"

    @property
    def over(self) -> bool:
        return self.position_seconds >= self.duration_seconds

    def go_to(self, seconds: float) -> None:
        self.seconds = seconds
        self.since = None if self.since is None else monotonic()

    def pause(self) -> None:
        self.seconds, self.since = float(self.position_seconds), None

    def play(self) -> None:
        if self.since is None:
            self.since = monotonic()

    def kept(self) -> dict[str, Any]:
        """As it lies on the disk; `again` makes it go on where it then stood."""
        return {
            "content": self.content_id,
            "title": self.title,
            "duration": self.duration_seconds,
            "viewing": self.viewing,
            "seconds": self.position_seconds,
            "paused": self.since is None,
            "endCredits": self.end_credits_seconds,
            "key": self.key,
        }

    @staticmethod
    def again(kept: Mapping[str, Any]) -> "Playing":
        return Playing(
            kept["content"],
            kept["title"],
            kept["duration"],
            kept["viewing"],
            float(kept["seconds"]),
            None if kept["paused"] else monotonic(),
            kept.get("endCredits"),
            kept["key"],
        )


@dataclass
class Showing:
    """Has the graph show what plays on one device, by a playback session, and nothing else.

    Which session that is lies on the disk, so that it is taken up again by a device that was killed.
    """

    store: Store
    server: Operations
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _latest: Playing | None = None
    """What it was told to show last."""

    @property
    def session_id(self) -> str | None:
        found = self._known
        return None if found is None else found["id"]

    def stands(self, playing: Playing) -> None:
        """Notes where it stands, and when: its end may be told much later."""
        known = self._known
        if known is not None and known["of"] == playing.key:
            at = {"at": playing.position_seconds, "version": str(self.store.stamp())}
            self._known = known | at

    async def look(self) -> bool | None:
        """Ends what is shown of this device and is no session of it; whether the device is incognito.

        Nothing where there is no such device any more.
        """
        node = (await self.server.device_itself(id=self._device_id))["node"]
        if node is None or node["__typename"] != "Device":
            return None
        async with self._turn:
            shown = node["nowPlaying"]
            if shown is not None and shown["id"] != self.session_id:
                await self._end({"id": shown["id"]})
        return node["incognito"]

    async def settle(self, playing: Playing | None) -> str | None:
        """Has shown what is so; why it is over, where it must not go on. `Offline` where the way is cut.

        Where another was told of while this one waited for its turn, that one is shown, and nothing of this.
        """
        self._latest = playing
        async with self._turn:
            if self._latest is not playing:
                return None
            known = self._known
            if playing is None:
                if known is not None:
                    await self._end(known)
                    self._known = None
                return None
            if known is None or known["of"] != playing.key:
                return await self._start(playing)
            return await self._report(known["id"], playing)

    def hear(self, event: Mapping[str, Any]) -> tuple[str, str] | None:
        """Takes an event of `changes`: the key of what played and why it is over, where its session ended."""
        known, told = self._known, event.get("session")
        if event["__typename"] != "PlaybackChanged" or known is None or told is None:
            return None
        if told["id"] != known["id"] or told["endReason"] in {None, GUESSED}:
            return None
        self._known = None
        return known["of"], told["endReason"]

    async def _start(self, playing: Playing) -> str | None:
        given: StartPlaybackInput = {
            "contentId": playing.content_id,
            "deviceId": self._device_id,
            "positionSeconds": playing.position_seconds,
            "durationSeconds": playing.duration_seconds,
        }
        payload = (await self.server.start_playback(input=given))["startPlayback"]
        if payload["session"] is None:
            return payload["userErrors"][0]["message"]
        self._known = {"id": payload["session"]["id"], "of": playing.key}
        self.stands(playing)
        # It begins to play; that it pauses is said afterwards.
        return await self._report(payload["session"]["id"], playing) if playing.since is None else None

    async def _report(self, session_id: str, playing: Playing) -> str | None:
        self.stands(playing)
        given: ReportProgressInput = {
            "sessionId": session_id,
            "positionSeconds": playing.position_seconds,
            "durationSeconds": playing.duration_seconds,
            "state": playing.state,
        }
        payload = await self._reported(given | {"version": str(self.store.stamp())})
        if _is_ahead(payload["userErrors"]):
            payload = await self._reported(given)
        if payload["session"] is not None:
            if payload["session"]["endReason"] is not None:
                self._known = None
            return payload["session"]["endReason"]
        error = payload["userErrors"][0]
        self._known = None
        # One that was lost, as the server loses those that are incognito, begins anew.
        return await self._start(playing) if error["code"] == "NOT_FOUND" else error["message"]

    async def _reported(self, given: ReportProgressInput) -> ReportProgressReportProgress:
        return (await self.server.report_progress(input=given))["reportProgress"]

    async def _end(self, known: Mapping[str, Any]) -> None:
        """One that has ended already has ended; so has one that is no more."""
        given: EndPlaybackInput = {"sessionId": known["id"]}
        if "at" in known:
            given |= {"positionSeconds": known["at"], "version": known["version"]}
        payload = (await self.server.end_playback(input=given))["endPlayback"]
        if _is_ahead(payload["userErrors"]):
            await self.server.end_playback(input={"sessionId": known["id"]})

    @property
    def _known(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.store.remembered("session")
        return found

    @_known.setter
    def _known(self, known: dict[str, Any] | None) -> None:
        self.store.remember("session", known)

    @property
    def _device_id(self) -> str:
        if self.store.device_id is None:
            raise Rejected("This device is not registered yet.", None)
        return self.store.device_id


def _is_ahead(user_errors: Sequence[Refusal]) -> bool:
    """Whether it is refused as this device's clock runs ahead: then the server's counts."""
    return any(error["code"] == "CLOCK_AHEAD" for error in user_errors)
