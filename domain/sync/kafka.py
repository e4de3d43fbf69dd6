"""Events to Kafka, by an idempotent producer."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson

from domain.sync.relay import Parcel

PREFIX = "media-gateway."
DELIVERY_SECONDS = 30.0


class KafkaError(Exception):
    """Brokers did not take everything; what they did take will come again."""


class KafkaCarrier:
    """Fills `Carrier`. Topics are named after the events, behind a prefix; the key orders within a topic."""

    def __init__(self, bootstrap: str, **options: Any) -> None:
        from confluent_kafka import Producer  # noqa: PLC0415 - an extra that only a cluster installs

        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "snappy",
                "linger.ms": 10,
                "delivery.timeout.ms": int(DELIVERY_SECONDS * 1000),
                **options,
            }
        )

    async def __call__(self, parcels: Sequence[Parcel]) -> None:
        failures = await asyncio.to_thread(self._send, parcels)
        if failures:
            raise KafkaError(f"{len(failures)} of {len(parcels)} events were not taken: {failures[0]}")

    def _send(self, parcels: Sequence[Parcel]) -> list[str]:
        failures: list[str] = []
        told: Callable[[Any, Any], None] = partial(_note, failures)
        for parcel in parcels:
            self._producer.produce(
                PREFIX + parcel.topic,
                key=parcel.key.encode(),
                value=orjson.dumps(parcel.envelope()),
                headers={"event-id": parcel.id},
                on_delivery=told,
            )
        waiting = self._producer.flush(DELIVERY_SECONDS)
        if waiting:
            failures.append(f"{waiting} are still on their way after {DELIVERY_SECONDS:g} seconds")
        return failures

    @property
    def producer(self) -> Any:
        return self._producer


def _note(failures: list[str], error: Any, _message: Any) -> None:
    if error is not None:
        failures.append(str(error))
