"""`passerelle explain`, `status` and `doctor`: why, how, and whether all is well."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from .place import HERE, Json, Switch, Where, account_of, located, opened, run
from .screen import Problem, console, euros, moment, plain, show_json, span, table
from .wishes import NO_WISHES, Wishes

if TYPE_CHECKING:
    from ..app import Ground
    from ..pipeline.life import Life

SHOWN = 20  # messages of a list


def explain(*numbers: str, text: str, json: Json = False, wishes: Wishes = NO_WISHES, where: Where = HERE) -> None:
    """Say what would become of a text, without sending it: parts, characters, price, rules, route.

    Exit code 1 when it would be refused.

    Parameters
    ----------
    numbers
        Mobile numbers, as 0639980001 or +33639980001; without one, a French mobile number stands in.
    text
        What would be sent.
    """
    from ..pipeline import explain as use_case
    from .explained import facts, show

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_of(base, wishes.account)
            now = base.clock.now()
            wanted = wishes.wanted([(number, None) for number in numbers or (use_case.STAND_IN,)], text, now)
            found = await use_case.explain_stored(base.db, account, wanted, wishes.profile, base.routes(), now)
            names = {number: name for name, number in base.carrier_ids.items()}
            if json:
                show_json(facts(found, names))
            else:
                show(console(), found, names, account.email)
            if found.verdict is use_case.Verdict.REFUSED:
                raise SystemExit(1)

    run(go())


# --- status ----------------------------------------------------------------------------------------------------------


def status(message: str | None = None, /, *, json: Json = False, where: Where = HERE) -> None:
    """How things stand; or the life of one message, and why it still waits.

    Parameters
    ----------
    message
        message_id, snapshotId or id of a message, or a telephone number (its newest messages).
    """

    async def go() -> None:
        async with opened(located(where)) as base:
            if message is None:
                await _overview(base, json)
            else:
                await _one(base, message.strip(), json)

    run(go())


async def _overview(base: Ground, json: bool) -> None:
    from ..domain.calendar import paris_day, to_utc
    from ..store import carriers, inspection

    now = base.clock.now()
    found = await inspection.overview(base.db, to_utc(paris_day(now), 0), now)
    binds = await carriers.binds(base.db)
    if json:
        show_json(
            {
                "queued": list(map(dict, found.queued)),
                "at_operators": list(map(dict, found.at_operators)),
                "callbacks": list(map(dict, found.callbacks)),
                "binds": [{name: bind[name] for name in ("name", "number", "bound", "note")} for bind in binds],
                "parts_today": found.parts_today,
                "cost_today": found.cost_today / 1e6,
                "parked_receipts": found.parked,
            }
        )
        return
    out = console()
    out.print(f"Today     {found.parts_today} parts, {euros(found.cost_today)}")
    _binds(binds)
    _queues(found, now)
    _callbacks(found.callbacks, now)


def _binds(binds: list[Any]) -> None:
    from rich.text import Text

    out = console()
    rows = [
        (
            bind["name"],
            bind["number"],
            Text("up", "green") if bind["bound"] else Text("down", "red"),
            "" if bind["bound"] else bind["note"] or ("nobody works on it" if bind["owner"] is None else ""),
        )
        for bind in binds
    ]
    out.print()
    out.print(table(("Carrier", "Bind", "State", "Note"), rows))
    if not rows:
        out.print("no bind yet: `passerelle work` makes them")


def _queues(found: Any, now: datetime) -> None:
    from ..domain.message import Lane

    out = console()
    rows = [
        (
            row["carrier"] or "(unknown)",
            Lane(row["lane"]).name.lower(),
            row["due"],
            row["parts"] - row["due"],
            row["leased"],
            span(now - row["oldest"]) if row["oldest"] else "",
        )
        for row in found.queued
    ]
    out.print()
    columns = ("Queue", "Lane", "Due", "Later", "Leaving", "Oldest due")
    out.print(table(columns, rows, right=frozenset({2, 3, 4})) if rows else "Queue     empty")
    for row in found.at_operators:
        lost = f", {row['unanswered']} without an answer" if row["unanswered"] else ""
        out.print(f"Receipts  {row['parts']} parts at {row['carrier']} wait for theirs{lost}, "
                  f"the oldest for {span(now - row['oldest'])}")  # fmt: skip
    if found.parked:
        out.print(f"Receipts  {found.parked} came for parts that nobody knows yet")


def _callbacks(rows: list[Any], now: datetime) -> None:
    out = console()
    counts = {row["state"]: row for row in rows}
    pending, given_up = counts.get(0), counts.get(1)
    if pending:
        out.print(f"Callbacks {pending['events']} pending, the oldest for {span(now - pending['oldest'])}")
    if given_up:
        out.print(f"Callbacks {given_up['events']} given up: their endpoints did not answer for two days")
    if not rows:
        out.print("Callbacks none pending")


async def _one(base: Ground, written: str, json: bool) -> None:
    lives = await _lives(base, written)
    sandboxed = [] if lives else await _sandboxed(base, written)
    if not lives and not sandboxed:
        raise Problem(f"no message {written}: give a message_id, a snapshotId, or a number like +33639980001")
    if json:
        show_json([_life_facts(life) for life in lives] or [dict(row) for row in sandboxed])
    elif sandboxed:
        for row in sandboxed:
            console().print(f"{moment(row['at'])}  +{row['phone']}  sandbox of {row['email']}: delivered at once, "
                            "never sent", markup=False)  # fmt: skip
    else:
        _show_lives(lives)


async def _lives(base: Ground, written: str) -> list[Life]:
    from ..pipeline import life
    from ..store import inspection

    phone, number = named(written)
    keys = (
        await inspection.find_phone(base.db, phone, SHOWN) if phone else await inspection.find(base.db, number, SHOWN)
    )
    found = [await life.of_message(base.db, *key, base.clock.now()) for key in keys]
    return [one for one in found if one is not None]


async def _sandboxed(base: Ground, written: str) -> list[Any]:
    from ..store import inspection

    phone, number = named(written)
    return await inspection.sandboxed(base.db, number, phone, SHOWN)


def named(written: str) -> tuple[int, int]:
    """(telephone number, number of a message), one of them 0. Raises Problem."""
    from ..domain import numbers
    from ..store.inspection import IDS_FROM, NUMBERS_BELOW

    if written.isascii() and written.isdigit() and not written.startswith("0"):
        number = int(written)
        if number < NUMBERS_BELOW or number >= IDS_FROM:
            return 0, number
    found = numbers.normalise(written, True)
    if found is None:
        raise Problem(f"{written!r} is neither a message_id nor a telephone number")
    return int(found.e164[1:]), 0


def _show_lives(lives: list[Life]) -> None:
    out = console()
    if len(lives) > 1:
        rows = [
            (
                life.id,
                life.number,
                moment(life.moments[0].at),
                f"+{life.phone}",
                life.state.name.lower(),
                _short(life.text),
            )
            for life in lives
        ]
        out.print(table(("Id", "Number", "Accepted", "To", "State", "Text"), rows, right=frozenset({0, 1})))
        out.print()
    _show_life(lives[0])
    if len(lives) > 1:
        out.print(f"\nThis is the first of {len(lives)}; `passerelle status ID` shows another.")


def _show_life(life: Life) -> None:
    out = console()
    state = life.state.name.lower()
    back = f", {euros(life.refunded)} of it given back" if life.refunded else ""
    out.print(
        f"message {life.number} ({life.id}) of {life.account}, from {plain(life.sender) or 'the short code'} "
        f"to +{life.phone} ({life.country}): {state}, {euros(life.price)}{back}",
        markup=False,
    )
    out.print(f"  {plain(life.text) or '(the text was removed)'}", markup=False)
    out.print()
    out.print(table(("When", "What", ""), [(moment(one.at), one.what, one.detail) for one in life.moments]))
    if life.waiting:
        out.print(f"\nWaiting: {plain(life.waiting)}.", markup=False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


def _life_facts(life: Life) -> dict[str, Any]:
    return {
        "id": life.id,
        "number": life.number,
        "account": life.account,
        "phone": f"+{life.phone}",
        "sender": life.sender,
        "text": life.text,
        "parts": life.parts,
        "price": life.price / 1e6,
        "refunded": life.refunded / 1e6,
        "state": life.state.name.lower(),
        "moments": [{"at": one.at, "what": one.what, "detail": one.detail} for one in life.moments],
        "waiting": life.waiting,
    }


# --- doctor ----------------------------------------------------------------------------------------------------------


def doctor(*, quick: Annotated[bool, Switch] = False, json: Json = False, where: Where = HERE) -> None:
    """Look whether everything is sound. Each line says what to do; exit code 1 when there is a problem.

    Parameters
    ----------
    quick
        Without the recounts of money and statistics, which read every message.
    """
    from rich.text import Text

    from ..pipeline import doctor as use_case

    colours = {use_case.Level.OK: "green", use_case.Level.WARNING: "yellow", use_case.Level.PROBLEM: "bold red"}
    found: list[use_case.Check] = []

    async def go() -> None:
        out = console()
        async for check in use_case.examine(located(where), quick=quick):
            found.append(check)
            if not json:
                out.print(
                    Text.assemble(
                        (f"{check.level.value:8}", colours[check.level]), plain(f" {check.name}: {check.says}")
                    )
                )
                if check.advice:
                    out.print(Text(f"         -> {check.advice}"))

    run(go())
    if json:
        show_json([{"name": c.name, "level": c.level.value.lower(), "says": c.says, "advice": c.advice} for c in found])
    if any(check.level is use_case.Level.PROBLEM for check in found):
        raise SystemExit(1)
