"""`passerelle complaint`: the operator of the platform writes down that people complained."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .place import HERE, Json, Where, account_id, located, opened, run
from .screen import Problem, console, moment, plain, show_json
from .sheet import Sheet, private

if TYPE_CHECKING:
    from ..app import Ground
    from ..pipeline.complaints import Complaint
    from ..store.complaints import Report

NOBODY = "nothing was handed over to this number in the 30 days before"
FRENCH = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")


def complaint(
    phone: str | None = None,
    /,
    *,
    at: str | None = None,
    file: Path | None = None,
    account: str | None = None,
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Write down that somebody complained (in France to 33700) about a message.

    It is about the last message that was handed over to that phone in the 30 days before. It is counted, and the number
    joins the stop list of the account that sent it.

    Parameters
    ----------
    phone
        The number that complained.
    at
        When it did: 2026-11-20, 2026-11-20T09:30 or 20/11/2026 09:30. Without it now; a day alone means its end.
    file
        CSV with a column `phone` and perhaps one `at`, a complaint each line. Lines about no message of ours go to
        FILE.refused.csv.
    account
        E-mail address of the account that sent it, where that is known.
    """
    if (phone is None) == (file is None):
        raise Problem("say which number complained, or give a --file of them")
    if file is not None and at is not None:
        raise Problem("the times of a --file stand in its column `at`")

    async def go() -> None:
        async with opened(located(where)) as base:
            owner = 0 if account is None else await account_id(base, account)
            if file is not None:
                await _file(base, file, owner, json)
            else:
                await _one(base, phone or "", at, owner, json)

    run(go())


async def _one(base: Ground, phone: str, at: str | None, owner: int, json: bool) -> None:
    from ..store.complaints import Report

    now = base.clock.now()
    number, when = _phone(phone), now if at is None else parse(at, now)
    if number is None:
        raise Problem(f"{phone!r} is no telephone number")
    if when is None:
        raise Problem(f"--at {at!r} is no time that is past; write it like 2026-11-20T09:30")
    found = (await _recorded(base, [Report(number, when, owner)]))[0]
    if found is None:
        raise Problem(f"+{number}: {NOBODY}")
    if json:
        show_json(_facts(found))
    else:
        _show(found)


def _show(found: Complaint) -> None:
    out = console()
    campaign = f" of the campaign {plain(found.campaign_name)!r}" if found.campaign_name else ""
    out.print(
        f"about message {found.message_id}{campaign} of {found.email}, from {found.sender or 'the short code'}, "
        f"handed over at {moment(found.sent_at)}",
        markup=False,
    )
    out.print(f"  {plain(found.text)}", markup=False)
    if found.known:
        out.print("somebody had complained about it before: nothing changed")
    else:
        out.print(f"counted; +{found.phone} is on the stop list of {found.email}", markup=False)


def _facts(found: Complaint) -> dict[str, Any]:
    return {
        "phone": f"+{found.phone}",
        "account": found.email,
        "message": str(found.message_id),
        "dialect": found.dialect.name.lower(),
        "sent_at": found.sent_at,
        "sender": found.sender,
        "text": found.text,
        "tag": found.tag,
        "campaign": found.campaign_name,
        "known": found.known,
    }


# --- a file ----------------------------------------------------------------------------------------------------------


async def _file(base: Ground, path: Path, owner: int, json: bool) -> None:
    from ..store.complaints import Report

    now, lines, refused = base.clock.now(), list[tuple[int, str]](), list[tuple[int, str, str]]()
    reports: list[Report] = []
    for number, phone, at in _lines(path):
        read, when = _phone(phone), parse(at, now) if at else now
        if read is None:
            refused.append((number, phone, "this is no telephone number"))
        elif when is None:
            refused.append((number, phone, f"{at!r} is no time that is past"))
        else:
            lines.append((number, phone))
            reports.append(Report(read, when, owner))
    found = await _recorded(base, reports)
    refused += [(*line, NOBODY) for line, one in zip(lines, found, strict=True) if one is None]
    _tell(path, [one for one in found if one is not None], sorted(refused), json)


def _lines(path: Path) -> list[tuple[int, str, str]]:
    """Number, phone and time of each line. Raises Problem."""
    sheet = Sheet(path, "")
    if "at" in [name.casefold() for name in sheet.columns]:
        sheet = Sheet(path, "{at}")
    return [(line.number, line.phone, line.text) for line in sheet.lines()]


def _tell(path: Path, found: list[Complaint], refused: list[tuple[int, str, str]], json: bool) -> None:
    target = _write_refused(path, refused)
    fresh = sum(not one.known for one in found)
    if json:
        show_json({"lines": len(found) + len(refused), "counted": fresh, "known": len(found) - fresh,
                   "unmatched": len(refused), "refused_lines": str(target) if target else None})  # fmt: skip
        return
    accounts = {one.email for one in found if not one.known}
    print(f"{fresh} complaints counted, about {len(accounts)} accounts; {len(found) - fresh} were known")
    for email in sorted(accounts):
        print(f"  {sum(one.email == email and not one.known for one in found):>7}  {email}")
    if target is not None:
        print(f"{len(refused)} lines are about no message of ours: they are in {target}")


def _write_refused(path: Path, refused: list[tuple[int, str, str]]) -> Path | None:
    """Raises Problem."""
    from ..pipeline.contact_import import harmless

    target = path.with_name(path.name + ".refused.csv")
    try:
        target.unlink(missing_ok=True)
        if not refused:
            return None
        with open(target, "x", encoding="utf-8", newline="", opener=private) as out:
            rows = csv.writer(out)
            rows.writerow(("line", "phone", "reason"))
            rows.writerows((number, harmless(phone), reason) for number, phone, reason in refused)
    except OSError as error:
        raise Problem(f"{target} cannot be written: {error.strerror}") from None
    return target


# --- what is common to both ------------------------------------------------------------------------------------------


async def _recorded(base: Ground, reports: Sequence[Report]) -> list[Complaint | None]:
    """Written down; events for the customers are left to the workers."""
    from ..app import WORDINGS
    from ..pipeline.complaints import record_many
    from ..pipeline.teller import Teller

    teller = Teller(base.accounts, WORDINGS, None, base.accounts.listeners)
    return await record_many(base.db, teller, reports, base.clock.now())


def _phone(written: str) -> int | None:
    from ..domain import numbers

    read = numbers.normalise(written.strip(), True)
    return None if read is None else int(read.e164[1:])


def parse(written: str, now: datetime) -> datetime | None:
    """A time that is past, in the zone of this machine where it names none; a day alone means its end, or now."""
    at = _read(written.strip())
    if at is None:
        return None
    is_day = len(written.strip()) == 10
    try:
        first = at.astimezone(UTC)
        whole = (at + timedelta(days=1)).astimezone(UTC) if is_day else first
    except (ValueError, OverflowError):
        return None
    return None if first > now else min(whole, now)


def _read(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        pass
    for form in FRENCH:
        try:
            return datetime.strptime(written, form)
        except ValueError:
            continue
    return None
