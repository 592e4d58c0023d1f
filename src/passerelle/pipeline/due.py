"""Between rows and carriers: a leased row as a part to submit, an outcome as the rows that it becomes.

One rule: no decision is made here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..domain import text
from ..domain.message import DuePart, Lane, Outcome, PartKey, TrafficClass
from ..smpp.receipt import id_forms
from ..store.queue import Taken
from ..store.receipts import Awaiting


def canonical(outcome: Outcome) -> str:
    """The operator's id in its canonical spelling."""
    return id_forms(outcome.operator_id)[0]


def taken(outcome: Outcome, now: datetime) -> Taken:
    """The only part of a message, taken at the first attempt."""
    part = outcome.part
    return Taken(
        part.key.account_id,
        part.key.message_id,
        part.begun_at or now,
        outcome.at or now,
        part.dialect,
        part.tag_key,
        canonical(outcome) if outcome.operator_id else "",
        part.submission_id,
        part.phone,
    )


def awaiting(outcome: Outcome, now: datetime) -> Awaiting:
    """A part whose receipt is due."""
    part = outcome.part
    return Awaiting(
        canonical(outcome) if outcome.operator_id else "",
        part.key.account_id,
        part.key.message_id,
        part.key.part,
        part.submission_id,
        part.phone,
        part.begun_at or now,
    )


def due_part(row: Any, deadline: float) -> DuePart:
    """A leased row as carriers take it. `deadline`: monotonic seconds after which nothing may be written."""
    words = row["shared_text"] if row["text"] is None else row["text"]
    encoding = _ENCODINGS[row["encoding"]]
    if row["parts"] > 1:
        words = text.segment(words, encoding).parts[row["part"] - 1]
    return DuePart(
        key=PartKey(row["account_id"], row["message_id"], row["part"]),
        submission_id=row["submission_id"],
        dialect=row["dialect"],
        tag_key=row["tag_key"],
        phone=row["phone"],
        sender=row["sender"],
        text=words,
        encoding=encoding,
        parts=row["parts"],
        traffic=_CLASSES[row["class"]],
        attempts=row["attempts"],
        uncertain=row["uncertain"],
        valid_until=row["valid_until"],
        deadline=deadline,
        region=row["region"],
        flash=row["flash"],
        bulk=row["lane"] == Lane.BULK,
        # 00-common, 9: neither marketing nor campaigns, which are what the lane is for
        twice=row["class"] == TrafficClass.TRANSACTIONAL and row["lane"] != Lane.BULK,
        lease_until=row["lease_until"],
    )


_ENCODINGS = {int(encoding): encoding for encoding in text.Encoding}
_CLASSES = {int(traffic): traffic for traffic in TrafficClass}
