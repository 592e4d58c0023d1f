"""The simulator as one coroutine: the operator, the handsets, the sink and the mails, until cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from passerelle.simulator.behaviours import Options
from passerelle.simulator.handset import application
from passerelle.simulator.postbox import Postbox
from passerelle.simulator.rcs import Rbm, Webhook
from passerelle.simulator.sink import Sink
from passerelle.simulator.smsc import Smsc

JOURNAL = "smsc.journal"
SINK_LOG = "sink.jsonl"
MAIL_LOG = "mails.jsonl"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running simulator listens."""

    host: str
    smpp_port: int
    http_port: int
    smtp_port: int = 0


async def run(
    host: str,
    smpp_port: int,
    http_port: int,
    data: Path,
    *,
    smtp_port: int | None = None,
    options: Options | None = None,
    rcs: Webhook | None = None,
    ready: Callable[[Addresses], None] | None = None,
) -> None:
    """Run until cancelled; port 0 takes a free one, and `ready` is told which. No `smtp_port`: no mails. `rcs`:
    where the events of that provider go.

    `data` is made if need be and holds the journal and the log of the sink. OSError when a port is taken,
    `journal.JournalInUse` when another simulator has the folder.
    """
    data.mkdir(parents=True, exist_ok=True)
    smsc, sink = Smsc(journal=data / JOURNAL, options=options), Sink(data / SINK_LOG)
    postbox = Postbox(data / MAIL_LOG)
    rbm = Rbm(smsc.phones, rcs)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(sink), socket.create_server((host, http_port), family=family) as http:
        smpp = await smsc.start(host, smpp_port)
        try:
            smtp = 0 if smtp_port is None else await postbox.start(host, smtp_port)
            if ready is not None:
                ready(Addresses(host, smpp, http.getsockname()[1], smtp))
            await _serve(application(smsc, sink, postbox, rbm), http)
        finally:
            await rbm.stop()
            await postbox.stop()
            await smsc.stop()


class _Server(uvicorn.Server):
    """Signals belong to whoever runs us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(application: Any, listening: socket.socket) -> None:
    """Serve HTTP until cancelled; open requests get a second to end."""
    server = _Server(
        uvicorn.Config(application, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


async def until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Run it until SIGINT or SIGTERM."""
    task = asyncio.ensure_future(work)
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return
