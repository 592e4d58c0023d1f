"""What happened to parts as it is applied to their messages: who hears of it, what it counts for, what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from pipeline.world import PHONE, PRICE, PRIMOTEXTO, SMSPARTNER, TUESDAY, World

from passerelle.domain.admission import Belonging
from passerelle.domain.message import TESTS, Dialect, EventKind, State
from passerelle.pipeline.settle import Settlement, figures, news
from passerelle.store import statistics
from passerelle.store.messages import MessageRow

LATER = TUESDAY + timedelta(seconds=9)


def row(dialect: Dialect = Dialect.PRIMOTEXTO, **times) -> MessageRow:
    known = dict.fromkeys(MessageRow.__struct_fields__, 0)
    known |= dict.fromkeys(
        ["sent_at", "submitted_at", "delivered_at", "failed_at", "bounced_at", "opened_at", "stopped_at"]
    )
    return MessageRow(**{**known, "dialect": dialect, "state_at": TUESDAY, **times})


@pytest.mark.parametrize(
    ("times", "counted"),
    [
        ({}, set()),
        ({"sent_at": LATER}, {"sent"}),
        ({"sent_at": LATER, "submitted_at": LATER}, {"sent", "submitted"}),
        ({"sent_at": LATER, "delivered_at": LATER}, {"sent", "delivered"}),
        ({"sent_at": LATER, "failed_at": LATER}, {"sent", "errors"}),
        ({"sent_at": LATER, "failed_at": LATER, "bounced_at": LATER}, {"sent", "bounced"}),
        ({"sent_at": LATER, "failed_at": LATER, "bounced_at": LATER, "delivered_at": LATER}, {"sent", "delivered"}),
        ({"failed_at": LATER}, set()),  # never handed over: no figure
    ],
)
def test_a_message_counts_once_as_what_it_is_best(times, counted):
    assert {name for name, value in figures(row(**times)).items() if value} == counted


E = EventKind


@pytest.mark.parametrize(
    ("dialect", "times", "told"),
    [
        (Dialect.PRIMOTEXTO, {"sent_at": LATER, "submitted_at": LATER}, [E.SENT, E.SUBMITTED]),
        (Dialect.PRIMOTEXTO, {"state": State.DELIVERED, "delivered_at": LATER}, [E.DELIVERED]),
        (Dialect.PRIMOTEXTO, {"state": State.BOUNCED, "bounced_at": LATER, "failed_at": LATER}, [E.BOUNCED]),
        (Dialect.PRIMOTEXTO, {"state": State.UNDELIVERED, "failed_at": LATER}, [E.FAILED]),
        (Dialect.PRIMOTEXTO, {"state": State.OPTED_OUT, "stopped_at": LATER}, [E.UNSUBSCRIBED]),
        (Dialect.SMSPARTNER, {"sent_at": LATER, "submitted_at": LATER}, [E.SUBMITTED]),
        (Dialect.SMSPARTNER, {"state": State.DELIVERED, "delivered_at": LATER, "submitted_at": LATER}, [E.DELIVERED]),
        (Dialect.SMSPARTNER, {"state": State.OPTED_OUT, "stopped_at": LATER}, [E.FAILED]),
        (Dialect.SMSPARTNER, {"state": State.EXPIRED, "failed_at": LATER}, [E.FAILED]),
        (Dialect.SMSPARTNER, {"state": State.CANCELLED}, []),
        (Dialect.SMSPARTNER, {"stopped_at": LATER}, []),  # an opt-out in answer to it: the reply tells
    ],
)
def test_what_a_change_is_news_of(dialect, times, told):
    assert [kind for kind, _ in news(row(dialect, **times), row(dialect))] == told


def test_the_second_end_is_news_to_primotexto_alone():
    for dialect, told in [(Dialect.SMSPARTNER, []), (Dialect.PRIMOTEXTO, [(E.DELIVERED, LATER)])]:
        before = row(dialect, state=State.UNDELIVERED, failed_at=TUESDAY)
        after = row(dialect, state=State.UNDELIVERED, failed_at=TUESDAY, delivered_at=LATER)
        assert news(after, before) == told


@dataclass
class Settled:
    """A message of so many parts, and settlements of it in transactions of their own."""

    world: World
    key: tuple[int, int]

    async def do(self, *happened) -> None:
        """`happened`: (part, state), ("begun", part), ("unstarted", parts)."""
        now = self.world.clock.now()
        async with self.world.db.transaction() as connection:
            settlement = Settlement(connection, now, self.world.teller)
            await settlement.load([self.key])
            for what, more in happened:
                if what == "begun":
                    settlement.begun(self.key, more, now, 0)
                    await connection.execute("delete from queue where message_id = $1 and part = $2", self.key[1], more)
                elif what == "unstarted":
                    settlement.unstarted(self.key, more)
                    await connection.execute(
                        "delete from queue where ctid = any (array (select ctid from queue where message_id = $1 limit $2))",
                        self.key[1],
                        more,
                    )
                else:
                    settlement.moved(self.key, what, more, now)
            await settlement.save()


async def made(world: World, text: str = "Bonjour", profile=SMSPARTNER) -> Settled:
    account = await world.account()
    await world.send(account, text=text, profile=profile)
    return Settled(world, (account.id, (await world.message())["id"]))


async def test_a_refund_is_given_once_however_often_parts_end(world):
    one = await made(world, "x" * 400)
    await one.do(("begun", 1), (2, State.EXPIRED), ("unstarted", 1))
    await one.do((1, State.REFUSED), (3, State.EXPIRED))
    row = await world.message()
    assert (row["refunded_parts"], row["refunded"]) == (2, 2 * PRICE)
    account = await world.accounts.by_id(one.key[0])
    assert account is not None and await world.spent(account) == PRICE


async def test_nothing_is_given_back_for_a_message_that_arrived(world):
    one = await made(world)
    await one.do((1, State.DELIVERED), ("unstarted", 1))
    assert (await world.message())["refunded"] == 0


async def test_the_first_end_stays_and_its_error_with_it(world):
    one = await made(world)
    await one.do(("begun", 1), (1, State.UNDELIVERED))
    at = world.clock.now()
    world.clock.move(5)
    await one.do((1, State.DELIVERED))
    row = await world.message()
    assert (row["state"], row["state_at"], row["delivered_at"]) == (State.UNDELIVERED, at, world.clock.now())


async def test_nothing_changed_writes_and_tells_nothing(world):
    one = await made(world)
    await one.do(("begun", 1), (1, State.DELIVERED))
    deltas, told = len(await world.rows("statistic_delta")), await world.told()
    world.clock.move(5)
    await one.do((1, State.DELIVERED), (1, State.UNCERTAIN))
    assert (len(await world.rows("statistic_delta")), await world.told()) == (deltas, told)


async def test_steps_that_were_not_told_yet_are_not_told_after_the_end(world):
    """Of a message whose end is known nobody wants to hear that it was submitted."""
    one = await made(world, profile=PRIMOTEXTO)
    await one.do(("begun", 1), (1, State.SUBMITTED))
    assert await world.told() == ["sent", "submitted"]
    await one.do((1, State.DELIVERED))
    assert await world.told() == ["sent", "delivered"], "the first is being posted already"


async def test_a_dead_number_is_listed_once(world):
    one = await made(world)
    await one.do(("begun", 1), (1, State.BOUNCED))
    await one.do((1, State.BOUNCED))
    (entry,) = await world.rows("blocked")
    assert (entry["list"], entry["phone"], len(entry["history"])) == (2, PHONE, 1)


async def test_a_test_of_a_campaign_is_counted_apart(world):
    account = await world.account()
    await world.send(account, tag_key=TESTS, campaign=Belonging(b"campaign 12b", test=True))
    one = Settled(world, (account.id, (await world.message())["id"]))
    await one.do(("begun", 1), (1, State.DELIVERED))
    assert {row["tag_key"] for row in await world.rows("statistic_delta")} == {TESTS}
    assert (await statistics.counters(world.db, account.id, Dialect.SMSPARTNER)).delivered == 0
    assert (await statistics.counters(world.db, account.id, Dialect.SMSPARTNER, TESTS)).delivered == 1
