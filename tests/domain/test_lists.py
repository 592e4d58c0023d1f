"""What columns take, what headings mean, which rows of a file are taken."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain import lists
from passerelle.domain.lists import FORMATS, Column, Fault, Kind, Row

NAME, BORN = Column(b"a" * 12, "Nom", Kind.STRING), Column(b"b" * 12, "Né", Kind.DATE, "dd/MM/yyyy")
AGE = Column(b"c" * 12, "Âge", Kind.NUMBER)
SAME = Column(b"d" * 12, "nom ", Kind.NUMBER)


def column(form: str) -> dict[str, Column]:
    return {"x": Column(b"x" * 12, "x", Kind.DATE, form)}


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("dd/MM/yyyy", ["01/02/1990", "29/02/2024", "31/12/9999"],
         ["1/2/1990", "29/02/2023", "00/01/2000", "01/13/2000", "01/02/90", "01-02-1990", "01/02/0000", " 01/02/1990",
          "01/02/1990\n", "٠١/٠٢/١٩٩٠", "1990/02/01", "01/02", "x"]),
        ("dd/MM", ["29/02", "31/12", "01/01"], ["30/02", "31/04", "1/1", "12/31", "01/01/2000", "x"]),
        ("MM/yyyy", ["01/2000", "12/1999"], ["13/2000", "00/2000", "1/2000", "01/00", "01/0000", "x"]),
    ],
)  # fmt: skip
def test_a_date_is_written_as_its_column_wants_it(form, good, bad):
    for value in good:
        assert lists.read_attributes([("x", value)], column(form)) == {"78" * 12: value}
    for value in bad:
        assert lists.read_attributes([("x", value)], column(form)) is Fault.DATE_INVALID, value


@settings(max_examples=50)
@given(st.dates(), st.sampled_from(FORMATS))
def test_every_day_can_be_written_in_every_format(day: date, form: str):
    text = form.replace("dd", f"{day.day:02}").replace("MM", f"{day.month:02}").replace("yyyy", f"{day.year:04}")
    assert isinstance(lists.read_attributes([("x", text)], column(form)), dict)


def test_a_figure():
    columns = lists.by_key([AGE])
    for value in ("0", "-5", "1.5", "1,5", "-0007,25"):
        assert lists.read_attributes([("âge", value)], columns) == {AGE.key: value}
    for value in ("+5", "1.", ".5", "1 000", "1e5", "--1", "٣", "x", "1.5.2", "5\n"):
        assert lists.read_attributes([("âge", value)], columns) is Fault.FIGURE_INVALID, value


def test_columns_by_id_and_by_name_the_oldest_first():
    columns = lists.by_key([NAME, BORN, AGE, SAME])
    given = [(SAME.key, "5"), ("NOM", "Ana"), ("unknown", None), (" nÉ ", ""), (AGE.key, "")]
    assert lists.read_attributes(given, columns) == {SAME.key: "5", NAME.key: "Ana"}
    assert lists.read_attributes([("nom", None)], columns) is Fault.VALUE_INVALID
    assert lists.read_attributes([("né", "x"), ("âge", "x")], columns) is Fault.DATE_INVALID
    assert lists.read_attributes([("âge", "x"), ("né", "x")], columns) is Fault.FIGURE_INVALID


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", "é"), ("", ""), (None, ""), (True, "true"), (False, "false"), (5, "5"), (-5.0, "-5"), (1.25, "1.25"),
        (10**30, "1" + "0" * 30), (float("inf"), None), (float("nan"), None), ([], None), ({}, None), (["x"], None),
    ],
)  # fmt: skip
def test_values_of_json_as_texts(value, text):
    assert lists.text_of(value) == text


@pytest.mark.parametrize(("name", "longest", "fits"), [
    ("a", 5, True), ("é" * 5, 5, True), ("a" * 6, 5, False), ("", 5, False), (" ", 5, False), (5, 5, False),
    (None, 5, False), (["a"], 5, False),
])  # fmt: skip
def test_names(name, longest, fits):
    assert lists.is_name(name, longest) is fits


@pytest.mark.parametrize(("text", "phone"), [
    ("06 39 98 00 01", 33639980001), ("+33639980001", 33639980001), ("0145678910", 33145678910),
    ("+32470123456", 32470123456), ("0690123456", 590690123456), ("33639980001", 33639980001), ("+33800000000", None),
    ("", None), ("x", None), ("32470123456", None), ("145", None),
])  # fmt: skip
def test_numbers_that_a_list_may_hold(text, phone):
    assert lists.read_phone(text) == phone


@pytest.mark.parametrize(("headings", "at"), [
    (["tel"], 0), (["nom", " TELEPHONE "], 1), (["Mobile", "tel"], 0), (["x", "identifier"], 1), (["number"], 0),
    (["numero"], 0), (["numéro"], None), (["phone"], None), ([], None), ([""], None),
])  # fmt: skip
def test_the_heading_of_the_numbers(headings, at):
    assert lists.number_at(headings) == at


def test_the_columns_that_are_missing():
    headings = ["Tel", " Ville ", "nom", "", " ", "VILLE", "mobile", "Rue"]
    assert lists.missing(headings, 0, [NAME, BORN]) == ["Ville", "mobile", "Rue"]


def read(*cells: str | None) -> Row:
    return lists.read_row(7, cells, ["Nom", "tel", "Né"], 1, lists.by_name([NAME, BORN]))


def test_a_row():
    phone = 33639980001
    assert read(" Ana ", " 0639980001 ", "01/02/1990", "beyond") == Row(
        7, "0639980001", phone, {NAME.key: "Ana", BORN.key: "01/02/1990"}
    )
    assert read("Ana", "0639980001") == Row(7, "0639980001", phone, {NAME.key: "Ana"})
    assert (read("Ana").phone, read("Ana").written, read().written) == (None, "", "")
    assert (read("Ana", None).phone, read("Ana", None).written) == (None, "?")
    assert read(None, "0639980001").attributes is Fault.VALUE_INVALID
    assert read("", "0639980001", "x").attributes is Fault.DATE_INVALID


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.booleans())), st.sets(st.sampled_from([1, 2, 3])))
def test_every_row_is_taken_or_refused_and_no_number_twice(given, present):
    rows = [Row(n, "x", phone, {} if fine else Fault.DATE_INVALID) for n, (phone, fine) in enumerate(given)]
    kept, refused = lists.judge(rows, present)
    taken = [row.phone for row in kept]
    assert len(set(taken)) == len(taken) and not present & set(taken) and None not in taken
    assert sorted(row.line for row in [*kept, *(row for row, _ in refused)]) == list(range(len(rows)))
    assert set(taken) == {row.phone for row in rows if row.phone and row.attributes == {}} - present
    for row, fault in refused:
        if row.phone in present:
            assert fault is Fault.PRESENT
