"""`passerelle account`: customers, their credit, keys, settings, prices and senders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App

from ..domain.account import AccountState
from ..domain.pricing import Service
from . import keys
from .place import HERE, Json, Switch, Where, account_id, located, opened, run
from .screen import Problem, console, euros, parse_euros, show_json, table

if TYPE_CHECKING:
    from ..app import Ground

app = App(name="account", help="Customers: make them, give them credit, keys, settings, prices and senders.")
sender = App(name="sender", help="Protected senders: who may send under which name.")
app.command(sender)
app.command(keys.app)

STATES = {
    "active": AccountState.ACTIVE,
    "blocked": AccountState.BLOCKED,
    "disabled": AccountState.DISABLED,
    "no-api": AccountState.API_DENIED,
}
DEFAULT = "default"  # stands for the tariff of the installation


@app.command
def create(
    email: str,
    /,
    *,
    credit: str = "0",
    firstname: str = "",
    lastname: str = "",
    json: Json = False,
    where: Where = HERE,
) -> None:
    """Make an account and print its API key.

    Parameters
    ----------
    credit
        Euros to begin with, e.g. 25.50.
    """
    from ..store.accounts import EmailTaken

    amount = parse_euros(credit)
    if amount < 0:
        raise Problem("--credit cannot be negative")
    if "@" not in email:
        raise Problem(f"{email!r} is not an e-mail address")

    async def go() -> None:
        async with opened(located(where)) as base:
            now = datetime.now(UTC)
            try:
                made, key = await base.accounts.create(email, now=now, firstname=firstname, lastname=lastname)
            except EmailTaken:
                raise Problem(f"there is an account {email} already: `passerelle account key {email}`") from None
            if amount:
                await base.accounts.credit(made.id, amount, now, "first credit")
            if json:
                show_json({"id": made.id, "email": email, "key": key, "balance": amount / 1e6})
            else:
                print(f"account {made.id}\nkey     {key}\nbalance {euros(amount)}")

    run(go())


@app.command(name="list")
def list_accounts(*, json: Json = False, where: Where = HERE) -> None:
    """All accounts with their balance."""
    from ..store import accounts

    names = {state: name for name, state in STATES.items()}

    async def go() -> None:
        async with opened(located(where)) as base:
            rows = await accounts.listing(base.db)
            if json:
                show_json(
                    [
                        {"id": r["id"], "email": r["email"], "balance": r["balance"] / 1e6, "state": names[r["state"]]}
                        for r in rows
                    ]
                )
                return
            shown = ((r["id"], r["email"], euros(r["balance"]), names[r["state"]]) for r in rows)
            console().print(table(("Id", "Account", "Balance", "State"), shown, right=frozenset({0, 2})))
            if not rows:
                print("no account yet: make one with `passerelle account create EMAIL`")

    run(go())


@app.command
def credit(email: str, amount: str, /, *, note: str = "", where: Where = HERE) -> None:
    """Put euros on an account; a minus takes them off.

    Parameters
    ----------
    amount
        Euros, e.g. 25.50 or -3.
    note
        Why, for the ledger.
    """
    added = parse_euros(amount)
    if not added:
        raise Problem("nothing to do: the amount is 0")

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await base.accounts.by_id(await account_id(base, email))
            if account is not None and account.balance + added < 0:
                raise Problem(f"{email} has only {euros(account.balance)}")
            balance = await base.accounts.credit(await account_id(base, email), added, datetime.now(UTC), note)
            print(f"balance {euros(balance)}")

    run(go())


@app.command
def key(email: str, /, *, renew: Annotated[bool, Switch] = False, where: Where = HERE) -> None:
    """Show the API key of an account.

    Parameters
    ----------
    renew
        Replace it: the old key is refused from now on.
    """
    from cryptography.exceptions import InvalidTag

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_id(base, email)
            try:
                print(await base.accounts.new_key(account) if renew else await base.accounts.key(account))
            except InvalidTag:
                raise Problem("the key was sealed with another master secret: put the old PASSERELLE_SECRET back, or "
                              "make a new key with --renew") from None  # fmt: skip

    run(go())


@app.command
def secret(email: str, /, *, renew: Annotated[bool, Switch] = False, where: Where = HERE) -> None:
    """Show the secret that signs an account's callbacks (Standard Webhooks), or make a new one.

    Parameters
    ----------
    renew
        Make a new one. Both sign until the next renewal, so that receivers can change over.
    """

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_id(base, email)
            if renew:
                await base.accounts.new_secret(account)
            for number, one in enumerate(await base.accounts.secrets(account)):
                print(f"{one}{'  (the one before)' if number else ''}")

    run(go())


@app.command
def callbacks(email: str, /, *, replay: Annotated[bool, Switch] = False, where: Where = HERE) -> None:
    """List the callbacks of an account that were given up after two days, or post them again.

    Parameters
    ----------
    replay
        Post them all again, with all their attempts.
    """
    from ..store import events

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_id(base, email)
            lost = await events.given_up(base.db, account, limit=1000)
            if replay:
                count = await events.replay(base.db, account, [one.id for one in lost], datetime.now(UTC))
                print(f"{count} callbacks are on their way again")
                return
            rows = [[f"{one.at:%Y-%m-%d %H:%M:%S}", one.kind, one.attempts, one.error, one.url] for one in lost]
            console().print(table(["Event at", "Kind", "Attempts", "Last error", "URL"], rows) if rows else "none")

    run(go())


@app.command
def rules(email: str, /, *changes: str, json: Json = False, where: Where = HERE) -> None:
    """Show the settings of an account, or change some: `rules EMAIL eco=no quiet_start=21:00`.

    Parameters
    ----------
    changes
        name=value each.
    """
    from ..pipeline import account_rules

    async def go() -> None:
        async with opened(located(where)) as base:
            account = await account_id(base, email)
            try:
                await _change_rules(base, account, changes)
            except account_rules.RuleError as error:
                raise Problem(str(error)) from None
            after = await base.accounts.by_id(account)
            assert after is not None
            shown = account_rules.shown(after.rules)
            if json:
                show_json(shown)
                return
            told = {pair.partition("=")[0] for pair in changes} or set(shown)
            rows = [
                (name, value or "(nothing)", account_rules.allowed(name))
                for name, value in shown.items()
                if name in told
            ]
            console().print(table(("Setting", "Value", "Allowed"), rows))

    run(go())


async def _change_rules(base: Ground, account: int, changes: tuple[str, ...]) -> None:
    from dataclasses import asdict

    from ..pipeline import account_rules

    wanted = account_rules.parse(changes)
    before = await base.accounts.by_id(account)
    assert before is not None
    account_rules.check(base.accounts.rules(asdict(before.rules) | wanted), base.settings.short_link_hosts)
    if wanted:
        await base.accounts.update_rules(account, **wanted)


@app.command
def price(email: str, service: str, country: str, amount: str, /, *, where: Where = HERE) -> None:
    """Set what a part costs: `price EMAIL premium FR 0.045`.

    Parameters
    ----------
    email
        The account, or `default`: the tariff of everybody who has none of their own.
    service
        premium, eco, hlr, rcs or rental.
    country
        Two letters, or * for every other country.
    amount
        Euros a part, e.g. 0.045.
    """
    from ..store import accounts

    cost, code = parse_euros(amount), country.upper()
    names = {one.name.lower(): one for one in Service}
    if service.lower() not in names:
        raise Problem(f"there is no service {service!r}; there are: {', '.join(names)}")
    if code != "*" and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise Problem(f"{country!r} is no country: write two letters like FR, or * for every other country")
    if cost < 0:
        raise Problem("a price cannot be negative")

    async def go() -> None:
        async with opened(located(where)) as base:
            account = 0 if email == DEFAULT else await account_id(base, email)
            await accounts.set_price(base.db, account, names[service.lower()], code, cost)
            print(f"{email}: {service.lower()} to {code} costs {euros(cost)} a part")

    run(go())


@app.command
def state(email: str, state: Literal["active", "blocked", "disabled", "no-api"], /, *, where: Where = HERE) -> None:
    """Let an account send, or stop it: what it has accepted already still leaves.

    Parameters
    ----------
    state
        active; blocked or disabled: every call is refused; no-api: it may not use the APIs.
    """

    async def go() -> None:
        async with opened(located(where)) as base:
            await base.accounts.set_state(await account_id(base, email), STATES[state])
            print(f"{email} is {state}")

    run(go())


@sender.command
def protect(name: str, /, *, where: Where = HERE) -> None:
    """Nobody may send under this name any more, but who is granted it."""

    async def go() -> None:
        async with opened(located(where)) as base:
            await base.accounts.protect_sender(name)
            print(f"{_plain(name)} is protected: allow it with `passerelle account sender grant EMAIL {_plain(name)}`")

    run(go())


@sender.command
def grant(email: str, name: str, /, *, where: Where = HERE) -> None:
    """Let an account send under a protected name."""
    from ..store import accounts

    async def go() -> None:
        async with opened(located(where)) as base:
            await accounts.grant_sender(base.db, await account_id(base, email), _plain(name))
            print(f"{email} may send as {_plain(name)}")

    run(go())


def _plain(name: str) -> str:
    """As protected senders are compared."""
    return name.replace(" ", "").upper()
