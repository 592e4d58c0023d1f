"""Rows into a list: exact counts, refused rows with their reasons, and what happens when it breaks off."""

from __future__ import annotations

import io

import pytest
from pipeline.world import PHONE, World

from passerelle.domain.lists import MOST_COLUMNS, Fault, Kind
from passerelle.pipeline import list_import, lists
from passerelle.pipeline.contact_sheet import SheetError
from passerelle.pipeline.list_import import BATCH, KEPT, MOST_ATTEMPTS, SENTENCES, Elsewhere, ListGone, Posted
from passerelle.store import lists as store
from passerelle.store import operations
from passerelle.store.imports import State


async def a_list(world: World, account, name="Clients"):
    return await store.add(world.db, account.id, name, world.clock.now())


def posted(headings, rows):
    return Posted(headings, *list_import.pack(rows))


def numbers(count, first=0):
    return [[f"+{PHONE + n}", str(n)] for n in range(first, first + count)]


async def deposit(world, account, one, headings, rows):
    return await list_import.deposit(world.db, account.id, one.id, posted(headings, rows), world.clock.now())


async def now(world, operation):
    found = await operations.find(world.db, operation.account_id, operation.token)
    return found.state, found.imported, found.duplicates, found.invalid


async def members(world, account, one):
    return await store.page(world.db, account.id, one.id, 0, 100_000)


async def phones(world, account, one):
    return [each.phone - PHONE for each in await members(world, account, one)]


async def expire(world):
    await world.db.execute("update list_import set lease_until = clock_timestamp() - interval '1 second'")


def test_rows_are_packed_one_by_one():
    rows = [["é", None, "\n"], [], ["x" * 200_000, ""]]
    packed, total = list_import.pack(rows)
    assert (list(list_import.unpack(packed)), total) == (rows, 3)
    assert list(list_import.unpack(list_import.pack([])[0])) == []


async def test_rows_become_contacts_and_refused_ones_say_why(world):
    account = await world.account()
    one = await a_list(world, account)
    await lists.add_column(world.db, account.id, one.id, "Né", Kind.DATE, "dd/MM/yyyy", world.clock.now())
    await lists.add_column(world.db, account.id, one.id, "Age", Kind.NUMBER, "", world.clock.now())
    await lists.add_contact(world.db, account, one.id, PHONE + 9, [], world.clock.now())
    rows = [
        ["Ana", "+33639980001", " 01/02/1990 ", "33"],
        ["Bo", "06 39 98 00 01"],
        ["Already", "+33639980010"],
        ["Nobody", ""],
        ["Nobody"],
        ["Short", "145"],
        ["Nested", None],
        ["Date", "+33639980003", "31/02/1990"],
        ["Figure", "+33639980004", "", "x"],
        ["Nested", "+33639980005", None],
        ["Again, right", "+33639980003", "28/02/1990", "", "beyond"],
        ["Fixed", "0145678910"],
    ]  # fmt: skip
    made = await deposit(world, account, one, ["prénom", " TEL ", "NÉ", "age"], rows)
    assert (made.state, made.total) == (State.OPEN, 12)
    await list_import.take_up(world.db, world.clock)
    assert await now(world, made) == (State.DONE, 3, 2, 7)
    refused = await operations.refusals(world.db, made, 0, 100)
    assert [(r.line, Fault(r.reason)) for r in refused] == [
        (3, Fault.PRESENT), (4, Fault.PRESENT), (5, Fault.NO_NUMBER), (6, Fault.NO_NUMBER),
        (7, Fault.NUMBER_INVALID), (8, Fault.NUMBER_INVALID), (9, Fault.DATE_INVALID), (10, Fault.FIGURE_INVALID),
        (11, Fault.VALUE_INVALID),
    ]  # fmt: skip
    assert {Fault(r.reason) for r in refused} == set(SENTENCES)
    keys = {each.name: each.key for each in await store.columns_of(world.db, account.id, one.id)}
    assert list(keys) == ["Né", "Age", "prénom"]
    kept = {each.phone: each.attributes for each in await members(world, account, one)}
    assert kept == {
        PHONE + 9: {},
        PHONE: {keys["prénom"]: "Ana", keys["Né"]: "01/02/1990", keys["Age"]: "33"},
        PHONE + 2: {keys["prénom"]: "Again, right", keys["Né"]: "28/02/1990"},
        33145678910: {keys["prénom"]: "Fixed"},
    }


