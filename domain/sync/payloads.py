"""Values as they lie in the change log, there and back; the log is read by later versions, so names stay."""

from datetime import datetime
from typing import Any

from domain.catalog.links import DeviceKind
from domain.sync.capabilities import AudioFormat, DeviceCapabilities, HdrFormat
from domain.sync.clock import Timestamp
from domain.sync.model import (
    CommandState,
    Conflict,
    Device,
    DeviceCommand,
    Marks,
    Reaction,
    Verdict,
    WatchlistEntry,
    WatchProgress,
)
from domain.sync.ordering import place_of
from domain.sync.presence import UNTOLD, Battery, DeviceCondition, NetworkQuality

Payload = dict[str, Any]


def of_progress(progress: WatchProgress) -> Payload:
    return {
        "content": progress.content_id,
        "viewing": progress.viewing,
        "position": progress.position_seconds,
        "duration": progress.duration_seconds,
        "completed": progress.completed,
        "version": str(progress.version),
        "device": progress.device_id,
        "at": progress.updated_at.isoformat(),
        "completedAt": None if progress.completed_at is None else progress.completed_at.isoformat(),
    }


def to_progress(payload: Payload) -> WatchProgress:
    ended = payload.get("completedAt")
    return WatchProgress(
        content_id=payload["content"],
        viewing=payload["viewing"],
        position_seconds=payload["position"],
        duration_seconds=payload["duration"],
        completed=payload["completed"],
        version=Timestamp.parse(payload["version"]),
        device_id=payload["device"],
        updated_at=datetime.fromisoformat(payload["at"]),
        completed_at=None if ended is None else datetime.fromisoformat(ended),
    )


def of_withdrawn(content_id: int, viewing: int) -> Payload:
    """A viewing that is no more."""
    return {"content": content_id, "viewing": viewing}


def of_entry(content_id: int, entry: WatchlistEntry | None) -> Payload:
    """The title's entry after the change; nothing once it left the list."""
    if entry is None:
        return {"content": content_id, "entry": None}
    return {
        "content": content_id,
        "entry": {
            "at": entry.added_at.isoformat(),
            "device": entry.device_id,
            "tags": list(entry.tags),
            "place": entry.place,
            "version": _text_of(entry.version),
        },
    }


def to_entry(payload: Payload) -> WatchlistEntry | None:
    entry = payload["entry"]
    if entry is None:
        return None
    added_at = datetime.fromisoformat(entry["at"])
    return WatchlistEntry(
        content_id=payload["content"],
        added_at=added_at,
        device_id=entry["device"],
        tags=tuple(entry["tags"]),
        place=entry.get("place") or place_of(int(added_at.timestamp() * 1000)),
        version=_version_of(entry.get("version")),
    )


def of_reaction(reaction: Reaction) -> Payload:
    return {
        "content": reaction.content_id,
        "verdict": reaction.verdict,
        "stars": reaction.stars,
        "version": str(reaction.version),
        "at": reaction.updated_at.isoformat(),
    }


def to_reaction(payload: Payload) -> Reaction:
    verdict = payload["verdict"]
    return Reaction(
        content_id=payload["content"],
        verdict=None if verdict is None else Verdict(verdict),
        stars=payload["stars"],
        version=Timestamp.parse(payload["version"]),
        updated_at=datetime.fromisoformat(payload["at"]),
    )


def of_marks(marks: Marks) -> Payload:
    return {
        "content": marks.content_id,
        "note": marks.note,
        "dropped": marks.dropped,
        "hidden": marks.hidden,
        "version": _text_of(marks.version),
    }


def to_marks(payload: Payload) -> Marks:
    return Marks(
        payload["content"],
        payload["note"],
        payload["dropped"],
        payload["hidden"],
        _version_of(payload.get("version")),
    )


def of_conflict(conflict: Conflict) -> Payload:
    lost, won = (
        {"value": write.value, "version": _text_of(write.version)} for write in (conflict.lost, conflict.won)
    )
    return {"content": conflict.content_id, "kind": conflict.kind, "lost": lost, "won": won}


