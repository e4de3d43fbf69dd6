"""Devices that an archive tells of, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from domain.platform.postgres import Database
from domain.sync import payloads
from domain.sync.model import Device

NOT_OURS = """SELECT id FROM device WHERE id = ANY($2::uuid[]) AND account_id <> $1"""


class PostgresFormerDevices:
    """Fills `FormerDevices`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bring(self, account_id: str, devices: Sequence[Device]) -> Mapping[str, str]:
        rows = await self._database.rows(NOT_OURS, account_id, [device.id for device in devices])
        taken = {row[0] for row in rows}
        ids = {
            device.id: str(uuid5(UUID(account_id), device.id)) if device.id in taken else device.id
            for device in devices
        }
        for device in devices:
            await self._keep(account_id, replace(device, id=ids[device.id]))
        return ids

    async def _keep(self, account_id: str, device: Device) -> None:
        await self._database.execute(
            """INSERT INTO device (id, account_id, name, kind, platform, capabilities, registered_at,
                                   last_seen_at, removed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now()) ON CONFLICT DO NOTHING""",
            device.id,
            account_id,
            device.name,
            device.kind,
            device.platform,
            payloads.of_capabilities(device.capabilities),
            device.registered_at,
            device.last_seen_at,
        )