async def test_what_is_not_taken_changes_nothing(world):
    account = await world.account()
    one = await a_list(world, account)
    wide = ["tel", *[f"c{n}" for n in range(MOST_COLUMNS)]]
    assert await deposit(world, account, one, ["nom"], []) is Fault.NO_HEADING
    assert await deposit(world, account, one, [*wide, "more"], []) is Fault.TOO_MANY
    asked = (world.db, account.id, one.id)
    assert await list_import.deposit(*asked, Posted(wide, b"", 100_001), world.clock.now()) is Fault.LIMIT
    gone = Posted(wide, b"", 1)
    assert await list_import.deposit(world.db, account.id, 0, gone, world.clock.now()) is Fault.LIST_UNKNOWN
    assert await store.columns_of(*asked) == []
    assert not await world.db.fetch("select from list_import where account_id = $1", account.id)
    made = await list_import.deposit(*asked, posted([*wide, "C7 ", "", "mobile"][:-1], []), world.clock.now())
    assert (made.total, len(await store.columns_of(*asked))) == (0, MOST_COLUMNS)
    await list_import.take_up(world.db, world.clock)
    assert await now(world, made) == (State.DONE, 0, 0, 0)


async def test_counts_move_and_doubles_are_found_across_batches(world):
    account = await world.account()
    one = await a_list(world, account)
    rows = [*numbers(BATCH + 10), [f"+{PHONE + 1}", "again"]]
    made = await deposit(world, account, one, ["tel", "n"], rows)
    leased, packed = await operations.lease(world.db, list_import.LEASE)
    seen = []
    told = lambda each: seen.append((each.done, each.imported, each.state))  # noqa: E731
    done = await list_import.run(world.db, leased, enumerate(list_import.unpack(packed), 2), world.clock, told)
    assert seen == [(BATCH, BATCH, State.OPEN), (BATCH + 11, BATCH + 10, State.OPEN)]
    assert (done.state, done.imported, done.duplicates, done.invalid) == (State.DONE, BATCH + 10, 1, 0)
    assert await phones(world, account, one) == list(range(BATCH + 10))
    assert await world.db.fetchval("select content is null from list_import where id = $1", made.id)


async def test_a_worker_that_is_killed_in_the_middle_leaves_the_rest_to_another(world):
    account = await world.account()
    one = await a_list(world, account)
    made = await deposit(world, account, one, ["tel", "n"], numbers(2 * BATCH + 5))
    leased, packed = await operations.lease(world.db, list_import.LEASE)

    def killed(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await list_import.run(world.db, leased, enumerate(list_import.unpack(packed), 2), world.clock, killed)
    await list_import.take_up(world.db, world.clock)  # it is leased
    assert await now(world, made) == (State.OPEN, BATCH, 0, 0)
    await expire(world)
    await list_import.take_up(world.db, world.clock)
    assert await now(world, made) == (State.DONE, 2 * BATCH + 5, 0, 0)
    assert await phones(world, account, one) == list(range(2 * BATCH + 5))
    with pytest.raises(Elsewhere):  # the dead one lives again
        await list_import.run(world.db, leased, enumerate(list_import.unpack(packed), 2), world.clock)
    assert len(await phones(world, account, one)) == 2 * BATCH + 5


async def test_rows_that_nobody_can_import_end_as_failed(world):
    account = await world.account()
    one = await a_list(world, account)
    made = await deposit(world, account, one, ["tel"], [])
    await world.db.execute("update list_import set content = 'no rows' where id = $1", made.id)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Exception, match="decompressing"):
            await list_import.take_up(world.db, world.clock)
        await expire(world)
    await list_import.take_up(world.db, world.clock)
    found = await operations.find(world.db, account.id, made.token)
    assert (found.state, found.reason) == (State.FAILED, "the rows could not be imported")


async def test_a_list_that_is_deleted_meanwhile_gets_nothing(world):
    account = await world.account()
    one = await a_list(world, account)
    made = await deposit(world, account, one, ["tel", "n"], numbers(5))
    assert await store.delete(world.db, account.id, one.token)
    await list_import.take_up(world.db, world.clock)
    found = await operations.find(world.db, account.id, made.token)
    assert (found.state, found.reason, found.done) == (State.FAILED, "the list was deleted", 0)
    assert not await world.db.fetch("select from list_contact where account_id = $1", account.id)


