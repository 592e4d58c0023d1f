"""Campaigns afterwards: figures that equal a recount, who was left out, who answered."""

from __future__ import annotations

from surfaces.native.campaigning import ALIX, BO, CY, handed_over, written
from surfaces.native.conftest import Desk, problem
from surfaces.native.test_messages import every

from passerelle.app import WORDINGS
from passerelle.domain.message import Dialect, Inbound, Receipt, State, campaign_key
from passerelle.pipeline.inbound import Inbound as Texts
from passerelle.pipeline.receipts import Receipts
from passerelle.pipeline.teller import Teller
from passerelle.settings import Settings
from passerelle.store import statistics
from passerelle.store.statistics import Delta, Figure

PEOPLE = ((ALIX, "Alix"), (BO, "Bo"), (CY, "Cy"), ("+33123456789", ""), ("+33145678901", ""))


async def launched(desk: Desk) -> str:
    made = await written(desk, *PEOPLE)
    await desk.post(f"/campaigns/{made['id']}/launch", status=201)
    return str(made["id"])


async def test_figures_are_those_of_the_rows(desk: Desk) -> None:
    ident = await launched(desk)
    path, now = f"/campaigns/{ident}", desk.clock.now()
    await handed_over(desk, slots=2)
    teller = Teller(desk.services.accounts, WORDINGS, lambda leased: None)
    ids = [row["id"] for row in await desk.db.fetch("select id from message order by id")]
    reports = [(ids[0], ALIX, State.DELIVERED), (ids[1], BO, State.BOUNCED)]
    receipts = Receipts(desk.db, desk.clock, teller)
    await receipts.settle(1, [Receipt((f"op-{n}",), int(phone[1:]), state, "", now) for n, phone, state in reports])
    texts = Texts(desk.db, teller, Settings(), desk.clock)
    said = [Inbound(int(ALIX[1:]), "36000", "Merci", now), Inbound(int(ALIX[1:]), "36000", "STOP", now)]
    for one in said:
        await texts.receive([one], 1)
    await desk.post(f"{path}/cancel")
    told = await desk.get(f"{path}/statistics")
    assert told == {
        "messages": 3, "waiting": 0, "sent": 2, "submitted": 2, "delivered": 1, "errors": 0, "bounced": 1, "replies": 1,
        "complaints": 0, "unsubscribers": 1, "opens": 0, "openers": 0, "clicks": 0, "clickers": 0, "visits": 0,
        "seconds_per_visit": None, "price": "0.114", "refunded": "0.038",
    }  # fmt: skip
    key = campaign_key(bytes.fromhex(ident))
    counted = (await statistics.recount(desk.db, desk.account.id, Dialect.NATIVE, key, now)).counters
    assert await statistics.counters(desk.db, desk.account.id, Dialect.NATIVE, key) == counted
    replies = await every(desk, f"{path}/replies?limit=1")
    assert [(one["text"], one["from"], one["stop"]) for one in replies] == [
        ("STOP", ALIX, True),
        ("Merci", ALIX, False),
    ]
    assert replies == await every(desk, "/replies")


async def test_visits_are_told_with_their_length(desk: Desk) -> None:
    ident = await launched(desk)
    key, now = campaign_key(bytes.fromhex(ident)), desk.clock.now()
    async with desk.db.transaction() as connection:
        seen = Delta(desk.account.id, Dialect.NATIVE, key, now, opens=4, clicks=2, visits=3, seconds=40)
        await statistics.insert(connection, [seen])
        people = [(desk.account.id, Dialect.NATIVE, Figure.OPENERS, key, phone) for phone in (1, 2)]
        await statistics.add_distinct(connection, people)
    told = await desk.get(f"/campaigns/{ident}/statistics")
    assert {name: told[name] for name in ("opens", "openers", "clicks", "clickers", "visits", "seconds_per_visit")} == {
        "opens": 4, "openers": 2, "clicks": 2, "clickers": 0, "visits": 3, "seconds_per_visit": 13.3,
    }  # fmt: skip


async def test_who_was_left_out_is_listed_with_the_reason(desk: Desk) -> None:
    draft = await written(desk, name="Draft")
    assert await every(desk, f"/campaigns/{draft['id']}/skipped") == []
    assert (await desk.get(f"/campaigns/{draft['id']}/statistics"))["price"] == "0.000"
    ident = await launched(desk)
    for limit in (1, 500):
        assert await every(desk, f"/campaigns/{ident}/skipped?limit={limit}") == [
            {"phone": "+33123456789", "reason": "not_mobile"}, {"phone": "+33145678901", "reason": "not_mobile"},
        ]  # fmt: skip
    assert problem(await desk("GET", f"/campaigns/{ident}/skipped?cursor=x")) == (422, "invalid")
