"""The way to the server, as a simulated device has it: its user can cut it."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from media_gateway_client import Gateway, Offline, Operation
from media_gateway_client.operations import Operations


@dataclass
class Line(Operations):
    """The way to the server, which can be cut; fills `Server`."""

    gateway: Gateway
    cut: bool = False

    @property
    def milliseconds(self) -> int | None:
        return self.gateway.milliseconds

    async def push(
        self, device_id: str, operations: Sequence[Operation], settled_through: str | None
    ) -> Sequence[Mapping[str, Any]]:
        return await self._whole().push(device_id, operations, settled_through)

    async def changes(self, cursor: str | None) -> AsyncIterator[Mapping[str, Any]]:
        async for event in self._whole().changes(cursor):
            self._whole()
            yield event

    async def execute(self, document: str, **variables: Any) -> dict[str, Any]:
        return await self._whole().execute(document, **variables)

    async def stream(self, document: str, **variables: Any) -> AsyncGenerator[dict[str, Any], None]:
        async with aclosing(self._whole().stream(document, **variables)) as events:
            async for event in events:
                self._whole()
                yield event

    def _whole(self) -> Gateway:
        if self.cut:
            raise Offline("The line is cut.")
        return self.gateway
