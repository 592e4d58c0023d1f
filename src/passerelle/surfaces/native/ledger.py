"""The ledger: every movement of money of the account, and what it paid for.

One rule: the amounts of all entries sum to the balance.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ...store import listings
from ...store.ledger import Kind
from . import shapes
from .calls import Caller, Services, endpoint


class LedgerEntry(msgspec.Struct, kw_only=True):
    """Money that came or went."""

    id: Annotated[str, Meta(examples=["s354233920512001"])]
    at: datetime
    amount: Annotated[shapes.Money, Meta(description="Below zero: it was taken.", examples=["-0.038"])]
    kind: Annotated[str, Meta(description="`charge`, `refund`, `top_up`, `transfer`, `closing`, ...")]
    submission: Annotated[shapes.Id | None, Meta(description="What it paid for, or the charge that it returns.")]
    message: Annotated[shapes.Id | None, Meta(description="The message that a refund is for.")]
    note: str


@endpoint("GET", "/ledger", "account:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[LedgerEntry]:
    """List the movements of money, the newest first."""
    found = shapes.decode_cursor(query.cursor, int, int) or (shapes.LARGEST, shapes.LARGEST)
    before_posting, before_charge = found
    wanted = query.limit + 1
    postings = await listings.postings(services.db, caller.id, before_posting, wanted)
    charges = await listings.charges(services.db, caller.id, before_charge, wanted)
    entries, more = merged(postings, charges, query.limit)
    for row, is_charge in entries:
        if is_charge:
            before_charge = row["id"]
        else:
            before_posting = row["id"]
    items = [_charge(row) if is_charge else _posting(row, caller.id) for row, is_charge in entries]
    return shapes.Page(items=items, next=shapes.link(caller, before_posting, before_charge) if more else None)


def merged(postings: Sequence[Any], charges: Sequence[Any], limit: int) -> tuple[list[tuple[Any, bool]], bool]:
    """Up to `limit` of both with whether each is a charge, the newest first, and whether there are more.

    Each keeps its own order, that of its ids, which is nearly that of time: so a page ends at a place in each.
    """
    entries: list[tuple[Any, bool]] = []
    p = c = 0
    while len(entries) < limit and (p < len(postings) or c < len(charges)):
        takes_charge = p == len(postings) or (c < len(charges) and charges[c]["at"] > postings[p]["at"])
        entries.append((charges[c], True) if takes_charge else (postings[p], False))
        p, c = p + (not takes_charge), c + takes_charge
    return entries, p < len(postings) or c < len(charges)


def _charge(row: Any) -> LedgerEntry:
    many = f"{row['messages']} messages" if row["messages"] > 1 else "1 message"
    return LedgerEntry(
        id=f"s{row['id']}",
        at=row["at"],
        amount=shapes.money(-row["amount"]),
        kind=Kind.CHARGE.name.lower(),
        submission=str(row["id"]),
        message=None,
        note=f"{many}, tag {row['tag']}" if row["tag"] else many,
    )


def _posting(row: Any, account_id: int) -> LedgerEntry:
    came = row["to_account"] == account_id
    return LedgerEntry(
        id=f"p{row['id']}",
        at=row["at"],
        amount=shapes.money(row["amount"] if came else -row["amount"]),
        kind=Kind(row["kind"]).name.lower(),
        submission=_id(row["submission_id"]),
        message=_id(row["message_id"]),
        note=row["note"],
    )


def _id(number: int | None) -> str | None:
    return str(number) if number else None


HANDLERS = [listing]
