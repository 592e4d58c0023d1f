"""A file into a group: exact counts, refused lines with their reasons, and what happens when it breaks off."""

from __future__ import annotations

import io

import pytest
from pipeline.world import PHONE, World

from passerelle.domain.contact import Fault
from passerelle.pipeline import contact_import
from passerelle.pipeline.contact_import import BATCH, SENTENCES, Elsewhere, harmless
from passerelle.pipeline.contact_sheet import SheetError
from passerelle.store import contacts as store
from passerelle.store import imports, optouts
from passerelle.store.imports import State


async def a_group(world: World, account, name="Clients"):
    async with world.db.transaction() as connection:
        return await store.add_group(connection, account.id, name, world.clock.now())


async def imported(world, account, group, content, told=lambda one: None):
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    one = await contact_import.begin(world.db, account.id, group, file, "clients.csv", world.clock.now())
    return await contact_import.run(world.db, one, file, world.clock, told)


async def phones(world, account, group):
    found = await store.after(world.db, account.id, group.id, 0, 100_000)
    return [contact.phone - PHONE for contact in found]


def lines(count, first=0):
    return "phone,custom1\n" + "".join(f"+{PHONE + n},{n}\n" for n in range(first, first + count))


async def test_rows_become_contacts_and_refused_lines_say_why(world):
    account = await world.account()
    group = await a_group(world, account)
    async with world.db.transaction() as connection:
        await store.add(connection, account.id, group.id, [{"phone": PHONE + 9}], world.clock.now())
    await optouts.add(world.db, account.id, optouts.List.STOP, PHONE + 8, world.clock.now())
    await world.db.execute("insert into dead_subscriber (account_id, phone) values ($1, $2)", account.id, PHONE + 7)
    rows = [
        ("+33639980001", "Alix", "03/02/1990", ""),
        ("06 39 98 00 01", "Twice", "", ""),
        ("+33639980010", "Already", "", ""),
        ("+33639980009", "Stopped", "", ""),
        ("+33639980008", "Dead", "", ""),
        ("", "Nobody", "", ""),
        ("145", "Short", "", ""),
        ("+33639980003", "Date", "31.02.1990", ""),
        ("+33639980004", "Link", "", "a.example"),
        ("+33639980005", "x" * 33, "", ""),
        ("639980006", "Lost its zero", "1.2.1990", ""),
        ("639980006", "Lost its zero", "01.02.1990", "https://a.example"),
    ]
    content = "Mobile;Prénom;Naissance;Lien\n" + "".join(";".join(row) + "\n" for row in rows)
    one = await imported(world, account, group, content)
    assert (one.state, one.total, one.done, one.added, one.refused) == (State.DONE, 12, 12, 2, 10)
    refused = await imports.refusals(world.db, one, 0, 100)
    assert [(r.line, Fault(r.reason)) for r in refused] == [
        (3, Fault.TWICE), (4, Fault.PRESENT), (5, Fault.OPTED_OUT), (6, Fault.DEAD), (7, Fault.NO_NUMBER),
        (8, Fault.NUMBER_INVALID), (9, Fault.DATE_INVALID), (10, Fault.URL_INVALID), (11, Fault.TOO_LONG),
        (12, Fault.DATE_INVALID),
    ]  # fmt: skip
    assert refused[0].phone == "06 39 98 00 01"
    assert [r.line for r in await imports.refusals(world.db, one, 4, 2)] == [5, 6]
    assert set(SENTENCES) == set(Fault)
    kept = await store.after(world.db, account.id, group.id, 0, 10)
    assert [(c.phone - PHONE, c.firstname, str(c.date)) for c in kept] == [
        (9, "", "None"), (0, "Alix", "1990-02-03"), (5, "Lost its zero", "1990-02-01"),
    ]  # fmt: skip


async def test_batches_keep_their_order_and_doubles_are_found_across_them(world):
    account = await world.account()
    group = await a_group(world, account)
    seen = []
    content = lines(BATCH + 10) + f"+{PHONE + 1},again\n"
    one = await imported(world, account, group, content, lambda now: seen.append((now.done, now.total)))
    assert seen == [(BATCH, BATCH + 11), (BATCH + 11, BATCH + 11)]
    assert (one.added, one.refused) == (BATCH + 10, 1)
    (refusal,) = await imports.refusals(world.db, one, 0, 10)
    assert (refusal.line, refusal.reason) == (BATCH + 12, Fault.TWICE)
    assert await phones(world, account, group) == list(range(BATCH + 10))


