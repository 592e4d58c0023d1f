"""Number checks as rows: leased to one worker, recorded once, read by their account alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from passerelle.domain.hlr import Found
from passerelle.store import verifications
from passerelle.store.database import Database
from passerelle.store.verifications import Question, Recorded, Verification, Wanted

NOW = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def insert(db: Database, account_id: int, phones: range, at: datetime = NOW, url: str = "") -> Verification:
    async with db.transaction() as connection:
        number = await verifications.next_number(connection)
        made = Verification(number, at, "base", url, len(phones), 5 * len(phones))
        await verifications.insert(connection, account_id, made, [Wanted(phone, "FR", 5) for phone in phones])
    return made


async def record(db: Database, *answers: Recorded) -> list[Recorded]:
    async with db.transaction() as connection:
        return await verifications.record(connection, answers, NOW)


async def test_the_oldest_are_leased_first_and_to_one(db: Database) -> None:
    young = await insert(db, 1000, range(10, 13), NOW + timedelta(seconds=1))
    old = await insert(db, 1001, range(3), url="https://a.example/")
    assert await verifications.lease(db, NOW - timedelta(seconds=1), 10, MINUTE) == []
    first = await verifications.lease(db, NOW, 10, MINUTE)
    assert [(q.account_id, q.number, q.phone, q.notify_url) for q in sorted(first)] == [
        (1001, old.number, phone, "https://a.example/") for phone in range(3)
    ]
    second = await verifications.lease(db, NOW + MINUTE, 2, MINUTE)
    assert {q.number for q in second} == {young.number}
    assert len(await verifications.lease(db, NOW + MINUTE, 10, timedelta(0))) == 1
    assert len(await verifications.lease(db, NOW + MINUTE, 10, MINUTE)) == 1  # its lease is over
    assert await verifications.lease(db, NOW + MINUTE, 10, MINUTE) == []


async def test_what_is_answered_is_answered_once_and_leased_no_more(db: Database) -> None:
    made = await insert(db, 1000, range(2))
    one, two = sorted(await verifications.lease(db, NOW, 10, timedelta(0)))
    fine = Recorded(one, Found("20801", True, 0), False)
    assert await record(db, fine) == [fine]
    late = Recorded(one, Found("", False, 500), True)
    assert await record(db, Recorded(two, Found("", False, 1), False), late) == [
        Recorded(two, Found("", False, 1), False)
    ]
    assert await record(db) == []
    stranger = Question(1001, *one[1:])
    assert await record(db, Recorded(stranger, Found("", False, 0), False)) == []
    assert await verifications.lease(db, NOW, 10, MINUTE) == []
    kept = await verifications.results(db, 1000, made.number)
    assert [(r.reference, r.mcc_mnc, r.ported, r.error, r.refunded, r.answered_at) for r in kept] == [
        (one.reference, "20801", True, 0, False, NOW),
        (two.reference, "", False, 1, False, NOW),
    ]


async def test_requests_are_read_page_by_page_by_their_account(db: Database) -> None:
    made = [await insert(db, 1000, range(1)) for _ in range(3)]
    await insert(db, 1001, range(1))
    assert await verifications.listing(db, 1000) == made[::-1]
    assert await verifications.listing(db, 1000, made[2].number, 1) == [made[1]]
    assert await verifications.find(db, 1001, made[0].number) is None
    assert await verifications.results(db, 1001, made[0].number) == []


async def test_dead_numbers_come_and_go(db: Database) -> None:
    async def kept() -> list[tuple[int, int]]:
        return [tuple(row) for row in await db.fetch("select account_id, phone from dead_subscriber order by 1, 2")]

    async with db.transaction() as connection:
        for _ in range(2):
            await verifications.add_dead(connection, [(1000, 1), (1000, 2), (1001, 1)])
        await verifications.remove_dead(connection, [(1000, 1), (1002, 2)])
        await verifications.remove_dead(connection, [])
    assert await kept() == [(1000, 2), (1001, 1)]
