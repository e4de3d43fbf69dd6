"""The README of the engine says what is so."""

import re
from pathlib import Path

import gateway.engine
from gateway.engine.plan.emit import MAX_POSITIONS
from gateway.engine.plan.fallback import Fallback

ROOT = Path(__file__).parents[3]
FOLDER = Path(gateway.engine.__path__[0])
README = (FOLDER / "README.md").read_text()


def test_every_reason_to_interpret_is_listed() -> None:
    assert re.findall(r"^\| `([^`]+)` \|", README, re.MULTILINE) == [reason.value for reason in Fallback]
    assert f"{MAX_POSITIONS:,} written fields" in README


def test_the_files_it_names_exist() -> None:
    here = re.findall(r"(?:──► |`)([\w/]+\.py|\w+/)(?=[` ])", README)
    elsewhere = re.findall(r"`((?:tests|bench)/[\w/.]+)`", README)

    assert len(here) > 8
    tests = ROOT / "tests" / "gateway" / "engine"
    folders = (FOLDER, tests, tests / "plan", ROOT)
    assert [name for name in here if not any((folder / name).exists() for folder in folders)] == []
    assert [name for name in elsewhere if not (ROOT / name).exists()] == []
