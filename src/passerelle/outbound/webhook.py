"""Posts notifications to customers' URLs: signed, within ten seconds, never to an address of our own network.

The one rule: the address is judged where the connection is made, so that no spelling of a number, no answer of a name
server and no redirect leads inside. What is received is thrown away.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

TIMEOUT = 10.0  # seconds, from the name look-up to the last byte
BODY_LIMIT = 64 * 1024  # bytes of an answer that are read so that its connection may serve again
LOOKUPS = 64  # name look-ups at a time: a dead name server blocks a thread for many seconds
GONE = 410


class Posted(NamedTuple):
    """What came of one attempt. `status` 0: no answer; `error` is short and names no URL."""

    ok: bool
    gone: bool
    status: int
    error: str


class AddressRefused(OSError):
    """The connection would have left for an address that customers have no business with."""


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052


def is_allowed(address: str, allow_private: bool) -> bool:
    """Whether a literal address may be posted to: a global one, or, where allowed, a private or loopback one."""
    found = _embedded(ipaddress.ip_address(address))
    if found.is_multicast or found.is_unspecified:
        return False
    is_inside = not found.is_global or found.is_reserved or getattr(found, "is_site_local", False)
    return not is_inside or (allow_private and (found.is_loopback or not found.is_reserved))


def _embedded(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that is meant by one mapped (RFC 4291), by 6to4 (RFC 3056) or behind NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[12:])
    return address.ipv4_mapped or address.sixtofour or address


def signature(secrets: Sequence[bytes], event_uuid: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature` (Standard Webhooks 1.0): one `v1,<base64>` for each secret, blanks between."""
    signed = f"{event_uuid}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(one, signed, "sha256")).decode() for one in secrets)


def parse_url(text: str) -> URL:
    """The URL as it was given, its query untouched; only what no request line can hold is quoted."""
    return URL(text, encoded=True) if text.isascii() and text.isprintable() and " " not in text else URL(text)


class Poster:
    """An HTTP client that keeps connections; as many posts at a time as its callers begin."""

    def __init__(self, *, allow_private: bool = False, timeout: float = TIMEOUT) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._resolver = _Resolver()

    async def post(
        self, url: str, body: bytes, content_type: str, event_uuid: str, secrets: Sequence[bytes], at: datetime
    ) -> Posted:
        """One attempt at `at`, the present; the newest secret first. Never raises for what the other side does."""
        timestamp = int(at.timestamp())
        headers = {
            "Content-Type": content_type,
            "webhook-id": event_uuid,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secrets, event_uuid, timestamp, body),
        }
        try:
            target = parse_url(url)
            if target.scheme not in ("http", "https") or not target.host:
                return Posted(False, False, 0, "not an http or https URL")
            return await self._attempt(target, body, headers)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Posted(False, False, 0, _words(error))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def _attempt(self, url: URL, body: bytes, headers: dict[str, str]) -> Posted:
        try:
            return await self._exchange(url, body, headers)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            # The other side closed an idle connection as we took it; the id makes a second copy harmless.
            if isinstance(error, aiohttp.ClientConnectorError):
                raise
            return await self._exchange(url, body, headers)

    async def _exchange(self, url: URL, body: bytes, headers: dict[str, str]) -> Posted:
        session = self._session or self._open()
        response = await session.post(url, data=body, headers=headers, allow_redirects=False)
        try:
            await _discard(response)
        except (aiohttp.ClientError, OSError, TimeoutError):
            response.close()  # the status has said all that counts
        status = response.status
        if 200 <= status < 300:
            return Posted(True, False, status, "")
        return Posted(False, status == GONE, status, f"HTTP {status}")

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0, ttl_dns_cache=60, resolver=self._resolver, socket_factory=self._socket
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            headers={"User-Agent": "Passerelle", "Accept": "*/*"},
            skip_auto_headers=("Accept-Encoding",),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self._session

    def _socket(self, target: aiohttp.AddrInfoType) -> socket.socket:
        """Every connection is made here, with its final address."""
        family, kind, protocol, _, where = target
        if not is_allowed(str(where[0]), self._allow_private):
            raise AddressRefused("address refused")  # one wording: of several, the first is told
        return socket.socket(family, kind, protocol)


async def _discard(response: aiohttp.ClientResponse) -> None:
    """Read to the end, which gives the connection back; a longer answer loses it."""
    left = BODY_LIMIT
    while chunk := await response.content.readany():
        left -= len(chunk)
        if left < 0:
            response.close()
            return


def _words(error: Exception) -> str:
    """What the console shows of a failure: no URL, which may hold a password."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressRefused):
        return str(cause)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, socket.gaierror):
        return "unknown host"
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {cause.reason or 'failed'}"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)
    return type(error).__name__


class _Resolver(AbstractResolver):
    """Asks the system in threads of its own, so that look-ups that hang keep nobody else of theirs."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        )
        return [
            ResolveResult(hostname=host, host=str(where[0]), port=port, family=kind, proto=protocol, flags=0)
            for kind, _, protocol, _, where in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
