"""Devices that an archive tells of, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

from domain.platform.postgres import Database, columns
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
        await self._database.execute(
            """INSERT INTO device (id, account_id, name, kind, platform, capabilities, registered_at,
                                   last_seen_at, removed_at, app_version)
               SELECT id, $1, name, kind, platform, capabilities, registered_at, last_seen_at, now(),
                      app_version
                 FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[],
                             $8::timestamptz[], $9::text[])
                   AS told (id, name, kind, platform, capabilities, registered_at, last_seen_at,
                            app_version)
               ON CONFLICT DO NOTHING""",
            account_id,
            *columns(
                (
                    (
                        ids[device.id],
                        device.name,
                        device.kind,
                        device.platform,
                        payloads.of_capabilities(device.capabilities),
                        device.registered_at,
                        device.last_seen_at,
                        device.app_version,
                    )
                    for device in devices
                ),
                width=8,
            ),
        )
        return ids
