"""`passerelle subaccount`: who resells to whom, and invitations that got lost."""

from __future__ import annotations

from datetime import UTC, datetime

from cyclopts import App

from ..domain.subaccounts import Type
from .place import HERE, Json, Where, account_id, located, opened, run
from .screen import Problem, console, euros, moment, show_json, table

app = App(name="subaccount", help="Sub-accounts: who has which, invitations, removal.")


@app.command(name="list")
def list_subaccounts(email: str | None = None, /, *, json: Json = False, where: Where = HERE) -> None:
    """All sub-accounts, or those of one main account.

    Parameters
    ----------
    email
        Of the main account.
    """
    from ..pipeline.subaccounts import shown_token
    from ..store import subaccounts

    async def go() -> None:
        async with opened(located(where)) as base:
            rows = await subaccounts.every(base.db, await account_id(base, email) if email else None)
            if json:
                show_json(
                    [
                        {
                            "id": r["account_id"],
                            "email": r["email"],
                            "parent": r["parent"],
                            "type": Type(r["type"]).name.lower(),
                            "token": shown_token(r["token"]),
                            "balance": r["balance"] / 1e6,
                            "created_at": r["created_at"],
                            "signed_up_at": r["signed_up_at"],
                        }
                        for r in rows
                    ]
                )
                return
            shown = [
                (
                    r["account_id"],
                    r["email"],
                    r["parent"],
                    Type(r["type"]).name.lower(),
                    euros(r["balance"]),
                    moment(r["created_at"]),
                    moment(r["signed_up_at"]) if r["signed_up_at"] else "",
                )
                for r in rows
            ]
            head = ("Id", "Sub-account", "Of", "Type", "Balance", "Made", "Signed up")
            console().print(table(head, shown, right=frozenset({0, 4})) if shown else "there is none yet")

    run(go())


@app.command
def invite(email: str, /, *, where: Where = HERE) -> None:
    """Send a new invitation to an advanced sub-account; the link of the one before ends."""
    from ..pipeline.subaccounts import TooManyMails, invite_again

    async def go() -> None:
        async with opened(located(where)) as base:
            await account_id(base, email)
            try:
                invited = await invite_again(base.db, base.accounts, email, datetime.now(UTC))
            except TooManyMails:
                raise Problem("3 mails an hour to one address, 100 from one account: wait an hour") from None
            if not invited:
                raise Problem(f"{email} is no advanced sub-account, or has signed up already")
            print(f"an invitation to {email} is in the outbox: `passerelle mail list` shows whether it left")

    run(go())


@app.command
def remove(email: str, /, *, where: Where = HERE) -> None:
    """Remove a sub-account: its key is dead at once, what it had scheduled is taken back, its credit returns."""
    from ..pipeline import subaccounts
    from ..store import subaccounts as rows

    async def go() -> None:
        async with opened(located(where)) as base:
            await account_id(base, email)
            found = await rows.of_email(base.db, email)
            now = datetime.now(UTC)
            if found is None or not await subaccounts.remove(base.db, found["parent_id"], bytes(found["token"]), now):
                raise Problem(f"{email} is no sub-account")
            print(f"{email} is removed")

    run(go())
