"""A text to everybody in a group, as one submission.

One rule: it is accepted as a whole or not at all; contacts that the rules refuse are left out and counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.tokens import text20
from ...pipeline import group_send as use_case
from ...pipeline.group_send import UnknownFields
from ...pipeline.submit import Accepted, Refused
from ...store import contacts
from ...store import group_sends as store
from . import reasons, shapes
from .calls import Caller, Raw, Services, endpoint
from .contacts import Token, group_of
from .problems import Fault, Problem, invalid
from .sending import Manner, idempotency, profile_of, told, wanted_like


class GroupText(Manner, kw_only=True, forbid_unknown_fields=True):
    """A text to a group."""

    text: Annotated[
        str,
        Meta(
            description="`{{firstname}}` stands for the first name of each contact; so do `lastname`, `phone`, `date`, "
            "`url`, `custom1` to `custom4`. `{{firstname|dear customer}}` says what to write where there is none.",
            examples=["Bonjour {{firstname|cher client}}"],
        ),
    ]


class Dropped(msgspec.Struct, kw_only=True):
    """Contacts to whom nothing is sent."""

    reason: Annotated[str, Meta(examples=["opted_out"])]
    contacts: int


class GroupSent(msgspec.Struct, kw_only=True):
    """What was accepted; it is stored and paid for."""

    id: Annotated[shapes.Id, Meta(description="Of the submission.")]
    send_at: datetime
    messages: int
    parts: int
    price: shapes.Money
    left_out: list[Dropped]


class GroupSend(msgspec.Struct, kw_only=True):
    """A submission to a group."""

    id: Annotated[shapes.Id, Meta(description="Of the submission.")]
    group: Annotated[Token | None, Meta(description="Null once it was deleted.")]
    text: Annotated[str, Meta(description="As it was written, its fields not filled in.")]
    contacts: Annotated[int, Meta(description="How many the group had.")]
    messages: int
    price: shapes.Money
    accepted_at: datetime
    send_at: datetime
    cancelled_at: datetime | None
    left_out: list[Dropped]


@endpoint(
    "POST",
    "/groups/{id}/messages",
    "messages:send",
    status=201,
    problems=("refused", "credit", "quota"),
    idempotent=True,
)
async def send(services: Services, caller: Caller, id: Token, body: GroupText) -> GroupSent | Raw:
    """Send a text to all contacts of a group. It is one submission, whatever the size of the group."""
    group = await group_of(services, caller, id)
    like = wanted_like(body, body.text, [], caller.account, services.clock.now())
    result = await use_case.send(
        services.db,
        services.submitter,
        caller.account,
        group,
        like,
        profile_of(body, caller.account),
        idempotency(caller, group_sent),
    )
    if isinstance(result, UnknownFields):
        names = ", ".join(f"{{{{{name}}}}}" for name in result.names)
        raise invalid("/text", f"No contact has {names}: nothing was sent.")
    if isinstance(result, Refused):
        raise refused(result, "The group has nobody to whom this can be sent.")
    return told(result, group_sent)  # type: ignore[no-any-return]


def refused(result: Refused, nobody: str) -> Problem:
    """A fault of the text or the account; or nobody is left, for as many reasons as there are."""
    if result.findings:
        return reasons.refused(result.findings, [])
    counts = Counter(one.reason for one in result.dropped)
    told = [
        Fault(detail=f"{count} contacts: {reasons.TABLE[one][1]}", reason=one.value) for one, count in counts.items()
    ]
    return Problem("refused", nobody, told)


@endpoint("GET", "/group-messages", "messages:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[GroupSend]:
    """List what was sent to groups, the newest first."""
    rows = await store.listing(services.db, caller.id, shapes.before(query), query.limit + 1)
    groups = await contacts.groups_of(services.db, caller.id, [row.group_id for row in rows])
    tokens = {one.id: text20(one.token) for one in groups}

    def worded(row: store.GroupSend) -> GroupSend:
        return _listed(row, tokens.get(row.group_id))

    return shapes.page(caller, query, rows, worded, lambda row: row.submission_id)


def group_sent(done: Accepted) -> GroupSent:
    """What was accepted."""
    counts = Counter(one.reason.value for one in done.dropped)
    return GroupSent(
        id=str(done.id),
        send_at=done.submission.due_at,
        messages=done.messages,
        parts=done.parts,
        price=shapes.money(done.cost),
        left_out=left_out(counts),
    )


def left_out(counts: Mapping[str, int]) -> list[Dropped]:
    """Contacts to whom nothing is sent, by reason."""
    return [Dropped(reason=reason, contacts=count) for reason, count in sorted(counts.items())]


def _listed(row: store.GroupSend, group: str | None) -> GroupSend:
    return GroupSend(
        id=str(row.submission_id),
        group=group,
        text=row.text,
        contacts=row.contacts,
        messages=row.messages,
        price=shapes.money(row.cost),
        accepted_at=row.accepted_at,
        send_at=row.due_at,
        cancelled_at=row.cancelled_at,
        left_out=left_out(row.dropped),
    )


HANDLERS = [send, listing]
