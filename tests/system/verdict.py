"""The account of a crash run: each promise compared with the witnesses; what is wrong becomes a line of `faults`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from system.load import PREFIX, STATES, Wish
from system.witness import PartKey, Submit, token_of

from passerelle.domain.message import Dialect, State
from passerelle.store import statistics
from passerelle.store.database import Database

if TYPE_CHECKING:
    from system.harness import Evidence

PRICES = {1: 38_000, 2: 23_000}  # micro-euros a part: premium, eco
SHOWN = 5  # examples of a fault
WORDS = {State.DELIVERED: ("delivered", "delivered"), State.BOUNCED: ("not delivered", "bounced")}
OTHERWISE = ("not delivered", "error")
"""What SMS Partner and Primotexto are told of a final state."""

MESSAGES = """
select m.account_id, m.id, m.submission_id, m.dialect, m.number, m.phone, m.parts, m.price, m.refunded, m.refunded_parts,
       m.state, m.uncertain, coalesce(m.text, s.text) as text, s.service, s.number as submission_number
from message m join submission s on s.account_id = m.account_id and s.id = m.submission_id
"""
WRONG_WALLETS = """
with sides as (
    select to_account as account_id, amount from posting union all select from_account, -amount from posting
    union all select account_id, -cost from submission where cost > 0
)
select w.account_id, w.balance, (select coalesce(sum(amount), 0) from sides d where d.account_id = w.account_id) as ledger
from wallet w
"""


@dataclass
class Case:
    """What is known of the messages, by (phone, token)."""

    wishes: dict[str, Wish]
    rows: dict[tuple[str, str], Any]
    uncertain_parts: set[PartKey]
    seen: dict[PartKey, list[Submit]]


async def judge(evidence: Evidence) -> None:
    """Fill `evidence.faults` and `evidence.facts`."""
    db = await Database.open(evidence.database, size=2)
    try:
        case = await _case(evidence, db)
        _arrived(evidence, case)
        _twice(evidence, case)
        _texts(evidence, case)
        _final(evidence, case)
        _told(evidence, case)
        _answers(evidence, case)
        await _money(evidence, case, db)
        evidence.faults += await figures_of(db)
        await _leftovers(evidence, db)
    finally:
        await db.close()


def _fault(evidence: Evidence, what: str, cases: Iterable[Any]) -> None:
    found = list(cases)
    if found:
        shown = "; ".join(str(one) for one in found[:SHOWN])
        evidence.faults.append(f"{what}: {len(found)}, e.g. {shown}")


async def _case(evidence: Evidence, db: Database) -> Case:
    rows: dict[tuple[str, str], Any] = {}
    keys: dict[tuple[int, int], tuple[str, str]] = {}
    twice = []
    for row in await db.fetch(MESSAGES):
        key = (str(row["phone"]), token_of(row["text"]))
        if key in rows:
            twice.append(key)
        rows[key] = row
        keys[row["account_id"], row["id"]] = key
    _fault(evidence, "stored twice", twice)
    long = await db.fetch("select account_id, message_id, part from part where uncertain")
    uncertain = {(*keys[row["account_id"], row["message_id"]], row["part"]) for row in long}
    uncertain |= {(*key, 1) for key, row in rows.items() if row["parts"] == 1 and row["uncertain"]}
    seen: defaultdict[PartKey, list[Submit]] = defaultdict(list)
    for one in evidence.submits:
        seen[one.phone, token_of(one.text), one.part].append(one)
    return Case({wish.token: wish for wish in evidence.load.wishes}, rows, uncertain, seen)


def _arrived(evidence: Evidence, case: Case) -> None:
    """Each acknowledged message reached the operator, whole, but those that are listed; and nothing else did."""
    wanted = {(phone, wish.token) for wish in case.wishes.values() if wish.accepted for phone in wish.texts}
    stored = set(case.rows)
    _fault(evidence, "acknowledged and not stored", wanted - stored)
    _fault(evidence, "stored and not acknowledged", stored - wanted)
    parts = {(*key, n) for key in wanted & stored for n in range(1, case.rows[key]["parts"] + 1)}
    missing = parts - case.seen.keys() - case.uncertain_parts
    # A message that an operator has refused sends no further parts: those are refunded.
    lost = [part for part in missing if not case.rows[part[:2]]["refunded_parts"]]
    _fault(evidence, "acknowledged and never submitted", lost)
    _fault(evidence, "submitted and never acknowledged", case.seen.keys() - parts)
    evidence.facts |= {
        "requests": len(case.wishes),
        "requests refused": sum(not wish.accepted for wish in case.wishes.values()),
        "messages acknowledged": len(wanted),
        "parts": len(parts),
        "submits": len(evidence.submits),
        "uncertain and never seen by the operator": sum(part not in case.seen for part in case.uncertain_parts),
        "client faults": dict(evidence.load.faults),
        "tries": sum(wish.tries for wish in case.wishes.values()),
    }


def _twice(evidence: Evidence, case: Case) -> None:
    """A part is taken by the operator more than once only where it is listed, and not more often than twice."""
    taken = {part: sum(one.taken for one in found) for part, found in case.seen.items()}
    doubles = {part for part, times in taken.items() if times > 1}
    _fault(evidence, "submitted twice and not listed as uncertain", doubles - case.uncertain_parts)
    _fault(evidence, "submitted more than twice", [part for part, times in taken.items() if times > 2])
    marketing = [part for part in doubles if case.wishes[part[1]].marketing]
    _fault(evidence, "marketing submitted twice", marketing)
    count, most = len(case.uncertain_parts), evidence.most_uncertain
    if count > most:
        evidence.faults.append(f"{count} parts are uncertain, more than the {most} of the windows at the kills")
    evidence.facts |= {"uncertain": count, "uncertain at most": most, "submitted twice": len(doubles)}


def _texts(evidence: Evidence, case: Case) -> None:
    """What the operator has is what was asked for, part by part."""
    wrong = []
    for (phone, token), row in case.rows.items():
        wish, pieces = case.wishes[token], []
        for part in range(1, row["parts"] + 1):
            found = case.seen.get((phone, token, part), [])
            pieces += [found[0].text] if found else []
            wrong += [one for one in found if one.total != row["parts"] or one.text != found[0].text]
        text = wish.texts[phone]
        said = "".join(pieces)
        if len(pieces) == row["parts"] and not (said.startswith(text) if wish.marketing else said == text):
            wrong.append((phone, text, said))
    _fault(evidence, "another text than was asked for", wrong)


def _final(evidence: Evidence, case: Case) -> None:
    """The end that its number's script has; without a receipt only where the outcome was unknown."""
    wrong = []
    for (phone, token), row in case.rows.items():
        ending = phone.removeprefix(PREFIX) if phone.startswith(PREFIX) else ""
        expected = STATES.get(ending, {State.DELIVERED})
        excused = row["state"] == State.UNCONFIRMED and row["uncertain"]
        if row["state"] not in expected and not excused:
            wrong.append((phone, token, State(row["state"]).name, row["uncertain"]))
    _fault(evidence, "another end than the operator's", wrong)
    evidence.facts["ends"] = dict(Counter(State(row["state"]).name.lower() for row in case.rows.values()))


