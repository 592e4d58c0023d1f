from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain.numbers import DOMESTIC, Kind, Number, clean, is_domestic, national, normalise, zone_of

MOBILE, FIXED, OTHER = Kind.MOBILE, Kind.FIXED, Kind.OTHER
FRENCH = Number("+33612345678", "FR", MOBILE)


@pytest.mark.parametrize(
    "typed",
    [
        "0612345678",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "06/12/34/56/78",
        "06\u00a012\u202f34\u200956\u201178",
        " +33612345678\n",
        "+33 6 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "+330612345678",
        "0033612345678",
        "00 33 (0)6 12 34 56 78",
        "33612345678",
        "33 6 12 34 56 78",
        "[+33] 612345678",
    ],
)
@pytest.mark.parametrize("bare_international", [True, False])
def test_spellings_of_one_number(typed, bare_international):
    assert normalise(typed, bare_international) == FRENCH


@pytest.mark.parametrize(
    ("typed", "e164", "country", "kind"),
    [
        ("0639980001", "+33639980001", "FR", MOBILE),  # fiction stays French
        ("0639120001", "+262639120001", "YT", MOBILE),
        ("0695123456", "+33695123456", "FR", MOBILE),
        ("0698123456", "+33698123456", "FR", MOBILE),
        ("0690123456", "+590690123456", "GP", MOBILE),
        ("0691123456", "+590691123456", "GP", MOBILE),
        ("0694123456", "+594694123456", "GF", MOBILE),
        ("0696123456", "+596696123456", "MQ", MOBILE),
        ("0697123456", "+596697123456", "MQ", MOBILE),
        ("0692123456", "+262692123456", "RE", MOBILE),
        ("0693123456", "+262693123456", "RE", MOBILE),
        ("+33690123456", "+33690123456", "FR", MOBILE),
        ("0700000000", "+33700000000", "FR", MOBILE),
        ("0142030405", "+33142030405", "FR", FIXED),
        ("0976000000", "+33976000000", "FR", FIXED),
        ("0899123456", "+33899123456", "FR", OTHER),
        ("+590590123456", "+590590123456", "GP", FIXED),
        ("+590590271234", "+590590271234", "BL", FIXED),
        ("0590123456", "+590590123456", "GP", FIXED),
        ("0262341234", "+262262341234", "RE", FIXED),
        ("+262262341234", "+262262341234", "RE", FIXED),
        ("+262269601234", "+262269601234", "YT", FIXED),
        ("+590976000000", "+590976000000", "GP", FIXED),
        ("+508551234", "+508551234", "PM", MOBILE),
        ("+687751234", "+687751234", "NC", MOBILE),
        ("+12025550123", "+12025550123", "US", MOBILE),  # fixed or mobile counts as mobile
        ("+44 7400 123456", "+447400123456", "GB", MOBILE),
        ("00 44 7400 123456", "+447400123456", "GB", MOBILE),
        ("+32470123456", "+32470123456", "BE", MOBILE),
        ("+80012345678", "+80012345678", "001", OTHER),
    ],
)
def test_country_and_kind(typed, e164, country, kind):
    assert normalise(typed) == Number(e164, country, kind)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "+",
        "12",
        "bonjour",
        "06123456",
        "061234567",
        "06123456789",
        "06399800011",
        "0612345678x",
        "06 12 34 56 7٨",  # an Arabic digit
        "0612345678,0612345679",
        "++33612345678",
        "33+612345678",
        "+336123456789",
        "+33012345678",
        "0012345678",
        "+33400000000",
        "+590590",
        "+5906901234567",
        "+447",
        "+999123456789",
        "1" * 5000,
    ],
)
def test_what_is_no_number(typed):
    assert normalise(typed) is None


def test_bare_digits_are_international_only_where_the_dialect_says_so():
    assert normalise("447400123456") == Number("+447400123456", "GB", MOBILE)
    assert normalise("447400123456", bare_international=False) is None
    assert normalise("330612345678") == FRENCH


def test_cleaning_keeps_invalid_numbers_for_those_who_must_name_them():
    assert clean("04 00 00 00 00") == "+33400000000"
    assert clean("+33 8 12 34 56") == "+338123456"
    assert clean("+33 8") is None


# Tristan da Cunha has no mobiles; those of Tokelau are shorter than the 8 digits that the contracts ask.
@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS - {"TA", "TK"}))
def test_a_mobile_of_every_country_is_accepted_and_stable(country):
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    number = normalise(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    assert number is not None and number.kind is MOBILE
    assert normalise(number.e164) == number


@settings(max_examples=300)
@given(
    st.text()
    | st.text(alphabet="+0123456789 ()-.", max_size=20)
    | st.from_regex(r"(\+|00|)(33|590|596|594|262|508|44|1|39|52|54|55|)0?[0-9]{6,11}", fullmatch=True),
    st.booleans(),
)
def test_reading_never_raises_and_is_stable(typed, bare_international):
    number = normalise(typed, bare_international)
    if number is not None:
        assert normalise(number.e164, bare_international) == number


@given(st.from_regex(r"0[67][0-9]{8}", fullmatch=True))
def test_the_short_cut_agrees_with_the_long_way(typed):
    assert normalise(typed) == normalise(typed[:2] + " " + typed[2:])


def test_overseas_counts_as_france():
    assert all(map(is_domestic, ("FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF")))
    assert not any(map(is_domestic, ("BE", "NC", "PF", "US")))
    assert len(DOMESTIC) == 9


def test_national_form_is_for_mainland_numbers():
    assert national("+33612345678") == "0612345678"
    assert national("+590690123456") == "+590690123456"


@pytest.mark.parametrize(
    ("e164", "zone"),
    [
        ("+33612345678", "Europe/Paris"),
        ("+590690123456", "America/Guadeloupe"),
        ("+590590271234", "America/Guadeloupe"),
        ("+596696123456", "America/Martinique"),
        ("+594694123456", "America/Cayenne"),
        ("+262692123456", "Indian/Reunion"),
        ("+262639123456", "Indian/Mayotte"),
        ("+262269601234", "Indian/Mayotte"),
        ("+508551234", "America/Miquelon"),
        ("+687751234", "Pacific/Noumea"),
        ("+68987123456", "Pacific/Tahiti"),
        ("+681821234", "Pacific/Wallis"),
        ("+12025550123", "Europe/Paris"),
    ],
)
def test_whose_night_is_kept(e164, zone):
    assert zone_of(e164) == zone
