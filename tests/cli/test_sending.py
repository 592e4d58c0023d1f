"""`send`: some numbers, and files of many."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime, timedelta

import pytest
from cli.conftest import EMAIL

from passerelle.domain.message import State


async def sent(shell):
    return [tuple(row) for row in await shell.db.fetch(
        "select m.phone, coalesce(m.text, s.text) from message m join submission s on s.id = m.submission_id order by m.phone, m.id"
    )]  # fmt: skip


async def test_a_text_is_accepted_and_paid_for_and_what_is_refused_is_told(shell):
    told = await shell.json("send", "0639980001", "+33639980002", "12", "--text", "Bonjour", "--sender", "Bakery")
    assert [(m["phone"], m["state"]) for m in told["messages"]] == [
        ("+33639980001", "accepted"),
        ("+33639980002", "accepted"),
    ]
    assert (told["cost"], told["refused"]) == (0.076, [{"phone": "12", "reason": "number_invalid"}])
    assert await sent(shell) == [(33639980001, "Bonjour"), (33639980002, "Bonjour")]
    assert "message 1" in await shell.ok("send", "0639980001", "--text", "encore")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "send to whom?"),
        (("0639980001",), "send what?"),
        (("12", "--text", "x"), "12: this is no telephone number"),
        (("0639980001", "--text", "x", "--sender", "x"), "shorter than 3"),
        (("0639980001", "--text", "x" * 161, "--eco"), "one part only"),
        (("0639980001", "--text", "x", "--at", "2020-01-01"), "in the past"),
        (("0639980001", "--text", "x", "--at", "tomorrow"), "not a time"),
        (("0639980001", "--text", "x", "--account", "x@y.z"), f"there are: {EMAIL}"),
        (("--csv", "a.csv", "0639980001"), "--csv goes without numbers"),
        (("--csv", "nowhere.csv"), "nowhere.csv: No such file"),
    ],
)
async def test_what_cannot_be_sent_is_told(shell, words, told):
    assert told in await shell.fails("send", *words)
    assert await sent(shell) == []


async def test_a_scheduled_text_leaves_then(shell):
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    await shell.ok("send", "0639980001", "--text", "x", "--at", at.isoformat())
    assert await shell.db.fetchval("select due_at from queue") == at


async def test_waiting_ends_with_the_messages(shell):
    code, out, _ = await shell("send", "0639980001", "--text", "x", "--wait", "--timeout", "0")
    assert code == 1 and "accepted" in out
    await shell.db.execute(
        "create function arrive() returns trigger language plpgsql as "
        f"$$ begin new.state := {int(State.DELIVERED)}; return new; end $$"
    )
    await shell.db.execute("create trigger arrive before insert on message for each row execute function arrive()")
    for dialect in ("smspartner", "primotexto"):
        told = await shell.json("send", "0639980001", "0639980002", "--text", "x", "--wait", "--dialect", dialect)
        assert [m["state"] for m in told["messages"]] == ["delivered", "delivered"]


async def test_the_account_has_to_be_named_among_several(shell):
    await shell.ok("account", "create", "a@b.c")
    assert "--account EMAIL" in await shell.fails("send", "0639980001", "--text", "x")
    await shell.ok("account", "create", "demo@example.org", "--credit", "1")
    await shell.ok("send", "0639980001", "--text", "x")
    assert "10.000 EUR" in await shell.ok("account", "list")  # the demo's account paid


# --- files -----------------------------------------------------------------------------------------------------------


async def test_a_file_is_sent_with_its_fields_and_refused_lines_kept(shell, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text('\ufeffPrénom;Phone\nAlix;0639980001\n"Bob; fils";0639980002\n\nZoé;12\n', encoding="utf-8")
    out = await shell.ok("send", "--csv", str(file), "--text", "Bonjour {prénom} !")
    assert "2 accepted, 1 refused of 3 lines, 0.076 EUR" in out and "no telephone number" in out
    assert await sent(shell) == [(33639980001, "Bonjour Alix !"), (33639980002, "Bonjour Bob; fils !")]
    with open(tmp_path / "customers.csv.refused.csv", newline="") as refused:
        assert list(csv.reader(refused, delimiter=";")) == [
            ["line", "phone", "text", "reason"],
            ["3", "12", "Bonjour Zoé !", "this is no telephone number"],
        ]


async def test_a_file_is_not_sent_twice_by_accident(shell, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("phone,text\n0639980001,un\n0639980002,deux\n")
    send = ("send", "--csv", str(file))
    assert "nothing to resume" in await shell.fails(*send, "--resume")
    await shell.ok(*send)
    assert "was sent on" in await shell.fails(*send)
    assert "2 accepted" in await shell.ok(*send, "--resume")
    assert len(await sent(shell)) == 2
    assert "same ones" in await shell.fails(*send, "--resume", "--sender", "Bakery")
    await shell.ok(*send, "--again")
    assert len(await sent(shell)) == 4


async def test_a_run_that_sent_nothing_leaves_no_trace(shell, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("phone,text\n0639980001,un\n")
    assert "nothing was sent: x: the sender is shorter" in await shell.fails(
        "send", "--csv", str(file), "--sender", "x"
    )
    assert "1 accepted" in await shell.ok("send", "--csv", str(file), "--sender", "Bakery")


async def test_a_run_that_ran_out_of_credit_goes_on_where_it_stopped(shell, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("phone,text\n" + "".join(f"06120{n:05},x{n}\n" for n in range(400)))
    code, out, err = await shell("send", "--csv", str(file))
    assert code == 1 and "200 accepted" in out and "stopped at line 201" in err and "--resume" in err
    await shell.ok("account", "credit", EMAIL, "20")
    assert "400 accepted, 0 refused" in await shell.ok("send", "--csv", str(file), "--resume")
    assert await sent(shell) == [(33612000000 + n, f"x{n}") for n in range(400)]


async def test_the_refused_lines_are_for_their_owner_only(shell, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("phone,text\n12,Bonjour\n")
    old = os.umask(0)
    try:
        await shell.ok("send", "--csv", str(file))
    finally:
        os.umask(old)
    assert (tmp_path / "a.csv.refused.csv").stat().st_mode & 0o777 == 0o600
