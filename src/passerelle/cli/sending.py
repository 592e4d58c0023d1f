"""`passerelle send`: a text to some numbers, or a CSV file of many."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from .place import HERE, Json, Switch, Where, located, opened, run, sending_account, stopped, submitting
from .reasons import SENTENCES, sentence, sentences
from .screen import Problem, console, euros, show_json, table
from .wishes import NO_WISHES, Wishes

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from ..app import Ground
    from ..pipeline.batch import Accepted, Denied, Result
    from ..pipeline.bulk import Group
    from .sheet import Progress, Sheet

LOOK = 0.2  # seconds between looks at what is waited for


def send(
    *numbers: str,
    text: str | None = None,
    csv: Path | None = None,
    wait: Annotated[bool, Switch] = False,
    timeout: float = 120.0,
    resume: Annotated[bool, Switch] = False,
    again: Annotated[bool, Switch] = False,
    json: Json = False,
    wishes: Wishes = NO_WISHES,
    where: Where = HERE,
) -> None:
    """Send a text: `send 0639980001 --text 'Bonjour'`, or many: `send --csv customers.csv`.

    A CSV file is UTF-8 with a header. It has a column `phone` and a column `text`; or --text is the text of all, in
    which {column} stands for the value of a column. Refused lines go to FILE.refused.csv. A file is not sent twice by
    accident: --resume goes on with a run that broke off, --again sends everything once more.

    Parameters
    ----------
    numbers
        Mobile numbers, as 0639980001 or +33639980001.
    text
        What to send.
    csv
        A file of many numbers.
    wait
        Wait until every message is delivered, or is not. Exit code 1 unless all are delivered.
    timeout
        Seconds to wait at most.
    resume
        Go on with a file whose sending broke off, within 23 hours; nothing is sent twice.
    again
        Send a file that was sent before once more.
    """
    if csv is not None:
        if numbers or wait:
            raise Problem("--csv goes without numbers and without --wait: `passerelle status` shows how it goes")
        try:
            run(_send_file(csv, text, resume, again, wishes, where))
        except KeyboardInterrupt:
            raise Problem("interrupted: go on with --resume, nothing is sent twice") from None
        return
    if not numbers:
        raise Problem("send to whom? e.g. `passerelle send 0639980001 --text 'Bonjour'`, or --csv FILE")
    if text is None:
        raise Problem("send what? add --text '...'")
    run(_send_some(list(numbers), text, wait, timeout, json, wishes, where))


# --- some numbers ----------------------------------------------------------------------------------------------------


async def _send_some(
    numbers: list[str], text: str, wait: bool, timeout: float, json: bool, wishes: Wishes, where: Where
) -> None:
    from ..pipeline.batch import Accepted
    from ..pipeline.submit import Unavailable

    async with opened(located(where)) as base, submitting(base) as submitter:
        account = await sending_account(base, wishes.account)
        wanted = wishes.wanted([(number, None) for number in numbers], text, base.clock.now())
        try:
            result = await submitter.accept(account, wanted, wishes.profile)
        except Unavailable:
            raise Problem("the database went away: whether the text was accepted, `passerelle status` knows") from None
        if not isinstance(result, Accepted):
            raise Problem(_why_not(result))
        states = await _wait(base, result, timeout) if wait else {}
        _tell(result, states, json)
        if wait and set(states.values()) != {"delivered"}:
            raise SystemExit(1)


def _why_not(result: Result) -> str:
    from ..pipeline.batch import Denied, Refused

    if isinstance(result, Refused):
        return "refused: " + (sentences([*result.findings, *result.dropped]) or "no recipient is left")
    if isinstance(result, Denied):
        return _denied(result)
    return "refused"


def _denied(denied: Denied) -> str:
    if denied.state is None:
        return "the account got a new key meanwhile: try again"
    return stopped(denied.state)


def _tell(result: Accepted, states: dict[int, str], json: bool) -> None:
    submission = result.submission
    kept = [(f"+{to.phone}", to.parts, to.price, states.get(to.phone, "")) for to in result.kept]
    if json:
        messages = [{"phone": p, "parts": n, "price": c / 1e6, "state": s or "accepted"} for p, n, c, s in kept]
        refused = [{"phone": one.subject, "reason": one.reason.value} for one in result.dropped]
        show_json({"message_id": result.number, "cost": result.cost / 1e6, "due_at": submission.due_at,
                   "messages": messages, "refused": refused})  # fmt: skip
        return
    rows = [(phone, str(parts), euros(cost), state or "accepted") for phone, parts, cost, state in kept]
    rows += [(one.subject, "", "", f"refused: {SENTENCES[one.reason]}") for one in result.dropped]
    out = console()
    out.print(table(("Number", "Parts", "Price", "State"), rows, right=frozenset({1, 2})))
    later = f", to leave at {submission.due_at.astimezone():%Y-%m-%d %H:%M}" if submission.scheduled else ""
    out.print(
        f"message {result.number}, {euros(result.cost)}{later}: `passerelle status {result.number}` tells the rest"
    )


async def _wait(base: Ground, result: Accepted, timeout: float) -> dict[int, str]:
    """The state of each number when all are final, or time is up."""
    from ..domain.lifecycle import FINAL
    from ..domain.message import State
    from ..store import inspection

    sent, end = result.submission, time.monotonic() + timeout
    while True:
        rows = await inspection.states(base.db, sent.account_id, sent.dialect, result.number, result.messages)
        over = all(State(state) in FINAL for _, state in rows)
        if rows and (over or time.monotonic() > end):
            return {phone: State(state).name.lower() for phone, state in rows}
        if time.monotonic() > end:
            return {to.phone: "unknown" for to in result.kept}
        await asyncio.sleep(LOOK)


# --- a file ----------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What became of the lines so far."""

    accepted: int = 0
    cost: int = 0
    looked_at: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    first_unsent: int = 0

    @property
    def refused(self) -> int:
        """Lines."""
        return self.reasons.total()

    def add(self, group: Group) -> None:
        """A group; the first that was stopped says why."""
        self.accepted += group.accepted
        self.cost += group.cost
        self.reasons.update(SENTENCES[reason] for _, reason in group.refused)
        if group.stopped is None:
            self.looked_at += len(group.lines)
        elif not self.stopped:
            self.stopped = _stopped(group)
            self.first_unsent = group.lines[0].number


