"""Any sequence of calls of a customer and its sub-accounts, beside a model that knows only the contract.

After each call the ledger sums to zero, no balance is negative, every `me` says what the model says; at the end every
list tells what was done.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from surfaces.smspartner.conftest import Shop, opened

from passerelle.store import ledger

PRICE = 38_000
PHONES = [f"+33639980{n:03}" for n in range(1, 9)]
LATER = {"scheduledDeliveryDate": "17/11/2026", "time": 10, "minute": 0}

_names = count(1)
phones = st.lists(st.sampled_from(PHONES), min_size=1, max_size=4)
amounts = st.integers(1, 400_000)  # thousandths of a euro


@dataclass(eq=False)
class Holder:
    """An account as the model sees it. `balance` in micro-euros."""

    shop: Shop
    balance: int
    parent: Holder | None = None
    token: str = ""
    alive: bool = True
    stops: dict[str, int] = field(default_factory=dict)
    groups: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # id -> (contact, phone)
    pending: dict[int, tuple[int, int]] = field(default_factory=dict)  # cancellable: number -> (cost, parts)
    queued: int = 0  # parts of the others


@dataclass(frozen=True)
class Sent:
    """An accepted send."""

    holder: Holder
    number: int


class Sequences(RuleBasedStateMachine):
    """Rules are calls; the model is changed as the contract says."""

    platform: Platform

    holders = Bundle("holders")
    sends = Bundle("sends")
    contacts = Bundle("contacts")

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Holder] = []

    def call(self, holder: Holder, call: str, **members: Any) -> Any:
        return self.platform.run(holder.shop.post(call, **members))

    def read(self, holder: Holder, call: str, query: str = "") -> Any:
        return self.platform.run(holder.shop.get(call, query))

    @initialize(target=holders, euros=st.sampled_from([0, 1, 5]))
    def open_an_account(self, euros):
        shop = self.platform.run(self.platform.shop.open(f"main{next(_names)}@example.org", euros))
        self.all.append(Holder(shop, euros * 1_000_000))
        return self.all[-1]

    # --- sends -----------------------------------------------------------------------------------------------------

    @rule(target=sends, holder=holders, to=phones, parts=st.integers(1, 2), later=st.booleans())
    def send(self, holder, to, parts, later):
        text = "a" * (160 if parts == 1 else 161)
        answer = self.call(holder, "send", phoneNumbers=to, message=text, **(LATER if later else {}))
        if not holder.alive:
            assert answer["code"] == 10
            return multiple()
        kept = {phone for phone in to if phone not in holder.stops}
        cost = PRICE * parts * len(kept)
        if not kept or cost > holder.balance:
            assert answer["code"] == (11 if kept else 55)
            return multiple()
        assert (answer["nb_sms"], round(answer["cost"] * 1_000_000)) == (parts * len(kept), cost)
        holder.balance -= cost
        if later:
            holder.pending[answer["message_id"]] = (cost, parts * len(kept))
        else:
            holder.queued += parts * len(kept)
        return Sent(holder, answer["message_id"])

    @rule(sent=sends, by=holders)
    def cancel(self, sent, by):
        answer = self.read(by, "message-cancel", f"messageId={sent.number}")
        if not by.alive:
            assert answer["code"] == 10
        elif by is not sent.holder:
            assert answer["code"] == 4
        elif sent.number in by.pending:
            assert answer["success"]
            by.balance += by.pending.pop(sent.number)[0]
        else:
            assert answer["code"] in (5, 6)

    # --- opt-outs --------------------------------------------------------------------------------------------------

    @rule(holder=holders, phone=st.sampled_from(PHONES))
    def stop(self, holder, phone):
        answer = self.call(holder, "stop-sms/add", phoneNumber=phone)
        if not holder.alive:
            assert answer["code"] == 10
        elif phone in holder.stops:
            assert answer["code"] == 3
        else:
            holder.stops[phone] = answer["stopId"]

    @rule(holder=holders, owner=holders, phone=st.sampled_from(PHONES))
    def allow(self, holder, owner, phone):
        given = owner.stops.get(phone, 2**31 - 1)
        answer = self.read(holder, "stop-sms/delete", f"id={given}")
        if not holder.alive:
            assert answer["code"] == 10
        elif holder.stops.get(phone) == given:
            assert answer["success"]
            del holder.stops[phone]
        else:
            assert answer["code"] == 4

    # --- contacts --------------------------------------------------------------------------------------------------

    @rule(holder=holders)
    def add_group(self, holder):
        answer = self.call(holder, "group/add", name="Clients")
        if holder.alive:
            holder.groups[answer["groupId"]] = []
        else:
            assert answer["code"] == 10

    @rule(target=contacts, holder=holders, owner=holders, phone=st.sampled_from(PHONES), which=st.integers(0, 3))
    def add_contact(self, holder, owner, phone, which):
        if not owner.groups:
            return multiple()
        group = sorted(owner.groups)[which % len(owner.groups)]
        answer = self.call(holder, "contact/add", groupId=group, contact={"phoneNumber": phone, "firstname": "Alix"})
        if not holder.alive:
            assert answer["code"] == 10
        elif owner is not holder:
            assert answer["code"] == 404
        elif any(phone == known for _, known in owner.groups[group]):
            assert answer["code"] == 15
        else:
            owner.groups[group].append((answer["contact"]["contactId"], phone))
            return owner, group, answer["contact"]["contactId"]
        return multiple()

    @rule(contact=contacts, holder=holders)
    def delete_contact(self, contact, holder):
        owner, group, token = contact
        answer = self.call(holder, "contact/delete", contactId=token)
        there = [one for one in owner.groups.get(group, ()) if one[0] == token]
        if not holder.alive:
            assert answer["code"] == 10
        elif owner is holder and there:
            assert answer["success"]
            owner.groups[group].remove(there[0])
        else:
            assert answer["code"] == 404

    @rule(holder=holders, which=st.integers(0, 3))
    def delete_group(self, holder, which):
        if holder.groups and holder.alive:
            group = sorted(holder.groups)[which % len(holder.groups)]
            assert self.call(holder, "group/delete", groupId=group)["success"]
            del holder.groups[group]

    # --- sub-accounts ----------------------------------------------------------------------------------------------

    @rule(target=holders, parent=holders, amount=amounts)
    def create_sub_account(self, parent, amount):
        credit = {"creditToAttribute": amount / 1000}
        answer = self.call(parent, "subaccount/create", type="simple", parameters=credit)
        if not parent.alive or parent.parent is not None:
            assert answer["code"] == (2 if parent.alive else 10)
            return multiple()
        if amount * 1000 > parent.balance:
            assert answer["code"] == 9
            return multiple()
        parent.balance -= amount * 1000
        token = answer["subaccount"]["token"]
        listed = self.read(parent, "subaccount/list", "page=1")["data"]
        key = next(one["apiKey"] for one in listed if one["token"] == token)
        made = self.platform.run(self.platform.known(parent.shop, key))
        self.all.append(Holder(made, amount * 1000, parent, token))
        return self.all[-1]

    @rule(child=holders, by=holders, amount=amounts, give=st.booleans())
    def move_credit(self, child, by, amount, give):
        call = "subaccount/credit/add" if give else "subaccount/credit/remove"
        answer = self.call(by, call, credit=amount / 1000, tokenSubaccount=child.token or "no such token")
        if not by.alive:
            assert answer["code"] == 10
        elif by.parent is not None:
            assert answer["code"] == 4
        elif child.parent is not by or not child.alive:
            assert answer["code"] == 7
        else:
            giver, taker = (by, child) if give else (child, by)
            if giver.balance < amount * 1000:
                assert answer["code"] == (8 if giver.balance else 6)
                return
            giver.balance -= amount * 1000
            taker.balance += amount * 1000
            assert round(answer["credit"] * 1_000_000) == by.balance
            assert round(answer["subaccountCredit"] * 1_000_000) == child.balance

    @rule(child=holders, by=holders)
    def remove_sub_account(self, child, by):
        answer = self.call(by, "subaccount/remove", token=child.token or "no such token")
        if not by.alive:
            assert answer["code"] == 10
        elif child.parent is by and child.alive:
            assert answer["success"]
            by.balance += child.balance + sum(cost for cost, _ in child.pending.values())
            child.balance, child.alive = 0, False
            child.pending.clear()
        else:
            assert answer["code"] == 404

    # --- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def the_ledger_sums_to_zero(self):
        assert self.platform.run(ledger.wrong_wallets(self.platform.shop.db)) == []

    @invariant()
    def balances_are_those_of_the_model(self):
        for holder in self.all:
            assert holder.balance >= 0
            assert self.platform.run(holder.shop.balance()) == holder.balance
            if holder.alive:
                credits = self.read(holder, "me")["credits"]
                waiting = holder.queued + sum(parts for _, parts in holder.pending.values())
                assert (credits["balance"], credits["toSend"]) == (f"{holder.balance / 1_000_000:.3f}", waiting)

    def teardown(self):
        for holder in self.all:
            if holder.alive:
                self.lists_tell_what_was_done(holder)

    def lists_tell_what_was_done(self, holder: Holder) -> None:
        stops = self.read(holder, "stop-sms/list")["data"]
        assert {one["phoneNumber"]: one["id"] for one in stops} == holder.stops
        assert {one["id"] for one in self.read(holder, "group/list")["groups"]} == holder.groups.keys()
        for group, members in holder.groups.items():
            listed = self.read(holder, "contact/list", f"groupId={group}")
            assert listed["total"] == str(len(members))
            assert [(one["contactId"], one["phone"]) for one in listed["datas"]] == members
            assert {one["phone"] for one in listed["datas"] if one["stopSms"]} == holder.stops.keys() & {
                phone for _, phone in members
            }
        children = [one for one in self.all if one.parent is holder and one.alive]
        if holder.parent is None:
            listed = self.read(holder, "subaccount/list")
            assert listed["total"] == len(children)
            assert {one["token"]: one["credits"]["balance"] for one in listed["data"]} == {
                one.token: f"{one.balance / 1_000_000:.3f}" for one in children[:20]
            } or len(children) > 20


class Platform:
    """A shop in a loop of its own: the machine is not made of coroutines."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._opening = opened(url)
        self.shop: Shop = self.run(self._opening.__aenter__())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def known(self, like: Shop, key: str) -> Shop:
        """The account of a key."""
        account = await like.accounts.find(key)
        assert account is not None
        return Shop(like.db, like.accounts, like.clock, like.app, account, key)

    def close(self) -> None:
        self.run(self._opening.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def test_any_sequence_of_calls(database_url: str) -> None:
    platform = Platform(database_url)
    machine = type("OnePlatform", (Sequences,), {"platform": platform})
    try:
        limits = settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        )
        machine.TestCase.settings = limits
        machine.TestCase().runTest()
    finally:
        platform.close()
