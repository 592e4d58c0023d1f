"""What a run of the bench means: medians, ratios, a verdict for each goal, and the report in Markdown.

Pure: rows (as `run.py` writes them, one dict a measurement) and facts in, text out. The one rule: a noisy row counts
only where its group has no other, and a goal that was not measured is neither reached nor missed.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Row = dict[str, Any]
Table = Callable[[list[Row]], str]

OURS, YARDSTICK = "passerelle", "kannel:file"
CONCURRENCY = (32, 256)
SLOW_MS = 50  # what the slow operator takes for an answer
FIGURES = {"accepted_per_s": "accepted/s", "smsc_per_s": "at SMSC/s", "dlr_per_s": "receipts/s"}

RATIO, SLOW_RATIO = 1.0, 0.9
P99_MS = 50
BULK_PER_S, CODEC_PER_S = 10_000, 500_000


class Verdict(NamedTuple):
    """A goal, what was measured, and whether it was reached; None: not measured."""

    goal: str
    measured: str
    reached: bool | None


def kept(rows: Sequence[Row]) -> list[Row]:
    """The rows that count: those that are not noisy, or all where all are."""
    return [row for row in rows if not row.get("noisy")] or list(rows)


def of(rows: Sequence[Row], kind: str, **wanted: Any) -> list[Row]:
    """All rows of a kind with these values, noisy ones included."""
    return [row for row in rows if row["kind"] == kind and all(row.get(key) == value for key, value in wanted.items())]


def speeds(rows: Sequence[Row], system: str, concurrency: int, delay_ms: int = 0) -> list[Row]:
    """The runs of single sends through one system."""
    return of(rows, "speed", system=system, concurrency=concurrency, smsc_delay_ms=delay_ms)


def median(rows: Sequence[Row], key: str) -> float | None:
    """Of the rows that count; None without any value."""
    values = [row[key] for row in kept(rows) if row.get(key) is not None]
    return statistics.median(values) if values else None


def ratio(ours: float | None, other: float | None) -> float | None:
    """None where one of the two is missing or nothing."""
    return None if ours is None or not other else ours / other


def against(rows: Sequence[Row], key: str, concurrency: int) -> float | None:
    """Our figure over that of the yardstick."""
    return ratio(
        median(speeds(rows, OURS, concurrency), key),
        median(speeds(rows, YARDSTICK, concurrency), key),
    )


# --- verdicts ------------------------------------------------------------------------------------------------------


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    """All goals, in the order of the report."""
    ratios = [_ratio_verdict(rows, key, concurrency) for key in FIGURES for concurrency in CONCURRENCY]
    rest = [_p99(rows), _slow(rows), _intact(rows), _bulk(rows), _codec(rows)]
    return ratios + rest + _crashes(rows)


def only_noise(*groups: Sequence[Row]) -> bool:
    """Whether a figure from these groups rests on noisy runs."""
    return any(group and all(row.get("noisy") for row in group) for group in groups)


def _judged(
    goal: str, value: float | None, reached: Callable[[float], bool], shown: str, *groups: list[Row]
) -> Verdict:
    if value is None:
        return Verdict(goal, "-", None)
    return Verdict(goal, shown.format(value) + (" (noisy)" if only_noise(*groups) else ""), reached(value))


def _ratio_verdict(rows: Sequence[Row], key: str, concurrency: int) -> Verdict:
    goal = f"{FIGURES[key]} at least {RATIO} times Kannel with its store file, {concurrency} at once"
    both = [speeds(rows, system, concurrency) for system in (OURS, YARDSTICK)]
    return _judged(goal, against(rows, key, concurrency), lambda value: value >= RATIO, "{:.2f}", *both)


def _p99(rows: Sequence[Row]) -> Verdict:
    runs = speeds(rows, OURS, 32)
    goal = f"p99 under {P99_MS} ms, 32 at once"
    return _judged(goal, median(runs, "p99_ms"), lambda value: value < P99_MS, "{:.1f} ms", runs)


def _slow(rows: Sequence[Row]) -> Verdict:
    slow, fast = speeds(rows, OURS, 32, SLOW_MS), speeds(rows, OURS, 32)
    value = ratio(median(slow, "dlr_per_s"), median(fast, "dlr_per_s"))
    goal = f"receipts/s with an operator that takes {SLOW_MS} ms at least {SLOW_RATIO} of our own without delay"
    return _judged(goal, value, lambda value: value >= SLOW_RATIO, "{:.2f}", slow, fast)


def faults(row: Row) -> dict[str, int]:
    """What went wrong with messages in one run: name -> how many; empty when all is well."""
    counts = {
        "refused": row["n"] - row["accepted"],
        "lost": row["accepted"] - row["smsc_unique"],
        "doubled": row["smsc_duplicates"],
        # The last receipt of the warm-up may be counted with those of the run.
        "without receipt": max(0, row["accepted"] - row.get("dlr_unique", row["accepted"])),
    }
    return {name: count for name, count in counts.items() if count}


def _intact(rows: Sequence[Row]) -> Verdict:
    """Noise excuses nothing: every run counts."""
    runs = of(rows, "speed", system=OURS) + of(rows, "bulk")
    goal = "nothing refused, lost, doubled or left without its receipt"
    if not runs:
        return Verdict(goal, "-", None)
    found: dict[str, int] = {}
    for run in runs:
        for name, count in faults(run).items():
            found[name] = found.get(name, 0) + count
    sent = sum(run["n"] for run in runs)
    told = ", ".join(f"{count:,} {name}" for name, count in found.items()) or "none"
    return Verdict(goal, f"{told} of {sent:,}", not found)


def _bulk(rows: Sequence[Row]) -> Verdict:
    runs = of(rows, "bulk")
    goal = f"bulk-send accepts {BULK_PER_S:,} messages/s"
    return _judged(goal, median(runs, "accepted_per_s"), lambda value: value >= BULK_PER_S, "{:,.0f}", runs)


def _codec(rows: Sequence[Row]) -> Verdict:
    runs = of(rows, "codec")
    goal = f"codec: {CODEC_PER_S:,} submit_sm/s encoded and decoded"
    return _judged(goal, median(runs, "pairs_per_s"), lambda value: value >= CODEC_PER_S, "{:,.0f}", runs)


def _crashes(rows: Sequence[Row]) -> list[Verdict]:
    runs = of(rows, "crash", system=OURS)
    if not runs:
        return []
    lost, missing, twice = (sum(run[key] for run in runs) for key in ("lost", "receipts_missing", "sent_twice"))
    measured = f"{lost:,} lost, {missing:,} receipts missing ({twice:,} sent twice)"
    return [
        Verdict("after kill -9: nothing accepted is lost, every receipt is told", measured, not lost and not missing)
    ]


# --- Markdown ------------------------------------------------------------------------------------------------------


def markdown_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines])


def verdict_table(found: Sequence[Verdict]) -> str:
    """The goals, one line each."""
    words = {True: "reached", False: "**missed**", None: "not measured"}
    lines = [(one.goal, one.measured, words[one.reached]) for one in found]
    return markdown_table(("goal", "measured", "verdict"), lines)


def _number(value: float | None, shown: str = "{:,.0f}") -> str:
    return "-" if value is None else shown.format(value)


def ratio_table(rows: Sequence[Row]) -> str:
    """Ours over the yardstick, each figure at each concurrency."""
    lines = [[str(c), *(_number(against(rows, key, c), "{:.2f}") for key in FIGURES)] for c in CONCURRENCY]
    return markdown_table(("C", *FIGURES.values()), lines)


def _footprint(rows: Sequence[Row]) -> str:
    lines = []
    for concurrency in CONCURRENCY:
        runs = speeds(rows, OURS, concurrency)
        cpu, memory = median(runs, "cpu_s_per_1000"), median(runs, "peak_rss_mb")
        lines.append(f"- {concurrency} at once: {_number(cpu, '{:.2f}')} CPU s per 1,000 messages, "
                     f"peak memory {_number(memory)} MB")  # fmt: skip
    start = of(rows, "start")
    cold, warm = median(start, "cold_s"), median(start, "warm_s")
    lines.append(f"- start until `/readyz`: {_number(cold, '{:.1f}')} s with an empty data folder, "
                 f"{_number(warm, '{:.1f}')} s with one that is there")  # fmt: skip
    lines.append("- memory is the sum over all processes of the system; what they share (PostgreSQL's buffers) counts "
                 "once for each")  # fmt: skip
    return "\n".join(lines)


def _bulk_and_codec(rows: Sequence[Row]) -> str:
    bulk, codec = of(rows, "bulk"), of(rows, "codec")
    lines = []
    if bulk:
        lines.append(
            f"- `bulk-send`, {bulk[0]['items']} messages a request, {bulk[0]['concurrency']} requests at once, "
            f"{bulk[0]['n']:,} messages: {_number(median(bulk, 'accepted_per_s'))} accepted/s, "
            f"{_number(median(bulk, 'smsc_per_s'))} at SMSC/s, p99 of a request {_number(median(bulk, 'p99_ms'))} ms, "
            f"{_number(median(bulk, 'cpu_s_per_1000'), '{:.2f}')} CPU s per 1,000 messages"
        )
    if codec:
        lines.append(f"- the codec alone, one core: {_number(median(codec, 'pairs_per_s'))} submit_sm/s "
                     "encoded and decoded")  # fmt: skip
    return "\n".join(lines) or "Not measured."


def _noise(rows: Sequence[Row]) -> str:
    noisy, failed = sum(bool(row.get("noisy")) for row in rows), of(rows, "failed")
    lines = [f"- {noisy} of {len(rows) - len(failed)} runs were noisy (other programs took more than their share of "
             "the machine); they count only where there is no other"]  # fmt: skip
    return "\n".join(lines + [f"- failed: {row['step']}, {row['system']}: {row['error']}" for row in failed])


def report(rows: Sequence[Row], facts: dict[str, str], table: Table) -> str:
    """The whole report. `facts`: the machine, name -> value; `table`: that of the neutral bench."""
    fast, slow, crash = of(rows, "speed", smsc_delay_ms=0), of(rows, "speed", smsc_delay_ms=SLOW_MS), of(rows, "crash")
    sections = [
        ("Goals", verdict_table(verdicts(rows))),
        ("Machine", "\n".join(f"- {name}: {value}" for name, value in facts.items())),
        ("Single sends", table(fast) if fast else "Not measured."),
        ("Against Kannel with its store file, in this run", ratio_table(rows)),
        (f"Single sends, operator that takes {SLOW_MS} ms", table(slow) if slow else "Not measured."),
        ("Bulk and codec", _bulk_and_codec(rows)),
        ("Footprint", _footprint(rows)),
        *([("After kill -9", table(crash).strip())] if crash else []),
        ("Reservations", _noise(rows)),
    ]
    title = f"# Bench, {facts.get('date', '')}\n\nHow to read this: [benchmarks](../benchmarks.md).\n"
    return title + "".join(f"\n## {name}\n\n{text}\n" for name, text in sections)
