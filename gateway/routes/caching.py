"""What caches may do with the answer to a GET (RFC 9110 and 9111); answers to a POST are kept by nobody.

An answer without errors is public for as long as its hints and what it shows allow, whoever asks, where it is
known to be the same for everybody. Where it may depend on who asks (on the region of an account, say), it is
public for those who do not say who they are; others may keep theirs, and ask each time whether it holds.
What is the caller's own, and what has no hint, is not kept at all: nothing personal is left on disks.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from gateway.engine.results import OperationResult
from gateway.routes.replies import NOT_MODIFIED, Reply

_OWN: Final = (b"cache-control", b"private, no-store")
_ASK_EACH_TIME: Final = (b"cache-control", b"private, no-cache")
_DIGEST_BYTES: Final = 15
_TAG: Final = re.compile(r'("[\x21\x23-\x7e\x80-\xff]*")')


def for_caches(
    reply: Reply,
    result: OperationResult,
    headers: Mapping[str, str],
    naming: Sequence[str],
    varying: Sequence[str] = (),
) -> Reply:
    """The reply to a GET or HEAD with what caches are told; 304 in its place where the client holds it.

    `naming` are the request's headers that say who asks, `varying` others that the answer depends on.
    """
    policy = result.policy
    # What could not be written is an error only in the body, where errors come first.
    if policy is None or result.extensions or not reply.body.startswith(b'{"data":'):
        return reply
    if not policy.shared:
        return replace(reply, caching=(_OWN,))
    says = _ASK_EACH_TIME
    if policy.for_all or not any(name in headers for name in naming):
        says = (b"cache-control", b"public, max-age=%d" % policy.max_age)
    names = varying if policy.for_all else (*naming, *varying)
    tag = entity_tag(reply.body)
    told = [says, (b"etag", tag.encode())]
    if names:
        told.append((b"vary", ", ".join(names).encode()))
    if matches(headers.get("if-none-match"), tag):
        return Reply(NOT_MODIFIED, headers=reply.headers, caching=tuple(told))
    return replace(reply, caching=tuple(told))


def entity_tag(body: bytes) -> str:
    """Of the JSON itself, and weak: it is the same in every content coding.

    A strong one would have to differ between codings (RFC 9110, section 8.8.3.3), whoever packs the answer,
    and is of use for ranges alone, which nobody asks of JSON. So proxies may pack and unpack as they like,
    and a client's copy is found to hold though it now accepts other codings than it did.
    """
    digest = blake2b(body, digest_size=_DIGEST_BYTES).digest()
    return f'W/"{urlsafe_b64encode(digest).decode()}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the client holds it, by the weak comparison (RFC 9110, section 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in _TAG.findall(if_none_match)
