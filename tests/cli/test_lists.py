"""`passerelle lists`: a file into a list of Primotexto."""

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


async def test_a_file_becomes_a_list_and_refused_lines_a_file(shell, clients):
    said = await shell.ok("lists", "import", EMAIL, "Lyon", str(clients))
    refused = clients.with_name("clients.csv.refused.csv")
    assert said.startswith("2 of 4 lines imported into Lyon, 1 duplicates and 1 invalid") and str(refused) in said
    with open(refused, newline="") as file:
        assert [row[:2] for row in csv.reader(file)] == [["line", "phone"], ["4", "145"], ["5", "0639980001"]]
    assert refused.stat().st_mode & 0o777 == 0o600
    [found] = await shell.json("lists", "show", EMAIL)
    assert (found["name"], found["contacts"], found["region"], found["columns"]) == ("Lyon", 2, "", ["Prénom"])
    again = await shell.json("lists", "import", EMAIL, found["id"], str(clients))
    assert (again["imported"], again["duplicates"], again["invalid"]) == (0, 3, 1)
    clients.write_text("tel\n")
    said = await shell.ok("lists", "import", EMAIL, "Lyon", str(clients))
    assert said == "0 of 0 lines imported into Lyon, 0 duplicates and 0 invalid lines left out\n"
    assert not refused.exists()
    assert "Lyon" in await shell.ok("lists", "show", EMAIL)


async def test_what_cannot_be_imported(shell, clients, tmp_path):
    assert "No such file" in await shell.fails("lists", "import", EMAIL, "Lyon", str(tmp_path / "none.csv"))
    assert "no account" in await shell.fails("lists", "import", "nobody@example.org", "Lyon", str(clients))
    assert "100 characters" in await shell.fails("lists", "import", EMAIL, "x" * 101, str(clients))
    clients.write_text("nom\nAlix\n")
    assert "telephone number" in await shell.fails("lists", "import", EMAIL, "Lyon", str(clients))
    await shell.ok("lists", "import", EMAIL, "Paris", str(_written(clients, FILE)))
    await shell.db.execute("update contact_list set name = 'Lyon'")
    await shell.db.execute(
        "insert into contact_list (account_id, token, name, created_at) select account_id, 'x', name, created_at"
        " from contact_list limit 1"
    )
    assert "several lists" in await shell.fails("lists", "import", EMAIL, "Lyon", str(clients))


def _written(path, text):
    path.write_text(text)
    return path


async def test_the_region_of_a_list(shell, clients):
    await shell.ok("lists", "import", EMAIL, "Colmar", str(clients))
    assert "holidays of 57 count too" in await shell.ok("lists", "region", EMAIL, "Colmar", "57")
    (found,) = await shell.json("lists", "show", EMAIL)
    assert found["region"] == "57" and " 57 " in await shell.ok("lists", "show", EMAIL)
    assert "holidays of RE count too" in await shell.ok("lists", "region", EMAIL, found["id"], "re")
    assert "mainland alone" in await shell.ok("lists", "region", EMAIL, "Colmar")
    assert (await shell.json("lists", "show", EMAIL))[0]["region"] == ""
    assert "no region '99'" in await shell.fails("lists", "region", EMAIL, "Colmar", "99")
    assert "no list 'Paris'" in await shell.fails("lists", "region", EMAIL, "Paris", "57")
