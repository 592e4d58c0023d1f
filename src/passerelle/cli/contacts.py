"""`passerelle contacts`: groups of contacts, a file into one, a text to one."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from .place import HERE, Json, Switch, Where, account_of, located, opened, run, sending_account, submitting
from .reasons import SENTENCES, sentences
from .screen import Problem, console, euros, moment, progress_bar, show_json, span, table
from .sheet import write_refused
from .wishes import PLAINLY, Manner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..app import Ground
    from ..domain.account import Account
    from ..pipeline.batch import Result
    from ..pipeline.group_send import Progress
    from ..store.contacts import Group
    from ..store.imports import Import

app = App(name="contacts", help="Contacts: their groups, a file into a group, a text to a group.")

LOOK = 0.5  # seconds between looks at a send that is under way
PAGE = 5_000  # refused lines read at once
GROUPS = 1_000


@app.command
def groups(email: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """The groups of an account, with their sizes."""
    from ..domain.tokens import text20
    from ..store import contacts as store

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_of(base, email)
            found = await store.groups(base.db, account.id, limit=GROUPS)
            sizes = [await store.count(base.db, account.id, one.id) for one in found]
            rows = [(text20(one.token), one.name, size) for one, size in zip(found, sizes, strict=True)]
            if json:
                show_json([{"id": token, "name": name, "contacts": size} for token, name, size in rows])
            else:
                console().print(table(("Id", "Name", "Contacts"), rows, right=frozenset({2})))

    run(go())


async def _group(base: Ground, account: Account, named: str, *, make: bool = False) -> Group:
    """A group by its id, its number or its name. Raises Problem."""
    from ..domain.tokens import read20
    from ..store import contacts as store

    key = read20(named) or (int(named) if named.isascii() and named.isdigit() and int(named) < 2**31 else None)
    found = await store.group(base.db, account.id, key) if key else None
    if found is not None:
        return found
    alike = await store.groups_named(base.db, account.id, named)
    if len(alike) > 1:
        raise Problem(f"several groups are named {named!r}: say which by its id (`passerelle contacts groups`)")
    if alike:
        return alike[0]
    if not make:
        raise Problem(f"there is no group {named!r}: `passerelle contacts groups {account.email}` shows them")
    async with base.db.transaction() as connection:
        return await store.add_group(connection, account.id, named, base.clock.now())


# --- a file into a group ---------------------------------------------------------------------------------------------


@app.command(name="import")
def import_file(email: str, group: str, file: Path, /, *, json: Json = False, where: Where = HERE) -> None:
    """Put the contacts of a CSV file into a group; a group that is not there yet is made.

    The first line names the columns: phone (or mobile, téléphone ...), firstname (prénom), lastname (nom), date
    (naissance), url (lien), custom1 to custom4. Refused lines go to FILE.refused.csv with their reasons. An import that
    broke off goes on when it is called again.

    Parameters
    ----------
    group
        Id or name.
    file
        CSV with commas, semicolons or tabs, in UTF-8 or Windows-1252.
    """
    try:
        run(_import(email, group, file, json, where))
    except KeyboardInterrupt:
        raise Problem("interrupted: the same command goes on where it stood") from None


async def _import(email: str, named: str, path: Path, json: bool, where: Where) -> None:
    from ..pipeline import contact_import
    from ..pipeline.contact_sheet import SheetError

    async with opened(located(where)) as base:
        account = await account_of(base, email)
        try:
            with open(path, "rb") as file, progress_bar("refused") as bar:
                group = await _group(base, account, named, make=True)
                one = await contact_import.begin(base.db, account.id, group, file, path.name, base.clock.now())
                shown = bar.add_task("", total=one.total, completed=one.done, note=0)
                told = lambda now: bar.update(shown, completed=now.done, note=now.refused)  # noqa: E731
                done = await contact_import.run(base.db, one, file, base.clock, told)
        except OSError as error:
            raise Problem(f"{path}: {error.strerror}") from None
        except SheetError as error:
            raise Problem(f"{path}: {error}") from None
        except contact_import.Elsewhere:
            raise Problem("the group was deleted, or the same file is being imported elsewhere") from None
        refused = await _write_refused(base, done, path)
    _tell_import(done, group, refused, json)


async def _write_refused(base: Ground, one: Import, path: Path) -> Path | None:
    """Line, number and reason of each refused line; None where there is none."""
    from ..domain.contact import Fault
    from ..pipeline.contact_import import SENTENCES as WHY
    from ..store import imports

    return await write_refused(
        path, one.refused, lambda last: imports.refusals(base.db, one, last, PAGE), lambda reason: WHY[Fault(reason)]
    )


def _tell_import(one: Import, group: Group, refused: Path | None, json: bool) -> None:
    from ..domain.tokens import text20

    if json:
        show_json({"group": text20(group.token), "lines": one.total, "added": one.added, "refused": one.refused,
                   "refused_lines": str(refused) if refused else None})  # fmt: skip
        return
    print(f"{one.added} contacts added to {group.name}, {one.refused} of {one.total} lines refused")
    if refused is not None:
        print(f"the refused lines are in {refused}")


# --- a text to a group -----------------------------------------------------------------------------------------------


@app.command
def send(
    email: str,
    group: str,
    /,
    *,
    text: str,
    once: Annotated[str, Parameter(show_default=False)] = "",
    wait: Annotated[bool, Switch] = False,
    json: Json = False,
    manner: Manner = PLAINLY,
    where: Where = HERE,
) -> None:
    """Send a text to all contacts of a group, as one submission.

    {{firstname}} in the text stands for the first name of each contact; so do {{lastname}}, {{phone}}, {{date}},
    {{url}} and {{custom1}} to {{custom4}}. {{firstname|dear customer}} says what to write where there is none.

    Parameters
    ----------
    group
        Id or name.
    text
        What to send.
    once
        A name for this send: the same command with the same name within 24 hours sends nothing.
    wait
        Show the progress until all of it has left (a terminal does so by itself; Ctrl-C ends the showing alone).
    """
    from contextlib import suppress

    with suppress(KeyboardInterrupt):
        run(_send(email, group, text, once, wait, json, manner, where))


async def _send(
    email: str, named: str, text: str, once: str, wait: bool, json: bool, manner: Manner, where: Where
) -> None:
    from ..pipeline import group_send
    from ..pipeline.submit import Accepted, Idempotency, Unavailable

    async with opened(located(where)) as base, submitting(base) as submitter:
        account = await sending_account(base, email)
        group = await _group(base, account, named)
        like = manner.wanted([], text, base.clock.now())
        key = None
        if once:
            asked = hashlib.sha256(repr((group.id, text, manner)).encode()).digest()
            key = Idempotency("contacts/send", once, asked, lambda one: (200, str(one.number).encode()))
        try:
            result = await group_send.send(base.db, submitter, account, group, like, manner.profile, key)
        except Unavailable:
            raise Problem("the database went away: whether it was accepted, `contacts sends` knows") from None
        if not isinstance(result, Accepted):
            raise Problem(_why_not(result))
        found = await _progress(base, account, result.id)
        _tell_send(found, json)
        if wait or (sys.stderr.isatty() and not json):
            await _watch(base, account, found)


def _why_not(result: Result | Any) -> str:
    from ..pipeline.batch import Denied, KeyReused, Refused, Replayed
    from ..pipeline.group_send import UnknownFields
    from .place import stopped

    if isinstance(result, UnknownFields):
        return f"no contact has {', '.join(f'{{{{{name}}}}}' for name in result.names)}: nothing was sent"
    if isinstance(result, Refused):
        some = [*result.findings, *result.dropped]
        return "refused: " + (sentences(some[:3]) + (f" ... ({len(some)} in all)" if len(some) > 3 else ""))
    if isinstance(result, Replayed):
        return f"it was sent before under this name, as message {result.answer.decode()}: nothing was sent now"
    if isinstance(result, KeyReused):
        return "another text was sent under this name: nothing was sent now"
    assert isinstance(result, Denied)
    return stopped(result.state) if result.state is not None else "the account got a new key meanwhile: try again"


async def _progress(base: Ground, account: Account, submission_id: int) -> Progress:
    from ..pipeline import group_send

    rates = {base.carrier_ids[one.name]: one.rate for one in base.settings.carriers}
    found = await group_send.progress(base.db, account, submission_id, base.clock.now(), rates)
    assert found is not None
    return found


def facts(found: Progress) -> dict[str, Any]:
    """For scripts."""
    return {
        "message_id": found.number,
        "submission": found.submission_id,
        "contacts": found.contacts,
        "messages": found.messages,
        "cost": found.cost / 1e6,
        "dropped": dict(found.dropped or {}),
        "states": {state.name.lower(): count for state, count in found.states.items()},
        "parts_waiting": found.parts_waiting,
        "parts_before": found.parts_before,
        "due_at": found.due_at,
        "expected_end": found.expected_end,
    }


def _tell_send(found: Progress, json: bool) -> None:
    if json:
        show_json(facts(found))
        return
    later = f", to leave at {moment(found.due_at)}" if found.due_at > found.accepted_at else ""
    print(f"message {found.number}: {found.messages} of {found.contacts} contacts, {euros(found.cost)}{later}")
    from ..domain.reasons import Reason

    for reason, count in sorted((found.dropped or {}).items(), key=lambda one: -one[1]):
        print(f"  {count:>7}  left out: {SENTENCES[Reason(reason)]}")
    end = f", expected until {moment(found.expected_end)}" if found.expected_end else ""
    print(f"{found.parts_waiting} parts wait, {found.parts_before} of others before them{end}")


async def _watch(base: Ground, account: Account, found: Progress) -> None:
    """Until nothing waits any more."""
    with progress_bar("parts before it") as bar:
        shown = bar.add_task("", total=found.parts_waiting, note=found.parts_before)
        total = found.parts_waiting
        while found.parts_waiting and found.cancelled_at is None:
            await asyncio.sleep(LOOK)
            found = await _progress(base, account, found.submission_id)
            bar.update(shown, completed=total - found.parts_waiting, note=found.parts_before)
    print(", ".join(f"{count} {state.name.lower()}" for state, count in sorted(found.states.items())))


@app.command
def sends(email: str, /, *, json: Json = False, where: Where = HERE) -> None:
    """What was sent to groups, the newest first, and how far it is."""

    async def go() -> None:
        from ..store import group_sends

        async with opened(located(where)) as base:
            account = await account_of(base, email)
            listed = await group_sends.listing(base.db, account.id, limit=20)
            found = [await _progress(base, account, one.submission_id) for one in listed]
            if json:
                show_json([facts(one) for one in found])
                return
            columns = ("Message", "Accepted", "Messages", "Waiting", "Expected end", "States")
            console().print(table(columns, _rows(found, base.clock.now()), right=frozenset({0, 2, 3})))

    run(go())


def _rows(found: list[Progress], now: Any) -> Iterator[tuple[object, ...]]:
    for one in found:
        end = f"in {span(one.expected_end - now)}" if one.expected_end else ""
        states = ", ".join(f"{count} {state.name.lower()}" for state, count in sorted(one.states.items()))
        yield one.number, moment(one.accepted_at), one.messages, one.parts_waiting, end, states
