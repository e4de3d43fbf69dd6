"""Televisions of the campaign: the device of `media-gateway device`, and what it was told and did."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gateway.cli.line import Line
from gateway.cli.simulated import SimulatedDevice
from media_gateway_client import Gateway, Store
from media_gateway_client.operations import ACKNOWLEDGE_COMMAND, DEVICE_COMMANDS
from resolvers.ids import key_of
from resolvers.sync import seq_of


class Handed(NamedTuple):
    """A command as it came to a television."""

    command: str
    seq: int
    """Its number in the log."""
    stream: int
    """By which of the television's streams, counted from 1."""
    after: int
    """Behind which number the television had that stream begin."""
    at: float


class Begun(NamedTuple):
    """That a television began to do a command."""

    command: str
    at: float


@dataclass
class Television:
    """One device, through all its processes."""

    name: str
    device_id: str
    file: Path
    gateway: Gateway
    handed: list[Handed] = field(default_factory=list)
    begun: list[Begun] = field(default_factory=list)
    acknowledged: dict[str, float] = field(default_factory=dict)
    """When it heard that it may do a command."""
    answered: dict[str, float] = field(default_factory=dict)
    """When it heard that its last word on a command was taken."""
    streams: int = 0
    process: "Process | None" = None

    async def live(self) -> None:
        """One process of it, until cancelled; the next one goes on with what lies on the disk."""
        store = Store(self.file, lambda: time.time_ns() // 1_000_000)
        try:
            store.name(self.device_id)
            self.process = Process(store, Tapped(self.gateway, television=self), _unheard, television=self)
            await self.process.run()
        finally:
            self.process = None
            store.close()

    @property
    def listens(self) -> bool:
        """Whether what is sent from now on reaches it."""
        return self.process is not None and self.process.listens

    @property
    def session_id(self) -> str | None:
        """By which the graph should show what plays here; nothing where nothing does."""
        process = self.process
        return None if process is None or process.playing is None else process.showing.session_id


@dataclass
class Tapped(Line):
    """The way of a television to the graph."""

    television: Television = field(kw_only=True)

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        data = await super().execute(document, **variables)
        if document == ACKNOWLEDGE_COMMAND and not data["acknowledgeCommand"]["userErrors"]:
            told, television = variables["input"], self.television
            begins = told.get("report") == "ACKNOWLEDGED"
            heard = television.acknowledged if begins else television.answered
            heard.setdefault(command_key(told["commandId"]), time.monotonic())
        return data

    async def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        obeys = document == DEVICE_COMMANDS
        self.television.streams += obeys
        stream, after = self.television.streams, seq_of(variables.get("after")) or 0
        async with aclosing(super().stream(document, **variables)) as events:
            async for data in events:
                if obeys:
                    self.television.handed.append(_handed(data["deviceCommands"], stream, after))
                yield data


@dataclass
class Process(SimulatedDevice):
    """The device, and when it began with what it was told to do."""

    television: Television = field(kw_only=True)

    async def obey(
        self, action: str, arguments: Mapping[str, Any], command_id: str | None = None
    ) -> str | None:
        self.television.begun.append(Begun(command_key(command_id or ""), time.monotonic()))
        return await super().obey(action, arguments, command_id)


def command_key(command_id: str) -> str:
    return key_of(command_id, "DeviceCommand", "commandId")


def _handed(event: Mapping[str, Any], stream: int, after: int) -> Handed:
    key, seq = command_key(event["command"]["id"]), seq_of(event["cursor"]) or 0
    return Handed(key, seq, stream, after, time.monotonic())


def _unheard(_text: str) -> None:
    """What a television shows its user, who is not there."""
