from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer

from domain.platform.postgres import Database
from domain.sync.kafka import KafkaCarrier
from domain.sync.postgres_outbox import PostgresOutbox
from domain.sync.relay import Parcel, Relay


class Hand:
    """A carrier that keeps what it was given, and may drop everything."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.broken = False

    async def __call__(self, parcels: Sequence[Parcel]) -> None:
        if self.broken:
            raise ConnectionError("no broker")
        self.parcels.extend(parcels)


async def _put(database: Database, *keys: str) -> None:
    for number, key in enumerate(keys):
        await database.execute(
            "INSERT INTO outbox (topic, key, payload) VALUES ('t', $1, $2)", key, {"number": number}
        )


async def test_events_leave_once_in_the_order_they_were_written(database: Database) -> None:
    await _put(database, "a", "b", "a")
    hand = Hand()
    relay = Relay(PostgresOutbox(database), hand)

    assert await relay.run() == 3
    assert await relay.run() == 0

    assert [parcel.payload["number"] for parcel in hand.parcels] == [0, 1, 2]
    assert len({parcel.id for parcel in hand.parcels}) == 3


async def test_what_was_not_taken_waits_and_comes_again(database: Database) -> None:
    await _put(database, "a", "b")
    hand = Hand()
    hand.broken = True
    relay = Relay(PostgresOutbox(database), hand)

    with pytest.raises(ConnectionError):
        await relay.run()
    assert hand.parcels == []
    hand.broken = False

    assert await relay.run() == 2


async def test_without_a_carrier_old_events_are_dropped_and_new_ones_wait(database: Database) -> None:
    await _put(database, "old", "new")
    await database.execute("UPDATE outbox SET created_at = now() - interval '31 days' WHERE key = 'old'")
    relay = Relay(PostgresOutbox(database), None)

    assert await relay.run() == 0
    assert await relay.tidy(datetime.now(UTC)) == 1

    assert await database.value("SELECT string_agg(key, ',') FROM outbox") == "new"


async def test_with_a_carrier_only_what_was_shipped_is_dropped(database: Database) -> None:
    await _put(database, "shipped", "waiting")
    await database.execute("UPDATE outbox SET shipped_at = now() - interval '2 days' WHERE key = 'shipped'")
    await database.execute("UPDATE outbox SET created_at = now() - interval '90 days'")
    relay = Relay(PostgresOutbox(database), Hand())

    assert await relay.tidy(datetime.now(UTC)) == 1

    assert await database.value("SELECT string_agg(key, ',') FROM outbox") == "waiting"


async def test_kafka_gets_envelopes_under_their_keys() -> None:
    # librdkafka's own mock cluster: the real protocol, spoken within this process.
    carrier = KafkaCarrier("ignored:1", **{"test.mock.num.brokers": 1, "enable.idempotence": False})
    broker = next(iter(carrier.producer.list_topics(timeout=5).brokers.values()))
    at = datetime.now(UTC) - timedelta(seconds=1)
    parcels = [Parcel(f"id-{n}", "sync.state_changed", "account-1", at, {"number": n}) for n in range(3)]

    await carrier(parcels)

    consumer = Consumer(
        {
            "bootstrap.servers": f"{broker.host}:{broker.port}",
            "group.id": "test",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["media-gateway.sync.state_changed"])
    received: list[tuple[bytes | None, Any]] = []
    while len(received) < 3:
        message = consumer.poll(10)
        assert message is not None, "nothing arrived"
        if message.error() is None:
            received.append((message.key(), orjson.loads(message.value() or b"")))
    consumer.close()
    assert [key for key, _ in received] == [b"account-1"] * 3
    assert [envelope["data"]["number"] for _, envelope in received] == [0, 1, 2]
    assert received[0][1]["type"] == "sync.state_changed"
    assert received[0][1]["id"] == "id-0"
