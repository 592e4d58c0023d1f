"""The table of the errors of a register."""

from __future__ import annotations

import pytest

from passerelle.domain.hlr import ERRORS, UNKNOWN_ERROR, error_of


@pytest.mark.parametrize(
    ("number", "group", "name", "description", "permanent"),
    [
        (0, 0, "NO_ERROR", "No Error", False),
        (1, 1, "EC_UNKNOWN_SUBSCRIBER", "Unknown Subscriber", True),
        (6, 1, "EC_ABSENT_SUBSCRIBER_SM", "Absent Subscriber Sm", False),
        (27, 1, "EC_ABSENT_SUBSCRIBER", "Absent Subscriber", False),
        (10, 3, "EC_BEARER_SERVICE_NOT_PROVISIONED", "Bearer Service Not Provisioned", True),
        (256, 1, "EC_SM_DF_MEMORYCAPACITYEXCEEDED", "Sm Df Memorycapacityexceeded", False),
        (500, 1, "EC_PROVIDER_GENERAL_ERROR", "Provider General Error", False),
        (1031, 1, "EC_OR_REMOTENODENOTREACHABLE", "Or Remotenodenotreachable", False),
        (1158, 1, "EC_NNR_NETWORKCONGESTION", "Nnr Networkcongestion", False),
        (2048, 3, "EC_TIME_OUT", "Time Out", False),
        (4104, 2, "EC_DESTINATION_TXT_FLOODING", "Destination Txt Flooding", True),
        (77, 1, "EC_UNKNOWN_ERROR", "Unknown Error", False),
    ],
)
def test_an_error_as_it_is_told(number: int, group: int, name: str, description: str, permanent: bool) -> None:
    row = error_of(number)
    assert (row.group, row.name, row.description, row.permanent) == (group, name, description, permanent)


def test_the_table_is_that_of_the_contract() -> None:
    groups = {0: {0}, 2: {2049, 2052, 2053, 4096, *range(4100, 4105)}, 3: {10, 20, 51, 71, 501, 2048, 2050}}
    groups[1] = {
        1, *range(5, 10), 11, 12, 13, 27, *range(31, 37), *range(255, 263), 500, 502, 503, 504, 507, 508, 509,
        *range(1024, 1032), *range(1152, 1159),
    }  # fmt: skip
    assert {group: {row.id for row in ERRORS.values() if row.group == group} for group in range(4)} == groups
    assert all(row.permanent for row in ERRORS.values() if row.group == 2)
    assert {row.id for row in ERRORS.values() if row.permanent and row.group != 2} == {1, 9, 11, 12, 10, 51, 2050}
    assert error_of(UNKNOWN_ERROR).label == "UNKNOWN_ERROR"
