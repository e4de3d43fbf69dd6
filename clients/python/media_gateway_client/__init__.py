"""Keeps a device in step with Media Gateway: a queue that loses nothing, and a copy that converges.

Only what `__all__` names is meant for use; the rules are those of docs/merge-rules.md.
"""

from media_gateway_client.changes import (
    Change,
    added,
    dropped,
    hidden,
    moved,
    noted,
    reacted,
    removed,
    watched,
)
from media_gateway_client.clock import Version
from media_gateway_client.errors import ClientError, Offline, Rejected, SignedOut
from media_gateway_client.gateway import Gateway
from media_gateway_client.playback import Playing, Showing
from media_gateway_client.replica import Entry, Marks, Progress, Reaction
from media_gateway_client.store import DeadLetter, Operation, Store
from media_gateway_client.sync import PushReport, Synchroniser

__all__ = [
    "Change",
    "ClientError",
    "DeadLetter",
    "Entry",
    "Gateway",
    "Marks",
    "Offline",
    "Operation",
    "Playing",
    "Progress",
    "PushReport",
    "Reaction",
    "Rejected",
    "Showing",
    "SignedOut",
    "Store",
    "Synchroniser",
    "Version",
    "added",
    "dropped",
    "hidden",
    "moved",
    "noted",
    "reacted",
    "removed",
    "watched",
]
