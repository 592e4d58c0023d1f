from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import aiohttp
import pytest
from simulator.conftest import QUICK
from simulator.peer import bound

from passerelle.simulator.behaviours import Options
from passerelle.simulator.journal import JournalInUse
from passerelle.simulator.run import Addresses, run

PROGRAM = """
import asyncio, sys
from pathlib import Path
from passerelle.simulator.run import run
asyncio.run(run("127.0.0.1", 0, 0, Path(sys.argv[1]), ready=lambda where: print(where.smpp_port, flush=True)))
"""


@contextlib.asynccontextmanager
async def running(data):
    """The addresses of a simulator that runs until the end of the block."""
    ready: asyncio.Queue[Addresses] = asyncio.Queue()
    task = asyncio.create_task(
        run("127.0.0.1", 0, 0, data, smtp_port=0, options=Options(**QUICK), ready=ready.put_nowait)
    )
    waiting = asyncio.create_task(ready.get())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    yield waiting.result()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_it_serves_both_doors_and_lets_go_of_everything(tmp_path):
    for _ in range(2):
        async with running(tmp_path / "made") as where, bound(where.smpp_port) as bakery:
            bakery.submit("33612345678")
            await bakery.delivered()
            with pytest.raises(JournalInUse):
                await run("127.0.0.1", 0, 0, tmp_path / "made")
            with pytest.raises(OSError, match="in use"):
                await run("127.0.0.1", 0, where.http_port, tmp_path / "other")
            async with aiohttp.request("POST", f"http://127.0.0.1:{where.http_port}/sink/x", data=b"1") as answer:
                assert answer.status == 200
    assert len((tmp_path / "made" / "sink.jsonl").read_bytes().splitlines()) == 2


async def test_killed_it_comes_back_with_what_it_owed(tmp_path):
    async def life():
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        return child, int(await asyncio.wait_for(child.stdout.readline(), 20))

    child, port = await life()
    async with bound(port, "transmitter") as sender:
        for n in range(20):
            sender.submit(f"336123456{n:02}")
        names = {(await sender.answer()).message_id for _ in range(20)}
        child.send_signal(signal.SIGKILL)
        await child.wait()
    child, port = await life()
    async with bound(port) as bakery:
        assert {(await bakery.delivered()).receipted_message_id.rstrip(b"\0") for _ in range(20)} == names
    child.send_signal(signal.SIGTERM)
    await child.wait()