async def test_refused_lines_are_kept_up_to_a_number_and_counted_beyond(world, monkeypatch):
    monkeypatch.setattr(contact_import, "MOST_KEPT", BATCH + 5)
    account = await world.account()
    group = await a_group(world, account)
    one = await imported(world, account, group, "phone\n" + "145\n" * (2 * BATCH + 3) + f"+{PHONE}\n")
    assert (one.state, one.added, one.refused) == (State.DONE, 1, 2 * BATCH + 3)
    kept = await imports.refusals(world.db, one, 0, 100_000)
    assert [line.line for line in kept] == list(range(2, BATCH + 7)), "the first ones"


async def test_an_import_that_broke_off_goes_on_where_it_stood(world):
    account = await world.account()
    group = await a_group(world, account)

    def killed(one):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await imported(world, account, group, lines(2 * BATCH), killed)
    assert await phones(world, account, group) == list(range(BATCH))
    one = await imported(world, account, group, lines(2 * BATCH))
    assert (one.state, one.done, one.added, one.refused) == (State.DONE, 2 * BATCH, 2 * BATCH, 0)
    assert await phones(world, account, group) == list(range(2 * BATCH))
    again = await imported(world, account, group, lines(2 * BATCH))  # a new one: nothing is doubled
    assert (again.id != one.id, again.added, again.refused) == (True, 0, 2 * BATCH)
    assert {r.reason for r in await imports.refusals(world.db, again, 0, 5)} == {Fault.PRESENT}


async def test_two_that_import_the_same_file_do_not_count_it_twice(world):
    account = await world.account()
    group = await a_group(world, account)
    file = io.BytesIO(lines(5).encode())
    one, same = [
        await contact_import.begin(world.db, account.id, group, file, "a.csv", world.clock.now()) for _ in range(2)
    ]
    assert one == same
    assert (await contact_import.run(world.db, one, file, world.clock)).added == 5
    with pytest.raises(Elsewhere):
        await contact_import.run(world.db, same, file, world.clock)
    assert len(await phones(world, account, group)) == 5


async def test_a_group_that_is_deleted_meanwhile_gets_nothing(world):
    account = await world.account()
    group = await a_group(world, account)
    file = io.BytesIO(lines(5).encode())
    one = await contact_import.begin(world.db, account.id, group, file, "a.csv", world.clock.now())
    assert await store.delete_group(world.db, account.id, group.id)
    with pytest.raises(Elsewhere):
        await contact_import.run(world.db, one, file, world.clock)
    for table in ("contact", "contact_import", "contact_refusal"):
        assert not await world.db.fetch(f"select from {table} where account_id = $1", account.id)


async def test_a_file_that_is_left_here_is_taken_up_by_a_worker(world):
    account = await world.account()
    group = await a_group(world, account)
    assert not await contact_import.take_up(world.db, world.clock)
    content = lines(7).encode()
    left = await contact_import.deposit(world.db, account.id, group, content, "a.csv", world.clock.now())
    assert (left.state, left.total, left.done) == (State.OPEN, 7, 0)
    leased = await imports.lease(world.db, contact_import.LEASE)  # by a worker that dies
    assert leased is not None and leased[0] == left and leased[1] == content
    assert not await contact_import.take_up(world.db, world.clock)
    await world.db.execute("update contact_import set lease_until = clock_timestamp() - interval '1 second'")
    assert await contact_import.take_up(world.db, world.clock)
    one = await imports.find(world.db, account.id, left.token)
    assert one is not None and (one.state, one.added, one.ended_at) == (State.DONE, 7, world.clock.now())
    assert await world.db.fetchval("select content is null from contact_import")
    assert not await contact_import.take_up(world.db, world.clock)


async def test_a_file_that_is_none_is_refused_before_it_is_kept(world):
    account = await world.account()
    group = await a_group(world, account)
    with pytest.raises(SheetError):
        await contact_import.deposit(world.db, account.id, group, b"nom\nA\n", "a.csv", world.clock.now())
    with pytest.raises(SheetError):
        await imported(world, account, group, "nom\nA\n")
    assert not await world.db.fetch("select from contact_import where account_id = $1", account.id)


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("145", "145"),
        ("+33 6 1", "+33 6 1"),
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("@x", "'@x"),
        ("-1", "'-1"),
        ("", ""),
    ],
)
def test_no_refused_cell_is_a_formula(cell, kept):
    assert harmless(cell) == kept
