"""Tracked links: how many redirects a second one `serve` gives on one core, and whether every visit is on disk.

    .venv/bin/python bench/links.py [--links 100000] [--visits 40000] [--concurrency 64] [--core 0] [--again 0.25] [--patience 60] [--kill]

An embedded PostgreSQL of its own and this program run beside it, on the other cores; `serve` is pinned to `--core`.
Requests are those of a phone, over connections that are kept; `--again` of them follow a link that was followed before.
The one rule: what counts is what the database holds at the end, compared with what was answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from http_load import percentile
from proc import cpu_seconds, free_ports, others, start, taken, wait_quiet

from passerelle.domain.tracking import Target
from passerelle.pipeline.accounts import Accounts
from passerelle.pipeline.keys import Keyring
from passerelle.settings import Settings
from passerelle.store import migrations, tracking
from passerelle.store.database import Database
from passerelle.store.embedded import EmbeddedServer
from passerelle.store.links import new_tracked_codes

SECRET = "bench"
THERE = "https://www.shop.example/soldes/hiver?utm_source=sms&utm_campaign=soldes-2026"
PHONE = (
    "User-Agent: Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile "
    "Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: fr-FR,fr;q=0.9,en;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nSec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\nUpgrade-Insecure-Requests: 1\r\n"
)


class Phone(asyncio.Protocol):
    """A connection that follows one link after the other."""

    def __init__(self, load: Load) -> None:
        self.load, self.seen, self.done = load, b"", asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self) -> None:
        """The next, or the end."""
        if not self.load.todo:
            self.transport.close()
            self.done.set_result(None)
            return
        self.at = time.perf_counter()
        self.transport.write(self.load.todo.pop())

    def data_received(self, piece: bytes) -> None:
        """An answer has no body."""
        self.seen += piece
        if self.seen.endswith(b"\r\n\r\n"):
            self.load.latencies.append(time.perf_counter() - self.at)
            self.load.led += self.seen.startswith(b"HTTP/1.1 302") and self.load.location in self.seen
            self.seen = b""
            if self.load.led == self.load.last:
                self.load.ended()
            self.ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


class Load:
    """What is asked for, and what was answered."""

    def __init__(self, codes: list[str], port: int) -> None:
        head = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{PHONE}\r\n"
        self.todo = [f"GET /l/{code}{head}".encode() for code in codes]
        self.location = f"location: {THERE}\r\n".encode()
        self.latencies: list[float] = []
        self.led, self.last, self.ended = 0, -1, lambda: None

    async def run(self, port: int, concurrency: int) -> float:
        """Seconds that it took."""
        loop = asyncio.get_running_loop()
        phones = [(await loop.create_connection(lambda: Phone(self), "127.0.0.1", port))[1] for _ in range(concurrency)]
        began = time.perf_counter()
        for phone in phones:
            phone.ask()
        await asyncio.gather(*(phone.done for phone in phones))
        return time.perf_counter() - began


async def links(url: str, count: int) -> list[str]:
    """A submission with so many links."""
    await migrations.migrate(url)
    db = await Database.open(url)
    at = await db.fetchval("select clock_timestamp()")
    account, _ = await Accounts(db, Keyring(SECRET), Settings()).create("bench@example.org", now=at)
    ids = await tracking.add_targets(db, account.id, 1, 2, "bench", [Target(THERE)], at)
    codes = new_tracked_codes(count)
    async with db.transaction() as connection:
        assert await tracking.add_links(connection, ids, [[code] for code in codes])
    await db.execute("vacuum analyze tracked_link")
    await db.close()
    return codes


async def ready(port: int) -> None:
    """Until it answers, and has loaded what stands behind the dialects."""
    for _ in range(300):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /l/nobody00 HTTP/1.1\r\nHost: a\r\nUser-Agent: curl\r\nConnection: close\r\n\r\n")
            await reader.read()
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("serve does not answer")


async def measure(options: argparse.Namespace, work: Path) -> dict[str, object]:
    """Everything from nothing; one row."""
    os.sched_setaffinity(0, os.sched_getaffinity(0) - {options.core})
    with EmbeddedServer(work / "data") as server:
        codes = await links(server.url, options.links)
        (port,) = free_ports(1)
        environment = {"PASSERELLE_DATABASE_URL": server.url, "PASSERELLE_SECRET": SECRET, "PASSERELLE_PORT": str(port)}
        command = ["taskset", "-c", options.core, sys.executable, "-m", "passerelle", "serve"]
        serve = start(command, work / "serve.log", environment)
        try:
            await ready(port)
            warm = Load(codes[:2000], port)
            await warm.run(port, options.concurrency)
            pick = random.Random(1)
            asked = [pick.choice(codes) if pick.random() < options.again else None for _ in range(options.visits)]
            fresh = iter(codes[2000:])
            load = Load([one or next(fresh) for one in asked], port)
            if options.kill:  # in the middle, with as many under way as there are connections
                load.last, load.ended = options.visits // 2, serve.kill
            await asyncio.to_thread(wait_quiet, 0.05, 2.0, options.patience)
            foreign = others()
            cpu, database = -cpu_seconds([serve.pid]), -cpu_seconds([server.pid])
            mine = -time.process_time()
            seconds = await load.run(port, options.concurrency)
            mine += time.process_time()
            share = taken(foreign, others()) / seconds / (os.cpu_count() or 1)
            cpu, database = cpu + cpu_seconds([serve.pid]), database + cpu_seconds([server.pid])
        finally:
            serve.kill()  # nobody is told: what was answered is on disk
            serve.wait()
        db = await Database.open(server.url)
        written = await db.fetchval("select count(*) from visit where robot = 0") - warm.led
        await db.close()
    ordered = sorted(load.latencies)
    return {
        "redirects_per_second": round(load.led / seconds),
        "answered": load.led,
        "visits_on_disk": written,
        "asked": options.visits,
        "concurrency": options.concurrency,
        "foreign_cpu_share": round(share, 2),
        "p50_ms": round(1000 * percentile(ordered, 0.5), 1),
        "p99_ms": round(1000 * percentile(ordered, 0.99), 1),
        "serve_share_of_its_core": round(cpu / seconds, 2),
        "serve_microseconds_a_visit": round(1e6 * cpu / options.visits),
        "client_microseconds_a_visit": round(1e6 * mine / options.visits),
        "database_microseconds_a_visit": round(1e6 * database / options.visits),
    }


def main() -> None:
    """Print one row as JSON."""
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--links", type=int, default=100_000)
    made.add_argument("--visits", type=int, default=40_000)
    made.add_argument("--concurrency", type=int, default=64)
    made.add_argument("--core", type=int, default=0)
    made.add_argument("--kill", action="store_true", help="kill -9 in the middle, and compare what was answered")
    made.add_argument("--patience", type=float, default=60.0, help="seconds to wait for a quiet machine")
    made.add_argument("--again", type=float, default=0.25)
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="passerelle-links-") as work:
        row = uvloop.run(measure(options, Path(work)))
    print(json.dumps(row))
    unanswered = row["visits_on_disk"] - row["answered"]
    if options.kill:
        lost = not 0 <= unanswered <= options.concurrency
    else:
        lost = row["answered"] != options.visits or unanswered
    if lost:
        raise SystemExit("what was answered and what is on disk differ")


if __name__ == "__main__":
    main()
