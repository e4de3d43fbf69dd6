"""What must not stand in any log: the secrets of a whole run, gathered as they pass by."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

NAMES = frozenset(
    {
        "access_token", "accessToken", "actor_token", "backupCode", "backupCodes", "challenge",
        "client_secret", "code", "code_verifier", "currentPassword", "device_code",
        "id_token", "newPassword", "password",
        "refresh_token", "refreshToken", "request_uri", "secret", "token", "uri", "user_code",
    }
)  # fmt: skip
"""What secrets are called in requests and answers, in forms and in JSON."""
LEAST = 6
"""Fewer signs stand in a log by chance."""
_ERROR_CODE = re.compile(r"[A-Z_]+")
_DIGITS = re.compile(r"\d+")
_IN_DOCUMENTS = re.compile(rf'\b({"|".join(sorted(NAMES))}):\s*\\?"([^"\\]+)')
_IN_LINKS = re.compile(r"[?&](?:token|code)=([\w.~%-]+)")
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "k")


@dataclass
class Secrets:
    """Every secret by where it was seen."""

    seen: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, *values: Any) -> None:
        for value in values:
            if isinstance(value, str) and len(value) >= LEAST and not _ERROR_CODE.fullmatch(value):
                self.seen.setdefault(value, where)

    def watch(self, exchange: httpx.Response) -> None:
        """Those of a request and its answer."""
        request, where = exchange.request, f"{exchange.request.method} {exchange.request.url.path}"
        for headers in (request.headers, exchange.headers):
            self._watch_headers(where, headers)
        location = exchange.headers.get("location", "")
        self._watch_pairs(where, parse_qsl(urlsplit(location).query) + parse_qsl(request.url.query.decode()))
        for content in (_content(request), _content(exchange)):
            self._watch_content(where, content)

    def watch_folder(self, folder: Path) -> None:
        """Those that a server keeps in files: its keys, and the links in its letters."""
        for path in folder.rglob("*.json"):
            self.add(str(path), *_private_parts(path.read_text()))
        for path in folder.rglob("*.eml"):
            self.add(str(path), *_IN_LINKS.findall(path.read_text().replace("=\n", "").replace("=3D", "=")))

    def leaks(self, logs: Iterable[Path]) -> Iterator[str]:
        """Where secrets stand in logs, each with the beginning of its line."""
        for log in logs:
            text = log.read_text(errors="replace")
            for secret, where in self.seen.items():
                at = _found(secret, text)
                if at is not None:
                    line = text.count("\n", 0, at) + 1
                    yield f"{log}:{line} has what came by {where}: {secret[:12]}…"

    def _watch_headers(self, where: str, headers: httpx.Headers) -> None:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        self.add(where, shown, headers.get("x-api-key"))
        if scheme == "Basic":
            self.add(where, _password_in(shown))
        for cookie in (*headers.get_list("set-cookie"), *headers.get("cookie", "").split("; ")):
            self.add(where, cookie.partition(";")[0].partition("=")[2])

    def _watch_pairs(self, where: str, pairs: Iterable[tuple[str, Any]]) -> None:
        for name, value in pairs:
            if name in NAMES:
                self.add(where, *(value if isinstance(value, list) else [value]))

    def _watch_content(self, where: str, content: str) -> None:
        try:
            self._watch_pairs(where, _pairs_in(json.loads(content)))
        except ValueError:
            self._watch_pairs(where, parse_qsl(content))
        self._watch_pairs(where, _IN_DOCUMENTS.findall(content))
        self._watch_pairs(where, re.findall(r'name="(\w+)" value="([^"]*)"', content))


def logs_in(folder: Path) -> list[Path]:
    """Of the servers, and of the databases that they started."""
    return [path for path in folder.rglob("*log*") if path.is_file() and path.suffix in {".log", ""}]


def _content(message: httpx.Request | httpx.Response) -> str:
    try:
        return message.content.decode()
    except (httpx.StreamError, UnicodeDecodeError):  # it is read by its owner, or no text
        return ""


def _pairs_in(value: Any) -> Iterator[tuple[str, Any]]:
    """All members of all objects in a JSON value."""
    if isinstance(value, dict):
        yield from value.items()
    for held in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _pairs_in(held)


def _private_parts(text: str) -> Iterator[str]:
    try:
        found = json.loads(text)
    except ValueError:
        return
    for name, value in _pairs_in(found):
        if name in _PRIVATE and isinstance(value, str):
            yield value


def _password_in(shown: str) -> str | None:
    try:
        return base64.b64decode(shown, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _found(secret: str, text: str) -> int | None:
    """Where a secret stands, plain or as it is written in URLs."""
    if _DIGITS.fullmatch(secret):  # not within a longer number, or a fraction
        match = re.search(rf"(?<![\d.]){secret}(?![\d.])", text)
        return None if match is None else match.start()
    places = [text.find(form) for form in {secret, quote(secret, safe="")}]
    return max(places) if max(places) >= 0 else None