async def test_a_column_that_is_deleted_meanwhile_gets_no_values(world):
    account = await world.account()
    one = await a_list(world, account)
    await deposit(world, account, one, ["tel", "n"], numbers(BATCH + 1))
    leased, packed = await operations.lease(world.db, list_import.LEASE)
    [column] = await store.columns_of(world.db, account.id, one.id)
    rows = enumerate(list_import.unpack(packed), 2)
    batch = [next(rows) for _ in range(BATCH)]
    leased = await list_import._store(world.db, leased, batch, world.clock.now())
    assert await store.delete_column(world.db, account.id, one.id, column.token, world.clock.now())
    await list_import.run(world.db, leased, enumerate(list_import.unpack(packed), 2), world.clock)
    assert (await members(world, account, one))[-1].attributes == {}
    await list_import.tidy(world.db, world.clock)
    assert {str(each.attributes) for each in await members(world, account, one)} == {"{}"}
    assert not await world.db.fetch("select from list_column where account_id = $1", account.id)


# --- files that the importer has -------------------------------------------------------------------------------------


async def imported(world, account, one, content, told=lambda _: None):
    file = io.BytesIO(content.encode())
    begun = await list_import.begin(world.db, account.id, one.id, file, world.clock.now())
    return await list_import.run_file(world.db, begun, file, world.clock, told)


def lines(count):
    return "Téléphone;Ville\n" + "".join(f"+{PHONE + n};Lyon\n" for n in range(count))


async def test_a_file_that_broke_off_goes_on_where_it_stood(world):
    account = await world.account()
    one = await a_list(world, account)

    def killed(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await imported(world, account, one, lines(2 * BATCH), killed)
    assert len(await phones(world, account, one)) == BATCH
    done = await imported(world, account, one, lines(2 * BATCH))
    assert (done.state, done.done, done.imported, done.duplicates) == (State.DONE, 2 * BATCH, 2 * BATCH, 0)
    assert await phones(world, account, one) == list(range(2 * BATCH))
    again = await imported(world, account, one, lines(2 * BATCH))
    assert (again.id != done.id, again.imported, again.duplicates) == (True, 0, 2 * BATCH)
    assert [each.name for each in await store.columns_of(world.db, account.id, one.id)] == ["Ville"]


async def test_files_that_cannot_be_imported(world):
    account = await world.account()
    one = await a_list(world, account)
    wide = "tel," + ",".join(f"c{n}" for n in range(MOST_COLUMNS + 1))
    for content in ("nom\nA\n", "", f"tel,{'x' * 51}\n", wide + "\n"):
        with pytest.raises(SheetError):
            await imported(world, account, one, content)
    with pytest.raises(SheetError):
        await imported(world, account, one, 'tel,n\n0639980001,"' + "x" * 200_000)
    assert not await world.db.fetch("select from list_import where account_id = $1 and state = 0", account.id)
    await store.delete(world.db, account.id, one.token)
    with pytest.raises(ListGone):
        await imported(world, account, one, lines(1))


async def test_what_is_over_is_forgotten_and_what_nobody_brings_is_given_up(world):
    account = await world.account()
    one = await a_list(world, account)
    done = await imported(world, account, one, lines(1) + "145;x\n")
    file = io.BytesIO(lines(3).encode())
    left = await list_import.begin(world.db, account.id, one.id, file, world.clock.now())
    kept = await deposit(world, account, one, ["tel"], numbers(1))
    world.clock.move(KEPT.total_seconds() - 60)
    await list_import.tidy(world.db, world.clock)
    assert await operations.find(world.db, account.id, done.token) is not None
    assert (await now(world, left))[0] == State.OPEN
    await world.db.execute("update list_import set lease_until = clock_timestamp() - interval '2 days' where state = 0")
    world.clock.move(120)
    await list_import.tidy(world.db, world.clock)
    assert await operations.find(world.db, account.id, done.token) is None
    assert not await world.db.fetch("select from list_refusal where account_id = $1", account.id)
    found = await operations.find(world.db, account.id, left.token)
    assert (found.state, found.reason) == (State.FAILED, operations.GIVEN_UP)
    assert (await now(world, kept))[0] == State.OPEN
    await list_import.take_up(world.db, world.clock)
