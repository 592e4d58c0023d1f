import pytest

from passerelle.smpp.status import MEANINGS, NUMBER_UNKNOWN, Meaning, Status, meaning, status_name


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x00, Meaning.OK),
        (0x58, Meaning.THROTTLED),
        (0x14, Meaning.THROTTLED),
        (0x08, Meaning.TEMPORARY),
        (0x45, Meaning.TEMPORARY),
        (0x64, Meaning.TEMPORARY),
        (0x04, Meaning.TEMPORARY),
        (0x0B, Meaning.PERMANENT),
        (0x0A, Meaning.PERMANENT),
        (0x01, Meaning.PERMANENT),
        (0xC4, Meaning.PERMANENT),
        (0x102, Meaning.TEMPORARY),
        (0x412, Meaning.TEMPORARY),  # a vendor's own
        (0xFFFFFFFF, Meaning.TEMPORARY),
    ],
)
def test_what_a_status_means(status, expected):
    assert meaning(status) is expected


def test_an_operator_may_say_otherwise():
    assert meaning(0x412, {0x412: Meaning.PERMANENT}) is Meaning.PERMANENT
    assert meaning(0x0B, {0x412: Meaning.PERMANENT}) is Meaning.PERMANENT


def test_every_status_has_a_meaning_and_only_one_is_ok():
    assert set(MEANINGS) == set(Status)
    assert [s for s, m in MEANINGS.items() if m is Meaning.OK] == [Status.ESME_ROK]


def test_an_unknown_number_is_a_permanent_refusal():
    assert {meaning(status) for status in NUMBER_UNKNOWN} == {Meaning.PERMANENT}


@pytest.mark.parametrize(("status", "name"), [(0x58, "ESME_RTHROTTLED"), (0x412, "0x00000412")])
def test_names(status, name):
    assert status_name(status) == name
