"""Batched reads of one account's state."""

from collections.abc import Mapping, Sequence

from domain.sync.commands import Commands
from domain.sync.devices import Devices
from domain.sync.model import Device, DeviceCommand, Marks, Reaction, WatchlistEntry, WatchProgress
from domain.sync.service import Sync
from loaders.loader import one


class SyncLoaders:
    def __init__(self, sync: Sync, devices: Devices, commands: Commands, account_id: str) -> None:
        async def progress(content_ids: Sequence[int]) -> Mapping[int, WatchProgress]:
            return await sync.store.progress(account_id, content_ids)

        async def entries(content_ids: Sequence[int]) -> Mapping[int, WatchlistEntry]:
            return await sync.store.entries(account_id, content_ids)

        async def reactions(content_ids: Sequence[int]) -> Mapping[int, Reaction]:
            return await sync.store.reactions(account_id, content_ids)

        async def marks(content_ids: Sequence[int]) -> Mapping[int, Marks]:
            return await sync.store.marks(account_id, content_ids)

        async def devices_by_id(ids: Sequence[str]) -> Mapping[str, Device]:
            return await devices.store.by_ids(account_id, ids)

        async def commands_by_id(ids: Sequence[str]) -> Mapping[str, DeviceCommand]:
            return await commands.store.commands(account_id, ids)

        self.progress = one(progress)
        self.entry = one(entries)
        self.reaction = one(reactions)
        self.marks = one(marks)
        self.device = one(devices_by_id)
        self.command = one(commands_by_id)
        self.standing = one(devices.standing)
