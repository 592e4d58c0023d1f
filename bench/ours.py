"""What only our own system is measured for: bulk-send, the SMPP codec alone, and the time that a start takes.

The one rule: each function starts what it needs from nothing, ends it, and returns one row.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import proc
import uvloop
from http_load import destination, ms, percentile, text

from bench import Bench

HERE = Path(__file__).resolve().parent
DESCRIPTION = HERE / "passerelle.json"
ITEMS = 500  # what one bulk-send may hold
DEMO, CREDIT_EUR = "demo@example.org", "1000000"  # the account that `up` makes has too little for 100,000 messages
ROUND = 100_000  # PDUs


# --- bulk-send -----------------------------------------------------------------------------------------------------


def bulk_body(key: str, first: int, count: int) -> bytes:
    """A request for the messages `first` ... `first + count - 1`, each to a number of its own."""
    items = [{"phoneNumber": "+" + destination(i), "message": text(i)} for i in range(first, first + count)]
    return json.dumps({"apiKey": key, "sender": "BENCH", "SMSList": items}).encode()


def bulk_accepted(body: bytes) -> int:
    """How many messages an answer accepts: its items; the first member speaks of the request."""
    return body.count(b'"success":true') - 1 if body.startswith(b'{"success":true') else 0


class BulkLoad:
    """The requests, written before the clock starts, and what was answered."""

    def __init__(self, spec: dict[str, Any], key: str, n: int) -> None:
        self.host, self.port = spec["host"], spec["port"]
        self.todo = [self._request(bulk_body(key, first, min(ITEMS, n - first))) for first in range(0, n, ITEMS)]
        self.todo.reverse()
        self.accepted = 0
        self.latency: list[float] = []
        self.refusals: dict[str, int] = {}
        self.started = self.last = 0.0

    def _request(self, body: bytes) -> bytes:
        head = f"POST /v1/bulk-send HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def run(self, concurrency: int) -> None:
        """All of them, `concurrency` at once, a connection each."""
        ends = [await asyncio.open_connection(self.host, self.port) for _ in range(concurrency)]
        self.started = self.last = time.monotonic()
        await asyncio.gather(*(self._work(reader, writer) for reader, writer in ends))

    async def _work(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.todo:
            sent_at = time.monotonic()
            writer.write(self.todo.pop())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            self._answered(await reader.readexactly(size), sent_at)
        writer.close()

    def _answered(self, body: bytes, sent_at: float) -> None:
        self.last = time.monotonic()
        self.latency.append(self.last - sent_at)
        accepted = bulk_accepted(body)
        self.accepted += accepted
        if not accepted:
            known = body[:120].decode("latin-1")
            self.refusals[known] = self.refusals.get(known, 0) + 1


def bulk(n: int, concurrency: int, quiet: float) -> dict[str, Any]:
    """`n` messages by bulk-send; then wait until the operator has all of them, or gets no more for `quiet` seconds."""
    with Bench(str(DESCRIPTION)) as bench:
        _give_credit(bench)
        bench.warm_up()
        pids = bench.system.pids()
        load = BulkLoad(json.loads(bench.spec.read_text()), _demo_key(), n)
        memory = proc.PeakMemory(pids)
        memory.start()
        cpu, others, tools = proc.cpu_seconds(pids), proc.others(), time.process_time()
        uvloop.run(load.run(concurrency))
        tools = time.process_time() - tools
        smsc = _drain(bench, load.accepted, quiet)
        wall = time.monotonic() - load.started
        foreign = proc.taken(others, proc.others())
        took, drained = load.last - load.started, (smsc["last"] or load.last) - load.started
        ordered = sorted(load.latency)
        return {
            "kind": "bulk", "system": bench.system.name, "version": bench.system.version(), "n": n, "items": ITEMS,
            "concurrency": concurrency, "accepted": load.accepted, "accepted_per_s": round(load.accepted / took, 1),
            "p50_ms": ms(percentile(ordered, 0.50)), "p99_ms": ms(percentile(ordered, 0.99)),
            "smsc_unique": smsc["unique"], "smsc_duplicates": smsc["duplicates"],
            "smsc_per_s": round(smsc["unique"] / drained, 1),
            "cpu_s_per_1000": round((proc.cpu_seconds(pids) - cpu) / max(1, load.accepted) * 1000, 3),
            "peak_rss_mb": round(memory.stop() / 1e6, 1), "tools_cpu_s": round(tools, 2), "wall_s": round(wall, 1),
            "foreign_cpu_share": round(foreign / wall / (os.cpu_count() or 1), 3), "refusals": load.refusals,
        }  # fmt: skip


def _demo_key() -> str:
    return str(json.loads(DESCRIPTION.read_text())["env"]["PASSERELLE_DEMO_KEY"])


def _give_credit(bench: Bench) -> None:
    data = bench.system.work / "data"
    if not bench.wait((data / "demo.json").exists, 30):
        raise TimeoutError("the platform does not say that it is up")
    command = ["passerelle", "account", "credit", DEMO, CREDIT_EUR, "--note", "bench", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"no credit: {done.stderr.strip()}")


def _drain(bench: Bench, want: int, quiet: float) -> dict[str, Any]:
    seen, since = -1, time.monotonic()
    while True:
        smsc: dict[str, Any] = bench.smsc_stats()
        if smsc["submits"] != seen:
            seen, since = smsc["submits"], time.monotonic()
        if smsc["unique"] >= want or time.monotonic() - since > quiet:
            return smsc
        time.sleep(0.25)


# --- the codec alone -----------------------------------------------------------------------------------------------


def codec(rounds: int) -> dict[str, Any]:
    """submit_sm encoded and decoded again, in one thread: the median of `rounds`, pairs a second."""
    from passerelle.smpp import pdu

    messages = [
        pdu.SubmitSm(source_addr="BENCH", source_addr_ton=5, dest_addr_ton=1, dest_addr_npi=1,
                     destination_addr=destination(i), registered_delivery=1, short_message=text(i).encode())
        for i in range(1000)
    ]  # fmt: skip
    if any(pdu.decode(pdu.encode(one, 1)).pdu != one for one in messages):
        raise AssertionError("the codec does not give back what it was given")
    others, began = proc.others(), time.monotonic()
    took = sorted(_codec_round(pdu.encode, pdu.decode, messages) for _ in range(rounds))
    wall, foreign = time.monotonic() - began, proc.taken(others, proc.others())
    return {
        "kind": "codec", "system": "passerelle", "n": ROUND, "rounds": rounds,
        "pairs_per_s": round(ROUND / took[len(took) // 2]), "best_pairs_per_s": round(ROUND / took[0]),
        "foreign_cpu_share": round(foreign / wall / (os.cpu_count() or 1), 3),
    }  # fmt: skip


def _codec_round(encode: Any, decode: Any, messages: list[Any]) -> float:
    began = time.perf_counter()
    for turn in range(ROUND // len(messages)):
        for sequence, message in enumerate(messages, turn):
            decode(encode(message, sequence))
    return time.perf_counter() - began


# --- starting ------------------------------------------------------------------------------------------------------


def start(work: Path) -> dict[str, Any]:
    """`passerelle up` until `/readyz` says yes, in seconds: with an empty data folder, and again with the same."""
    port = proc.free_ports(1)[0]
    others, began = proc.others(), time.monotonic()
    cold, warm = (_start_once(work, port) for _ in range(2))
    wall, foreign = time.monotonic() - began, proc.taken(others, proc.others())
    return {
        "kind": "start", "system": "passerelle", "cold_s": round(cold, 2), "warm_s": round(warm, 2),
        "foreign_cpu_share": round(foreign / wall / (os.cpu_count() or 1), 3),
    }  # fmt: skip


def _start_once(work: Path, port: int, patience: float = 60) -> float:
    began = time.monotonic()
    program = started(work, port, patience=patience)
    seconds = time.monotonic() - began
    proc.end([program])
    return seconds


def started(work: Path, port: int, environment: Mapping[str, str] | None = None, patience: float = 60) -> Any:
    """`passerelle up` in `work/data`, once it is ready."""
    command = [Path(sys.executable).with_name("passerelle"), "up", "--port", port, "--data", work / "data", "--no-browser"]
    began = time.monotonic()
    program = proc.start(command, work / "up.log", environment)
    while not _ready(port):
        if program.poll() is not None or time.monotonic() - began > patience:
            proc.end([program])
            raise RuntimeError("not ready: " + " ".join((work / "up.log").read_text().split())[-300:])
        time.sleep(0.01)
    return program


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
