"""What an account is told of itself."""

from __future__ import annotations

from surfaces.native.conftest import Desk


async def test_the_account_with_its_prices_and_rules(desk: Desk) -> None:
    told = await desk.get("/account")
    assert (told["email"], told["firstname"], told["balance"], told["currency"], told["parent"]) == (
        "bakery@example.org", "Alix", "10.000", "EUR", None,
    )  # fmt: skip
    assert {"service": "premium", "country": "FR", "price": "0.038"} in told["prices"]
    assert told["rules"]["short_code"] == "36000" and told["rules"]["unicode"] == "yes"


async def test_it_is_told_as_it_is_now(desk: Desk) -> None:
    await desk.services.accounts.credit(desk.account.id, 500, desk.clock.now())
    assert (await desk.get("/account"))["balance"] == "10.0005"
