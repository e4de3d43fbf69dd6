"""Batched reads of one account's playback."""

from collections.abc import Mapping, Sequence

from domain.playback.model import PlaybackSession
from domain.playback.service import Playback
from loaders.loader import one


class PlaybackLoaders:
    def __init__(self, playback: Playback, account_id: str) -> None:
        async def sessions(ids: Sequence[str]) -> Mapping[str, PlaybackSession]:
            return await playback.store.by_ids(account_id, ids)

        async def active_on(device_ids: Sequence[str]) -> Mapping[str, PlaybackSession]:
            return await playback.store.active_on(account_id, device_ids)

        self.session = one(sessions)
        self.active_on = one(active_on)
