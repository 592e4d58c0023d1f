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
SUBMIT_SM, SUBMIT_SM_RESP, DELIVER_SM, DELIVER_SM_RESP = 0x00000004, 0x80000004, 0x00000005, 0x80000005
RECEIPT, UDHI = 0x04, 0x40  # esm_class, SMPP 3.4, 5.2.12
TOKEN = re.compile(r"q[0-9a-f]{6}z")
REPORT = re.compile(rb"id:(\S+) .*stat:([A-Z]+) err:(\d+)")  # SMPP 3.4, appendix B

PartKey = tuple[str, str, int]
"""Phone, token of the request, part."""

Pdu = tuple[float, bytes, int, bytes]
"""Seconds since 1970, direction as the journal has it, connection, the bytes."""


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


@dataclass(slots=True)
class Delivery:
    """One deliver_sm as it left. A receipt has a `state` and an `error`, a text of a handset has none. `answered`:
    when we said that we have it, seconds since 1970; None: we did not."""

    at: float
    phone: str
    recipient: str
    text: str = ""
    state: str = ""
    error: str = ""
    is_last: bool = True  # of the parts of a text
    answered: float | None = None


@dataclass(slots=True)
class Log:
    """What crossed the operator's door."""

    submits: list[Submit]
    deliveries: list[Delivery]


def log_of(journal: Path) -> Log:
    """Every submit_sm and deliver_sm of a journal, with the answer each got."""
    log = Log([], [])
    asked: dict[tuple[bytes, int, int], Submit | Delivery] = {}
    for at, direction, session, pdu in Reader(journal).read():
        _, command, status, sequence = _HEADER.unpack_from(pdu)
        if (direction, command) == (b"<", SUBMIT_SM):
            asked[direction, session, sequence] = submit = _submit(at, pdu)
            log.submits.append(submit)
        elif (direction, command) == (b">", DELIVER_SM):
            asked[direction, session, sequence] = delivery = _delivery(at, pdu)
            log.deliveries.append(delivery)
        elif (direction, command) == (b">", SUBMIT_SM_RESP):
            answered = asked.get((b"<", session, sequence))
            if isinstance(answered, Submit):
                answered.status = status
        elif (direction, command, status) == (b"<", DELIVER_SM_RESP, 0):
            heard = asked.get((b">", session, sequence))
            if isinstance(heard, Delivery):
                heard.answered = at
    return log


def submits(journal: Path) -> list[Submit]:
    """Every submit_sm of a journal, with the answer it got."""
    return log_of(journal).submits


def _submit(at: float, pdu: bytes) -> Submit:
    decoded = smpplib.smpp.parse_pdu(pdu, need_sequence=False, allow_unknown_opt_params=True)
    octets: bytes = decoded.short_message or b""
    part = total = 1
    reference = 0
    if decoded.esm_class & UDHI:  # a user data header; 3GPP TS 23.040, 9.2.3.24.1
        assert octets[:3] == b"\x05\x00\x03", octets[:6]
        reference, total, part = octets[3:6]
        octets = octets[6:]
    return Submit(at, decoded.destination_addr.decode(), _text(octets, decoded), part, total, reference)


def _delivery(at: float, pdu: bytes) -> Delivery:
    decoded = smpplib.smpp.parse_pdu(pdu, need_sequence=False, allow_unknown_opt_params=True)
    octets: bytes = decoded.short_message or b""
    made = Delivery(at, decoded.source_addr.decode(), decoded.destination_addr.decode())
    if decoded.esm_class & RECEIPT:
        report = REPORT.search(octets)
        assert report is not None, octets
        made.state, made.error = report[2].decode(), report[3].decode()
        return made
    if decoded.esm_class & UDHI:
        made.is_last = octets[4] == octets[5]
        octets = octets[6:]
    made.text = _text(octets, decoded)
    return made


def _text(octets: bytes, decoded: Any) -> str:
    return octets.decode("utf-16-be") if decoded.data_coding == 8 else octets.decode("gsm23.038")


class Reader:
    """Reads a journal while it is written: each `read` gives the PDUs since the one before."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._at = 0
        self._tails: defaultdict[tuple[bytes, int], bytes] = defaultdict(bytes)

    def read(self) -> Iterator[Pdu]:
        """The next PDUs, in order; none before there is a journal."""
        if not self._journal.exists():
            return
        with open(self._journal, "rb") as file:
            file.seek(self._at)
            stored = file.read()
        at = 0
        if not self._at:
            assert stored[:8] == b"PSLJRNL1"
            at = _START.size
        while at + _RECORD.size <= len(stored):
            when, direction, session, size = _RECORD.unpack_from(stored, at)
            if at + _RECORD.size + size > len(stored):
                break  # it is being written, or was torn by a kill and will be cut off
            at += _RECORD.size
            stream = self._tails[direction, session] + stored[at : at + size]
            at += size
            start = 0
            while len(stream) - start >= 16:
                length = int.from_bytes(stream[start : start + 4], "big")
                if start + length > len(stream):
                    break
                yield when / 1e9, direction, session, stream[start : start + length]
                start += length
            self._tails[direction, session] = stream[start:]
        self._at += at


class Progress:
    """Follows a journal: who was written to so far, and how often."""

    def __init__(self, journal: Path) -> None:
        self._reader = Reader(journal)
        self.submits = 0
        self.phones: dict[str, None] = {}  # in the order in which they were written to first

    def look(self) -> int:
        """How many submits there were by now."""
        for _, direction, _, pdu in self._reader.read():
            if direction == b"<" and _HEADER.unpack_from(pdu)[1] == SUBMIT_SM:
                self.submits += 1
                self.phones.setdefault(destination(pdu))
        return self.submits


def destination(pdu: bytes) -> str:
    """To whom a submit_sm goes (SMPP 3.4, 4.4.1): behind service type, sender and two types and plans."""
    at = pdu.index(0, 16) + 3  # service_type, source_addr_ton, source_addr_npi
    at = pdu.index(0, at) + 3  # source_addr, dest_addr_ton, dest_addr_npi
    return pdu[at : pdu.index(0, at)].decode()


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
