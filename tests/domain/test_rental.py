"""Criteria, places, volumes and shares of contact rentals."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.domain import rental
from passerelle.domain.rental import Cost, Criteria, Fault, Place, PlaceType, Sex, Share, Volume

ZIPCODES = st.integers(0, 99_999).map("{:05}".format)
ADULTS = {"min_age": 18, "max_age": 98}


def test_places_are_the_most_exact_that_were_asked_for():
    assert [place.name for place in Criteria(**ADULTS).places] == ["France"]
    assert [place.type for place in Criteria(**ADULTS, departments=("60", "02")).places] == [PlaceType.DEPARTMENT] * 2
    both = Criteria(**ADULTS, departments=("60",), zipcodes=("60200", "02200")).places
    assert [(place.name, _holds(place, place.name)) for place in both] == [("60200", True), ("02200", False)]


def _holds(place: Place, zipcode: str) -> bool:
    return place.low <= zipcode < place.high


@given(ZIPCODES, ZIPCODES)
def test_a_place_holds_its_own_postcodes_and_no_other(zipcode, other):
    own = rental.department(zipcode)
    assert len(own) == (3 if zipcode[:2] in ("97", "98") else 2)
    (department,) = Criteria(**ADULTS, departments=(own,)).places
    assert _holds(department, other) is (rental.department(other) == own)
    (postcode,) = Criteria(**ADULTS, zipcodes=(zipcode,)).places
    assert _holds(postcode, other) is (other == zipcode)
    (country,) = Criteria(**ADULTS).places
    assert _holds(country, other)


@pytest.mark.parametrize(
    ("criteria", "possible"),
    [
        ({}, True),
        ({"min_age": 30, "max_age": 30}, True),
        ({"min_age": 31, "max_age": 30}, False),
        ({"zipcodes": ("60200",)}, True),
        ({"zipcodes": ("6020",)}, False),
        ({"zipcodes": ("60200", "6020A")}, False),
        ({"departments": ("60", "971", "02")}, True),
        ({"departments": ("97",)}, False),
        ({"departments": ("6",)}, False),
        ({"departments": ("2A",)}, False),
    ],
)
def test_criteria_that_nobody_can_match(criteria, possible):
    assert Criteria(**ADULTS | criteria).is_possible is possible


def test_ages_are_years_of_birth():
    assert Criteria(18, 30).birth_years(2026) == (1996, 2008)


def test_criteria_come_back_from_where_they_are_stored():
    criteria = Criteria(18, 30, (Sex.WOMAN,), 14, 35, 103, ("60",), ("60200", "60000"))
    assert rental.criteria_of(json.loads(json.dumps(criteria.stored()))) == criteria


@pytest.mark.parametrize(
    ("written", "read"),
    [("", ()), ("02,60", ("02", "60")), (" 02 ,, 60,02 ", ("02", "60")), ("60200", ("60200",))],
)
def test_lists_of_places(written, read):
    assert rental.names(written) == read


ROW = {"Type": "CP", "Localite": "60200", "Volume": 20}


@pytest.mark.parametrize(
    ("given_", "read"),
    [
        ({"60200": 20}, [Volume("", "60200", 20)]),
        ({"60200": "20", "total": 20}, [Volume("", "60200", 20)]),
        ({"60200": 20.0}, [Volume("", "60200", 20)]),
        ({"60200": 1.5}, Fault.VOLUME_MISSING),
        ({"60200": -1}, Fault.VOLUME_MISSING),
        ({"60200": True}, Fault.VOLUME_MISSING),
        ({"60200": 0}, Fault.VOLUME_MISSING),
        ({"60200": None}, Fault.VOLUME_MISSING),
        ({"60200": "²"}, Fault.VOLUME_MISSING),
        ({"60200": float("inf")}, Fault.VOLUME_MISSING),
        ([ROW], [Volume("CP", "60200", 20)]),
        ([ROW | {"DesiredVolume": 5}], [Volume("CP", "60200", 5)]),
        ([ROW | {"DesiredVolume": "5"}], [Volume("CP", "60200", 5)]),
        ([ROW | {"DesiredVolume": ""}], [Volume("CP", "60200", 20)]),
        ([ROW | {"DesiredVolume": "x"}], Fault.VOLUME_MISSING),
        ([ROW, {"Type": "total", "Localite": "total", "Volume": 20}], [Volume("CP", "60200", 20)]),
        ([{"type": "CP", "localite": 60200, "volume": 1}], [Volume("CP", "60200", 1)]),
        ([{"Localite": "60200", "Volume": 20}], Fault.TYPE_MISSING),
        ([{"Type": "CP", "Volume": 20}], Fault.PLACE_MISSING),
        ([{"Type": "CP", "Localite": "60200"}], Fault.VOLUME_MISSING),
        ([ROW, {}], Fault.TYPE_MISSING),
        (["60200"], Fault.TYPE_MISSING),
        ("60200", Fault.VOLUME_MISSING),
        (20, Fault.VOLUME_MISSING),
    ],
)
def test_volumes(given_, read):
    assert rental.volumes_of(given_) == read


PLACES = Criteria(**ADULTS, zipcodes=("60200", "02200")).places


@pytest.mark.parametrize(
    ("volumes", "shared"),
    [
        (None, [30, 100]),
        ([Volume("", "02200", 7)], [7]),
        ([Volume("cp", "60200", 30), Volume("CP", "02200", 100)], [30, 100]),
        ([Volume("", "60200", 10), Volume("", "60200", 20)], [30]),
        ([Volume("", "60200", 31)], Fault.MORE_THAN_THERE),
        ([Volume("", "60000", 1)], Fault.MORE_THAN_THERE),
        ([Volume("DEP", "60200", 1)], Fault.MORE_THAN_THERE),
        ([Volume("", "60200", 20), Volume("", "60200", 20)], Fault.MORE_THAN_THERE),
        ([Volume("", "02200", 100), Volume("", "02200", 31)], Fault.MORE_THAN_ALL),
        ([Volume("", "02200", 101), Volume("", "02200", 31)], Fault.MORE_THAN_THERE),
    ],
)
def test_shares_of_what_there_is(volumes, shared):
    found = rental.shares(PLACES, [30, 100], volumes)
    assert found == shared if isinstance(shared, Fault) else [share.wanted for share in found] == shared


def test_a_share_knows_what_there_was():
    assert rental.shares(PLACES, [30, 100], [Volume("", "02200", 7)]) == [Share(PLACES[1], 7, 100)]


@pytest.mark.parametrize(("quantity", "unit", "total"), [(20, 90_000, 1_800_000), (3, 90_500, 272_000), (0, 90_000, 0)])
def test_the_cost_is_rounded_once(quantity, unit, total):
    assert Cost(quantity, unit).total == total
