"""`passerelle rental`."""

from __future__ import annotations

import msgspec

HEADER = "phone,sex,birth_year,zipcode,interests,category,consent_date,consent_source,consent_proof"


async def test_a_base_is_imported_and_shown(shell, tmp_path):
    file = tmp_path / "base.csv"
    rows = ["0639980001,f,1990,60200,14;14.35,103,2026-01-01,web,17", "0639980002,f,1990,60200,14,103,,web,18"]
    file.write_text("\n".join([HEADER, *rows]))
    told = await shell.ok("rental", "import", str(file))
    report = tmp_path / "base.csv.refused.csv"
    assert "1 people imported" in told and "1 lines refused" in told and str(report) in told
    assert report.read_text() == "line,reason\n3,consent without a date\n"
    assert await shell.json("rental", "show") == {
        "people": 1,
        "expired": 0,
        "opted_out": 0,
        "interests": [
            {"id": 14, "parent": 0, "name": "Habitation", "people": 1},
            {"id": 35, "parent": 14, "name": "Cuisine", "people": 1},
        ],
    }
    await shell.ok("rental", "opt-out", "06 39 98 00 01")
    shown = await shell.ok("rental", "show")
    assert "1 opted out" in shown and "14.35" in shown
    other = tmp_path / "other.csv"
    await shell.ok("rental", "import", str(file), "--report", str(other))
    assert "2,opted out of the base" in other.read_text()


async def test_interests_and_categories_are_the_operators(shell, tmp_path):
    assert "20 is Voyages" in await shell.ok("rental", "interest", "20", "Voyages")
    assert "20.21 is Croisières" in await shell.ok("rental", "interest", "21", "Croisières", "--parent", "20")
    assert "104 is Retraités" in await shell.ok("rental", "category", "104", "Retraités")
    listed = msgspec.json.decode(await shell.ok("rental", "show", "--json"))["interests"]
    assert [(row["id"], row["parent"]) for row in listed] == [(14, 0), (20, 0), (21, 20), (35, 14)]
    assert "no interest 99" in await shell.fails("rental", "interest", "22", "x", "--parent", "99")
    assert "no interest 21" in await shell.fails("rental", "interest", "22", "x", "--parent", "21")
    assert "20.21 already" in await shell.fails("rental", "interest", "21", "x")
    assert "a number from 1 on" in await shell.fails("rental", "interest", "0", "x")
    assert "a number from 1 on" in await shell.fails("rental", "category", "0", "x")


async def test_what_is_no_base_is_told(shell, tmp_path):
    file = tmp_path / "base.csv"
    assert "No such file" in await shell.fails("rental", "import", str(file))
    file.write_text("phone,sex\n")
    assert "the header has no birth_year" in await shell.fails("rental", "import", str(file))
    assert "no telephone number" in await shell.fails("rental", "opt-out", "145")
