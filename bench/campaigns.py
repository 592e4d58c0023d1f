"""Campaigns: how long the import of a list takes, and until a launch is answered, of a whole `passerelle up`.

    .venv/bin/python bench/campaigns.py [--people 100000] [--lines 500000] [--patience 60]

Everything as a user does it: an import and launches by Primotexto's calls, an import by the command line. Launches are
for tomorrow, so that nothing is sent meanwhile; each is cancelled, and its price must be back. The one rule: what is
counted is what the platform holds at the end, compared with what was given to it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ours import started
from proc import end, free_ports, others, taken, wait_quiet

KEY = "0123456789abcdef0123456789abcdef"
OWNER = "demo@example.org"
TEXTS = {
    "shared text": "Soldes de la boulangerie : moins vingt pour cent.",
    "merged text": "Bonjour {{prénom|vous}}, soldes de la boulangerie !",
    "a link for each": "Bonjour {{prénom}} : https://www.shop.example/soldes?utm_source=sms",
}
TOMORROW = 40 * 3_600_000  # milliseconds


class Shop:
    """A client of the API."""

    def __init__(self, port: int) -> None:
        self._port = port

    def call(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        """Seconds, and what was answered: a body, or where to look."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        sent = None if body is None else json.dumps(body).encode()
        began = time.perf_counter()
        connection.request(method, path, sent, {"X-Primotexto-ApiKey": KEY, "Content-Type": "application/json"})
        answer = connection.getresponse()
        told = answer.read()
        seconds = time.perf_counter() - began
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {told[:200]!r}")
        return seconds, json.loads(told) if told else answer.headers["Location"]


def imported(shop: Shop, people: int) -> tuple[str, dict[str, Any]]:
    """A list with so many people."""
    _, made = shop.call("POST", "/v2/lists", {"name": "Clients"})
    rows = [["tel", "prénom"], *([f"+336{10_000_000 + n}", f"Client{n}"] for n in range(people))]
    began = time.perf_counter()
    posted, operation = shop.call("POST", f"/v2/lists/{made['id']}/import", rows)
    seen = []
    while not seen or seen[-1]["state"] not in ("FINISHED", "FAILED"):
        seen.append(shop.call("GET", operation)[1])
        time.sleep(0.05)
    last = seen[-1]
    if last["state"] != "FINISHED" or last["imported"] != people:
        raise SystemExit(f"not imported: {last}")
    return made["id"], {
        "answered_s": round(posted, 2),
        "finished_s": round(time.perf_counter() - began, 2),
        "counts_seen_under_way": len({one["imported"] for one in seen}),
        "imported": last["imported"],
    }


def launched(shop: Shop, list_id: str, text: str) -> dict[str, Any]:
    """A launch, and its cancellation."""
    _, before = shop.call("GET", "/v2/account/stats")
    at = int(time.time() * 1000) + TOMORROW
    asked = {"name": "Soldes", "message": text, "sendList": {"id": list_id}, "date": at}
    _, made = shop.call("POST", "/v2/notification/campaigns", asked)
    launch, used = shop.call("POST", f"/v2/notification/campaigns/{made['id']}/send")
    cancel, back = shop.call("POST", f"/v2/campaigns/{made['id']}/cancel")
    _, after = shop.call("GET", "/v2/account/stats")
    if back["creditsRefunded"] != used["creditsUsed"] or after["credits"] != before["credits"]:
        raise SystemExit(f"{used} was taken, {back} given back")
    return {"launch_s": round(launch, 2), "cancel_s": round(cancel, 2), "messages": int(used["creditsUsed"])}


def by_hand(data: Path, work: Path, lines: int) -> dict[str, Any]:
    """An import by the command line; its memory is that of its process alone."""
    file = work / "clients.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("tel;prénom;ville\n")
        out.writelines(
            f"{f'+337{10_000_000 + n}' if n % 1000 else 'nobody'};Client{n};Ville {n % 500}\n" for n in range(lines)
        )
    command = [sys.executable, "-m", "passerelle", "lists", "import", OWNER, f"File {lines}", str(file), "--json"]
    began = time.perf_counter()
    done = subprocess.Popen([*command, "--data", str(data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    told, errors = done.stdout.read(), done.stderr.read()  # type: ignore[union-attr]
    _, status, used = os.wait4(done.pid, 0)
    seconds = time.perf_counter() - began
    refused = Path(f"{file}.refused.csv").read_text(encoding="utf-8").splitlines()
    if status not in (0, 256) or len(refused) != 1 + len(range(0, lines, 1000)):
        raise SystemExit(f"{status}: {told!r} {errors!r} {len(refused)} refused")
    return {
        "lines": lines,
        "seconds": round(seconds, 1),
        "peak_MB": used.ru_maxrss // 1024,
        "refused": len(refused) - 1,
    }


def measure(options: argparse.Namespace, work: Path) -> dict[str, Any]:
    """Everything from nothing."""
    (port,) = free_ports(1)
    data = work / "data"
    up = started(work, port, {"PASSERELLE_DEMO_KEY": KEY})
    try:
        credit = [sys.executable, "-m", "passerelle", "account", "credit", OWNER, "100000", "--data", str(data)]
        subprocess.run(credit, check=True, stdout=subprocess.DEVNULL)
        shop = Shop(port)
        wait_quiet(0.05, 2.0, options.patience)
        foreign, began = others(), time.perf_counter()
        list_id, row = imported(shop, options.people)
        found: dict[str, Any] = {"people": options.people, "import_by_the_api": row, "launches": {}}
        for name, text in TEXTS.items():
            found["launches"][name] = launched(shop, list_id, text)
        found["imports_by_hand"] = [by_hand(data, work, lines) for lines in (options.lines // 10, options.lines)]
        share = taken(foreign, others()) / (time.perf_counter() - began) / (os.cpu_count() or 1)
        return found | {"foreign_cpu_share": round(share, 2)}
    finally:
        end([up])


def main() -> None:
    """Print what was measured as JSON."""
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--people", type=int, default=100_000)
    made.add_argument("--lines", type=int, default=500_000)
    made.add_argument("--patience", type=float, default=60.0, help="seconds to wait for a quiet machine")
    with tempfile.TemporaryDirectory(prefix="passerelle-campaigns-") as work:
        Path(work).chmod(0o711)
        print(json.dumps(measure(made.parse_args(), Path(work)), indent=1))


if __name__ == "__main__":
    main()
