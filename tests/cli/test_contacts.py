"""`passerelle contacts`: a file into a group, a text to a group."""

from __future__ import annotations

import csv

import pytest
from cli.conftest import EMAIL

FILE = "Téléphone;Prénom\n0639980001;Alix\n0639980002;\n145;Zoé\n0639980001;Alix\n"


@pytest.fixture
def clients(tmp_path):
    file = tmp_path / "clients.csv"
    file.write_bytes(FILE.encode("cp1252"))
    return file


async def test_a_file_becomes_a_group_and_refused_lines_a_file(shell, clients):
    said = await shell.ok("contacts", "import", EMAIL, "Lyon", str(clients))
    refused = clients.with_name("clients.csv.refused.csv")
    assert said.startswith("2 contacts added to Lyon, 2 of 4 lines refused\n") and str(refused) in said
    with open(refused, newline="") as file:
        assert [row[:2] for row in csv.reader(file)] == [["line", "phone"], ["4", "145"], ["5", "0639980001"]]
    assert refused.stat().st_mode & 0o777 == 0o600
    (group,) = await shell.json("contacts", "groups", EMAIL)
    assert (group["name"], group["contacts"]) == ("Lyon", 2)
    again = await shell.json("contacts", "import", EMAIL, group["id"], str(clients))
    assert (again["added"], again["refused"]) == (0, 4)
    assert "Lyon" in await shell.ok("contacts", "groups", EMAIL)


async def test_what_cannot_be_imported(shell, clients, tmp_path):
    assert "No such file" in await shell.fails("contacts", "import", EMAIL, "Lyon", str(tmp_path / "none.csv"))
    clients.write_text("nom\nAlix\n")
    assert "telephone number" in await shell.fails("contacts", "import", EMAIL, "Lyon", str(clients))
    assert "no account" in await shell.fails("contacts", "import", "nobody@example.org", "Lyon", str(clients))


async def test_a_text_to_a_group(shell, clients):
    await shell.ok("contacts", "import", EMAIL, "Lyon", str(clients))
    sent = await shell.json("contacts", "send", EMAIL, "Lyon", "--text", "Bonjour {{firstname|toi}}")
    assert (sent["contacts"], sent["messages"], sent["cost"], sent["states"]) == (2, 2, 0.076, {"accepted": 2})
    assert (sent["parts_waiting"], sent["parts_before"], sent["expected_end"]) == (2, 0, None)
    rows = await shell.db.fetch("select text from message order by id")
    assert [row["text"] for row in rows] == ["Bonjour Alix", "Bonjour toi"]
    (listed,) = await shell.json("contacts", "sends", EMAIL)
    assert listed == sent
    assert "2 accepted" in await shell.ok("contacts", "sends", EMAIL)


async def test_it_says_who_is_left_out_and_why_nothing_is_sent(shell, clients):
    await shell.ok("contacts", "import", EMAIL, "Lyon", str(clients))
    account = await shell.db.fetchval("select id from account")
    await shell.db.execute(
        "insert into blocked (account_id, list, phone, token, created_at) values ($1, 1, 33639980001, 'x', now())",
        account,
    )
    said = await shell.ok("contacts", "send", EMAIL, "Lyon", "--text", "Bonjour", "--once", "spring")
    assert "1 of 2 contacts, 0.038 EUR" in said and "1  left out: the person answered STOP" in said
    assert "before under this name" in await shell.fails(
        "contacts", "send", EMAIL, "Lyon", "--text", "Bonjour", "--once", "spring"
    )
    assert "another text" in await shell.fails("contacts", "send", EMAIL, "Lyon", "--text", "B", "--once", "spring")
    assert "{{fristname}}" in await shell.fails("contacts", "send", EMAIL, "Lyon", "--text", "{{fristname}}")
    assert "no group 'Paris'" in await shell.fails("contacts", "send", EMAIL, "Paris", "--text", "A")
    assert "longer than 11" in await shell.fails("contacts", "send", EMAIL, "Lyon", "--text", "A", "--sender", "x" * 12)
    await shell.ok("account", "state", EMAIL, "blocked")
    assert "account state" in await shell.fails("contacts", "send", EMAIL, "Lyon", "--text", "A")
    assert await shell.db.fetchval("select count(*) from submission") == 1


async def test_two_groups_of_one_name(shell, clients):
    await shell.ok("contacts", "import", EMAIL, "Lyon", str(clients))
    await shell.db.execute("update contact_group set name = 'Paris'")
    await shell.ok("contacts", "import", EMAIL, "Lyon", str(clients))
    await shell.db.execute("update contact_group set name = 'Lyon'")
    assert "several groups" in await shell.fails("contacts", "send", EMAIL, "Lyon", "--text", "A")
    number = await shell.db.fetchval("select min(id) from contact_group")
    assert (await shell.json("contacts", "send", EMAIL, str(number), "--text", "A"))["messages"] == 2
