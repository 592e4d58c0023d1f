"""Events as rows: leased from the start, one after the other for a message, put off, given up, replayed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.domain.message import EventKind
from passerelle.store import events
from passerelle.store.database import Database
from passerelle.store.events import Failed, Leased, NewEvent, endpoint_of

T0 = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event(message_id: int = 1, kind: EventKind = EventKind.DELIVERED, account_id: int = 1000, **more: str) -> NewEvent:
    url = more.get("url", "http://shop.example/dlr?key=1")
    return NewEvent(account_id, message_id, kind, T0, url, "application/json", more.get("body", "{}"))


async def insert(db: Database, *new: NewEvent, now: datetime = T0, lease: float = 60.0) -> list[Leased]:
    async with db.transaction() as connection:
        return await events.insert(connection, new, now, lease)


async def lease(db: Database, now: datetime = T0, limit: int = 100, busy: tuple[str, ...] = ()) -> list[Leased]:
    return await events.lease(db, now, limit, busy)


async def expire_leases(db: Database) -> None:
    """The process that held them was killed a minute ago."""
    await db.execute(
        "UPDATE event SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL"
    )


def kinds(leased: list[Leased]) -> list[int]:
    return [one.kind for one in leased]


async def test_what_is_inserted_is_leased_to_its_writer(db: Database) -> None:
    (mine,) = await insert(db, event(body='{"a": "é"}'))
    assert (mine.account_id, mine.message_id, mine.kind, mine.attempts) == (1000, 1, EventKind.DELIVERED, 0)
    assert (mine.url, mine.endpoint) == ("http://shop.example/dlr?key=1", "http://shop.example:80")
    assert (mine.content_type, mine.body, mine.at) == ("application/json", '{"a": "é"}', T0)
    assert await lease(db) == []


async def test_a_lease_that_is_over_is_anybodys_and_the_event_stays_the_same(db: Database) -> None:
    (mine,) = await insert(db, event())
    await expire_leases(db)
    (again,) = await lease(db)
    assert (again.id, again.uuid, again.body) == (mine.id, mine.uuid, mine.body)
    assert await lease(db) == []


async def test_a_rollback_leaves_nothing(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as connection:
            assert await events.insert(connection, [event()], T0)
            raise ZeroDivisionError
    assert await lease(db) == []


async def test_events_of_one_message_follow_each_other_in_one_batch(db: Database) -> None:
    new = [event(1, EventKind.SENT), event(2), event(1, EventKind.SUBMITTED), event(1, EventKind.DELIVERED)]
    first = await insert(db, *new)
    assert [(one.message_id, one.kind) for one in first] == [(1, EventKind.SENT), (2, EventKind.DELIVERED)]
    assert await events.delivered(db, [one.id for one in first]) == 1
    (second,) = await lease(db)
    assert second.kind == EventKind.SUBMITTED
    assert await lease(db) == []
    assert await events.delivered(db, [second.id]) == 1
    (third,) = await lease(db)
    assert third.kind == EventKind.DELIVERED
    assert await events.delivered(db, [third.id]) == 0


async def test_a_failed_event_holds_back_the_later_ones_of_its_message_alone(db: Database) -> None:
    (mine,) = await insert(db, event(1, EventKind.SENT))
    await events.failed(db, [Failed(mine.id, 1, T0 + MINUTE, "HTTP 500")])
    assert await insert(db, event(1, EventKind.DELIVERED)) == []
    assert len(await insert(db, event(2), event(1, account_id=1001))) == 2
    assert await lease(db) == []
    (again,) = await lease(db, T0 + MINUTE)
    assert (again.kind, again.attempts) == (EventKind.SENT, 1)


async def test_giving_up_releases_the_next_and_keeps_the_event_for_replay(db: Database) -> None:
    (mine,) = await insert(db, event(1, EventKind.SENT))
    await insert(db, event(1, EventKind.DELIVERED))
    await events.failed(db, [Failed(mine.id, 8, None, "HTTP 500")])
    assert kinds(await lease(db)) == [EventKind.DELIVERED]
    (kept,) = await events.given_up(db, 1000)
    assert (kept.id, kept.uuid, kept.attempts, kept.error) == (mine.id, mine.uuid, 8, "HTTP 500")
    assert await events.given_up(db, 1001) == []
    assert await events.replay(db, 1001, [mine.id], T0) == 0
    assert await events.replay(db, 1000, [mine.id], T0 + MINUTE) == 1
    assert await events.given_up(db, 1000) == []
    (again,) = await lease(db, T0 + MINUTE)
    assert (again.id, again.uuid, again.attempts) == (mine.id, mine.uuid, 0)


async def test_events_about_no_message_know_no_order(db: Database) -> None:
    assert len(await insert(db, event(0), event(0))) == 2
    assert len(await insert(db, event(0))) == 1
    await expire_leases(db)
    assert len(await lease(db)) == 3


async def test_busy_endpoints_are_left_out(db: Database) -> None:
    await insert(db, event(1, url="http://slow.example/a"), event(2, url="https://quick.example/b"))
    await expire_leases(db)
    assert [one.endpoint for one in await lease(db, busy=("http://slow.example:80",))] == ["https://quick.example:443"]


async def test_the_oldest_due_are_leased_first_and_only_so_many(db: Database) -> None:
    for minute in (2, 0, 1):
        await insert(db, event(minute + 1), now=T0 + minute * MINUTE)
    await expire_leases(db)
    assert [one.message_id for one in await lease(db, T0 + 5 * MINUTE, limit=2)] == [1, 2]
    assert [one.message_id for one in await lease(db, T0 + 5 * MINUTE)] == [3]


async def test_two_leasers_share_nothing(db: Database) -> None:
    await insert(db, *(event(n) for n in range(1, 41)))
    await expire_leases(db)
    async with db.connection() as one, db.connection() as other, one.transaction():
        mine = await one.fetch(events._SQL.lease, T0, 25, [], timedelta(seconds=60))
        theirs = await other.fetch(events._SQL.lease, T0, 25, [], timedelta(seconds=60))
    assert len(mine) == 25
    assert len(theirs) == 15
    assert not {row["id"] for row in mine} & {row["id"] for row in theirs}


async def test_progress_that_was_not_told_yet_is_dropped_at_the_end(db: Database) -> None:
    old, other = await insert(db, event(1, EventKind.SENT), event(2, EventKind.SENT))
    await insert(db, event(1, EventKind.SUBMITTED))
    await events.failed(db, [Failed(old.id, 1, T0 + MINUTE, "x"), Failed(other.id, 1, T0 + MINUTE, "x")])
    async with db.transaction() as connection:
        await events.drop_progress(connection, [(1000, 1)])
        final = await events.insert(connection, [event(1, EventKind.DELIVERED)], T0)
    assert kinds(final) == [EventKind.DELIVERED]
    assert [one.message_id for one in await lease(db, T0 + MINUTE)] == [2]


async def test_progress_under_way_goes_before_the_end(db: Database) -> None:
    (sent,) = await insert(db, event(1, EventKind.SENT))
    async with db.transaction() as connection:
        await events.drop_progress(connection, [(1000, 1)])
        assert await events.insert(connection, [event(1, EventKind.DELIVERED)], T0) == []
    await events.delivered(db, [sent.id])
    assert kinds(await lease(db)) == [EventKind.DELIVERED]


async def test_an_end_is_never_dropped_as_progress(db: Database) -> None:
    (failed,) = await insert(db, event(1, EventKind.FAILED))
    await events.failed(db, [Failed(failed.id, 1, T0 + MINUTE, "x")])
    async with db.transaction() as connection:
        await events.drop_progress(connection, [(1000, 1)])
    assert kinds(await lease(db, T0 + MINUTE)) == [EventKind.FAILED]


async def test_an_outcome_that_comes_after_another_process_delivered_changes_nothing(db: Database) -> None:
    (mine,) = await insert(db, event())
    await events.delivered(db, [mine.id])
    await events.failed(db, [Failed(mine.id, 1, T0 + MINUTE, "late")])
    assert await events.delivered(db, [mine.id]) == 0
    assert await lease(db, T0 + 2 * MINUTE) == []


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://a.example/x?y=http://b.example/", "http://a.example:80"),
        ("https://A.Example", "https://a.example:443"),
        ("https://a.example:8443?x=1", "https://a.example:8443"),
        ("http://user:word@a.example:80/", "http://a.example:80"),
        ("http://[2001:db8::1]:81/x", "http://2001:db8::1:81"),
        ("http://a.example:port/", "http://a.example:port"),
        ("nonsense", "://:0"),
    ],
)
def test_the_endpoint_of_a_url(url: str, endpoint: str) -> None:
    assert endpoint_of(url) == endpoint


async def test_the_plans_made_on_an_empty_table_serve_a_full_one(db: Database) -> None:
    async with db.connection() as connection:
        lease_plan = await connection.fetch(
            "EXPLAIN " + events._SQL.lease, T0, 500, ["http://slow.example:80"], timedelta(seconds=60)
        )
        ended_plan = await connection.fetch("EXPLAIN " + events._SQL.delivered, [1, 2, 3])
    for plan, needed in ((lease_plan, {"event_due", "event_message", "event_pkey"}), (ended_plan, {"event_message"})):
        text = "\n".join(row[0] for row in plan)
        assert "Seq Scan" not in text
        assert all(index in text for index in needed), text
