"""The programs: all of them on this machine (`up`), or one at a time in production."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from .. import telemetry
from .place import HERE, Switch, Where, load, located, production, run
from .screen import Problem

if TYPE_CHECKING:
    from ..demo.places import Places
    from ..simulator.run import Addresses


def up(*, port: int | None = None, browser: bool = True, where: Where = HERE) -> None:
    """Start everything on this machine: database, APIs, a simulated operator with its handsets, a demo account.

    It needs no argument. Everything is kept in the data folder (`var` here) and is there again the next time.

    Parameters
    ----------
    port
        Of the HTTP APIs (8080).
    browser
        Open the simulated handsets in a browser.
    """
    from ..demo.up import run as everything

    telemetry.configure("warning")

    def welcome(places: Places, key: str, native: str) -> None:
        print(_welcome(places, key, native), flush=True)
        if browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(places.phones)

    run(everything(load(where, port=port), lambda line: print(line, flush=True), welcome))


def _command() -> str:
    """How this program is called from here: by its name where the shell finds it, else by its path."""
    if shutil.which("passerelle"):
        return "passerelle"
    beside = Path(sys.executable).with_name("passerelle")
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)


def _welcome(where: Places, key: str, native: str = "") -> str:
    named = "" if where.is_default else f" --data {where.data}"
    command = _command()
    return f"""
Passerelle is up.

  SMS Partner   {where.base_url}/v1/            (also {where.base_url}/smspartner/v1/)
  Primotexto    {where.base_url}/v2/            (also {where.base_url}/primotexto/v2/)
  API key       {key}
  Native API    {where.base_url}/api/v1/docs
  its key       {native}
  Handsets      {where.phones}/                 the phones of the simulated operator: read, and reply
  Mails         {where.phones}/mails            what the platform writes to people
  Operator      SMPP on {where.host}:{where.smsc_port}
  Data          {where.data}

Send a text to a handset:

  curl {where.base_url}/v1/send -H 'Content-Type: application/json' \\
    -d '{{"apiKey":"{key}","phoneNumbers":"0639980001","message":"Bonjour !"}}'

or in another terminal:

  {command} send 0639980001 --text 'Bonjour !'{named}

Read it on {where.phones}/+33639980001
See what happens with `{command} status{named}`. Stop with Ctrl-C.
"""


def serve(*, host: str | None = None, port: int | None = None, where: Where = HERE) -> None:
    """Answer HTTP. Any number of these may run on one database.

    Parameters
    ----------
    host
        Address to listen on (127.0.0.1).
    port
        Port to listen on (8080).
    """
    from ..app import serving

    chosen = production(where, host=host, port=port)
    telemetry.configure(chosen.log_level)
    run(serving.serve(chosen))


def work(*, where: Where = HERE) -> None:
    """Move messages: the queue, the binds to operators, receipts, notifications. Any number may run on one database."""
    from ..app import working

    chosen = production(where)
    telemetry.configure(chosen.log_level)
    run(working.work(chosen))


def migrate(*, status: Annotated[bool, Switch] = False, where: Where = HERE) -> None:
    """Bring the database up to date. Run it before the programs of a new version.

    Parameters
    ----------
    status
        Only say what is there and what is missing.
    """
    from ..store import inspection, migrations

    async def go() -> None:
        url = located(where).database_url
        await inspection.reach(url)
        if status:
            for one in await migrations.status(url):
                print(f"{one.number:04} {one.name:30} {one.applied_at or 'missing'}")
            return
        for name in await migrations.migrate(url) or ["the database is up to date"]:
            print(name)

    run(go())


def simulate(
    *,
    host: str = "127.0.0.1",
    port: int = 2775,
    http_port: int = 2776,
    smtp_port: int | None = None,
    data: Path = Path("var/simulator"),
    response_delay: float = 0.0,
    receipt_delay: float = 0.5,
    rate: float = 0.0,
    rcs_events: str = "",
    rcs_token: str = "",
) -> None:
    """Be a whole mobile operator to test against: SMPP, handsets with a page each, numbers that fail on purpose.

    Parameters
    ----------
    host
        Address to listen on.
    port
        Of SMPP.
    http_port
        Of the handsets.
    smtp_port
        Of a mail server that takes every mail and shows it beside the handsets; without it there is none.
    data
        Folder of its journal: what it is owed survives it.
    response_delay
        Seconds from a submit_sm to its answer.
    receipt_delay
        Seconds from one step of a message to the next.
    rate
        Submits a second and account; beyond that: throttled. 0: no limit.
    rcs_events
        URL that the provider of RCS posts its events to, as http://127.0.0.1:8080/rcs/events.
    rcs_token
        The events_token of that platform.
    """
    from ..simulator import run as simulator
    from ..simulator.behaviours import Options
    from ..simulator.journal import JournalInUse
    from ..simulator.rcs import Webhook

    telemetry.configure("info")
    options = Options(response_delay=response_delay, receipt_delay=receipt_delay, rate=rate)
    rcs = Webhook(rcs_events, rcs_token)
    serving = simulator.run(
        host, port, http_port, data, smtp_port=smtp_port, options=options, rcs=rcs, ready=_say_where
    )
    try:
        run(simulator.until_signal(serving))
    except OSError as error:
        raise Problem(
            f"the simulator cannot start ({os.strerror(error.errno or 0)}): choose other ports with --port and "
            "--http-port, or another folder with --data"
        ) from None
    except JournalInUse as error:
        raise Problem(f"{error}: stop the other simulator, or use another folder with --data") from None


def _say_where(at: Addresses) -> None:
    mails = f", SMTP on {at.host}:{at.smtp_port}" if at.smtp_port else ""
    print(f"SMPP on {at.host}:{at.smpp_port}{mails}, handsets on http://{at.host}:{at.http_port}/", flush=True)
