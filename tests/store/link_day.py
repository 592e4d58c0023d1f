"""What the platform does with tracked links in a day, for the test of plans."""

from __future__ import annotations

from datetime import datetime, timedelta

from store.watching import Watched

from passerelle.clock import ManualClock
from passerelle.domain.links import Robot
from passerelle.domain.tracking import Target
from passerelle.pipeline.inbound import Inbound
from passerelle.pipeline.stop_links import StopLinks
from passerelle.pipeline.teller import Teller
from passerelle.pipeline.visits import Visits
from passerelle.settings import Settings
from passerelle.store import links, statistics, tracking

PAGE = Target(None, "Soldes", "<p>-20%</p>", ("https://a.example/", "https://b.example/"))


async def link_day(db: Watched, teller: Teller, now: datetime) -> None:
    """A campaign with links, people and robots who follow them, what is counted of them, STOP."""
    first, account = await db.fetchrow(
        "select s.id, s.account_id from submission s where s.dialect = 2 and s.messages = 1 order by s.id desc limit 1"
    )
    codes = links.new_tracked_codes(2)
    async with db.transaction() as connection:
        ids = await tracking.add_targets(
            connection, account, first, 2, "soldes", [PAGE, Target("https://a.example/")], now
        )
        assert await tracking.add_links(connection, ids, [codes])
    [short] = await links.make_many(db, account, ["https://a.example/"], now)
    known = await db.fetch(
        "select code from link_target t join tracked_link l on l.target_id = t.id where t.created_at = $1 limit 60", now
    )
    asked = [tracking.Asked(code, n % 3, n % 2 * Robot.NAMED) for n, code in enumerate([*codes, short, "nobody00"] * 5)]
    asked += [tracking.Asked(row[0], 0, 0) for row in known]
    led = await tracking.visit(db, asked, now)
    assert {one.url for one in led if one} == {None, *PAGE.urls}
    assert await tracking.page(db, ids[0]) == PAGE
    clock = ManualClock(now + timedelta(hours=1))
    stays = [tracking.Stay(codes[0], one.visit_id or 0, 9) for one in led if one and one.url is None]
    await tracking.spend(db, stays, clock.now())
    assert await Visits(db, teller, clock).count() > 5
    await tracking.spend(db, [one._replace(seconds=12) for one in stays], clock.now())
    stops = StopLinks(db, Inbound(db, teller, Settings(), clock), teller, clock)
    assert await stops.stop(codes[0]) and (await stops.look(codes[0])).listed
    assert await tracking.visits(db, account, first, limit=50)
    assert await statistics.unsubscribers_of_all(db, account, 2)


def links_of_old(at: str) -> str:
    """Links of every tenth message of a dialect, in proportion to the messages, with their visits; some are old."""
    return f"""
    insert into link_target (account_id, submission_id, dialect, tag_key, url, created_at)
    select account_id, id, dialect, tag_key, 'https://a.example/', {at} - row_number() over () % 2 * interval '500 days'
    from submission where dialect = 2 and id % 5 = 0;
    insert into tracked_link (code, target_id, place)
    select 'L' || m.account_id || '-' || m.id, t.id, (m.id - m.submission_id)::int
    from link_target t join message m on m.account_id = t.account_id and m.submission_id = t.submission_id;
    insert into visit (target_id, place, link, at, robot, counted)
    select target_id, place, 0, {at}, n % 2, true from tracked_link, generate_series(1, 2) n;
    """
