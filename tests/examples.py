"""The operations that a newcomer is shown."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def of_graphiql() -> list[str]:
    """The documents of GraphiQL's tabs."""
    source = (ROOT / "web" / "graphiql" / "src" / "examples.ts").read_text()
    return [text for text in re.findall(r"= `(.*?)`", source, re.DOTALL) if "{" in text]


def of_readme() -> list[str]:
    """The documents in its commands."""
    readme = (ROOT / "README.md").read_text()
    return [json.loads(text) for text in re.findall(r'"query": ("(?:[^"\\]|\\.)*")', readme)]
