"""Whom an address on the Internet stands for, where nothing else is known."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

_SUBNET_BITS: Final = 64
_REMEMBERED: Final = 4_096


@lru_cache(_REMEMBERED)
def network_of(address: str | None) -> str:
    """An IPv4 address, or the /64 that one subscriber has of IPv6; the text itself where it is neither, and
    `unknown` where there is none.
    """
    try:
        known = ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ip_network((known, _SUBNET_BITS), strict=False))
    return str(known)
