"""The other servers, each in a process of its own: how it is started, and what it needs to be there."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from bench.processes import ROOT, Running, free_port, running

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
NODE_FITS = ROOT / ".ci" / "node-fits.mjs"


class Peer(Protocol):
    """A server that answers `/graphql` as a `bench.config.Config` tells."""

    @property
    def name(self) -> str: ...

    @property
    def missing(self) -> str | None:
        """What has to be there before it can be started; nothing where all is."""

    def command(self, config: Path, port: int) -> list[str]: ...

    @property
    def environment(self) -> Mapping[str, str]:
        """Beside our own."""


@dataclass(frozen=True, slots=True)
class NodePeer:
    """One of the scripts beside this file."""

    name: str
    script: str

    @property
    def missing(self) -> str | None:
        node = shutil.which("node")
        if node is None or subprocess.run([node, NODE_FITS], check=False).returncode != 0:
            return "missing: needs Node 20.19 or newer"
        return None if MODULES.is_dir() else "missing: run `npm ci` in bench/peers, as `make bench` does"

    def command(self, config: Path, port: int) -> list[str]:
        return ["node", str(HERE / self.script), str(config), str(port)]

    @property
    def environment(self) -> Mapping[str, str]:
        return {"NODE_ENV": "production"}


@dataclass(frozen=True, slots=True)
class PythonPeer:
    """A module of ours, on the interpreter and the libraries that the gateway has."""

    name: str
    module: str

    @property
    def missing(self) -> str | None:
        return None

    def command(self, config: Path, port: int) -> list[str]:
        return [sys.executable, "-m", self.module, str(config), str(port)]

    @property
    def environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(ROOT)}


PEERS: tuple[Peer, ...] = (
    NodePeer("Mercurius, JIT", "mercurius.mjs"),
    NodePeer("GraphQL Yoga, JIT", "yoga.mjs"),
    NodePeer("Apollo Server", "apollo.mjs"),
    PythonPeer("Strawberry, stock", "bench.peers.stock_strawberry"),
)


@asynccontextmanager
async def serving(peer: Peer, config: Path) -> AsyncIterator[Running]:
    """From the moment it answers; raises `NotStarted`. Its log is beside the file `config`."""
    port = free_port()
    environment = {**os.environ, **peer.environment}
    async with running(peer.command(config, port), port, None, config.parent, environment) as process:
        yield process


def versions() -> str:
    """Of what the peers are made of; empty where there is no Node."""
    node = shutil.which("node")
    if node is None:
        return ""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    pinned: dict[str, str] = orjson.loads((HERE / "package.json").read_bytes())["dependencies"]
    return ", ".join([f"node {told.stdout.strip()}", *(f"{name} {pinned[name]}" for name in SHOWN)])


SHOWN = ("graphql", "mercurius", "graphql-yoga", "@envelop/graphql-jit", "@apollo/server", "pg")
