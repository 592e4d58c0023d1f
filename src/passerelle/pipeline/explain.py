"""What would become of a request, without sending it: its text and parts, every rule, the price, the way.

The one rule: the verdict is made by the very functions that accept a request, so it cannot say anything else than the
send would. Where a rule refuses, the rest is shown as it would be without that fault, as far as that can be told.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from ..domain import calendar, text
from ..domain.account import Account, AccountState
from ..domain.admission import Judged, Wanted, judge, paris_hours, traffic_of
from ..domain.message import Lane, Recipient, Submission, TrafficClass
from ..domain.pricing import Service
from ..domain.profile import Profile
from ..domain.reasons import Finding, Reason
from ..domain.routing import Route, lane_of, rank
from ..domain.text import Encoding
from ..store import optouts, submissions
from ..store.database import Database
from .batch import Accepted, Blocked, Item, Refused, Verdicts, decide, limited, pairs

R = Reason
RULES: dict[str, frozenset[Reason]] = {
    "request": frozenset(
        {R.MALFORMED, R.MEMBER_INVALID, R.NO_RECIPIENT, R.TOO_MANY_RECIPIENTS, R.DATE_WITHOUT_DAY, R.DAY_INVALID,
         R.HOUR_MISSING, R.HOUR_INVALID, R.MINUTE_MISSING, R.MINUTE_INVALID, R.MINUTE_STEP, R.DATE_PAST, R.DATE_INVALID,
         R.TAG_LONG, R.TAG_INVALID, R.CAMPAIGN_NAME_INVALID, R.URL_INVALID, R.CONTENT_INVALID, R.FAILOVER_INVALID,
         R.RCS_FORBIDDEN, R.SURVEY_MISSING, R.SURVEY_UNKNOWN}
    ),
    "sender": frozenset({R.SENDER_CHARACTERS, R.SENDER_SHORT, R.SENDER_LONG, R.SENDER_DIGITS, R.SENDER_PROTECTED}),
    "text": frozenset({R.TEXT_MISSING, R.TEXT_CHARACTERS, R.TEXT_LONG, R.STOP_MENTION_MISSING}),
    "economic range": frozenset({R.ECO_FORBIDDEN, R.ECO_LONG}),
    "hours for marketing": frozenset({R.CLOSED_DAY, R.CLOSED_HOUR}),
    "numbers": frozenset(
        {R.NUMBER_MISSING, R.NUMBER_INVALID, R.NUMBER_FIXED, R.NOT_MOBILE, R.DUPLICATE, R.INTERNATIONAL_OFF}
    ),
    "blocked numbers": frozenset({R.OPTED_OUT, R.BOUNCED, R.BOUNCED_PLATFORM}),
    "price and route": frozenset({R.NO_PRICE}),
    "credit": frozenset({R.CREDIT, R.QUOTA, R.CAMPAIGN_LIMIT}),
}  # fmt: skip
STAND_IN = "+33639980000"  # a number for what can be told without a good one


class Verdict(enum.Enum):
    """What a rule says."""

    ADMITTED = "admitted"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule: refused with its findings, or held until a time."""

    rule: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Character:
    """A character that does not travel as it is, or not in GSM 03.38; `positions` count from 1 in the text as given."""

    char: str
    name: str
    positions: tuple[int, ...]
    foreign: bool
    becomes: str


@dataclass(frozen=True, slots=True)
class Copy:
    """The text as it would leave. `units`: septets (GSM) or UTF-16 units; `doubled`: characters that count twice."""

    text: str
    encoding: Encoding
    units: int
    parts: tuple[str, ...]
    characters: tuple[Character, ...]
    doubled: str
    stop_added: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A carrier for one country: taken, kept in reserve, or out, and why."""

    carrier_id: int
    taken: bool
    why: str


@dataclass(frozen=True, slots=True)
class Destination:
    """One recipient that nothing speaks against so far. Prices in micro-euros."""

    phone: int
    country: str
    parts: int
    price_part: int
    price: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer. `copy`: of the request, or of its first recipient where each has a text of its own."""

    verdict: Verdict
    due_at: datetime
    rulings: tuple[Ruling, ...]
    copy: Copy
    destinations: tuple[Destination, ...]
    dropped: tuple[Finding, ...]
    cost: int
    balance: int
    lane: Lane

    @property
    def balance_after(self) -> int:
        """Below zero: what is missing."""
        return self.balance - self.cost


async def explain_stored(
    db: Database, account: Account, wanted: Wanted, profile: Profile, routes: Sequence[Route], now: datetime
) -> Explanation:
    """`explain` with the lists of blocked numbers and the count of the day as they are now."""
    judged = judge(wanted, account, profile, now)
    if judged.submission is None:
        return explain(account, wanted, profile, routes, now)
    batch = [_item(account, wanted, profile, judged)]
    blocked = await optouts.blocked_pairs(db, *pairs(batch))
    today = await submissions.accepted_on(db, limited(batch), calendar.paris_day(now))
    return explain(account, wanted, profile, routes, now, blocked=blocked, sent_today=today.get(account.id, 0))


