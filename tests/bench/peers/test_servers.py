import shutil
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from bench import operations
from bench.peers import servers
from bench.peers.servers import HERE, PEERS, NodePeer
from bench.peers.stock_graph import schema

NODE_SCHEMA = build_schema((HERE / "schema.graphql").read_text("utf-8"))
STOCK_SCHEMA = schema()._schema


def test_a_peer_without_node_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    missing = {peer.name: peer.missing for peer in PEERS}

    assert missing.pop("Strawberry, stock") is None
    assert set(missing.values()) == {"missing: needs Node 20.19 or newer"}
    assert servers.versions() == ""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_a_peer_without_its_modules_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(servers, "MODULES", tmp_path / "node_modules")

    assert "npm ci" in str(NodePeer("Mercurius", "mercurius.mjs").missing)


def test_every_script_of_a_peer_is_there() -> None:
    scripts = [peer.script for peer in PEERS if isinstance(peer, NodePeer)]

    assert scripts
    assert [script for script in scripts if not (HERE / script).exists()] == []


@pytest.mark.parametrize("peer", [NODE_SCHEMA, STOCK_SCHEMA], ids=["node", "stock"])
@pytest.mark.parametrize(
    "text", [operations.TYPENAME, operations.TITLE, operations.TITLES, operations.VIEWER]
)
def test_peers_can_be_asked_what_the_gateway_is_asked(peer: object, text: str) -> None:
    assert validate(peer, parse(text)) == []  # type: ignore[arg-type]


def test_no_lock_names_a_registry() -> None:
    assert '"resolved"' not in (HERE / "package-lock.json").read_text("utf-8")