def _told(evidence: Evidence, case: Case) -> None:
    """Every end was called back with the right word."""
    sink = evidence.sink
    missing, wrong = [], []
    for (phone, token), row in case.rows.items():
        primotexto = row["dialect"] == Dialect.PRIMOTEXTO
        word = WORDS.get(State(row["state"]), OTHERWISE)[primotexto]
        heard = sink.webhooks.get(str(row["number"]), []) if primotexto else sink.reports.get((token, phone), [])
        ends = [one for one in heard if one not in ("sent", "submitted", "waiting")]
        if not ends:
            missing.append((phone, token, State(row["state"]).name, heard))
        elif word not in ends:
            wrong.append((phone, token, State(row["state"]).name, heard))
    _fault(evidence, "never called back", missing)
    _fault(evidence, "called back with another word", wrong)
    evidence.facts |= {
        "notifications": len(sink.ids),
        "notifications posted again": sum(times - 1 for times in sink.ids.values()),
    }


def _answers(evidence: Evidence, case: Case) -> None:
    """The same request has the same answer, whichever process gives it; refusals are for want of money."""
    _fault(evidence, "another answer to the same request", evidence.load.mismatched)
    refused = [wish for wish in case.wishes.values() if not wish.accepted]
    odd = [(wish.token, wish.status, wish.answer) for wish in refused if wish.account != "poor"]
    _fault(evidence, "refused", odd)
    numbers = Counter(wish.told.get("message_id") or wish.told.get("snapshotId") for wish in case.wishes.values()
                      if wish.accepted and not wish.primotexto)  # fmt: skip
    _fault(evidence, "one number for two requests", [number for number, times in numbers.items() if times > 1])


