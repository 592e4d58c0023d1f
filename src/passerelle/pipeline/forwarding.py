"""Set what is done with calls to a long number.

One rule: the number is locked while it is decided, so that of two calls at once the second sees what the first did.
"""

from __future__ import annotations

from datetime import datetime

from ..domain import numbers
from ..domain.account import Account
from ..domain.forwarding import Refusal, Rule, decide
from ..store import virtual_numbers
from ..store.database import Database


async def forward(
    db: Database, account: Account, number: str, kind: int | None, target: str, now: datetime
) -> Rule | Refusal:
    """Change the rule of one of the account's numbers; the rule that holds now, or why none was changed.

    `number` and `target` as a person wrote them; `kind` as in Forwarding, None where it was not said.
    """
    if not account.rules.call_forwarding:
        return Refusal.NOT_ALLOWED
    if not number.strip():
        return Refusal.NUMBER_MISSING
    read = numbers.normalise(number)
    if read is None:
        return Refusal.NUMBER_UNKNOWN
    phone = int(read.e164[1:])
    async with db.transaction() as connection:
        rule = decide(await virtual_numbers.lock(connection, account.id, phone), kind, target)
        if isinstance(rule, Rule):
            await virtual_numbers.set_rule(connection, account.id, phone, rule, now)
    return rule
