"""The counters through whole lives of messages: equal to a recount at every step, and true to their invariants."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from passerelle.domain.message import Dialect, DuePart, Outcome, OutcomeKind, Receipt, State
from passerelle.pipeline.dispatch import Dispatcher
from passerelle.pipeline.receipts import Receipts
from passerelle.pipeline.teller import Teller
from passerelle.store import optouts, statistics
from passerelle.store.optouts import List
from passerelle.surfaces.primotexto import wire

from .conftest import Client

TAGS = ("", "codes", "colis")
OUTCOMES = (
    [OutcomeKind.SENT] * 6
    + [OutcomeKind.THROTTLED, OutcomeKind.TEMPORARY, OutcomeKind.PERMANENT, OutcomeKind.UNKNOWN, OutcomeKind.UNSENT]
)  # fmt: skip
ENDS = [State.DELIVERED] * 4 + [State.UNDELIVERED, State.BOUNCED]


class Operator:
    """A carrier that keeps what it is given until the test says what became of it."""

    id = 1
    name = "operator"

    def __init__(self, rng: random.Random, client: Client) -> None:
        self.rng = rng
        self.client = client
        self.given: list[DuePart] = []
        self.taken: list[tuple[str, int]] = []

    def free_slots(self) -> int:
        """As many as may be."""
        return self.rng.randrange(1, 30)

    def submit(self, parts: Sequence[DuePart]) -> None:
        """Keep them."""
        self.given += parts

    def outcomes(self) -> list[Outcome]:
        """What becomes of all that was given."""
        given, self.given = self.given, []
        return [self.outcome(part) for part in given]

    def outcome(self, part: DuePart) -> Outcome:
        """What becomes of one part."""
        kind, now = self.rng.choice(OUTCOMES), self.client.clock.now()
        if kind is not OutcomeKind.UNSENT:
            part.begun_at = now
        if kind is not OutcomeKind.SENT:
            return Outcome(part, kind, error="no", bounced=self.rng.random() < 0.5, at=now)
        operator_id = uuid.UUID(int=self.rng.getrandbits(128)).hex
        self.taken.append((operator_id, part.phone))
        return Outcome(part, kind, operator_id, at=now)

    def receipts(self, share: float) -> list[Receipt]:
        """Reports on some of what was taken; some come twice, some again with another end."""
        chosen = [one for one in self.taken if self.rng.random() < share]
        return [Receipt((id_,), phone, self.rng.choice(ENDS), "", self.client.clock.now()) for id_, phone in chosen]


async def verify(client: Client) -> dict[str, Any]:
    for tag in TAGS:
        now = client.clock.now()
        counted = await statistics.recount(client.db, client.account.id, Dialect.PRIMOTEXTO, tag, now)
        assert await statistics.counters(client.db, client.account.id, Dialect.PRIMOTEXTO, tag) == counted.counters
        shown = (await client.get(f"/v2/messages/stats?category={tag}")).json
        assert shown["submitted"] <= shown["sent"]
        assert shown["delivered"] + shown["errors"] + shown["bounced"] <= shown["sent"]
        if not tag:
            span = [now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours) for hours in (-5000, 5000)]
            rows = await statistics.cost_rows(client.db, client.account.id, Dialect.PRIMOTEXTO, span, now)
            assert rows == [(counted.parts, counted.cost)]
            everything = shown
    return everything


@pytest.mark.parametrize("seed", range(4))
async def test_counters_of_whole_lives(client: Client, seed: int) -> None:
    rng = random.Random(seed)
    operator = Operator(rng, client)
    await client.rules(webhook_url="https://bakery.example.org/hook")
    teller = Teller(client.accounts, {Dialect.PRIMOTEXTO: wire.WORDING}, lambda _: None)
    dispatcher = Dispatcher(client.db, client.clock, teller, uuid.uuid4())
    receipts = Receipts(client.db, client.clock, teller)
    for _ in range(12):
        for _ in range(rng.randrange(6)):
            now = client.clock.now()
            await client.send(
                rng.choice(["notification", "marketing"]), number=f"+3363998{rng.randrange(40):04}",
                message="a" * rng.choice([10, 10, 200, 400]), category=rng.choice(TAGS),
                date=rng.choice([None, None, wire.milliseconds(now) + rng.randrange(10**7)]),
            )  # fmt: skip
        if rng.random() < 0.2:
            await optouts.add(
                client.db, client.account.id, List.STOP, 33639980000 + rng.randrange(40), client.clock.now()
            )
        await dispatcher.pump(operator)  # type: ignore[arg-type]
        await verify(client)
        await dispatcher.record(1, operator.outcomes())
        await verify(client)
        await receipts.settle(1, operator.receipts(0.3))
        await receipts.sweep()
        await verify(client)
        client.clock.move(rng.choice([1, 30, 3600, 20_000]))
        if rng.random() < 0.5:
            await statistics.fold(client.db, client.clock.now(), rng.choice([3, 5000]))
    for _ in range(40):
        client.clock.move(6 * 3600)
        await dispatcher.pump(operator)  # type: ignore[arg-type]
        await dispatcher.record(1, operator.outcomes())
        await receipts.give_up()
    shown = await verify(client)
    assert shown["delivered"] + shown["errors"] + shown["bounced"] == shown["sent"]
    assert await client.db.fetchval("SELECT count(*) FROM message WHERE state < 10") == 0
    assert await statistics.waiting_parts(client.db, client.account.id, Dialect.PRIMOTEXTO) == 0
    await every_message_agrees_with_what_was_told(client)


async def every_message_agrees_with_what_was_told(client: Client) -> None:
    """The words of notifications are those of the status call, and each is told once."""
    for row in await client.db.fetch("SELECT id, number FROM message"):
        status = (await client.get(f"/v2/messages/status?snapshotId={row['number']}")).json
        bodies = await client.db.fetch("SELECT body FROM event WHERE message_id = $1 ORDER BY id", row["id"])
        told = [msgspec.json.decode(one["body"]) for one in bodies]
        words = [one["event"] for one in told]
        assert len(words) == len(set(words))
        assert status["state"] in words
        assert {one["snapshotId"] for one in told} == {str(status["id"])}
