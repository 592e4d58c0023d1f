"""A program of the platform as `up` runs it: it loads at once, and begins when its settings come over standard input.

The one rule: without a word from `up` nothing begins.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import uvloop

from .. import telemetry
from ..settings import Settings, load

Program = Callable[[Settings], Coroutine[Any, Any, None]]


def main(name: str, *arguments: str) -> None:
    """Run one of them. `arguments`: as its function here takes them."""
    program = PROGRAMS[name](*arguments)
    told = sys.stdin.buffer.read()
    if not told:
        return  # `up` has given up, or is gone
    settings = load(None, msgspec.json.decode(told, type=dict[str, str]))
    telemetry.configure(settings.log_level)
    uvloop.run(program(settings))


def _simulate(host: str, port: str, http_port: str, data: str, smtp_port: str = "0") -> Program:
    """The operator; where it has a port for mails, it takes them too."""
    from ..simulator import run as simulator
    from ..simulator.rcs import Webhook

    def program(settings: Settings) -> Coroutine[Any, Any, None]:
        rcs = Webhook(f"http://{settings.host}:{settings.port}/rcs/events", settings.rcs.events_token)
        smtp = int(smtp_port) or None
        return simulator.until_signal(
            simulator.run(host, int(port), int(http_port), Path(data), smtp_port=smtp, rcs=rcs)
        )

    return program


def _work(data: str) -> Program:
    """The worker of a data folder."""
    from ..app.working import work

    return lambda settings: work(settings, bind_owner=life_in(Path(data)))


def _serve() -> Program:
    """The APIs."""
    from ..app.serving import serve

    return serve


PROGRAMS: dict[str, Callable[..., Program]] = {"simulate": _simulate, "work": _work, "serve": _serve}


def life_in(data: Path) -> UUID:
    """Under which name the worker of a data folder holds its binds.

    One after another they have the same, so that the next takes over at once what a killed one held. The lock lives as
    long as the process: while another one has it, that one may be bound, and we are somebody else.
    """
    lock = os.open(data / "worker", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return uuid4()
    known = os.read(lock, 36).decode()
    if not known:
        known = str(uuid4())
        os.write(lock, known.encode())
    return UUID(known)


if __name__ == "__main__":
    main(*sys.argv[1:])
