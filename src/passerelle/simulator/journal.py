"""The append-only log of every byte that crossed the simulated operator's door: the witness of tests.

One rule: what was read is in the file before anything is answered to it, in one write with the answer itself. On disk:
a header (magic, creation time), then records of time, direction, session, size and the bytes as they came, in as many
PDUs as one read or write held. `read` cuts them into PDUs again.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from passerelle.smpp.fields import HEADER_SIZE
from passerelle.smpp.session import Config, Event, Role, Session

MAGIC = b"PSLJRNL1"
_START = Struct(">8sQ")  # MAGIC, time of creation in ns
_RECORD = Struct(">QcII")  # time in ns since 1970, direction, session, size of what follows


class Direction(Enum):
    """Which way the bytes went; as written in a record."""

    IN = b"<"  # from the client
    OUT = b">"  # to the client
    TYPED = b"M"  # texted by a handset, not yet sent to anybody: deliver_sm frames, session 0


_DIRECTIONS = {direction.value: direction for direction in Direction}


@dataclass(frozen=True, slots=True)
class Record:
    """One whole PDU, header included; `session` counts the connections of all lives of the journal, from 1."""

    time_ns: int
    direction: Direction
    session: int
    pdu: bytes


class JournalInUse(Exception):
    """Another simulator writes to that file."""


class Journal:
    """The writing end; one process at a time, a torn last record is cut off on opening.

    JournalInUse when another process has it; ValueError when the file is something else.
    """

    def __init__(self, path: Path, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.path = path
        self._now_ns = now_ns
        self._waiting: list[bytes] = []
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._lock()
            self.created_ns, self._end = self._first() if os.fstat(self._fd).st_size == 0 else self._mend()
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, direction: Direction, session: int, data: bytes) -> None:
        """Put whole or partial PDUs down for the next `flush`."""
        self._waiting.append(_RECORD.pack(self._now_ns(), direction.value, session, len(data)))
        self._waiting.append(data)

    def flush(self) -> None:
        """Write what was put down. OSError (disk full) leaves the file as it was before."""
        if not self._waiting:
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        try:
            self._write(data)
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(data)

    def close(self) -> None:
        """Flush, and let another process have the file."""
        if self._fd >= 0:
            self.flush()
            os.close(self._fd)
            self._fd = -1

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalInUse(f"another simulator writes to {self.path}") from error

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def _first(self) -> tuple[int, int]:
        created = self._now_ns()
        self._write(_START.pack(MAGIC, created))
        return created, _START.size

    def _mend(self) -> tuple[int, int]:
        with self.path.open("rb") as file:
            created = _created(file)
            for _ in _records(file, skip=True):
                pass
            end = file.tell()
        os.ftruncate(self._fd, end)
        return created, end


class Recorded(Session):
    """A session of the operator's end whose every byte goes through the journal."""

    def __init__(self, journal: Journal, number: int, config: Config, now: float) -> None:
        super().__init__(Role.SMSC, config, now)
        self.number = number
        self._journal = journal

    def receive_bytes(self, data: bytes, now: float) -> list[Event]:
        """As `Session.receive_bytes`; the bytes are put down first."""
        if not self.closed:
            self._journal.append(Direction.IN, self.number, data)
        return super().receive_bytes(data, now)

    def take_output(self) -> bytes:
        """As `Session.take_output`; when it returns, all that was read and will be written is in the file."""
        output = super().take_output()
        if output:
            self._journal.append(Direction.OUT, self.number, output)
        self._journal.flush()
        return output


def read(path: Path) -> Iterator[Record]:
    """The PDUs of a journal in order, also while it is being written; a torn end is left out.

    A stream that breaks (an impossible command_length) is read up to there. ValueError when the file is no journal.
    """
    with path.open("rb") as file:
        _created(file)
        tails: dict[tuple[Direction, int], bytes] = {}
        for time_ns, direction, session, data in _records(file):
            pdus, tails[direction, session] = _split(tails.get((direction, session), b"") + data)
            for pdu in pdus:
                yield Record(time_ns, direction, session, pdu)


def _created(file: BinaryIO) -> int:
    start = file.read(_START.size)
    if len(start) < _START.size or not start.startswith(MAGIC):
        raise ValueError(f"{file.name} is not a journal of the simulator")
    created: int = _START.unpack(start)[1]
    return created


def _records(file: BinaryIO, *, skip: bool = False) -> Iterator[tuple[int, Direction, int, bytes]]:
    """The whole records from here; the file is left at the end of the last. `skip` passes over the bytes."""
    size = os.fstat(file.fileno()).st_size
    at = file.tell()
    while at + _RECORD.size <= size:
        time_ns, direction, session, length = _RECORD.unpack(file.read(_RECORD.size))
        if at + _RECORD.size + length > size:
            break
        data = b"" if skip else file.read(length)
        at += _RECORD.size + length
        if skip:
            file.seek(at)
        yield time_ns, _DIRECTIONS[direction], session, data
    file.seek(at)


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole PDUs at the start of a stream, and what is left."""
    pdus, at = [], 0
    while len(data) - at >= HEADER_SIZE:
        length = int.from_bytes(data[at : at + 4], "big")
        if not HEADER_SIZE <= length <= MAX_PDU or at + length > len(data):
            break
        pdus.append(data[at : at + length])
        at += length
    return pdus, data[at:]


MAX_PDU = Config().max_pdu
