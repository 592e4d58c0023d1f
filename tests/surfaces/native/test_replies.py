"""Replies of every dialect, and no one else's."""

from __future__ import annotations

from surfaces.native.conftest import PHONE, TUESDAY, Desk, problem
from surfaces.native.test_messages import every


async def write(desk: Desk) -> None:
    await desk.db.execute(
        "insert into reply (account_id, token, phone, recipient, text, at, stop, message_id, dialect, tag)"
        " select $1, decode(lpad(n::text, 24, '0'), 'hex'), $2::bigint + n, '36000', 'Oui ' || n, $3, n % 2 = 1,"
        " nullif(n, 0), n, 'T' from generate_series(0, 5) n",
        desk.account.id, int(PHONE[1:]), TUESDAY,
    )  # fmt: skip


async def test_replies_are_listed_and_filtered(desk: Desk) -> None:
    await write(desk)
    for limit in (1, 4, 500):
        assert [one["text"] for one in await every(desk, f"/replies?limit={limit}")] == [
            f"Oui {n}" for n in range(5, -1, -1)
        ]
        assert len(await every(desk, f"/replies?limit={limit}&stop=true")) == 3
    newest = (await desk.get("/replies?limit=1"))["items"][0]
    assert newest["from"] == "+33639980006" and newest["to"] == "36000" and newest["dialect"] == "native"
    assert [one["text"] for one in await every(desk, "/replies?phone=%2B33639980001")] == ["Oui 0"]
    assert [one["text"] for one in await every(desk, "/replies?dialect=smspartner,primotexto")] == ["Oui 2", "Oui 1"]
    assert problem(await desk("GET", "/replies?stop=perhaps")) == (422, "invalid")
    mallory = await desk.open("mallory@example.org")
    assert (await mallory.get("/replies"))["items"] == []