def _stopped(group: Group) -> str:
    from ..domain.reasons import Finding

    return sentence(group.stopped) if isinstance(group.stopped, Finding) else _denied(group.stopped)  # type: ignore[arg-type]


async def _send_file(path: Path, text: str | None, resume: bool, again: bool, wishes: Wishes, where: Where) -> None:
    from ..pipeline.submit import Unavailable
    from .sheet import Progress, RefusedLines, Sheet

    sheet = Sheet(path, text)
    async with opened(located(where)) as base:
        account = await sending_account(base, wishes.account)
        how = [account.id, text, *map(str, asdict(wishes).values())]
        progress = Progress.begin(sheet, how, base.clock.now(), resume=resume, again=again)
        refused, tally = RefusedLines(sheet), Tally()
        try:
            await _send_lines(base, account, sheet, wishes, progress, refused, tally)
        except Unavailable:
            tally.stopped = "the database went away"
        finally:
            kept = refused.close()
    if not tally.stopped:
        progress.end()
    elif tally.first_unsent and not tally.accepted and not resume:
        progress.forget()
    _sum_up(tally, sheet, refused.path if kept else None)


async def _send_lines(
    base: Ground, account: Any, sheet: Sheet, wishes: Wishes, progress: Progress, refused: Any, tally: Tally
) -> None:
    from ..pipeline.bulk import Run

    like = wishes.wanted([], "", base.clock.now())
    async with submitting(base) as submitter:
        with _bar() as bar:
            shown = bar.add_task("", total=sheet.total, refused=0)
            async for group in Run(submitter, account, like, wishes.profile, progress.run).send(sheet.lines()):
                tally.add(group)
                for line, reason in group.refused:
                    refused.add(line, SENTENCES[reason])
                bar.update(shown, completed=tally.looked_at, refused=tally.refused)


def _bar() -> Bar:
    """Nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    class Rate(TextColumn):
        """Lines a second."""

        def __init__(self) -> None:
            super().__init__("{task.speed:.0f} a second")

        def render(self, task: Any) -> Any:
            return super().render(task) if task.speed else ""

    return Progress(
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[refused]} refused"),
        Rate(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


def _sum_up(tally: Tally, sheet: Sheet, refused: Path | None) -> None:
    print(f"{tally.accepted} accepted, {tally.refused} refused of {sheet.total} lines, {euros(tally.cost)}")
    for reason, count in tally.reasons.most_common():
        print(f"  {count:>7}  {reason}")
    if refused is not None:
        print(f"the refused lines are in {refused}")
    if tally.stopped:
        if tally.first_unsent and not tally.accepted:
            raise Problem(f"nothing was sent: {tally.stopped}")
        place = f" at line {tally.first_unsent}" if tally.first_unsent else ""
        raise Problem(
            f"stopped{place}: {tally.stopped}. Put that right, then go on with --resume: nothing is sent twice"
        )
