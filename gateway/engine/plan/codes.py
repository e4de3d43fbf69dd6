"""Functions from their text. What a text names becomes parameters with defaults, named by the order in which
they appear: so equal parts of different operations have equal texts, and these are compiled once.

Most of the time that a plan takes is spent compiling, and operations of one front end have most in common.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, Final

from graphql import Undefined

from gateway.engine.plan.positions import Chunk, Raised

MAX_CODES: Final = 4_096
LISTS: Final = frozenset({list, tuple})
"""Classes of lists that are gone through as they are."""
_MARKED: Final = re.compile("\0([A-Za-z])([0-9]+)\0")
_GLOBALS: Final = {"Raised": Raised, "Chunk": Chunk, "Undefined": Undefined, "LISTS": LISTS}


def mark(name: str) -> str:
    """The name of an object, a letter and a number, as it stands in a text: nothing else that is written has
    these marks.
    """
    return f"\0{name}\0"


def function(kind: str, parameters: str, text: str, objects: Mapping[str, Any]) -> FunctionType:
    """The function with this text below its header; `objects` has what is marked in it."""
    locals_: dict[str, str] = {}

    def local(marked: re.Match[str]) -> str:
        name = marked[1] + marked[2]
        known = locals_.get(name)
        if known is None:
            known = locals_[name] = f"{marked[1]}{len(locals_)}"
        return known

    body = _MARKED.sub(local, text)
    header = f"def {kind}({', '.join([parameters, *locals_.values()])}):"
    return FunctionType(
        _compiled(f"{header}\n{body}"), _GLOBALS, kind, tuple([objects[name] for name in locals_])
    )


@lru_cache(MAX_CODES)
def _compiled(text: str) -> CodeType:
    module = compile(text, "<plan>", "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
