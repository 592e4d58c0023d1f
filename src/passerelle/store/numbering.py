"""Ids made before the rows are written: blocks taken from sequences, the month of acceptance in the high bits.

A process that dies wastes the rest of its block; nothing else follows from it.
"""

from __future__ import annotations

from datetime import datetime

from .database import Database, queries

SQL = queries("numbering")

MONTH_SHIFT = 40
MESSAGE_BLOCK = 10_000
NUMBER_BLOCK = 1_000


def month_of(at: datetime) -> int:
    """Months since January 2000, in UTC: the partition of what is accepted then."""
    return (at.year - 2000) * 12 + at.month - 1


def span_of(month: int) -> tuple[int, int]:
    """The first id of a month, and that of the next."""
    return month << MONTH_SHIFT, month + 1 << MONTH_SHIFT


class Numbering:
    """Hands out ids of messages, and the numbers that the dialects show."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._months: set[int] = set()
        self._messages = range(0)
        self._numbers = {"message_number": range(0), "snapshot_number": range(0)}

    async def messages(self, count: int, at: datetime) -> int:
        """The first of `count` consecutive message ids in the month of `at`."""
        month = month_of(at)
        if month not in self._months:
            await self._db.fetchval(SQL.make_month, month)
            self._months.add(month)
        if count > MESSAGE_BLOCK:
            return month << MONTH_SHIFT | await self._neighbours(count)
        if len(self._messages) < count:
            start = await self._db.fetchval(SQL.next_block, "message_block")
            self._messages = range(start, start + MESSAGE_BLOCK)
        first = self._messages.start
        self._messages = self._messages[count:]
        return month << MONTH_SHIFT | first

    async def _neighbours(self, count: int) -> int:
        """The first id of whole blocks without a gap; what another process came between with is wasted."""
        wanted = -(-count // MESSAGE_BLOCK)
        while True:
            starts = [row[0] for row in await self._db.fetch(SQL.next_blocks, "message_block", wanted)]
            if starts[-1] - starts[0] == (wanted - 1) * MESSAGE_BLOCK:
                return int(starts[0])

    async def submission_number(self) -> int:
        """A SMS Partner `message_id`: 1 to 2**31-1, unique among stored rows."""
        return await self._number("message_number", SQL.submission_number_used)

    async def snapshot_number(self) -> int:
        """A Primotexto `snapshotId`, as above."""
        return await self._number("snapshot_number", SQL.message_number_used)

    async def snapshot_numbers(self, count: int) -> list[int]:
        """So many of them."""
        numbers: list[int] = []
        while len(numbers) < count:
            left = self._numbers["snapshot_number"] or await self._free_block(
                "snapshot_number", SQL.message_number_used
            )
            taken = left[: count - len(numbers)]
            self._numbers["snapshot_number"] = left[len(taken) :]
            numbers += taken
        return numbers

    async def _number(self, sequence: str, used: str) -> int:
        left = self._numbers[sequence]
        if not left:
            left = await self._free_block(sequence, used)
        self._numbers[sequence] = left[1:]
        return left.start

    async def _free_block(self, sequence: str, used: str) -> range:
        """The next block without a stored number: after the end, numbering starts again and skips live ones."""
        while True:
            start = await self._db.fetchval(SQL.next_block, sequence)
            block = range(start, start + NUMBER_BLOCK)
            if not await self._db.fetchval(used, block.start, block.stop - 1):
                return block
