"""Settings of an account as people write them."""

from __future__ import annotations

from datetime import time

import msgspec
import pytest

from passerelle.domain.account import Rules
from passerelle.domain.message import TrafficClass
from passerelle.pipeline.account_rules import TYPES, RuleError, allowed, check, parse, shown


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("eco=no", False),
        ("eco=ON", True),
        ("traffic_class=marketing", TrafficClass.MARKETING),
        ("quiet_start=21:30", time(21, 30)),
        ("holiday_region=57", "57"),
        ("holiday_region=", ""),
        ("short_code=36111", "36111"),
        (r"stop_mention=\nSTOP 36111", "\nSTOP 36111"),
        ("characters=unicode", "unicode"),
        ("allowed_addresses=192.0.2.1, 10.0.0.0/8", ("192.0.2.1/32", "10.0.0.0/8")),
        ("allowed_addresses=", ()),
        ("webhook_url=https://a.example/x?y=1", "https://a.example/x?y=1"),
        ("webhook_url=", ""),
        ("daily_quota=100", 100),
    ],
)
def test_what_is_written_becomes_a_rule(pair: str, value: object) -> None:
    name = pair.partition("=")[0]
    stored = msgspec.json.decode(msgspec.json.encode(parse([pair])))
    assert getattr(msgspec.convert(stored, Rules, strict=False), name) == value


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("eci=no", "did you mean eco"),
        ("zzz=1", "there are: eco, unicode"),
        ("eco", "write eco=VALUE; allowed: yes, no"),
        ("eco=perhaps", "allowed: yes, no"),
        ("quiet_start=25:00", "a time of day"),
        ("characters=latin", "allowed: reject, transliterate, unicode"),
        ("holiday_region=99", "57, GP"),
        ("webhook_url=ftp://a", "http:// or https://"),
        ("webhook_url=https://", "http:// or https://"),
        ("daily_quota=-1", "a whole number"),
        ("allowed_addresses=localhost", "addresses or networks"),
        ("short_code=STOP", "3 to 8 digits"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(pair: str, words: str) -> None:
    with pytest.raises(RuleError) as wrong:
        parse(["unicode=yes", pair])
    assert words in str(wrong.value)


def test_what_is_shown_can_be_written_again() -> None:
    rules = Rules(quiet_start=time(21), allowed_addresses=("10.0.0.0/8",), eco=False)
    again = parse(f"{name}={value}" for name, value in shown(rules).items())
    assert msgspec.convert(again, Rules, strict=False) == rules
    assert all(allowed(name) for name in TYPES)


def test_hours_that_never_open_are_refused() -> None:
    check(Rules())
    with pytest.raises(RuleError, match="quiet_end"):
        check(Rules(quiet_end=time(21), quiet_start=time(20)))
    check(Rules(short_link_host="go.bakery.example"), ["go.clinic.example", "go.bakery.example"])
    for known in ([], ["go.clinic.example"]):
        with pytest.raises(RuleError, match="short_link_host has to be one of"):
            check(Rules(short_link_host="go.bakery.example"), known)
