"""HTML and text from templates in `gateway/pages`; what is filled in is escaped in HTML."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from gateway.phrases import FALLBACK, known, say_in

FOLDER: Final = Path(__file__).parent / "pages"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def rendered(template: str, language: str, **values: Any) -> str:
    """A template in a language; it speaks by `say`."""
    values |= {"say": say_in(language), "language": known(language) or FALLBACK}
    return _environment().get_template(template).render(values)