def explain(
    account: Account,
    wanted: Wanted,
    profile: Profile,
    routes: Sequence[Route],
    now: datetime,
    *,
    blocked: Iterable[tuple[int, int, int]] = (),
    sent_today: int = 0,
) -> Explanation:
    """What would become of a request. `blocked`: (account, list, phone) of store.optouts; `sent_today`: messages."""
    judged = judge(wanted, account, profile, now)
    verdicts = Verdicts({account.id: account.balance})
    if account.rules.daily_quota:
        verdicts.sent_today[account.id] = sent_today
    findings, dropped = _decided(account, wanted, profile, judged, set(blocked), verdicts, routes, now)
    shown = _shown(wanted, account, profile, now, judged)
    told = {finding.reason for finding in findings}
    dropped = [finding for finding in dropped if finding.reason not in told]  # the text of all is told once
    left_out = {finding.position for finding in dropped}
    kept = [to for to in shown.recipients if to.position not in left_out] if shown else []
    due_at = judged.submission.due_at if judged.submission else wanted.due_at or now
    rulings = _rulings(account, wanted, findings, dropped, bool(kept), due_at, now)
    return Explanation(
        verdict=_overall(rulings, bool(kept)),
        due_at=due_at,
        rulings=tuple(rulings),
        copy=_copy(wanted, account, profile, now, shown),
        destinations=tuple(_destination(to, wanted.service, account, routes) for to in kept),
        dropped=tuple(dropped),
        cost=sum(to.price for to in kept),
        balance=account.balance,
        lane=lane_of(replace(shown, recipients=kept)) if shown else Lane.TRANSACTIONAL,
    )


# --- the verdict -----------------------------------------------------------------------------------------------------


def _item(account: Account, wanted: Wanted, profile: Profile, judged: Judged) -> Item:
    """As on its way into a commit, but nobody waits for it."""
    assert judged.submission is not None
    nobody = cast(Any, None)
    return Item(account, wanted, profile, None, nobody, judged.submission, judged.dropped)


def _decided(
    account: Account,
    wanted: Wanted,
    profile: Profile,
    judged: Judged,
    blocked: Blocked,
    verdicts: Verdicts,
    routes: Sequence[Route],
    now: datetime,
) -> tuple[list[Finding], list[Finding]]:
    """Findings of the request, and recipients left out, as the commit would have them."""
    if judged.submission is None:
        return judged.findings, judged.dropped
    item = _item(account, wanted, profile, judged)
    result = decide(item, account.version, blocked, verdicts, routes, now)
    if isinstance(result, Accepted):
        return [], result.dropped
    assert isinstance(result, Refused)
    return result.findings, result.dropped


def _rulings(
    account: Account,
    wanted: Wanted,
    findings: Sequence[Finding],
    dropped: Sequence[Finding],
    anyone: bool,
    due_at: datetime,
    now: datetime,
) -> list[Ruling]:
    rulings = [_of_account(account)]
    for rule, reasons in RULES.items():
        against = tuple(one for one in (*findings, *dropped) if one.reason in reasons)
        whole = any(one in findings for one in against) or not anyone
        if against:
            why = "" if whole else "these recipients are left out"
            rulings.append(Ruling(rule, Verdict.REFUSED if whole else Verdict.ADMITTED, against, why=why))
        elif rule == "hours for marketing":
            rulings.append(_of_hours(rule, account, wanted, due_at, now))
        else:
            rulings.append(Ruling(rule, Verdict.ADMITTED))
    return rulings


def _of_account(account: Account) -> Ruling:
    if account.state is AccountState.ACTIVE:
        return Ruling("account", Verdict.ADMITTED)
    return Ruling("account", Verdict.REFUSED, why=f"its state is {account.state.name.lower()}")


def _of_hours(rule: str, account: Account, wanted: Wanted, due_at: datetime, now: datetime) -> Ruling:
    asked = wanted.due_at or now
    if traffic_of(wanted, account) is not TrafficClass.MARKETING:
        return Ruling(rule, Verdict.ADMITTED, why="not marketing: it leaves at any hour")
    if account.rules.quiet_exempt:
        return Ruling(rule, Verdict.ADMITTED, why="this account is exempt")
    if due_at <= asked:
        return Ruling(rule, Verdict.ADMITTED)
    closed = calendar.closed_reason(asked, paris_hours(account))
    word = "night" if closed is calendar.Closed.HOUR else "Sunday or public holiday"
    return Ruling(rule, Verdict.HELD, until=due_at, why=word)


