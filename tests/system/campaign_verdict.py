"""The account of the campaign: what the operator's journal shows, compared with what was promised to each person.

One rule: everything expected is counted from the journal and from what the owner and the people did; our tables only
say who is listed as uncertain, and are compared with the count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from system.campaign_people import PRICE, STOPS, TESTER, Fate, Person, is_open
from system.killing import most_uncertain
from system.verdict import WRONG_WALLETS, figures_of
from system.witness import Delivery, Submit

from passerelle.domain.message import State
from passerelle.store.database import Database

if TYPE_CHECKING:
    from system.campaign_harness import Evidence, Told

SHOWN = 5  # examples of a fault
GRACE = 1.0  # seconds: what was on its way when somebody said STOP
HALTED = 0.75  # and when it was paused
DEAD = "001"  # nobody has this number
ANSWERABLE = timedelta(days=30)

MESSAGES = """
select m.phone, m.state, m.uncertain, m.price, m.refunded, m.submitted_at is not null as submitted
from message m join submission s on s.account_id = m.account_id and s.id = m.submission_id
where s.campaign_id is not null and not s.test
"""


@dataclass
class Case:
    """What is known of each person, by phone."""

    launched: dict[str, Person]  # to whom it was launched
    rows: dict[str, Any]
    seen: dict[str, list[Submit]]
    receipts: dict[str, list[Delivery]]  # those that we said we have
    stops: dict[str, float] = field(default_factory=dict)  # when we said first that we have a STOP
    answers: dict[str, list[Delivery]] = field(default_factory=dict)  # other texts that we said we have
    perhaps: dict[str, list[Delivery]] = field(default_factory=dict)  # those that we may have, or that are too late

    @property
    def uncertain(self) -> set[str]:
        """Those who are listed."""
        return {phone for phone, row in self.rows.items() if row["uncertain"]}

    @property
    def opted_out(self) -> set[str]:
        """Those who did not get it as they had opted out."""
        return {phone for phone, row in self.rows.items() if row["state"] == State.OPTED_OUT}


async def judge(evidence: Evidence) -> None:
    """Fill `evidence.faults` and `evidence.facts`; the platform still runs."""
    db = await Database.open(evidence.database, size=2)
    try:
        case = await _case(evidence, db)
        for look in (_imported, _once, _honoured, _hours, _paused, _texts, _skipped, _counted, _lists, _statuses):
            look(evidence, case)
        await _money(evidence, case, db)
        evidence.faults += await figures_of(db)
    finally:
        await db.close()


def _fault(evidence: Evidence, what: str, cases: Iterable[Any]) -> None:
    found = list(cases)
    if found:
        evidence.faults.append(f"{what}: {len(found)}, e.g. {'; '.join(str(one) for one in found[:SHOWN])}")


def _differ(evidence: Evidence, what: str, told: Any, counted: Any) -> None:
    if told != counted:
        evidence.faults.append(f"{what}: told {told}, counted {counted}")


async def _case(evidence: Evidence, db: Database) -> Case:
    launched = {one.phone: one for one in evidence.crowd.of(Fate.ELIGIBLE, Fate.OPTED_OUT_LATER)}
    rows = {str(row["phone"]): row for row in await db.fetch(MESSAGES)}
    seen: defaultdict[str, list[Submit]] = defaultdict(list)
    for submit in evidence.log.submits:
        seen[submit.phone].append(submit)
    _differ(evidence, "tests that the operator has", sum(one.taken for one in seen.pop(TESTER, [])), 1)
    receipts: defaultdict[str, list[Delivery]] = defaultdict(list)
    case = Case(launched, rows, seen, receipts)
    answers: defaultdict[str, list[Delivery]] = defaultdict(list)
    for one in evidence.log.deliveries:
        if one.state:
            if one.answered is not None and one.phone != TESTER:
                receipts[one.phone].append(one)
        elif one.text not in STOPS:
            answers[one.phone].append(one)
        elif one.answered is not None:
            case.stops[one.phone] = min(one.answered, case.stops.get(one.phone, one.answered))
    for phone, texts in answers.items():
        _sort(evidence, case, phone, texts)
    _fault(evidence, "answers that we never took", evidence.says - answers.keys())
    return case


def _sort(evidence: Evidence, case: Case, phone: str, texts: list[Delivery]) -> None:
    """A text answers what was sent to its number within 30 days; later it is about nothing. Beside a move of the clock
    it may be either."""
    clock = evidence.clock
    assert clock is not None
    sent = [at for one in case.seen.get(phone, []) for at in clock.possible(one.at)]
    for text in texts:
        came = clock.possible(text.at) + clock.possible(text.answered or text.at)
        ages = [one - at for one in came for at in sent]
        if ages and max(ages) < ANSWERABLE and text.answered is not None:
            case.answers.setdefault(phone, []).append(text)
        elif ages and min(ages) < ANSWERABLE:
            case.perhaps.setdefault(phone, []).append(text)


# --- who gets it, once, and when -----------------------------------------------------------------------------------


def _imported(evidence: Evidence, case: Case) -> None:
    """Every row of the files is a contact, a repetition, or no number; each person is one recipient."""
    crowd, told = evidence.crowd, evidence.told
    sums = {name: sum(one[name] for one in told.imports) for name in ("total", "imported", "duplicates", "invalid")}
    expected = {
        "total": len(crowd.rows),
        "imported": len(crowd.people),
        "duplicates": crowd.repeats,
        "invalid": crowd.spoilt,
    }
    _differ(evidence, "rows of the imports", sums, expected)
    _fault(evidence, "launched to somebody else", case.rows.keys() - case.launched.keys())
    _fault(evidence, "not launched to", case.launched.keys() - case.rows.keys())
    _differ(evidence, "credits of the launch", told.launched, float(len(case.launched)))
    _differ(evidence, "credits of the test", told.tested, 1.0)
    evidence.facts |= {"rows imported": sums, "recipients": len(case.launched)}


def _once(evidence: Evidence, case: Case) -> None:
    """One submission a person, or none and listed as uncertain, or none and opted out."""
    taken = {phone: [one for one in found if one.taken] for phone, found in case.seen.items()}
    _fault(evidence, "written to without being asked to", case.seen.keys() - case.launched.keys())
    _fault(evidence, "written to twice", [found for found in taken.values() if len(found) > 1])
    missing = case.launched.keys() - case.seen.keys()
    _fault(evidence, "never written to, and nobody says why", missing - case.uncertain - case.opted_out)
    _fault(evidence, "written to and opted out", case.opted_out & {phone for phone, found in taken.items() if found})
    refused = {phone for phone, found in taken.items() if not found}
    _fault(evidence, "refused for ever and not by the operator's script", refused - {"33639988010"})
    most = most_uncertain(evidence.kills, evidence.plan.shape.windows)
    if len(case.uncertain) > most:
        evidence.faults.append(f"{len(case.uncertain)} are uncertain, more than the {most} of the windows at the kills")
    evidence.facts |= {
        "submits": len(evidence.log.submits),
        "written to": len(case.seen),
        "opted out before it left": len(case.opted_out),
        "uncertain": len(case.uncertain),
        "uncertain at most": most,
        "uncertain and never seen by the operator": len(case.uncertain - case.seen.keys()),
    }


def _honoured(evidence: Evidence, case: Case) -> None:
    """Nobody is written to more than a second after a STOP, and nobody is left out without one."""
    _fault(evidence, "a STOP that we never took", evidence.stops - case.stops.keys())
    said = dict(case.stops)
    for phone, at in evidence.blocked.items():
        said[phone] = min(at, said.get(phone, at))
    late = [
        (phone, round(one.at - at, 3))
        for phone, at in said.items()
        for one in case.seen.get(phone, [])
        if one.at > at + GRACE
    ]
    _fault(evidence, "written to after a STOP", late)
    _fault(evidence, "left out without a STOP", case.opted_out - said.keys())
    before = [phone for phone, at in said.items() if all(one.at > at for one in case.seen.get(phone, []))]
    evidence.facts |= {
        "STOP": len(case.stops),
        "opt-outs before their turn": len(before),
        "written to within a second of their STOP": sum(phone in case.seen for phone in before),
    }


def _hours(evidence: Evidence, case: Case) -> None:
    """Nothing outside the hours of Paris and of the person."""
    clock = evidence.clock
    assert clock is not None
    closed = []
    for phone, found in case.seen.items():
        person = case.launched.get(phone)
        for one in found:
            times = clock.possible(one.at)
            if person is not None and not any(is_open(at, person.place) for at in times):
                closed.append((phone, person.place.name, *map(str, times)))
    _fault(evidence, "written to in a closed hour", closed)
    places: Counter[tuple[str, str]] = Counter()
    for phone, person in case.launched.items():
        for one in case.seen.get(phone, [])[:1]:
            places[f"{clock.possible(one.at)[-1]:%m-%d}", person.place.name.lower()] += 1
    evidence.facts["written to by day"] = {" ".join(key): count for key, count in sorted(places.items())}


def _paused(evidence: Evidence, case: Case) -> None:
    """Nothing leaves while it is paused."""
    asked = [one for found in case.seen.values() for one in found]
    wrong = [
        (one.phone, round(one.at - began, 3))
        for began, ended in evidence.pauses
        for one in asked
        if began + HALTED < one.at < ended
    ]
    _fault(evidence, "handed over in a pause", wrong)
    _differ(evidence, "pauses", len(evidence.pauses), evidence.plan.pauses)


def _texts(evidence: Evidence, case: Case) -> None:
    """Each gets his own text."""
    wrong = [
        (phone, one.text, person.text)
        for phone, person in case.launched.items()
        for one in case.seen.get(phone, [])
        if one.text != person.text
    ]
    _fault(evidence, "another text", wrong)


def _skipped(evidence: Evidence, case: Case) -> None:
    """Who was left out at the launch, each with the reason."""
    fates = (Fate.OPTED_OUT, Fate.BOUNCED, Fate.FIXED, Fate.ABROAD)
    expected = {one.phone: one.fate.value for one in evidence.crowd.of(*fates)}
    told = evidence.told.skipped
    _fault(evidence, "left out for another reason", set(told.items()) ^ set(expected.items()))
    _differ(evidence, "state before the start", evidence.told.before.get("state"), "PROGRAMMED")
    evidence.facts["left out at the launch"] = dict(Counter(told.values()))


# --- counters ------------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """The figures, counted from the journal. A pair: what the journal leaves open."""

    sent: int
    submitted: tuple[int, int]
    delivered: tuple[int, int]
    bounces: int
    replies: tuple[int, int]
    unsubscribers: int
    returned: int  # messages whose price went back


def count(case: Case) -> Count:
    """Recount the journal."""
    handed = (case.seen.keys() & case.launched.keys()) | case.uncertain
    delivered = {phone for phone, found in case.receipts.items() if any(one.state == "DELIVRD" for one in found)}
    wrote = case.stops.keys() | case.answers.keys() | case.perhaps.keys()
    answered = {phone for phone in handed if any(one.status == 0 for one in case.seen.get(phone, []))}
    open_ones = (case.uncertain & wrote) - delivered  # a text of theirs proves it only if it came after the attempt
    dead = {phone for phone, found in case.receipts.items() if any(one.error == DEAD for one in found)}
    dead |= {phone for phone, found in case.seen.items() if not any(one.taken for one in found)}
    texts, more = (
        sum(one.is_last for found in them.values() for one in found) for them in (case.answers, case.perhaps)
    )
    return Count(
        sent=len(handed),
        submitted=(len(answered - case.uncertain), len(answered)),
        delivered=(len(delivered), len(delivered | open_ones)),
        bounces=len(dead - delivered),
        replies=(texts, texts + more),
        unsubscribers=len(case.stops),
        returned=len(case.opted_out - handed),
    )


def _counted(evidence: Evidence, case: Case) -> None:
    """Every counter that the owner can read."""
    counted, told = count(case), evidence.told
    figures = told.figures
    ranges = {
        "sent": (counted.sent, counted.sent),
        "submitted": counted.submitted,
        "delivered": counted.delivered,
        "bounces": (counted.bounces, counted.bounces),
        "replies": counted.replies,
        "unsubscribers": (counted.unsubscribers, counted.unsubscribers),
    }
    for name, (least, most) in ranges.items():
        if not least <= figures.get(name, 0) <= most:
            evidence.faults.append(f"counter {name}: told {figures.get(name)}, counted {least} to {most}")
    lost = figures["sent"] - figures["delivered"]
    _differ(evidence, "undelivered", figures["undelivered"], lost)
    _differ(evidence, "errors", figures["errors"], lost - counted.bounces)
    _differ(evidence, "credits used", figures["creditsUsed"], len(case.launched) - counted.returned)
    _differ(evidence, "state at the end", (figures["state"], told.campaign["state"]), ("SENT", "SENT"))
    _differ(evidence, "date", told.campaign["date"], told.before["date"])
    _agree(evidence, told)
    evidence.facts |= {"figures": figures}


def _agree(evidence: Evidence, told: Told) -> None:
    """The figures of the campaign, of all messages and of the account: the test is in the last alone."""
    names = {"bounced": "bounces"} | {
        name: name for name in ("sent", "submitted", "delivered", "replies", "unsubscribers", "errors")
    }
    everything = {name: told.everything[name] for name in names}
    _differ(
        evidence, "figures of all messages", everything, {name: told.figures.get(of, 0) for name, of in names.items()}
    )
    more = {"sent": 1, "submitted": 1, "delivered": 1, "bounces": 0, "unsubscribers": 0, "undelivered": 0}
    account = {name: told.account[name] for name in more}
    _differ(
        evidence, "figures of the account", account, {name: told.figures.get(name, 0) + n for name, n in more.items()}
    )
    native = told.native | {"bounces": told.native["bounced"]}
    same = ("sent", "submitted", "delivered", "replies", "unsubscribers", "errors", "bounces")
    _differ(
        evidence,
        "figures of the native API",
        {of: native[of] for of in same},
        {of: told.figures.get(of, 0) for of in same},
    )
    _differ(evidence, "what waits at the end", native["waiting"], 0)


def _lists(evidence: Evidence, case: Case) -> None:
    """The list is as it was edited; everybody who said STOP is on the stop list, and told of."""
    told, crowd = evidence.told, evidence.crowd
    contacts = [one["identifier"].lstrip("+") for one in told.contacts]
    expected = (crowd.people.keys() | evidence.added) - evidence.removed
    _fault(evidence, "the list is not as it was edited", set(contacts) ^ expected)
    _differ(evidence, "contacts of the list", len(contacts), len(expected))
    _fault(evidence, "written to who came later", evidence.added & case.seen.keys())
    blocked = {one["identifier"].lstrip("+") for one in told.unsubscribers}
    said = case.stops.keys() | evidence.blocked.keys() | {one.phone for one in crowd.of(Fate.OPTED_OUT)}
    _fault(evidence, "the stop list is not that of those who said so", blocked ^ said)
    unsubscribers = set(map(_international, told.blacklists["unsubscribers"]["identifiers"]))
    _fault(evidence, "unsubscribers of the campaign", unsubscribers ^ case.stops.keys())
    _differ(
        evidence, "bounces of the campaign", len(told.blacklists["bounces"]["identifiers"]), told.figures["bounces"]
    )
    replies = Counter(one["identifier"].lstrip("+") for one in told.replies)
    _fault(evidence, "who answered", (replies.keys() ^ case.answers.keys()) - case.perhaps.keys())
    _differ(evidence, "replies", replies.total(), told.figures["replies"])


def _international(written: str) -> str:
    return "33" + written[1:] if written.startswith("0") else written.lstrip("+")


def _statuses(evidence: Evidence, case: Case) -> None:
    """The state of some, as the owner reads it."""
    wrong = []
    for phone, told in evidence.told.statuses.items():
        expected = _state(case, phone)
        if expected and told.get("state") != expected:
            wrong.append((phone, told, expected))
    _fault(evidence, "another state", wrong)


def _state(case: Case, phone: str) -> str | None:
    """The word for it; '' where the journal leaves it open, None where there is no message."""
    if phone not in case.launched:
        return None
    if phone in case.stops or phone in case.opted_out:
        return "unsubscribed"
    if phone in case.answers:
        return "reply"
    if phone in case.perhaps:
        return ""
    receipts = case.receipts.get(phone, [])
    if any(one.state == "DELIVRD" for one in receipts):
        return "delivered"
    if any(one.error == DEAD for one in receipts) or not any(one.taken for one in case.seen.get(phone, [])):
        return "" if phone in case.uncertain else "bounced"
    return "error"


async def _money(evidence: Evidence, case: Case, db: Database) -> None:
    """To the micro-euro."""
    counted, told = count(case), evidence.told
    wallet = await db.fetch(WRONG_WALLETS)
    _fault(evidence, "wallet and ledger differ", [dict(row) for row in wallet if row["balance"] != row["ledger"]])
    (balance,) = [row["balance"] for row in wallet if row["account_id"] == evidence.account_id]
    paid = (len(case.launched) + 1 - counted.returned) * PRICE
    _differ(evidence, "balance (micro-euros)", balance, evidence.credit - paid)
    _differ(evidence, "credits of the account", told.account["credits"], (evidence.credit - paid) // PRICE)
    back = await db.fetchval("select coalesce(sum(amount), 0)::bigint from posting where kind = 2")
    _differ(evidence, "refunds (micro-euros)", back, counted.returned * PRICE)
    wrong = [
        phone
        for phone, row in case.rows.items()
        if (row["price"], row["refunded"]) != (PRICE, PRICE if row["state"] == State.OPTED_OUT else 0)
    ]
    _fault(evidence, "another price, or another refund", wrong)
    evidence.facts |= {"paid (micro-euros)": paid, "refunded (micro-euros)": back}
