"""Members of contacts, their ids, and the words for every fault."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from passerelle.domain.contact import MEMBERS, Fault, read
from passerelle.domain.tokens import text20
from passerelle.pipeline.contacts import Added
from passerelle.store.contacts import Group
from passerelle.surfaces.smspartner import contact_wire as wire

TOKEN = bytes(range(12))
GROUP = Group(1, TOKEN, "Clients", datetime(2026, 7, 1, 22, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (text20(TOKEN), TOKEN), (f" {text20(TOKEN)} ", TOKEN), (6123, 6123), ("6123", 6123), (" 6123 ", 6123),
        (6123.0, 6123), ("", None), (0, None), (-1, None), (2**31, None), ("x", None), (True, None), (None, None),
    ],
)  # fmt: skip
def test_either_id_of_a_group(given, key):
    assert wire.group_key(given) == key


def test_members_in_any_case_and_as_numbers():
    sent = wire.given({"PhoneNumber": 639980001, "FIRSTNAME": "A", "custom1": 7, "nickname": "x", "lastname": ""})
    assert sent == {"phone": "639980001", "firstname": "A", "custom1": "7"}
    assert wire.given({"lastname": "", "Custom2": "", "url": None}, clearing=True) == {"lastname": "", "custom2": ""}
    assert wire.given(["a"]) == wire.given("a") == wire.given(None) == {}
    assert wire.given({"firstname": {"a": 1}, "phoneNumber": ["1"]}) == {}
    assert set(wire.SPELLED) == set(MEMBERS)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_its_row_and_its_counter(fault):
    found = read({"phone": "+33639980001"})
    told = wire.report(GROUP, [{"phone": "0639980001"}], [found], [Added(fault=fault)])
    (row,) = told["results"]
    assert row["success"] is False and row["code"] in (2, 9, 14, 15) and row["phoneNumber"] == "+33639980001"
    counted = {name: count for name, count in told["rapport"]["errors"].items() if count}
    assert sum(counted.values()) == {Fault.TOO_LONG: 0, Fault.DATE_INVALID: 2}.get(fault, 1)
    assert told["rapport"]["nbline_imported"] == 0


def test_times_are_those_of_paris():
    assert wire.group_row(GROUP)["createdAt"] == "2026-07-02T00:30:00+02:00"
