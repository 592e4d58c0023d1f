"""`passerelle campaigns`: what there is, what a launch would do, how far one is; paused, resumed, cancelled."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App

from .forecasts import facts, obstacles_of, show_forecast, show_left_out
from .place import HERE, Json, Switch, Where, account_of, located, opened, run, submitting
from .screen import Problem, console, euros, moment, plain, progress_bar, show_json, table

if TYPE_CHECKING:
    from ..app import Ground
    from ..domain.account import Account
    from ..domain.campaigns import Fault
    from ..pipeline.campaigns import Campaigns, Seen
    from ..pipeline.group_send import Progress
    from ..pipeline.submit import Submitter
    from ..store.campaigns import Skipped
    from ..store.statistics import Counters

app = App(name="campaigns", help="Campaigns: see them, forecast, pause, resume and cancel them.")

LISTED = 1_000
PAGE = 5_000  # contacts read at once
LOOK = 0.5  # seconds between looks at one that is under way
FIGURES = (
    "sent", "delivered", "errors", "bounced", "replies", "unsubscribers", "complaints", "opens", "openers", "clicks",
    "clickers",
)  # fmt: skip


@dataclass(frozen=True)
class _Desk:
    """Where a command works, and for whom."""

    base: Ground
    account: Account
    campaigns: Campaigns
    submitter: Submitter


@asynccontextmanager
async def _at_work(where: Where, email: str | None) -> AsyncIterator[_Desk]:
    """Raises Problem."""
    from ..pipeline.campaigns import Campaigns

    async with opened(located(where)) as base, submitting(base) as submitter:
        account = await account_of(base, email)
        yield _Desk(base, account, Campaigns(base.db, submitter, base.links.address, base.clock), submitter)


async def _found(at: _Desk, ident: str) -> Seen:
    """Raises Problem."""
    from ..domain.tokens import read_hex24

    found = await at.campaigns.find(at.account.id, read_hex24(ident))
    if found is None:
        raise Problem(f"{at.account.email} has no campaign {ident}: `passerelle campaigns list` shows them")
    return found


# --- looked at -------------------------------------------------------------------------------------------------------


@app.command(name="list")
def list_campaigns(*, account: str | None = None, json: Json = False, where: Where = HERE) -> None:
    """The campaigns of an account, the newest first.

    Parameters
    ----------
    account
        E-mail address of the account; the only one, or that of the demo, need not be named.
    """
    from ..store import campaigns as store

    async def go() -> None:
        async with _at_work(where, account) as at:
            rows = await store.newest(at.base.db, at.account.id, store.NEWEST, LISTED)
            seen = await at.campaigns.seen(rows) if rows else []
            if json:
                show_json([_facts(one) for one in seen])
                return
            shown = [_row(one) for one in seen]
            heads = ("Id", "Name", "Phase", "Messages", "Price", "Leaves", "Written")
            console().print(table(heads, shown, right=frozenset({3, 4})) if shown else "there is none yet")

    run(go())


def _row(seen: Seen) -> tuple[object, ...]:
    one = seen.campaign
    at = one.due_at or one.asked_at
    sums = (one.messages, euros(one.cost)) if one.messages is not None else ("", "")
    return one.token.hex(), one.name, seen.phase.value, *sums, moment(at) if at else "", moment(one.created_at)


def _facts(seen: Seen) -> dict[str, Any]:
    one = seen.campaign
    return {
        "id": one.token.hex(),
        "name": one.name,
        "phase": seen.phase.value,
        "text": one.text,
        "sender": one.sender,
        "marketing": bool(one.traffic),
        "send_at": one.asked_at,
        "leaves_at": one.due_at,
        "launched_at": one.launched_at,
        "paused_at": one.paused_at,
        "ended_at": one.ended_at,
        "submission": one.submission_id,
        "contacts": one.contacts,
        "messages": one.messages or 0,
        "left_out": dict(one.left_out),
        "price": one.cost / 1e6,
    }


@app.command
def show(
    ident: str,
    /,
    *,
    follow: Annotated[bool, Switch] = False,
    account: str | None = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """A campaign: where it is, how far, and its figures by now.

    Parameters
    ----------
    follow
        Show the progress until all of it has left (Ctrl-C ends the showing alone).
    """

    async def go() -> None:
        async with _at_work(where, account) as at:
            seen = await _found(at, ident)
            found = await _progress(at, seen)
            counted = await _counted(at.base, seen)
            if json:
                show_json(_facts(seen) | _figures(counted, found))
                return
            _show(seen, counted, found)
            if follow and found is not None:
                await _watch(at, seen, found)

    with suppress(KeyboardInterrupt):
        run(go())


async def _progress(at: _Desk, seen: Seen) -> Progress | None:
    """None: it was not launched."""
    from ..pipeline import group_send

    number, rates = seen.campaign.submission_id, _rates(at.base)
    if number is None:
        return None
    return await group_send.progress(at.base.db, at.account, number, at.base.clock.now(), rates)


def _rates(base: Ground) -> dict[int, int]:
    return {base.carrier_ids[one.name]: one.rate for one in base.settings.carriers}


async def _counted(base: Ground, seen: Seen) -> Counters:
    from ..domain.message import campaign_key
    from ..store import statistics

    one = seen.campaign
    return await statistics.counters(base.db, one.account_id, one.dialect, campaign_key(one.token))


def _figures(counted: Counters, found: Progress | None) -> dict[str, Any]:
    figures: dict[str, Any] = {name: getattr(counted, name) for name in FIGURES}
    figures["refunded"] = counted.refunded / 1e6
    if found is not None:
        figures |= {"parts_waiting": found.parts_waiting, "expected_end": found.expected_end}
    return figures


def _show(seen: Seen, counted: Counters, found: Progress | None) -> None:
    out, one = console(), seen.campaign
    out.print(f"{plain(one.name)}: {seen.phase.value}", markup=False)
    out.print(f"  {plain(one.text)}", markup=False)
    if found is None:
        at = f", to leave at {moment(one.asked_at)}" if one.asked_at else ""
        out.print(f"a draft{at}: `passerelle campaigns forecast {one.token.hex()}` says what a launch would do")
        return
    back = f", {euros(counted.refunded)} given back" if counted.refunded else ""
    out.print(
        f"{found.messages} of {one.contacts} contacts, {euros(one.cost)}{back}, leaving from {moment(found.due_at)}"
    )
    show_left_out(one.left_out)
    rows = [(name, getattr(counted, name)) for name in FIGURES if getattr(counted, name)]
    if rows:
        figures = table(("", ""), rows, right=frozenset({1}))
        figures.show_header = False
        out.print(figures)
    end = f", expected until {moment(found.expected_end)}" if found.expected_end else ""
    print(f"{found.parts_waiting} parts wait, {found.parts_before} of others before them{end}")


async def _watch(at: _Desk, seen: Seen, found: Progress) -> None:
    """Until nothing waits any more."""
    total = found.parts_waiting
    with progress_bar("parts before it") as bar:
        shown = bar.add_task("", total=total, note=found.parts_before)
        while found.parts_waiting and found.cancelled_at is None and found.paused_at is None:
            await asyncio.sleep(LOOK)
            again = await _progress(at, seen)
            assert again is not None
            found = again
            bar.update(shown, completed=total - found.parts_waiting, note=found.parts_before)
    print(", ".join(f"{count} {state.name.lower()}" for state, count in sorted(found.states.items())))


@app.command
def skipped(ident: str, /, *, to: Path | None = None, account: str | None = None, where: Where = HERE) -> None:
    """Write a row for each contact that was left out when it was launched: phone and reason, as CSV.

    Parameters
    ----------
    to
        File; without one it is written to standard output.
    """
    from ..pipeline.contact_import import harmless
    from ..store import campaigns as store

    async def go() -> None:
        written, last = io.StringIO(), -1
        rows = csv.writer(written)
        rows.writerow(("phone", "reason"))
        async with _at_work(where, account) as at:
            number = (await _found(at, ident)).campaign.submission_id
            if number is None:
                raise Problem("it was not launched: nobody was left out yet")
            page: list[Skipped] = []
            while page := await store.skipped(at.base.db, at.account.id, number, last, PAGE):
                rows.writerows((harmless(one.phone), one.reason) for one in page)
                last = page[-1].position
        _write(written.getvalue(), to)

    run(go())


def _write(text: str, to: Path | None) -> None:
    """Raises Problem."""
    if to is None:
        print(text, end="")
        return
    try:
        to.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Problem(f"{to} cannot be written: {error.strerror}") from None


# --- forecast --------------------------------------------------------------------------------------------------------


@app.command
def forecast(ident: str, /, *, account: str | None = None, json: Json = False, where: Where = HERE) -> None:
    """What a launch would do now: who would get it, who not and why, parts, price, the expected end.

    Exit code 1 where it cannot be launched.
    """
    from ..domain.campaigns import Fault
    from ..pipeline.forecast import forecast as foresee

    async def go() -> None:
        async with _at_work(where, account) as at:
            one = (await _found(at, ident)).campaign
            if one.submission_id is not None:
                raise Problem(f"it is launched: `passerelle campaigns show {ident}` says how far it is")
            routes, rates = at.base.routes(), _rates(at.base)
            found = await foresee(at.campaigns, at.account, one, _profile(one.dialect), routes, rates)
            if isinstance(found, Fault):
                raise Problem("its list or group is gone, or has nobody")
            obstacles = obstacles_of(found)
            if json:
                show_json(facts(found, obstacles))
            else:
                show_forecast(found, obstacles)
            if obstacles:
                raise SystemExit(1)

    run(go())


def _profile(dialect: int) -> Any:
    """By whose rules a campaign is judged: those of the dialect that it was written in."""
    from ..domain.message import Dialect
    from ..domain.profile import NATIVE, PRIMOTEXTO

    return PRIMOTEXTO if dialect == Dialect.PRIMOTEXTO else NATIVE


# --- halted ----------------------------------------------------------------------------------------------------------


@app.command
def pause(ident: str, /, *, account: str | None = None, where: Where = HERE) -> None:
    """Hand nothing of a campaign to an operator any more, until it is resumed."""
    run(_halt(ident, account, where, "pause"))


@app.command
def resume(ident: str, /, *, account: str | None = None, where: Where = HERE) -> None:
    """Let a paused campaign go on."""
    run(_halt(ident, account, where, "resume"))


@app.command
def cancel(ident: str, /, *, account: str | None = None, where: Where = HERE) -> None:
    """End a campaign: what has not left never will, and its price goes back."""
    run(_halt(ident, account, where, "cancel"))


async def _halt(ident: str, email: str | None, where: Where, word: str) -> None:
    async with _at_work(where, email) as at:
        seen = await _found(at, ident)
        number = seen.campaign.submission_id
        if number is None:
            raise Problem("it is a draft: nothing of it was launched")
        if await _halted(at.base, at.account.id, number, word) is not None:
            raise Problem(f"it is {seen.phase.value}: it cannot be {_DONE[word]}")
        print(f"campaign {ident} is {(await _found(at, ident)).phase.value}")


_DONE = {"pause": "paused", "resume": "resumed", "cancel": "cancelled"}


async def _halted(base: Ground, account_id: int, number: int, word: str) -> Fault | None:
    from ..pipeline import halting

    now, validity = base.clock.now(), timedelta(hours=base.settings.validity_hours)
    if word == "pause":
        return await halting.pause(base.db, account_id, number, now)
    go = halting.resume if word == "resume" else halting.stop
    return await go(base.db, account_id, number, now, validity)
