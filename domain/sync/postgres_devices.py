"""Devices and their commands in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.catalog.links import DeviceKind
from domain.platform.postgres import Database, Row
from domain.sync import payloads
from domain.sync.devices import Touched
from domain.sync.model import CommandState, Device, DeviceCommand
from domain.sync.presence import Standing

COLUMNS = """id, name, kind, platform, capabilities, registered_at, last_seen_at, removed_at IS NOT NULL,
    incognito_since, present, acted_at, active, condition, app_version"""
STALE = """present AND (last_seen_at <= $1 OR active AND acted_at <= $2
                     OR condition IS NOT NULL AND condition_told_at <= $1)"""
"""What the others were told of a device does not hold any more."""
OPEN = "state IN ('queued', 'delivered', 'acknowledged')"


class PostgresDevices:
    """Fills `DeviceStore`, `CommandStore` and `ListenerStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def devices(self, account_id: str) -> list[Device]:
        rows = await self._database.rows(
            f"""SELECT {COLUMNS} FROM device
                 WHERE account_id = $1 AND removed_at IS NULL ORDER BY registered_at, id""",
            account_id,
        )
        return [to_device(row) for row in rows]

    async def by_ids(self, account_id: str, ids: Sequence[str]) -> Mapping[str, Device]:
        rows = await self._database.rows(
            f"SELECT {COLUMNS} FROM device WHERE account_id = $1 AND id = ANY($2::uuid[])",
            account_id,
            [key for key in ids if _is_uuid(key)],
        )
        return {row[0]: to_device(row) for row in rows}

    async def save(self, account_id: str, device: Device) -> None:
        await self._database.execute(
            """INSERT INTO device (id, account_id, name, kind, platform, capabilities, registered_at,
                                   last_seen_at, removed_at, incognito_since, present, acted_at, active,
                                   condition, app_version)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9 THEN now() END, $10, $11, $12, $13, $14,
                       $15)
               ON CONFLICT (id) DO UPDATE
                  SET (name, kind, platform, capabilities, last_seen_at, removed_at, incognito_since, present,
                       acted_at, active, condition, app_version)
                    = (EXCLUDED.name, EXCLUDED.kind, EXCLUDED.platform, EXCLUDED.capabilities,
                       EXCLUDED.last_seen_at, EXCLUDED.removed_at, EXCLUDED.incognito_since,
                       EXCLUDED.present, EXCLUDED.acted_at, EXCLUDED.active, EXCLUDED.condition,
                       EXCLUDED.app_version)
                WHERE device.account_id = EXCLUDED.account_id""",
            device.id,
            account_id,
            device.name,
            device.kind,
            device.platform,
            payloads.of_capabilities(device.capabilities),
            device.registered_at,
            device.last_seen_at,
            device.removed,
            device.incognito_since,
            device.present,
            device.acted_at,
            device.active,
            payloads.of_condition(device.condition),
            device.app_version,
        )

    async def touch(
        self,
        ids: Sequence[str],
        seen_at: datetime,
        acted_at: datetime | None = None,
        *,
        with_condition: bool = False,
    ) -> Mapping[str, Touched]:
        rows = await self._database.rows(
            """UPDATE device
                  SET last_seen_at = $2,
                      acted_at = CASE WHEN incognito_since IS NULL THEN greatest(acted_at, $3) END,
                      condition_told_at = CASE WHEN $4 THEN $2 ELSE condition_told_at END
                WHERE id = ANY($1::uuid[]) AND removed_at IS NULL
            RETURNING id, account_id, present, active""",
            ids,
            seen_at,
            acted_at,
            with_condition,
        )
        return {row[0]: Touched(*row[1:]) for row in rows}

    async def standing(
        self, ids: Sequence[str], since: datetime, acted_since: datetime
    ) -> Mapping[str, Standing]:
        rows = await self._database.rows(
            """SELECT id, present AND last_seen_at > $2,
                      CASE WHEN incognito_since IS NULL THEN acted_at > $3 END
                 FROM device WHERE id = ANY($1::uuid[])""",
            [key for key in ids if _is_uuid(key)],
            since,
            acted_since,
        )
        return {row[0]: Standing(bool(row[1]), row[2]) for row in rows}

    async def stale(self, since: datetime, acted_since: datetime, limit: int) -> list[tuple[str, str]]:
        rows = await self._database.rows(
            f"SELECT account_id, id FROM device WHERE {STALE} ORDER BY account_id LIMIT $3",
            since,
            acted_since,
            limit,
        )
        return [(row[0], row[1]) for row in rows]

    async def lapse(self, device_id: str, since: datetime, acted_since: datetime) -> Device | None:
        row = await self._database.row(
            f"""UPDATE device
                   SET present = last_seen_at > $1,
                       active = active AND last_seen_at > $1 AND acted_at > $2,
                       condition = CASE WHEN last_seen_at > $1 AND condition_told_at > $1 THEN condition END
                 WHERE id = $3 AND {STALE} RETURNING {COLUMNS}""",
            since,
            acted_since,
            device_id,
        )
        return None if row is None else to_device(row)

    async def depart(self, device_id: str, seen_at: datetime | None, now: datetime) -> Device | None:
        row = await self._database.row(
            f"""UPDATE device
                   SET present = false, active = false, condition = NULL, last_seen_at = $3
                 WHERE id = $1 AND present AND removed_at IS NULL AND last_seen_at IS NOT DISTINCT FROM $2
             RETURNING {COLUMNS}""",
            device_id,
            seen_at,
            now,
        )
        return None if row is None else to_device(row)

    async def note_incognito(self, account_id: str, device_id: str, since: datetime, until: datetime) -> None:
        await self._database.execute(
            """INSERT INTO incognito_time (device_id, began_at, account_id, ended_at)
               VALUES ($1, $2, $3, $4)
               ON CONFLICT (device_id, began_at) DO UPDATE SET ended_at = EXCLUDED.ended_at""",
            device_id,
            since,
            account_id,
            until,
        )

    async def save_command(self, account_id: str, command: DeviceCommand) -> None:
        await self._database.execute(
            """INSERT INTO device_command (id, account_id, device_id, command, state, failure, created_at,
                                           expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
               ON CONFLICT (id) DO UPDATE
                  SET (state, failure, expires_at, acknowledged_at)
                    = (EXCLUDED.state, EXCLUDED.failure, EXCLUDED.expires_at, now())""",
            command.id,
            account_id,
            command.device_id,
            {"action": command.action, "arguments": command.arguments},
            command.state,
            command.failure,
            command.created_at,
            command.expires_at,
        )

    async def commands(self, account_id: str, ids: Sequence[str]) -> Mapping[str, DeviceCommand]:
        rows = await self._database.rows(
            """SELECT id, device_id, command, state, created_at, expires_at, failure FROM device_command
                WHERE account_id = $1 AND id = ANY($2::uuid[])""",
            account_id,
            [key for key in ids if _is_uuid(key)],
        )
        return {row[0]: _command(row) for row in rows}

    async def beat(self, process: str) -> None:
        await self._database.execute(
            """INSERT INTO process (id, seen_at) VALUES ($1, clock_timestamp())
               ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at""",
            process,
        )

    async def listen(self, account_id: str, device_id: str, listener: str) -> None:
        await self._database.execute(
            "UPDATE device SET listener = $3 WHERE account_id = $1 AND id = $2",
            account_id,
            device_id,
            listener,
        )

    async def unlisten(self, account_id: str, device_id: str, listener: str) -> None:
        await self._database.execute(
            "UPDATE device SET listener = NULL WHERE account_id = $1 AND id = $2 AND listener = $3",
            account_id,
            device_id,
            listener,
        )

    async def listener(self, account_id: str, device_id: str, silent_for: timedelta) -> str | None:
        # One without a full stop is of the version before: its process gives no sign of life.
        listener: str | None = await self._database.value(
            """SELECT listener FROM device
                WHERE account_id = $1 AND id = $2
                  AND (strpos(listener, '.') = 0
                       OR EXISTS (SELECT FROM process
                                   WHERE id = split_part(listener, '.', 1)
                                     AND seen_at > clock_timestamp() - $3::interval))""",
            account_id,
            device_id,
            silent_for,
        )
        return listener

    async def overdue(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        rows = await self._database.rows(
            f"""SELECT account_id, id FROM device_command
                 WHERE {OPEN} AND expires_at <= $1 ORDER BY expires_at LIMIT $2""",
            now,
            limit,
        )
        return [(row[0], row[1]) for row in rows]


def to_device(row: Row) -> Device:
    return Device(
        id=row[0],
        name=row[1],
        kind=DeviceKind(row[2]),
        platform=row[3],
        capabilities=payloads.to_capabilities(row[4]),
        registered_at=row[5],
        last_seen_at=row[6],
        removed=row[7],
        incognito_since=row[8],
        present=row[9],
        acted_at=row[10],
        active=row[11],
        condition=payloads.to_condition(row[12]),
        app_version=row[13],
    )


def _command(row: Row) -> DeviceCommand:
    return DeviceCommand(
        id=row[0],
        device_id=row[1],
        action=row[2]["action"],
        arguments=row[2]["arguments"],
        state=CommandState(row[3]),
        created_at=row[4],
        expires_at=row[5],
        failure=row[6],
    )


def _is_uuid(text: str) -> bool:
    """Whether it is one as we write it; Python reads some that PostgreSQL does not."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
