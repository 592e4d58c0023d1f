"""An operator that is quick about everything, on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from passerelle.simulator.behaviours import Options
from passerelle.simulator.smsc import Smsc

QUICK: dict[str, Any] = {"receipt_delay": 0.0, "late_delay": 0.2, "early_gap": 0.1, "retry_delay": 0.01}
Start = Callable[..., Awaitable[tuple[Smsc, int]]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts an operator over a journal (the same one by default) with some options; all are stopped at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(journal: Path | None = None, **options: Any) -> tuple[Smsc, int]:
            smsc = Smsc(journal=journal or tmp_path / "smsc.journal", options=Options(**{**QUICK, **options}))
            port = await smsc.start(port=0)
            stack.push_async_callback(smsc.stop)
            return smsc, port

        yield begin


async def quiet(smsc: Smsc) -> None:
    """Until nothing is owed to anybody."""
    async with asyncio.timeout(5):
        while smsc.stats()["owed"]:
            await asyncio.sleep(0.005)
