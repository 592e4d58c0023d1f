"""`passerelle mail`: what the platform wrote to people and no mail server has taken yet."""

from __future__ import annotations

from datetime import UTC, datetime

from cyclopts import App

from .place import HERE, Json, Where, located, opened, run
from .screen import console, moment, show_json, table

app = App(name="mail", help="The outbox: mails of the platform itself that have not left.")


@app.command(name="list")
def list_mails(*, json: Json = False, where: Where = HERE) -> None:
    """What is in the outbox, the newest first; what has left is not kept."""
    from ..store import mails

    async def go() -> None:
        async with opened(located(where)) as base:
            rows = await mails.listing(base.db)
            if json:
                names = ("id", "recipient", "subject", "created_at", "attempts", "next_at", "error")
                show_json([{name: r[name] for name in names} | {"given_up": r["state"] == 1} for r in rows])
                return
            shown = [
                (
                    moment(r["created_at"]),
                    r["recipient"],
                    r["subject"],
                    r["attempts"],
                    "given up" if r["state"] else moment(r["next_at"]),
                    r["error"],
                )
                for r in rows
            ]
            head = ("Written", "To", "Subject", "Attempts", "Next", "Last error")
            console().print(table(head, shown, right=frozenset({3})) if shown else "the outbox is empty")

    run(go())


@app.command
def retry(*, where: Where = HERE) -> None:
    """Try everything in the outbox now, what was given up too."""
    from ..store import mails

    async def go() -> None:
        async with opened(located(where)) as base:
            print(f"{await mails.again(base.db, datetime.now(UTC))} mails are tried again")

    run(go())
