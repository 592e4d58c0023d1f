"""Every country that a number can be of has a name and a mobile country code."""

from __future__ import annotations

import phonenumbers

from passerelle.domain.countries import MOBILE_CODES, NAMES, french_name


def test_all_regions_are_there_and_no_other() -> None:
    assert set(NAMES) == set(MOBILE_CODES) == phonenumbers.SUPPORTED_REGIONS | {"001"}
    assert all(len(code) == 3 and code.isdecimal() for code in MOBILE_CODES.values())
    assert all(name == name.strip() and name for name in NAMES.values())


def test_names() -> None:
    assert [french_name(code) for code in ("FR", "DE", "RE", "CI", "??")] == [
        "France", "Allemagne", "La Réunion", "Côte d'Ivoire", "??",
    ]  # fmt: skip
    assert (MOBILE_CODES["FR"], MOBILE_CODES["BE"], MOBILE_CODES["RE"]) == ("208", "206", "647")
