"""Remote control: what devices are told to do, and what becomes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from domain.platform.errors import Refused, UserErrorCode, refuse
from domain.sync import payloads
from domain.sync.devices import QUALITIES, Devices
from domain.sync.journal import Journal, Writing
from domain.sync.listeners import Listeners
from domain.sync.model import ChangeKind, CommandState, Device, DeviceCommand

COMMAND_SECONDS = 5
MAX_COMMAND_SECONDS = 60
EXECUTION_SECONDS = 30
"""For so long a device may take for what it has acknowledged."""
MAX_FAILURE = 1_000
CAST_TO = "castTo"
EXPIRED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Command:
    """What a device is to do, by name, with its arguments."""

    action: str
    arguments: dict[str, Any]


class CommandStore(Protocol):
    """The commands of accounts; writes run within the account's turn."""

    async def save_command(self, account_id: str, command: DeviceCommand) -> None: ...
    async def commands(self, account_id: str, ids: Sequence[str]) -> Mapping[str, DeviceCommand]: ...
    async def overdue(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Account and id of commands of all accounts that are open and should not be any more."""
        ...


@dataclass(frozen=True)
class Commands:
    """Sends commands, hands each to its device once, and follows it to its end."""

    store: CommandStore
    listeners: Listeners
    devices: Devices
    journal: Journal
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def send(
        self, account_id: str, device_id: str, command: Command, seconds: int = COMMAND_SECONDS
    ) -> DeviceCommand:
        """Queues a command for a device that is there and can do it."""
        if not 1 <= seconds <= MAX_COMMAND_SECONDS:
            raise refuse(
                f"`expiresInSeconds` must be between 1 and {MAX_COMMAND_SECONDS}.",
                UserErrorCode.INVALID,
                "expiresInSeconds",
            )
        await self.check(account_id, device_id, command)
        async with self.journal.writing(account_id) as writing:
            return await self.queue(writing, device_id, command, seconds)

    async def queue(
        self, writing: Writing, device_id: str, command: Command, seconds: int = COMMAND_SECONDS
    ) -> DeviceCommand:
        """Within the account's turn; that the device can do it was looked at before."""
        now = self.now()
        queued = DeviceCommand(
            id=self.new_id(),
            device_id=device_id,
            action=command.action,
            arguments=command.arguments,
            state=CommandState.QUEUED,
            created_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
        await self.store.save_command(writing.account_id, queued)
        writing.record(ChangeKind.COMMAND, payloads.of_command(queued))
        return queued

    async def take(
        self, account_id: str, command_id: str, listener: str, *, again: bool
    ) -> DeviceCommand | None:
        """The command, for the device that is to do it; nothing where it is not to be done any more.

        Each is handed over once, to the stream of the device that was opened last: on an earlier one it
        would be lost, as that may have broken without anybody having noticed. `again` says that the device
        asked for what it missed, so that it cannot have got what was handed over before.
        """
        async with self.journal.writing(account_id) as writing:
            found = (await self.store.commands(account_id, [command_id])).get(command_id)
            if found is None or not await self.listeners.is_last(account_id, found.device_id, listener):
                return None
            known = found.at(self.now())
            if known.state is CommandState.QUEUED:
                return await self._turn(writing, known, CommandState.DELIVERED)
            return known if again and known.state is CommandState.DELIVERED else None

    async def acknowledge(
        self,
        account_id: str,
        command_id: str,
        failure: str | None,
        state: CommandState = CommandState.EXECUTED,
    ) -> DeviceCommand:
        """What the device says became of it. Saying it twice changes nothing; too late is too late."""
        async with self.journal.writing(account_id) as writing:
            found = (await self.store.commands(account_id, [command_id])).get(command_id)
            if found is None:
                raise refuse("There is no such command.", UserErrorCode.NOT_FOUND, "commandId")
            reached = state if failure is None else CommandState.FAILED
            known = found.at(self.now())
            if known.state is reached:
                return known
            if known.state.final or reached.rank <= known.state.rank:
                raise refuse(
                    f"The command is {known.state.value} already.", UserErrorCode.CONFLICT, "commandId"
                )
            answered = replace(known, failure=failure and failure[:MAX_FAILURE])
            if reached is CommandState.ACKNOWLEDGED:
                until = self.now() + timedelta(seconds=EXECUTION_SECONDS)
                answered = replace(answered, expires_at=max(until, known.expires_at))
            return await self._turn(writing, answered, reached)

    async def cast(self, writing: Writing, command_id: str, device_id: str, target_id: str) -> DeviceCommand:
        """Within the account's turn: the device has handed over to the other one with this very write."""
        found = (await self.store.commands(writing.account_id, [command_id])).get(command_id)
        there = None if found is None else (found.action, found.device_id, found.arguments.get("deviceId"))
        if found is None or there != (CAST_TO, device_id, target_id):
            raise refuse("There is no such command.", UserErrorCode.NOT_FOUND, "commandId")
        known = found.at(self.now())
        if known.state.final:
            raise refuse(f"The command is {known.state.value} already.", UserErrorCode.CONFLICT, "commandId")
        return await self._turn(writing, known, CommandState.EXECUTED)

    async def expire(self) -> int:
        """Ends what nobody answered, so that the sender hears of it; how many there were."""
        overdue = await self.store.overdue(self.now(), EXPIRED_AT_ONCE)
        expired = 0
        for account_id, command_id in overdue:
            async with self.journal.writing(account_id) as writing:
                found = (await self.store.commands(account_id, [command_id])).get(command_id)
                if found is not None and found.at(self.now()) != found:
                    await self._turn(writing, found, CommandState.EXPIRED)
                    expired += 1
        return expired

    async def check(self, account_id: str, device_id: str, command: Command) -> Device:
        """The device; raises `Refused` where it is not there, or cannot do this."""
        device = await self.devices.own(account_id, device_id)
        if not device.capabilities.remote_controllable:
            raise _unable("The device cannot be controlled.")
        if device.incognito and "contentId" in command.arguments:
            raise _unable("The device is incognito: no command that names a title is kept for it.")
        needed = [device.id]
        target_id = command.arguments.get("deviceId")
        if target_id is not None:
            if not device.capabilities.can_cast:
                raise _unable("The device cannot cast.")
            if target_id == device.id:
                raise _unable("The device cannot cast to itself.")
            target = await self.devices.own(account_id, target_id)
            if not target.capabilities.remote_controllable:
                raise _unable("The other device cannot be controlled.")
            if target.incognito:
                raise _unable("The other device is incognito: no command that names a title is kept for it.")
            needed.append(target_id)
        quality, best = command.arguments.get("quality"), device.capabilities.max_quality
        if quality is not None and best is not None and QUALITIES.index(quality) > QUALITIES.index(best):
            raise _unable(f"The device shows no more than {best}.")
        if set(needed) - await self.devices.online(needed):
            raise _unable("The device is offline.")
        return device

    async def _turn(self, writing: Writing, command: DeviceCommand, state: CommandState) -> DeviceCommand:
        turned = replace(command, state=state)
        await self.store.save_command(writing.account_id, turned)
        writing.record(ChangeKind.COMMAND_STATE, payloads.of_command(turned))
        return turned


def _unable(message: str) -> Refused:
    return refuse(message, UserErrorCode.UNAVAILABLE, "deviceId")
