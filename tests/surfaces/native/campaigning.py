"""Lists and campaigns of the bakery, and an operator that takes what is due."""

from __future__ import annotations

from typing import Any

from pipeline.world import MINE, Operator
from surfaces.native.conftest import Desk

from passerelle.app import WORDINGS
from passerelle.domain.lists import Kind
from passerelle.domain.message import Outcome, OutcomeKind
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.pipeline.teller import Teller
from passerelle.store import lists

ALIX, BO, CY = "+33639980001", "+33639980002", "+33639980003"


async def listed(desk: Desk, *people: tuple[str, str], name: str = "Lyon") -> str:
    """A list with a column `Prénom`."""
    now = desk.clock.now()
    one = await lists.add(desk.db, desk.account.id, name, now)
    async with desk.db.transaction() as connection:
        await lists.lock(connection, desk.account.id, one.id, alone=True)
        (column,) = await lists.add_columns(connection, desk.account.id, one.id, [("Prénom", Kind.STRING, "")], now)
        key = column.token.hex()
        rows = [(int(phone[1:]), {key: first} if first else {}) for phone, first in people]
        await lists.add_contacts(connection, desk.account.id, one.id, rows, now)
    return one.token.hex()


async def written(desk: Desk, *people: tuple[str, str], **members: Any) -> dict[str, Any]:
    """A draft to a list of these people."""
    ident = await listed(desk, *(people or ((ALIX, "Alix"), (BO, ""))))
    body = {"name": "Soldes", "text": "Bonjour {{prénom|toi}}", "to": {"list": ident}, "class": "transactional"}
    made: dict[str, Any] = await desk.post("/campaigns", body | members, 201)
    return made


async def handed_over(desk: Desk, slots: int = 1000) -> list[str]:
    """What an operator takes now: the texts, all of which it accepts."""
    teller = Teller(desk.services.accounts, WORDINGS, lambda leased: None)
    dispatcher, operator = Dispatcher(desk.db, desk.clock, teller, MINE), Operator(slots=slots)
    await dispatcher.pump(operator)
    parts = operator.take()
    for part in parts:
        part.begun_at = desk.clock.now()
    told = [Outcome(p, OutcomeKind.SENT, f"op-{p.key.message_id}", at=desk.clock.now()) for p in parts]
    if told:
        await dispatcher.record(1, told)
    return [part.text for part in parts]