def _overall(rulings: Sequence[Ruling], anyone: bool) -> Verdict:
    said = {ruling.verdict for ruling in rulings}
    if Verdict.REFUSED in said or not anyone:
        return Verdict.REFUSED
    return Verdict.HELD if Verdict.HELD in said else Verdict.ADMITTED


# --- the text --------------------------------------------------------------------------------------------------------


def _shown(wanted: Wanted, account: Account, profile: Profile, now: datetime, judged: Judged) -> Submission | None:
    """The submission, or what it would be but for the faults of its sender, range, time and members."""
    if judged.submission is not None:
        return judged.submission
    mild = replace(wanted, sender="", faults=[], due_at=None, traffic=TrafficClass.TRANSACTIONAL)
    again = judge(mild, account, profile, now).submission
    return replace(again, traffic=traffic_of(wanted, account)) if again else None


def _copy(wanted: Wanted, account: Account, profile: Profile, now: datetime, shown: Submission | None) -> Copy:
    raw = _raw(wanted)
    if shown is None:
        shown = _of_stand_in(wanted, account, profile, now)
    if shown is None:
        ready = text.replace(text.expand_tokens(raw)) if profile.characters == "replace" else raw
        encoding = Encoding.UCS2 if text.foreign(ready) else Encoding.GSM
    else:
        first = shown.recipients[0]
        ready, encoding = shown.text if first.text is None else first.text, first.encoding
    segmented = text.segment(ready, encoding)
    mention = account.rules.stop_mention
    added = mention if wanted.stop_mention and ready.endswith(mention) and not raw.endswith(mention) else ""
    return Copy(
        text=ready,
        encoding=encoding,
        units=segmented.units,
        parts=segmented.parts,
        characters=_characters(raw, encoding, profile),
        doubled=_doubled(ready, encoding),
        stop_added=added,
    )


def _raw(wanted: Wanted) -> str:
    own = wanted.items[0][1] if wanted.items else None
    return wanted.text if own is None else own


def _of_stand_in(wanted: Wanted, account: Account, profile: Profile, now: datetime) -> Submission | None:
    """To a number that is good, within any range: for the text alone."""
    item = (STAND_IN, _raw(wanted))
    mild = replace(wanted, items=[item], sender="", faults=[], due_at=None, traffic=TrafficClass.TRANSACTIONAL, text="")
    free = replace(account, prices={(wanted.service, "*"): 0}, rules=replace(account.rules, eco=True))
    return judge(mild, free, profile, now).submission


def _characters(raw: str, encoding: Encoding, profile: Profile) -> tuple[Character, ...]:
    """What changes on the way, or forces UCS-2, in order of appearance."""
    places: dict[str, list[int]] = {}
    for position, char in enumerate(raw, 1):
        places.setdefault(char, []).append(position)
    made = []
    for char, positions in places.items():
        foreign, becomes = bool(text.foreign(char)), _becomes(char, encoding, profile)
        if foreign or becomes != char:
            name = unicodedata.name(char, f"U+{ord(char):04X}").lower()
            made.append(Character(char, name, tuple(positions), foreign, becomes))
    return tuple(made)


def _becomes(char: str, encoding: Encoding, profile: Profile) -> str:
    if encoding is Encoding.UCS2:
        return char
    if profile.characters == "replace":
        return text.replace(char)
    near = text.transliterate(char)
    return char if near is None else near


def _doubled(ready: str, encoding: Encoding) -> str:
    """Characters of the extension table take two septets (3GPP TS 23.038 section 6.2.1.1)."""
    if encoding is Encoding.UCS2:
        return ""
    return "".join(char for char in dict.fromkeys(ready) if text.segment(char, encoding).units == 2)


# --- the way ---------------------------------------------------------------------------------------------------------


def _destination(to: Recipient, service: Service, account: Account, routes: Sequence[Route]) -> Destination:
    return Destination(
        phone=to.phone,
        country=to.country,
        parts=to.parts,
        price_part=account.price(service, to.country) or 0,
        price=to.price,
        choices=tuple(choices(service, to.country, routes)),
    )


def choices(service: Service, country: str, routes: Sequence[Route]) -> list[Choice]:
    """Every carrier: the one taken first, those in reserve, those that are out."""
    ranked = rank(service, country, routes)
    made = [
        Choice(carrier_id, place == 0, "preferred" if place == 0 else f"in reserve, place {place + 1}")
        for place, carrier_id in enumerate(ranked)
    ]
    for route in routes:
        if route.carrier_id not in ranked:
            why = (
                f"does not take {service.name.lower()}"
                if service not in route.services
                else f"does not go to {country}"
            )
            made.append(Choice(route.carrier_id, False, why))
    return made
