"""Owns an embedded PostgreSQL in the folder given, as `up` does, until a signal: `python database.py FOLDER`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from passerelle.store.embedded import EmbeddedServer


async def own(folder: Path) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    server = EmbeddedServer(folder)  # as shipped: fsync on
    print(await server.start(), flush=True)
    await stop.wait()
    await server.stop()


if __name__ == "__main__":
    asyncio.run(own(Path(sys.argv[1])))
