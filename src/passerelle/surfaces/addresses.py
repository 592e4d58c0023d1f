"""Addresses of clients: whom a trusted proxy speaks for, and which lists an address is on.

One rule: what a client can write itself is never believed; only a trusted proxy's word about its own peer is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@lru_cache(maxsize=1024)
def networks(listed: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of a list of addresses and CIDR blocks; what is neither is left out."""
    return tuple(network for text in listed if (network := _network(text)) is not None)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def parse(text: str) -> Address | None:
    """An address from `192.0.2.1`, `192.0.2.1:8080`, `[2001:db8::1]:8080`; an IPv4 one mapped in IPv6 is unwrapped."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_listed(address: str, listed: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks."""
    found = parse(address)
    return found is not None and any(found.version == network.version and found in network for network in listed)


def client(peer: str, forwarded: Sequence[bytes], trusted: tuple[Network, ...]) -> str:
    """The address a request comes from: X-Forwarded-For is followed from the right as long as proxies are trusted."""
    hops = [hop for value in forwarded for hop in value.decode("latin-1").split(",")] if trusted else []
    found = peer
    while hops and is_listed(found, trusted):
        hop = parse(hops.pop())
        if hop is None:
            break
        found = str(hop)
    return found
