"""`passerelle rental`: the contact base that the operator of the platform rents out."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ..domain.calendar import PARIS
from .place import HERE, Json, Where, located, opened, run
from .screen import Problem, console, show_json, table

app = App(name="rental", help="The contact base that is rented out: import people, name interests, opt people out.")


@app.command(name="import")
def import_base(
    file: Path,
    /,
    *,
    report: Annotated[
        Path | None, Parameter(help="Where the refused lines are listed; without it FILE.refused.csv.")
    ] = None,
    where: Where = HERE,
) -> None:
    """Import people from a CSV file; whoever is there already is written anew.

    The header is phone,sex,birth_year,zipcode,interests,category,consent_date,consent_source,consent_proof and, if you
    like, consent_until: sex h or f; interests separated by `;`, a sub-interest as 14.35; dates as 2026-11-30.
    """
    from ..pipeline.rental_import import NoBase, import_file, report_of

    told = report or report_of(file)

    async def go() -> None:
        async with opened(located(where)) as base:
            begun = time.monotonic()
            try:
                done = await import_file(base.db, file, told, base.clock.now())
            except NoBase as error:
                raise Problem(f"{file}: {error}") from None
            except OSError as error:
                raise Problem(f"{error.filename}: {error.strerror}") from None
        print(f"{done.people} people imported in {time.monotonic() - begun:.1f} s")
        if done.refused:
            print(f"{done.refused} lines refused, listed in {told}")

    run(go())


@app.command
def show(*, json: Json = False, where: Where = HERE) -> None:
    """How many people there are, and who can be rented by interest."""
    from ..store import rental

    async def go() -> None:
        async with opened(located(where)) as base:
            today = base.clock.now().astimezone(PARIS).date()
            counted = dict(await rental.overview(base.db, today))
            interests = [dict(row) for row in await rental.overview_interests(base.db, today)]
        if json:
            show_json(counted | {"interests": interests})
            return
        print(f"{counted['people']} people, {counted['expired']} with consent over, {counted['opted_out']} opted out")
        rows = [(_spelled(row["id"], row["parent"]), row["name"], row["people"]) for row in interests]
        console().print(table(("Interest", "Name", "People"), rows, right=frozenset({2})))

    run(go())


def _spelled(number: int, parent: int) -> str:
    return f"{parent}.{number}" if parent else str(number)


@app.command
def interest(
    number: int,
    name: str,
    /,
    *,
    parent: Annotated[int, Parameter(help="The interest that this is a part of.", show_default=False)] = 0,
    where: Where = HERE,
) -> None:
    """Add an interest, or give it another name."""
    from ..store import rental
    from ..store.rental import Interest

    if not 0 < number < 2**31 or parent == number:
        raise Problem("an interest has a number from 1 on")

    async def go() -> None:
        async with opened(located(where)) as base:
            known = {one.id: one for one in await rental.interests(base.db)}
            if parent and (parent not in known or known[parent].parent):
                raise Problem(f"there is no interest {parent} that could have parts")
            if number in known and known[number].parent != parent:
                raise Problem(f"{number} is {_spelled(number, known[number].parent)} already: people have it")
            await rental.name_interest(base.db, Interest(number, parent, name))
            print(f"{_spelled(number, parent)} is {name}")

    run(go())


@app.command
def category(number: int, name: str, /, *, where: Where = HERE) -> None:
    """Add a category, or give it another name."""
    from ..store import rental

    if not 0 < number < 2**31:
        raise Problem("a category has a number from 1 on")

    async def go() -> None:
        async with opened(located(where)) as base:
            await rental.name_category(base.db, number, name)
            print(f"{number} is {name}")

    run(go())


@app.command(name="opt-out")
def opt_out(phone: str, /, *, where: Where = HERE) -> None:
    """Take a person out of the base for good: no import brings them in again."""
    from ..domain import numbers
    from ..store import rental

    number = numbers.normalise(phone)
    if number is None:
        raise Problem(f"{phone!r} is no telephone number")
    e164 = number.e164

    async def go() -> None:
        async with opened(located(where)) as base, base.db.transaction() as connection:
            await rental.opt_out(connection, [(0, int(e164[1:]))], datetime.now(UTC))
        print(f"{e164} is rented to nobody any more")

    run(go())
