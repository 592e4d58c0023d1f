"""The contact base from a CSV file: who comes in, who is refused and why."""

from __future__ import annotations

import csv
import tracemalloc
from datetime import UTC, date, datetime
from io import StringIO

import pytest

from passerelle.domain.rental import Sex
from passerelle.pipeline import rental_import
from passerelle.pipeline.rental_import import Imported, Known, NoBase, Refused, import_file, person_of
from passerelle.store import rental as store

NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # the 21st in Paris
HEADER = ",".join((*rental_import.NEEDED, *rental_import.OPTIONAL))
KNOWN = Known({14: 0, 35: 14, 20: 0}, frozenset({102, 103}), date(2026, 11, 21))
GOOD = {
    "phone": "06 39 98 00 01",
    "sex": "f",
    "birth_year": "1990",
    "zipcode": "02200",
    "interests": "14.35; 20",
    "category": "103",
    "consent_date": "2026-11-21",
    "consent_source": "fair in Lille",
    "consent_proof": "form 17",
    "consent_until": "2028-02-29",
}


def test_a_line_is_a_person():
    person = person_of(GOOD, KNOWN)
    assert person == (
        33639980001, Sex.WOMAN, 1990, "02200", (14, 35, 20), 103, date(2026, 11, 21), "fair in Lille", "form 17",
        date(2028, 2, 29),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"consent_until": ""}, "consent_until", date.max),
        ({"category": ""}, "category", 0),
        ({"interests": ""}, "interests", ()),
        ({"interests": "14;14.35;14"}, "interests", (14, 35)),
        ({"interests": "35"}, "interests", (14, 35)),
        ({"sex": "H"}, "sex", Sex.MAN),
        ({"phone": "+262639123456"}, "phone", 262639123456),
    ],
)
def test_what_a_line_may_say(changed, field, value):
    assert getattr(person_of(GOOD | changed, KNOWN), field) == value


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"phone": ""}, "phone is missing"),
        ({"phone": "145"}, "phone is no valid number"),
        ({"phone": "01 42 68 53 00"}, "phone is no mobile"),
        ({"sex": "m"}, "sex is not h or f"),
        ({"birth_year": "90"}, "birth_year is not a year from 1900 to 2026"),
        ({"birth_year": "2027"}, "birth_year is not a year from 1900 to 2026"),
        ({"zipcode": "2200"}, "zipcode is not five digits"),
        ({"zipcode": "2A004"}, "zipcode is not five digits"),
        ({"interests": "99"}, "interest 99 is not known"),
        ({"interests": "20.35"}, "interest 20.35 is not known"),
        ({"interests": "14.x"}, "interest 14.x is not known"),
        ({"category": "104"}, "category 104 is not known"),
        ({"consent_date": ""}, "consent without a date"),
        ({"consent_date": "21/11/2026"}, "consent_date is not a day like 2026-11-30"),
        ({"consent_date": "2026-11-22"}, "consent_date is in the future"),
        ({"consent_source": " "}, "consent without a source"),
        ({"consent_proof": ""}, "consent without a proof"),
        ({"consent_proof": "x" * 501}, "the proof of the consent is longer than 500 characters"),
        ({"consent_until": "soon"}, "consent_until is not a day like 2026-11-30"),
    ],
)
def test_why_a_line_is_refused(changed, reason):
    with pytest.raises(Refused, match=f"^{reason}$"):
        person_of(GOOD | changed, KNOWN)


def lines(text):
    return list(rental_import.read(StringIO(text, newline="")))


def test_lines_have_the_numbers_of_the_file():
    row = ",".join(GOOD.values())
    found = lines(f'{HEADER}\n{row}\n\nx,y\n"{row.replace(",", chr(34) + "," + chr(34), 9)}"\n')
    assert [number for number, _ in found] == [2, 4, 5]
    assert found[1][1] == "2 columns instead of 10"
    assert found[2][1] == found[0][1] == GOOD


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_stands_between_and_in_which_order_is_free(delimiter):
    names = [name for name in reversed(GOOD) if name != "consent_until"]
    out = StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([names, [GOOD[name] for name in names]])
    ((_, members),) = lines(out.getvalue())
    assert person_of(members, KNOWN).interests == (14, 35, 20)


def test_a_field_without_end_is_one_refused_line():
    found = lines(f'{HEADER}\n"{"x" * 200_000}"\n{",".join(GOOD.values())}\n')
    assert "no CSV" in found[0][1] and found[1] == (3, GOOD)


@pytest.mark.parametrize("text", ["", "phone,sex\n", "06 39 98 00 01;f\n"])
def test_a_file_without_the_header_is_no_base(text):
    with pytest.raises(NoBase, match="the header has no"):
        lines(text)


def written(folder, rows):
    file = folder / "base.csv"
    with open(file, "w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, list(GOOD))
        writer.writeheader()
        writer.writerows(rows)
    return file, rental_import.report_of(file)


async def test_a_file_is_imported_and_its_refused_lines_are_told(db, tmp_path):
    async with db.transaction() as connection:
        await store.opt_out(connection, [(0, 33639980009)], NOW)
    good = GOOD | {"interests": "14.35"}
    rows = [
        good,
        good | {"phone": "0639980002", "consent_proof": ""},
        good | {"phone": "+33639980001", "zipcode": "60200"},  # again: the last counts
        good | {"phone": "0639980009"},
        good | {"phone": "0639980003", "sex": "?"},
        good | {"phone": "0639980004"},
    ]
    file, report = written(tmp_path, rows)
    counted = []
    assert await import_file(db, file, report, NOW, counted.append) == Imported(3, 3)
    assert report.read_text() == (
        "line,reason\n3,consent without a proof\n5,opted out of the base on 2026-11-21\n6,sex is not h or f\n"
    )
    people = await db.fetch("select phone, zipcode, interests from rental_person order by phone")
    assert [tuple(row) for row in people] == [(33639980001, "60200", [14, 35]), (33639980004, "02200", [14, 35])]
    offers = await db.fetch("select interest, zipcode, phone from rental_offer order by 1, 3")
    assert [tuple(row) for row in offers] == [
        (interest, *row[1::-1]) for interest in (14, 35) for row in people
    ]  # fmt: skip
    assert counted == [6]


async def test_memory_does_not_grow_with_the_file(db, tmp_path, monkeypatch):
    monkeypatch.setattr(rental_import, "BATCH", 100)
    peaks = []
    for count in (500, 500, 9_000):  # the first one warms up
        rows = [GOOD | {"phone": f"063998{n:04}", "sex": "x", "interests": "14"} for n in range(count)]
        file, report = written(tmp_path, rows)
        tracemalloc.start()
        assert await import_file(db, file, report, NOW) == Imported(0, count)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.3 * peaks[1] + 100_000


async def test_an_empty_base_is_filled_with_people_who_do_not_exist_once(db):
    await rental_import.fill_with_examples(db, 2_000, NOW)
    phones = [row[0] for row in await db.fetch("select phone from rental_person")]
    assert len(phones) == 2_000 and all(33639980000 <= phone <= 33639989999 for phone in phones)
    await db.execute("delete from rental_person where phone > 33639980000")
    await rental_import.fill_with_examples(db, 2_000, NOW)
    assert await db.fetchval("select count(*) from rental_person") == 1
