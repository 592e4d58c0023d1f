"""What the platform does with the lists of Primotexto in a day, for the test of plans."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

from filling import FIRST_PHONE
from store.watching import Watched

from passerelle.clock import ManualClock
from passerelle.domain.account import Account
from passerelle.domain.lists import Column, Kind
from passerelle.pipeline import list_import
from passerelle.pipeline import lists as pipeline
from passerelle.pipeline.accounts import Accounts
from passerelle.store import lists, operations


async def list_day(db: Watched, accounts: Accounts, account_id: int, now: datetime) -> None:
    """A list of an account that has others: files into it, its columns and contacts, and its end."""
    await db.execute(_others(account_id, now))
    await accounts.update_rules(account_id, daily_contacts=10)
    account = await accounts.by_id(account_id)
    assert account is not None
    one = await lists.add(db, account_id, "Bread", now)
    assert await lists.find(db, account_id, one.token) == one
    assert await lists.named(db, account_id, "Bread") == [one]
    rows = [[f"+336{n:08}", "x"] for n in range(3_000)] + [["145", "x"]]
    posted = list_import.Posted(["tel", "nom"], *list_import.pack(rows))
    made = await list_import.deposit(db, account_id, one.id, posted, now)
    assert isinstance(made, operations.Operation)
    await list_import.take_up(db, ManualClock(now))
    found = await operations.find(db, account_id, made.token)
    assert found is not None and found.imported > 2_900 and await operations.refusals(db, found, 0, 100)
    file = io.BytesIO(b"tel,nom\n" + b"".join(b"+337%08d,x\n" % n for n in range(100)))
    begun = await list_import.begin(db, account_id, one.id, file, now)
    await list_import.run_file(db, begun, file, ManualClock(now), lambda _: None)
    await _members(db, account, one, now)


async def _members(db: Watched, account: Account, one: lists.ContactList, now: datetime) -> None:
    column = await pipeline.add_column(db, account.id, one.id, "Âge", Kind.NUMBER, "", now)
    assert isinstance(column, Column)
    token = await pipeline.add_contact(db, account, one.id, FIRST_PHONE - 1, [("âge", "5")], now)
    assert isinstance(token, bytes)
    page = await lists.page(db, account.id, one.id, 0, 500)
    assert len(page) == 500 and await lists.page(db, account.id, one.id, page[-1].id, 500)
    assert await lists.delete_contact(db, account.id, one.id, token)
    assert await lists.delete_phone(db, account.id, one.id, page[0].phone)
    assert await lists.count(db, account.id, one.id)
    assert len((await lists.all_columns(db, account.id))[one.id]) == 2
    assert await lists.delete_column(db, account.id, one.id, column.token, now)
    await list_import.tidy(db, ManualClock(now + timedelta(days=31)))
    other = (await lists.listing(db, account.id))[0]
    await lists.empty(db, account.id, other.id)
    assert await lists.delete(db, account.id, one.token)


def _others(account: int, now: datetime, count: int = 40, members: int = 50) -> str:
    """Other lists of an account, and of its neighbours, and what was imported into them."""
    at = f"timestamptz '{now.isoformat()}'"
    return f"""
    insert into contact_list (account_id, token, name, created_at)
    select {account} + n % 5, uuid_send(gen_random_uuid()), 'List ' || n, {at} from generate_series(1, {count}) n;
    insert into list_column (account_id, list_id, token, name, kind)
    select account_id, id, uuid_send(gen_random_uuid()), 'Name', 1 from contact_list;
    insert into list_contact (account_id, list_id, token, phone, created_at)
    select l.account_id, l.id, uuid_send(gen_random_uuid()), {FIRST_PHONE} + n, {at}
    from contact_list l, generate_series(1, {members}) n;
    insert into list_import (account_id, token, list_id, headings, number_at, state, total, created_at, ended_at)
    select account_id, uuid_send(gen_random_uuid()), id, array['tel'], 0, 1, 0, {at}, {at} + interval '9 days'
    from contact_list;
    """
