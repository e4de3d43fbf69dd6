"""What holds for the whole tree, whoever changes it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from schema.graph import graph
from schema.printing import printed

ROOT = Path(__file__).parents[1]
FOLDERS = (
    "gateway",
    "schema",
    "subscriptions",
    "resolvers",
    "loaders",
    "domain",
    "migrations",
    "tests",
    "bench",
)
# Put together here, so that this file is not found to hold them.
UNFINISHED = re.compile(
    r"\b("
    + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "NotImplemented" + "Error"])
    + r")\b"
    r"|\b(not implem" + r"ented|place" + r"holder|st" + r"ub|dum" + r"my|lorem ip" + r"sum)\b",
    re.IGNORECASE,
)


def test_imports_point_one_way() -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program is not None

    told = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stdout


def test_no_source_file_is_unfinished() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _sources()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]

    assert found == []


def test_no_source_file_is_longer_than_one_idea() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in _sources()
        if path.suffix == ".py"
        and not {"tests", "bench"} & {*path.parts}
        and "Written by `make" not in path.read_text("utf-8")[:200]
    }

    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_a_context_has_one_name_in_every_folder() -> None:
    contexts = {path.name for path in (ROOT / "domain").iterdir() if (path / "__init__.py").exists()}
    shown, answered, streamed, loaded = (
        {path.stem for path in (ROOT / folder).glob("*.py")} & contexts
        for folder in ("schema", "resolvers", "subscriptions", "loaders")
    )

    assert {"catalog", "identity", "sync", "playback"} <= shown
    assert answered == shown
    assert streamed | loaded <= shown


def test_the_schema_file_is_what_the_code_prints() -> None:
    assert (ROOT / "schema.graphql").read_text("utf-8") == printed(graph())


def test_what_the_readme_tells_to_type_exists() -> None:
    typed = (ROOT / "README.md").read_text("utf-8") + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    named = set(
        re.findall(
            r"\bmake ([a-z-]+)\b(?=[ `\n])",
            "\n".join(re.findall(r"`make [^`]+`|^make .*$", typed, re.MULTILINE)),
        )
    )

    assert {"run", "test"} <= named
    assert named - targets == set()


def test_what_the_readme_links_to_exists() -> None:
    links = [
        link
        for page in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text("utf-8"))
    ]

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_commands_are_those_the_readme_shows() -> None:
    typed = (ROOT / "README.md").read_text("utf-8")
    commands = {path.stem for path in (ROOT / "gateway" / "cli").glob("*.py")}

    named = set(re.findall(r"bin/media-gateway ([a-z]+)", typed))

    assert named >= {"token", "config", "import"}
    assert {name for name in named if name not in commands and name != "import"} == set()


def _sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (ROOT / folder).rglob("*.py")
    yield from (ROOT / "web").glob("*/src/**/*.ts*")
    yield from (ROOT / name for name in ("Makefile", "Dockerfile", "pyproject.toml"))