async def _money(evidence: Evidence, case: Case, db: Database) -> None:
    """To the micro-euro: wallets, ledger, what was acknowledged, and the refunds."""
    wallets = {row["account_id"]: (row["balance"], row["ledger"]) for row in await db.fetch(WRONG_WALLETS)}
    _fault(evidence, "wallet and ledger differ", [item for item in wallets.items() if item[1][0] != item[1][1]])
    given = dict(
        await db.fetch("select to_account, sum(amount)::bigint from posting where from_account = 0 group by 1")
    )
    returned = dict(await db.fetch("select to_account, sum(amount)::bigint from posting where kind = 2 group by 1"))
    spent: Counter[int] = Counter()
    refunded: Counter[int] = Counter()
    wrong = []
    for key, row in case.rows.items():
        spent[row["account_id"]] += row["price"]
        refunded[row["account_id"]] += row["refunded"]
        if row["price"] != row["parts"] * PRICES[row["service"]]:
            wrong.append((key, row["price"]))
        begun = {n for n in range(1, row["parts"] + 1) if (*key, n) in case.seen or (*key, n) in case.uncertain_parts}
        if row["refunded_parts"] + len(begun) > row["parts"]:
            wrong.append((key, "refunded and submitted", row["refunded_parts"], sorted(begun)))
        if row["refunded"] != row["refunded_parts"] * PRICES[row["service"]]:
            wrong.append((key, "refunded", row["refunded"], row["refunded_parts"]))
    _fault(evidence, "another price than that of its parts", wrong)
    for customer in evidence.customers.values():
        account = customer.account_id
        expected = given[account] - spent[account] + refunded[account]
        if wallets[account][0] != expected:
            evidence.faults.append(f"{customer.name} has {wallets[account][0]} and should have {expected}")
        if returned.get(account, 0) != refunded[account]:
            evidence.faults.append(f"{customer.name} got {returned.get(account, 0)} back, not {refunded[account]}")
    shown = [wish for wish in case.wishes.values() if wish.accepted and not wish.primotexto]
    acknowledged = sum(round(wish.told["cost"] * 1_000_000) for wish in shown)
    charged = sum(row["price"] for row in case.rows.values() if row["dialect"] == Dialect.SMSPARTNER)
    if acknowledged != charged:
        evidence.faults.append(f"answers named {acknowledged} micro-euros, {charged} were charged")
    evidence.facts |= {"charged (micro-euros)": sum(spent.values()), "refunded (micro-euros)": sum(refunded.values())}


async def figures_of(db: Database) -> list[str]:
    """Statistics equal a recount, or what is wrong."""
    now = await db.fetchval("select max(due_at) + interval '60 hours' from submission")
    tags = await db.fetch("select distinct account_id, dialect, tag_key from submission")
    wanted = {tuple(row) for row in tags} | {(row["account_id"], row["dialect"], "") for row in tags}
    wrong = []
    for account, dialect, tag in sorted(wanted):
        counted = await statistics.counters(db, account, dialect, tag)
        again = await statistics.recount(db, account, dialect, tag, now)
        if counted != again.counters:
            wrong.append((account, Dialect(dialect).name, tag, counted, again.counters))
        if not tag:
            low = now.replace(minute=0, second=0, microsecond=0).replace(year=now.year - 1)
            high = now.replace(minute=0, second=0, microsecond=0).replace(year=now.year + 1)
            ((parts, cost),) = await statistics.cost_rows(db, account, dialect, [low, high], now)
            if (parts, cost) != (again.parts, again.cost):
                wrong.append((account, Dialect(dialect).name, (parts, cost), (again.parts, again.cost)))
    return [f"statistics differ from a recount: {one}" for one in wrong]


async def _leftovers(evidence: Evidence, db: Database) -> None:
    """What nothing needs any more."""
    for table in ("queue", "awaiting"):
        left = await db.fetchval(f"select count(*) from {table}")
        if left:
            evidence.faults.append(f"{left} rows are left in {table}")
    evidence.facts["parked receipts left"] = await db.fetchval("select count(*) from parked_receipt")
    given_up = await db.fetchval("select count(*) from event where state = 1")
    if given_up:
        evidence.faults.append(f"{given_up} notifications were given up")
