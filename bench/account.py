"""An account with a past, made through the front door at every run, as what was watched grows old."""

import uuid
from random import Random
from typing import Any

from bench import operations
from bench.catalogue import KINDS, SEED, slug
from bench.client import Client
from domain.catalog.model import ContentKind

WATCHED = 40
FINISHED = 24
LISTED = 15
DURATION_SECONDS = 6000
DEVICES = (("Television", "TV"), ("Phone", "PHONE"), ("Laptop", "DESKTOP"))

REGISTER = """mutation ($email: String!, $password: String!) {
  registerAccount(input: {email: $email, password: $password, displayName: "Bench", region: "US"}) {
    accessToken userErrors { message } } }"""
DEVICE = """mutation ($name: String!, $kind: DeviceKind!) {
  registerDevice(input: {name: $name, kind: $kind}) { device { id } userErrors { message } } }"""
WATCH = """mutation ($content: ID!, $position: Int!, $duration: Int!, $device: ID!) {
  reportProgress(input: {contentId: $content, positionSeconds: $position, durationSeconds: $duration,
                         deviceId: $device}) { userErrors { message } } }"""
LIST = """mutation ($content: ID!, $device: ID!) {
  addToWatchlist(input: {contentId: $content, deviceId: $device}) { userErrors { message } } }"""


async def make_account(port: int, works: int) -> str:
    """Its access token. It has seen 24 films, begun 16 more, listed 15 others, and owns 3 devices."""
    async with Client.open(port) as client:
        email = f"bench-{uuid.uuid4().hex}@example.com"
        client.token = (await _change(client, REGISTER, email=email, password="A-good-Passw0rd"))[
            "accessToken"
        ]
        devices = [
            (await _change(client, DEVICE, name=name, kind=kind))["device"]["id"] for name, kind in DEVICES
        ]
        random = Random(SEED)
        films = random.sample(films_among(works), WATCHED + LISTED)
        for place, number in enumerate(films):
            content, device = await content_id(client, number), random.choice(devices)
            if place < WATCHED:
                position = DURATION_SECONDS if place < FINISHED else random.randint(600, 5000)
                await _change(
                    client, WATCH,
                    content=content, position=position, duration=DURATION_SECONDS, device=device,
                )  # fmt: skip
            else:
                await _change(client, LIST, content=content, device=device)
        return client.token


def films_among(works: int) -> list[int]:
    """The numbers of the works that are films."""
    return [number for number in range(1, works + 1) if KINDS[number % len(KINDS)] is ContentKind.MOVIE]


async def content_id(client: Client, number: int) -> str:
    """The id of the work with this number."""
    found: str = (await client.ask(operations.FIND, slug=slug(number)))["content"]["id"]
    return found


async def _change(client: Client, document: str, **variables: Any) -> dict[str, Any]:
    payload: dict[str, Any] = next(iter((await client.ask(document, **variables)).values()))
    if payload["userErrors"]:
        raise ValueError(f"The server refuses: {payload['userErrors']}")
    return payload
