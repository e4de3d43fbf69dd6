"""Cursors: places in a log, opaque to those who carry them."""

import base64
import binascii
import re
from dataclasses import dataclass

from domain.platform.errors import BadInput


@dataclass(frozen=True)
class Cursors:
    """Those of one log, which no other log takes for its own."""

    log: str
    givers: str
    """Where clients have them from, in words."""

    def of(self, number: int) -> str:
        return base64.urlsafe_b64encode(f"{self.log}:{number}".encode()).decode().rstrip("=")

    def number(self, cursor: str | None) -> int | None:
        """The number in a cursor; raises `BadInput` where it is none."""
        if cursor is None:
            return None
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        except (binascii.Error, ValueError):
            text = ""
        match = re.fullmatch(rf"{self.log}:([0-9]{{1,18}})", text)
        if match is None:
            raise BadInput(
                f"`after` is not a cursor of this stream: pass one that {self.givers} gave.", argument="after"
            )
        return int(match[1])
