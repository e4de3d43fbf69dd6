"""Remote controls of the campaign: they send commands, and watch what becomes of each."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from bench.campaign.television import Television, command_key
from media_gateway_client import Gateway, Offline
from media_gateway_client.operations import (
    ContinueOnInput,
    DeviceCommandInput,
    FollowCommandsCommandsCommand,
    Refusal,
)
from resolvers.sync import seq_of

AGAIN_SECONDS = 0.5
TIMES_TO_LIVE = (2, 5, 20)
"""Seconds that commands may wait."""
HANDED_OVER, CAST, LOADED, STOPPED = 0.15, 0.10, 0.20, 0.05
"""The shares of what is sent: have the graph take what plays elsewhere, have the television do that, play a
title, stop; the rest is about what plays, or how loud.
"""
FARTHEST_SECONDS = 3_000


class Sent(NamedTuple):
    """A command that the graph said it had taken, and when the button for it was pressed."""

    command: str
    pressed_at: float


class Told(NamedTuple):
    """What a remote control was told of a command."""

    command: str
    state: str
    """In the words of the graph."""
    seq: int
    """The number in the log of what it was told."""
    at: float


class Declined(NamedTuple):
    """Why a command was not taken."""

    refusal: Refusal
    at: float


@dataclass
class Remote:
    """One remote control for the televisions of an account."""

    name: str
    gateway: Gateway
    televisions: Sequence[Television]
    titles: Sequence[str]
    cursor: str
    """Of what it was told last."""
    began_behind: int = field(init=False)
    sent: list[Sent] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    declined: list[Declined] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began_behind = seq_of(self.cursor) or 0

    async def watch(self) -> None:
        """Hears of commands, after each failure again from where it was, until cancelled."""
        while True:
            with suppress(Offline):
                async with aclosing(self.gateway.follow_commands(after=self.cursor)) as events:
                    async for data in events:
                        self._hear(data["commands"]["cursor"], data["commands"]["command"])
            await asyncio.sleep(AGAIN_SECONDS)

    async def press(self, chance: Random) -> None:
        """One button; where the way is cut nobody knows whether that did anything."""
        here, there = chance.sample(self.televisions, 2)
        with suppress(Offline):
            kind = chance.random()
            if kind >= HANDED_OVER or not await self._hand_over(here, there):
                await self._send(here, self._command(kind, there, chance), chance.choice(TIMES_TO_LIVE))

    def _command(self, kind: float, there: Television, chance: Random) -> DeviceCommandInput:
        if HANDED_OVER <= kind < HANDED_OVER + CAST:
            return {"castTo": {"deviceId": there.device_id}}
        if kind < HANDED_OVER + CAST + LOADED:
            title, start = chance.choice(self.titles), chance.randrange(FARTHEST_SECONDS)
            return {"load": {"contentId": title, "startSeconds": start}}
        if kind >= 1 - STOPPED:
            return {"stop": {}}
        others: Sequence[DeviceCommandInput] = (
            {"play": {}},
            {"pause": {}},
            {"seek": {"positionSeconds": chance.randrange(FARTHEST_SECONDS)}},
            {"setVolume": {"level": round(chance.random(), 2)}},
            {"mute": {}},
            {"setSubtitles": {"language": chance.choice([None, "en", "pt-BR"])}},
        )
        return chance.choice(others)

    async def _send(self, device: Television, command: DeviceCommandInput, seconds: int) -> None:
        pressed_at = time.monotonic()
        payload = (
            await self.gateway.send_command(
                input={"deviceId": device.device_id, "command": command, "expiresInSeconds": seconds}
            )
        )["sendCommand"]
        taken = payload["command"]
        self._note(None if taken is None else taken["id"], payload["userErrors"], pressed_at)

    async def _hand_over(self, here: Television, there: Television) -> bool:
        """Whether anything plays here that can go on there."""
        pressed_at = time.monotonic()
        viewer = (await self.gateway.playback_sessions())["viewer"]
        playing = (
            {}
            if viewer is None
            else {one["device"]["id"]: one for one in viewer["playbackSessions"] if one["device"]}
        )
        if here.device_id not in playing:
            return False
        given: ContinueOnInput = {"sessionId": playing[here.device_id]["id"], "deviceId": there.device_id}
        payload = (await self.gateway.continue_on(input=given))["continueOn"]
        taken = payload["command"]
        self._note(None if taken is None else taken["id"], payload["userErrors"], pressed_at)
        return True

    def _note(self, taken: str | None, refusals: Sequence[Refusal], pressed_at: float) -> None:
        if taken is not None:
            self.sent.append(Sent(command_key(taken), pressed_at))
        self.declined += [Declined(refusal, time.monotonic()) for refusal in refusals]

    def _hear(self, cursor: str, command: FollowCommandsCommandsCommand) -> None:
        self.cursor = cursor
        self.told.append(
            Told(command_key(command["id"]), command["state"], seq_of(cursor) or 0, time.monotonic())
        )
