"""The commands, one screen each. What they do is done elsewhere; heavy rooms are imported when they are needed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from decimal import InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App, Parameter

from . import settings as settings_module
from . import telemetry
from .settings import SettingError, Settings

if TYPE_CHECKING:
    from .demo import Places

app = App(name="passerelle", help="The messaging platform that an organisation runs itself.")
account_app = App(name="account", help="Customers: make them, list them, give them credit and keys.")
app.command(account_app)

Config = Annotated[Path | None, Parameter(help="Settings file (TOML); PASSERELLE_<NAME> in the environment wins.")]


def main() -> None:
    """Run a command; a wrong setting is one clear line."""
    try:
        app()
    except SettingError as error:
        fail(str(error))


def fail(message: str) -> None:
    """Say what is wrong and end."""
    print(f"passerelle: {message}", file=sys.stderr)
    raise SystemExit(1)


def load(config: Path | None, **changes: Any) -> Settings:
    """The settings, with what the command line says over them."""
    found = settings_module.load(config)
    told = {name: value for name, value in changes.items() if value is not None}
    return msgspec.structs.replace(found, **told) if told else found


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop."""
    import uvloop

    uvloop.run(coroutine)


# --- programs ------------------------------------------------------------------------------------------------------


@app.command
def up(*, port: int | None = None, data: Path | None = None, browser: bool = True, config: Config = None) -> None:
    """Start everything on this machine, with a demo account and a simulated operator.

    Parameters
    ----------
    port
        Of the HTTP APIs.
    data
        Folder for the database and everything else that is kept.
    browser
        Open the simulated handsets in a browser; --no-browser for scripts.
    """
    from . import demo

    telemetry.configure("warning")
    chosen = load(config, port=port, data=data)

    def welcome(where: Places, key: str) -> None:
        print(_welcome(where, key), flush=True)
        if browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(where.phones)

    try:
        run(demo.run(chosen, lambda line: print(line, flush=True), welcome))
    except demo.CannotStart as error:
        fail(str(error))


def _welcome(where: Places, key: str) -> str:
    return f"""
Passerelle is up.

  SMS Partner   {where.base_url}/v1/            (also {where.base_url}/smspartner/v1/)
  Primotexto    {where.base_url}/v2/            (also {where.base_url}/primotexto/v2/)
  API key       {key}
  Handsets      {where.phones}/                 the simulated operator's phones: read, and reply
  Operator      SMPP on {where.host}:{where.smsc_port}
  Data          {where.data}

Send a text to a handset:

  curl {where.base_url}/v1/send -H 'Content-Type: application/json' \\
    -d '{{"apiKey":"{key}","phoneNumbers":"0639980001","message":"Bonjour !"}}'

and read it on {where.phones}/+33639980001
Stop with Ctrl-C.
"""


@app.command
def serve(*, host: str | None = None, port: int | None = None, config: Config = None) -> None:
    """Answer HTTP."""
    from . import app as program

    chosen = load(config, host=host, port=port)
    telemetry.configure(chosen.log_level)
    run(program.serve(chosen))


@app.command
def work(*, config: Config = None) -> None:
    """Move messages: the queue, the binds to operators, receipts, notifications."""
    from . import app as program

    chosen = load(config)
    telemetry.configure(chosen.log_level)
    run(program.work(chosen))


@app.command
def migrate(*, config: Config = None, status: bool = False) -> None:
    """Bring the database up to date, or say what it lacks (--status)."""
    from .store import migrations

    async def go() -> None:
        url = load(config).database_url
        if status:
            for one in await migrations.status(url):
                print(f"{one.number:04} {one.name:30} {one.applied_at or 'missing'}")
            return
        for name in await migrations.migrate(url) or ["nothing to do"]:
            print(name)

    run(go())


@app.command
def simulate(
    *,
    host: str = "127.0.0.1",
    port: int = 2775,
    http_port: int = 2776,
    data: Path = Path("var/simulator"),
    response_delay: float = 0.0,
    receipt_delay: float = 0.5,
    rate: float = 0.0,
) -> None:
    """A whole mobile operator to test against: SMPP, handsets with a page each, magic numbers.

    Parameters
    ----------
    response_delay
        Seconds from a submit_sm to its answer.
    receipt_delay
        Seconds from one step of a message to the next.
    rate
        Submits a second and account; beyond that: throttled. 0: no limit.
    """
    from .simulator import run as simulator
    from .simulator.behaviours import Options

    telemetry.configure("info")
    options = Options(response_delay=response_delay, receipt_delay=receipt_delay, rate=rate)
    run(_until_signal(simulator.run(host, port, http_port, data, options=options, ready=print)))


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    import signal

    task = asyncio.ensure_future(work)
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


# --- accounts ------------------------------------------------------------------------------------------------------


@account_app.command
def create(email: str, *, credit: str = "0", firstname: str = "", lastname: str = "", config: Config = None) -> None:
    """Make an account and print its key.

    Parameters
    ----------
    credit
        Euros to begin with, e.g. 25.50.
    """
    from .app import ground
    from .store.accounts import EmailTaken

    amount = _euros(credit)

    async def go() -> None:
        async with ground(load(config), size=2) as base:
            now = datetime.now(UTC)
            try:
                account, key = await base.accounts.create(email, now=now, firstname=firstname, lastname=lastname)
            except EmailTaken:
                fail(f"an account with the address {email} exists already")
            if amount:
                await base.accounts.credit(account.id, amount, now, "first credit")
            print(f"account {account.id}\nkey     {key}")

    run(go())


def _euros(text: str) -> int:
    from .domain import pricing

    try:
        return pricing.parse(text.replace(",", "."))
    except InvalidOperation:
        raise SystemExit(f"passerelle: {text!r} is not an amount; write euros like 25.50") from None


@account_app.command(name="list")
def list_accounts(*, config: Config = None) -> None:
    """All accounts with their balance."""
    from .app import ground
    from .domain import pricing
    from .domain.account import AccountState
    from .store import accounts

    async def go() -> None:
        async with ground(load(config), size=2) as base:
            for row in await accounts.listing(base.db):
                state = AccountState(row["state"]).name.lower()
                print(f"{row['id']:>8}  {row['email']:<40} {pricing.text(row['balance']):>14} EUR  {state}")

    run(go())


@account_app.command
def credit(email: str, euros: str, *, note: str = "", config: Config = None) -> None:
    """Put euros on an account; with a minus, take them off."""
    from .app import ground
    from .domain import pricing
    from .store import accounts

    amount = _euros(euros)

    async def go() -> None:
        async with ground(load(config), size=2) as base:
            found = await accounts.id_of(base.db, email)
            if found is None:
                fail(f"there is no account {email}")
                return
            balance = await base.accounts.credit(found, amount, datetime.now(UTC), note)
            print(f"balance {pricing.text(balance)} EUR")

    run(go())


@account_app.command
def key(email: str, *, renew: bool = False, config: Config = None) -> None:
    """Show the key of an account, or replace it (--renew): the old one is dead at once."""
    from .app import ground
    from .store import accounts

    async def go() -> None:
        async with ground(load(config), size=2) as base:
            found = await accounts.id_of(base.db, email)
            if found is None:
                fail(f"there is no account {email}")
                return
            print(await base.accounts.new_key(found) if renew else await base.accounts.key(found))

    run(go())
