"""`passerelle lists`: lists of contacts with columns of their own, a file into one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from .place import HERE, Json, Where, account_of, located, opened, run
from .screen import Problem, console, progress_bar, show_json, table
from .sheet import write_refused

if TYPE_CHECKING:
    from ..app import Ground
    from ..domain.account import Account
    from ..store.lists import ContactList
    from ..store.operations import Operation

app = App(name="lists", help="Lists of contacts (Primotexto): what there is, a file into one.")

PAGE = 5_000  # refused rows read at once


@app.command
def show(email: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """The lists of an account, with their sizes and columns."""
    from ..store import lists as store

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_of(base, email)
            found, columns = await store.listing(base.db, account.id), await store.all_columns(base.db, account.id)
            sizes = [await store.count(base.db, account.id, one.id) for one in found]
            rows = [
                (one.token.hex(), one.name, size, one.region, [column.name for column in columns.get(one.id, [])])
                for one, size in zip(found, sizes, strict=True)
            ]
        if json:
            members = ("id", "name", "contacts", "region", "columns")
            show_json([dict(zip(members, row, strict=True)) for row in rows])
        else:
            shown = ((*facts, ", ".join(names)) for *facts, names in rows)
            console().print(table(("Id", "Name", "Contacts", "Region", "Columns"), shown, right=frozenset({2})))

    run(go())


@app.command
def region(email: str, named: str, region: str = "", /, *, where: Where = HERE) -> None:
    """Say whose public holidays count for the contacts of a list, besides those of mainland France.

    A contact with a postcode of its own has the holidays of that.

    Parameters
    ----------
    named
        Id or name of the list.
    region
        57 (Alsace and Moselle), GP, MQ, GF, RE or YT; without one none.
    """
    from ..domain.calendar import REGIONS
    from ..store import lists as store

    chosen = region.strip().upper()
    if chosen not in REGIONS:
        raise Problem(f"there is no region {region!r}; there are: {', '.join(filter(None, REGIONS))}")

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_of(base, email)
            one = await _list(base, account, named, make=False)
            await store.set_region(base.db, account.id, one.id, chosen)
            print(f"{one.name}: " + (f"holidays of {chosen} count too" if chosen else "holidays of the mainland alone"))

    run(go())


async def _list(base: Ground, account: Account, named: str, *, make: bool = True) -> ContactList:
    """A list by its id or its name; one that is not there is made where that is wanted. Raises Problem."""
    from ..domain.lists import LONGEST_NAME, is_name
    from ..domain.tokens import read_hex24
    from ..store import lists as store

    token = read_hex24(named)
    found = token and await store.find(base.db, account.id, token)
    if found:
        return found
    alike = await store.named(base.db, account.id, named)
    if len(alike) > 1:
        raise Problem(f"several lists are named {named!r}: say which by its id (`passerelle lists show`)")
    if alike:
        return alike[0]
    if not make:
        raise Problem(f"there is no list {named!r}: `passerelle lists show {account.email}` shows them")
    if not is_name(named, LONGEST_NAME):
        raise Problem(f"the name of a list has 1 to {LONGEST_NAME} characters")
    return await store.add(base.db, account.id, named, base.clock.now())


@app.command(name="import")
def import_file(email: str, named: str, file: Path, /, *, json: Json = False, where: Where = HERE) -> None:
    """Put the contacts of a CSV file into a list; a list that is not there yet is made, and so are its columns.

    The first line names the columns: tel (or mobile, téléphone, numero ...) holds the numbers, every other goes to the
    column of that name. Refused lines go to FILE.refused.csv with their reasons. An import that broke off goes on when
    it is called again.

    Parameters
    ----------
    named
        Id or name of the list.
    file
        CSV with commas, semicolons or tabs, in UTF-8 or Windows-1252.
    """
    try:
        run(_import(email, named, file, json, where))
    except KeyboardInterrupt:
        raise Problem("interrupted: the same command goes on where it stood") from None


async def _import(email: str, named: str, path: Path, json: bool, where: Where) -> None:
    from ..pipeline import list_import
    from ..pipeline.contact_sheet import SheetError

    async with opened(located(where)) as base:
        account = await account_of(base, email)
        try:
            with open(path, "rb") as file, progress_bar("refused") as shown:
                target = await _list(base, account, named)
                one = await list_import.begin(base.db, account.id, target.id, file, base.clock.now())
                task = shown.add_task("", total=one.total, completed=one.done, note=0)
                told = lambda now: shown.update(task, completed=now.done, note=now.done - now.imported)  # noqa: E731
                done = await list_import.run_file(base.db, one, file, base.clock, told)
        except OSError as error:
            raise Problem(f"{path}: {error.strerror}") from None
        except SheetError as error:
            raise Problem(f"{path}: {error}") from None
        except (list_import.Elsewhere, list_import.ListGone):
            raise Problem("the list was deleted, or the same file is being imported elsewhere") from None
        refused = await _write_refused(base, done, path)
    _tell(done, target, refused, json)


async def _write_refused(base: Ground, one: Operation, path: Path) -> Path | None:
    """Line, number and reason of each refused line; None where there is none."""
    from ..domain.lists import Fault
    from ..pipeline.list_import import SENTENCES
    from ..store import operations

    return await write_refused(
        path,
        one.duplicates + one.invalid,
        lambda last: operations.refusals(base.db, one, last, PAGE),
        lambda reason: SENTENCES[Fault(reason)],
    )


def _tell(done: Operation, target: ContactList, refused: Path | None, json: bool) -> None:
    if json:
        show_json({"list": target.token.hex(), "operation": done.token.hex(), "lines": done.total,
                   "imported": done.imported, "duplicates": done.duplicates, "invalid": done.invalid,
                   "refused_lines": str(refused) if refused else None})  # fmt: skip
        return
    left_out = f"{done.duplicates} duplicates and {done.invalid} invalid lines"
    print(f"{done.imported} of {done.total} lines imported into {target.name}, {left_out} left out")
    if refused is not None:
        print(f"the lines left out are in {refused}")