def of_capabilities(capabilities: DeviceCapabilities) -> Payload:
    return {
        "maxQuality": capabilities.max_quality,
        "hdr": capabilities.hdr,
        "remoteControllable": capabilities.remote_controllable,
        "canCast": capabilities.can_cast,
        "screenInches": capabilities.screen_inches,
        "missingApps": list(capabilities.missing_apps),
        "hdrFormats": list(capabilities.hdr_formats),
        "audioFormats": list(capabilities.audio_formats),
    }


def to_capabilities(payload: Payload) -> DeviceCapabilities:
    return DeviceCapabilities(
        max_quality=payload.get("maxQuality"),
        hdr=payload.get("hdr", False),
        remote_controllable=payload.get("remoteControllable", True),
        can_cast=payload.get("canCast", False),
        screen_inches=payload.get("screenInches"),
        missing_apps=tuple(payload.get("missingApps", ())),
        hdr_formats=tuple(HdrFormat(found) for found in payload.get("hdrFormats", ())),
        audio_formats=tuple(AudioFormat(found) for found in payload.get("audioFormats", ())),
    )


def of_condition(condition: DeviceCondition) -> Payload | None:
    """Nothing where nothing is known."""
    battery, quality = condition.battery, condition.network_quality
    if battery is None and quality is None:
        return None
    return {
        "battery": None if battery is None else {"level": battery.level, "charging": battery.charging},
        "networkQuality": quality,
    }


def to_condition(payload: Payload | None) -> DeviceCondition:
    if payload is None:
        return UNTOLD
    battery, quality = payload["battery"], payload["networkQuality"]
    return DeviceCondition(
        None if battery is None else Battery(battery["level"], battery["charging"]),
        None if quality is None else NetworkQuality(quality),
    )


def of_device(device: Device) -> Payload:
    return {
        "id": device.id,
        "name": device.name,
        "kind": device.kind,
        "platform": device.platform,
        "appVersion": device.app_version,
        "capabilities": of_capabilities(device.capabilities),
        "registered": device.registered_at.isoformat(),
        "seen": None if device.last_seen_at is None else device.last_seen_at.isoformat(),
        "removed": device.removed,
        "incognito": None if device.incognito_since is None else device.incognito_since.isoformat(),
        "present": device.present,
        "active": device.active,
        "condition": of_condition(device.condition),
    }


def to_device(payload: Payload) -> Device:
    seen, incognito = payload["seen"], payload.get("incognito")
    return Device(
        id=payload["id"],
        name=payload["name"],
        kind=DeviceKind(payload["kind"]),
        platform=payload["platform"],
        capabilities=to_capabilities(payload["capabilities"]),
        registered_at=datetime.fromisoformat(payload["registered"]),
        last_seen_at=None if seen is None else datetime.fromisoformat(seen),
        removed=payload["removed"],
        incognito_since=None if incognito is None else datetime.fromisoformat(incognito),
        present=payload.get("present", False),
        active=payload.get("active", False),
        condition=to_condition(payload.get("condition")),
        app_version=payload.get("appVersion"),
    )


def of_command(command: DeviceCommand) -> Payload:
    return {
        "id": command.id,
        "device": command.device_id,
        "action": command.action,
        "arguments": command.arguments,
        "state": command.state,
        "created": command.created_at.isoformat(),
        "expires": command.expires_at.isoformat(),
        "failure": command.failure,
    }


def to_command(payload: Payload) -> DeviceCommand:
    return DeviceCommand(
        id=payload["id"],
        device_id=payload["device"],
        action=payload["action"],
        arguments=payload["arguments"],
        state=CommandState(payload["state"]),
        created_at=datetime.fromisoformat(payload["created"]),
        expires_at=datetime.fromisoformat(payload["expires"]),
        failure=payload["failure"],
    )


def _text_of(version: Timestamp | None) -> str | None:
    return None if version is None else str(version)


def _version_of(text: str | None) -> Timestamp | None:
    return None if text is None else Timestamp.parse(text)
