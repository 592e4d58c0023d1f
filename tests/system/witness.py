"""What the operator saw, and what the customer was told: read by other people's code, never from our tables.

The journal of the simulated operator holds the raw bytes that crossed its door; smpplib and gsmcodecs decode them.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gsmcodecs
import msgspec
import smpplib.command
import smpplib.smpp
from aiohttp import web

assert gsmcodecs  # registers the codec "gsm23.038"

_START = struct.Struct(">8sQ")
_RECORD = struct.Struct(">QcII")  # time in ns, direction, session, size
_HEADER = struct.Struct(">IIII")
SUBMIT_SM, SUBMIT_SM_RESP = 0x00000004, 0x80000004
TOKEN = re.compile(r"q[0-9a-f]{6}z")

PartKey = tuple[str, str, int]
"""Phone, token of the request, part."""


@dataclass(slots=True)
class Submit:
    """One submit_sm as it arrived. `status`: of its answer; None when the operator was killed before it answered."""

    at: float  # seconds since 1970
    phone: str
    text: str
    part: int
    total: int
    reference: int
    status: int | None = None

    @property
    def taken(self) -> bool:
        """Whether the operator may have it."""
        return not self.status


def submits(journal: Path) -> list[Submit]:
    """Every submit_sm of a journal, with the answer it got."""
    seen: dict[tuple[int, int], Submit] = {}
    found = []
    for at, direction, session, pdu in _pdus(journal):
        _, command, status, sequence = _HEADER.unpack_from(pdu)
        if direction == b"<" and command == SUBMIT_SM:
            one = _submit(at, pdu)
            seen[session, sequence] = one
            found.append(one)
        elif direction == b">" and command == SUBMIT_SM_RESP and (session, sequence) in seen:
            seen[session, sequence].status = status
    return found


def _submit(at: float, pdu: bytes) -> Submit:
    decoded = smpplib.smpp.parse_pdu(pdu, need_sequence=False, allow_unknown_opt_params=True)
    octets: bytes = decoded.short_message or b""
    part = total = 1
    reference = 0
    if decoded.esm_class & 0x40:  # a user data header; 3GPP TS 23.040, 9.2.3.24.1
        assert octets[:3] == b"\x05\x00\x03", octets[:6]
        reference, total, part = octets[3:6]
        octets = octets[6:]
    text = octets.decode("utf-16-be") if decoded.data_coding == 8 else octets.decode("gsm23.038")
    return Submit(at, decoded.destination_addr.decode(), text, part, total, reference)


def _pdus(journal: Path) -> Iterator[tuple[float, bytes, int, bytes]]:
    stored = journal.read_bytes()
    assert stored[:8] == b"PSLJRNL1"
    at = _START.size
    tails: defaultdict[tuple[bytes, int], bytes] = defaultdict(bytes)
    while at + _RECORD.size <= len(stored):
        when, direction, session, size = _RECORD.unpack_from(stored, at)
        at += _RECORD.size
        stream = tails[direction, session] + stored[at : at + size]
        at += size
        start = 0
        while len(stream) - start >= 16:
            length = int.from_bytes(stream[start : start + 4], "big")
            if start + length > len(stream):
                break
            yield when / 1e9, direction, session, stream[start : start + length]
            start += length
        tails[direction, session] = stream[start:]


def token_of(text: str) -> str:
    """The token of the request that a text belongs to; '' where there is none."""
    found = TOKEN.search(text)
    return found[0] if found else ""


class Sink:
    """The customer's end of notifications: remembers all, and always says yes."""

    def __init__(self) -> None:
        self.reports: defaultdict[tuple[str, str], list[str]] = defaultdict(list)  # (token, phone) -> words
        self.webhooks: defaultdict[str, list[str]] = defaultdict(list)  # snapshotId -> events
        self.ids: defaultdict[str, int] = defaultdict(int)  # webhook-id -> times
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on any port."""
        app = web.Application()
        app.router.add_post("/dlr/{token}", self._report)
        app.router.add_post("/webhook", self._webhook)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        address: Any = self._runner.addresses[0]
        self.url = f"http://127.0.0.1:{address[1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _report(self, request: web.Request) -> web.Response:
        told = msgspec.json.decode(await request.read())
        self.ids[request.headers["webhook-id"]] += 1
        self.reports[request.match_info["token"], told["phone"].lstrip("+")].append(told["status"])
        return web.Response()

    async def _webhook(self, request: web.Request) -> web.Response:
        told = msgspec.json.decode(await request.read())
        self.ids[request.headers["webhook-id"]] += 1
        self.webhooks[told.get("snapshotId", "")].append(told["event"])
        return web.Response()
