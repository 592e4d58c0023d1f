"""Who signs up: what is asked of them. The page with all its answers is in tests/surfaces/pages/test_signup.py."""

from __future__ import annotations

import pytest

from passerelle.domain.subaccounts import Type, Wanted
from passerelle.pipeline import signup, subaccounts
from passerelle.pipeline.signup import Field, Given, Standing

GOOD = Given("Léa", "Roy", "06 39 98 00 07", "un long secret")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (GOOD, set()),
        (Given("", "  ", "", ""), set(Field)),
        (Given("L", "R", "+49 151 23456789", "0123456789"), set()),
        (Given("L", "R", "01 40 50 60 70", "012345678"), {Field.MOBILE, Field.PASSWORD}),
    ],
)
def test_faults(given, wrong):
    assert signup.faults(given) == wrong


async def test_a_wrong_link_keeps_nothing(world):
    parent = await world.account()
    wanted = Wanted(Type.ADVANCED, "a@example.org")
    await subaccounts.create(world.db, world.accounts, parent, wanted, world.clock.now())
    assert await signup.accept(world.db, "wrong", GOOD, world.clock.now()) is Standing.UNKNOWN
    assert (await signup.look(world.db, "wrong", world.clock.now())).standing is Standing.UNKNOWN
    assert not await world.db.fetch("select from login")
