"""What the platform does with campaigns in a day, for the test of plans."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from filling import FIRST_PHONE
from store.watching import Watched

from passerelle.clock import ManualClock
from passerelle.domain.message import Dialect, TrafficClass, campaign_key
from passerelle.domain.profile import NATIVE, PRIMOTEXTO
from passerelle.pipeline import halting
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.campaigns import Campaigns
from passerelle.pipeline.editing import Edited, Editor
from passerelle.pipeline.submit import Accepted, Submitter
from passerelle.store import campaigns, contacts, lists, queue, statistics
from passerelle.store.campaigns import Draft

VALIDITY = timedelta(hours=48)


async def campaign_day(
    db: Watched, accounts: Accounts, submitter: Submitter, account_id: int, clock: ManualClock
) -> None:
    """Campaigns to a list and to a group: tried, launched, paused, written anew, resumed, stopped, over."""
    now = clock.now()
    await accounts.credit(account_id, 90_000_000_000, now)
    account = await accounts.by_id(account_id)
    assert account is not None
    listed = await lists.add(db, account_id, "Clients", now)
    assert await lists.by_id(db, account_id, listed.id) == listed
    await lists.set_region(db, account_id, listed.id, "57")
    async with db.transaction() as connection:
        people = [(FIRST_PHONE + 500_000 + n, {}) for n in range(3_000)]
        await lists.add_contacts(connection, account_id, listed.id, people, now)
    of = Campaigns(db, submitter, lambda code, host: f"https://l.example/{code}", clock)
    draft = Draft(
        "Soldes", TrafficClass.TRANSACTIONAL, "x https://a.example/", list_id=listed.id, list_token=listed.token
    )
    token = await campaigns.insert(db, account_id, Dialect.PRIMOTEXTO, draft, now)
    other = await campaigns.insert(db, account_id, Dialect.PRIMOTEXTO, draft, now)
    seen = await of.find(account_id, token)
    assert seen is not None
    one = seen.campaign
    assert await campaigns.change(db, account_id, one.id, replace(draft, name="Soldes 2", keep_list=False))
    running = asyncio.create_task(submitter.run())
    assert isinstance(await of.test(account, one, f"+{FIRST_PHONE + 7}", PRIMOTEXTO), Accepted)
    running.cancel()
    launched = await of.launch(account, one, PRIMOTEXTO)
    assert isinstance(launched, Accepted) and launched.messages > 2_900
    await campaigns.leave_out(db, account_id, launched.id, [campaigns.Skipped(9, "+336", "opted_out")])
    assert await campaigns.skipped(db, account_id, launched.id, -1, 100)
    assert await campaigns.launched_since(db, account_id, now, Dialect.PRIMOTEXTO) == 1
    assert await campaigns.of_submission(db, account_id, launched.id) == token
    clock.move(1)
    await of.seen(await campaigns.listing(db, account_id, Dialect.PRIMOTEXTO))
    await campaigns.newest(db, account_id, campaigns.NEWEST, 50)
    await _halts(db, of, submitter, account_id, token, launched.id, clock)
    await statistics.counters(db, account_id, Dialect.PRIMOTEXTO, campaign_key(token))
    await statistics.unsubscribers_of_all(db, account_id, Dialect.PRIMOTEXTO)
    drafted = await of.find(account_id, other)
    assert drafted is not None and await campaigns.delete(db, account_id, drafted.campaign.id)
    await _to_a_group(db, of, account_id, clock)


async def _halts(
    db: Watched, of: Campaigns, submitter: Submitter, account_id: int, token: bytes, submission: int, clock: ManualClock
) -> None:
    account = await submitter._accounts.by_id(account_id)
    assert account is not None
    assert await halting.pause(db, account_id, submission, clock.now()) is None
    await halting.carry_on(db, clock, VALIDITY)
    seen = await of.find(account_id, token)
    assert seen is not None
    await campaigns.rename(db, account_id, seen.campaign.id, "Soldes 3")
    edited = await Editor(of, submitter).edit(account, seen.campaign, "S", "y https://a.example/", PRIMOTEXTO)
    assert isinstance(edited, Edited) and edited.messages > 2_900
    assert await halting.resume(db, account_id, submission, clock.now(), VALIDITY) is None
    asked = (account_id, submission, "57", clock.now(), clock.now() + VALIDITY, VALIDITY)
    assert await queue.put_off(db, *asked, 500) == 500
    async with db.transaction() as connection:
        rows = await connection.fetch(
            "select account_id, message_id, part from queue where submission_id = $1 limit 9", submission
        )
        await queue.park(connection, [queue.Part(*row) for row in rows])
        await campaigns.share_paused(connection, [(account_id, submission)])
    assert await halting.stop(db, account_id, submission, clock.now(), VALIDITY) is None
    await halting.carry_on(db, clock, VALIDITY)
    await halting.end(db, clock, VALIDITY)
    assert await campaigns.over(db) == []
    await campaigns.end(db, account_id, seen.campaign.id, clock.now())


async def _to_a_group(db: Watched, of: Campaigns, account_id: int, clock: ManualClock) -> None:
    """Few of them, so that it leaves with others; it is edited and over."""
    now = clock.now()
    async with db.transaction() as connection:
        group = await contacts.add_group(connection, account_id, "Few", now)
    token = await campaigns.insert(
        db,
        account_id,
        Dialect.NATIVE,
        Draft("G", TrafficClass.TRANSACTIONAL, "{{firstname|x}}", group_id=group.id),
        now,
    )
    seen = await of.find(account_id, token)
    assert seen is not None
    audience = await of.audience(seen.campaign)
    assert audience is not None and await audience.extent(db) == (0, 0)
    assert await audience.of_phones(db, [FIRST_PHONE]) == {}
    assert await of.plan(await of._submitter._accounts.by_id(account_id), seen.campaign, NATIVE)  # type: ignore[arg-type]
