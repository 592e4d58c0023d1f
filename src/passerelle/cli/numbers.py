"""`passerelle numbers`: long numbers, and whose they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cyclopts import App

from ..domain.forwarding import Forwarding
from .place import HERE, Json, Where, account_id, located, opened, run
from .screen import Problem, console, show_json, table

if TYPE_CHECKING:
    from ..app import Ground

app = App(name="numbers", help="Long numbers: who may send from them, and gets what is written to them.")


@app.command
def add(email: str, number: str, /, *, url: str = "", where: Where = HERE) -> None:
    """Give an account a long number: `add EMAIL 0644630001`.

    Parameters
    ----------
    number
        A French mobile number that an operator routes to this platform.
    url
        Where texts to it go when the message they answer names no other place.
    """
    from ..pipeline import account_rules
    from ..store import virtual_numbers

    phone = _phone(number)

    async def go() -> None:
        try:
            account_rules.parse([f"reply_url={url}"])
        except account_rules.RuleError:
            raise Problem(f"{url!r} is no http:// or https:// address") from None
        async with opened(located(where)) as base:
            owner = await account_id(base, email)
            if not await virtual_numbers.add(base.db, phone, owner, datetime.now(UTC), url):
                raise Problem(f"+{phone} is somebody's already: see `passerelle numbers list`, or use assign")
            print(f"+{phone} belongs to {email}")

    run(go())


@app.command(name="list")
def list_numbers(*, json: Json = False, where: Where = HERE) -> None:
    """All long numbers with their owners."""
    from ..store import virtual_numbers

    async def go() -> None:
        async with opened(located(where)) as base:
            rows = await virtual_numbers.listing(base.db)
            if json:
                show_json([_row(row) for row in rows])
                return
            shown = [list(_row(row).values()) for row in rows]
            head = ("Number", "Account", "State", "Replies go to", "Calls")
            none = "no long number yet: give one with `passerelle numbers add EMAIL NUMBER`"
            console().print(table(head, shown) if shown else none)

    run(go())


def _row(row: Any) -> dict[str, object]:
    calls = Forwarding(row["forwarding"]).name.lower()
    return {
        "number": f"+{row['phone']}",
        "email": row["email"],
        "state": "enabled" if row["enabled"] else "disabled",
        "url": row["reply_url"],
        "calls": f"{calls} {row['forward_to']}".strip(),
    }


@app.command
def remove(number: str, /, *, where: Where = HERE) -> None:
    """Take a long number away: it cannot send any more, and texts to it are nobody's."""
    from ..store import virtual_numbers

    phone = _phone(number)

    async def go() -> None:
        async with opened(located(where)) as base:
            await _known(base, phone, await virtual_numbers.remove(base.db, phone))
            print(f"+{phone} belongs to nobody")

    run(go())


@app.command
def assign(number: str, email: str, /, *, where: Where = HERE) -> None:
    """Give a long number to another account; its URL and call forwarding are forgotten."""
    from ..store import virtual_numbers

    phone = _phone(number)

    async def go() -> None:
        async with opened(located(where)) as base:
            await _known(base, phone, await virtual_numbers.assign(base.db, phone, await account_id(base, email)))
            print(f"+{phone} belongs to {email}")

    run(go())


@app.command
def enable(number: str, /, *, where: Where = HERE) -> None:
    """Let a long number send and be called again."""
    _switch(number, True, where)


@app.command
def disable(number: str, /, *, where: Where = HERE) -> None:
    """Let a long number send no more; texts to it still reach its owner."""
    _switch(number, False, where)


def _switch(number: str, enabled: bool, where: Where) -> None:
    from ..store import virtual_numbers

    phone = _phone(number)

    async def go() -> None:
        async with opened(located(where)) as base:
            await _known(base, phone, await virtual_numbers.set_enabled(base.db, phone, enabled))
            print(f"+{phone} is {'enabled' if enabled else 'disabled'}")

    run(go())


async def _known(base: Ground, phone: int, done: bool) -> None:
    """Raise Problem for a number that nobody has."""
    from ..store import virtual_numbers

    if not done:
        known = ", ".join(f"+{row['phone']}" for row in (await virtual_numbers.listing(base.db))[:8])
        raise Problem(f"+{phone} is nobody's; there are: {known}" if known else f"+{phone} is nobody's")


def _phone(number: str) -> int:
    """E.164 without +. Raises Problem."""
    from ..domain.numbers import normalise

    read = normalise(number)
    if read is None or not read.e164.startswith(("+336", "+337")):
        raise Problem(f"{number!r} is no French mobile number")
    return int(read.e164[1:])
