"""The bench: what is planned, what rows mean, and that a report claims nothing that was not measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
sys.path.insert(0, str(BENCH))
try:
    import ours
    import report
    import run

    import bench
finally:
    sys.path.remove(str(BENCH))

READY = {"kannel:file": "", "kannel:memory": "", "jasmin:4conn": "not installed"}


def speed(system="passerelle", concurrency=32, delay=0, **changes):
    row = {
        "kind": "speed", "system": system, "concurrency": concurrency, "smsc_delay_ms": delay, "n": 100,
        "accepted": 100, "refused": 0, "unknown": 0, "accepted_per_s": 1000.0, "p50_ms": 5.0, "p95_ms": 9.0,
        "p99_ms": 20.0, "smsc_unique": 100, "smsc_duplicates": 0, "smsc_per_s": 900.0, "dlr_unique": 100,
        "dlr_per_s": 800.0, "cpu_s_per_1000": 0.5, "peak_rss_mb": 100.0, "foreign_cpu_share": 0.0, "noisy": False,
    }  # fmt: skip
    return row | changes


def bulk(**changes):
    row = {
        "kind": "bulk", "system": "passerelle", "n": 500, "items": 500, "concurrency": 6, "accepted": 500,
        "accepted_per_s": 12000.0, "p99_ms": 100.0, "smsc_unique": 500, "smsc_duplicates": 0, "smsc_per_s": 4000.0,
        "cpu_s_per_1000": 0.1, "noisy": False,
    }  # fmt: skip
    return row | changes


def crash(**changes):
    row = {
        "kind": "crash", "system": "passerelle", "killed": "all", "concurrency": 32, "n": 100, "accepted": 90,
        "at_smsc_before": 20, "lost": 0, "sent_twice": 0, "unknown": 3, "unknown_sent": 1, "receipts_missing": 0,
    }  # fmt: skip
    return row | changes


def verdict(rows, beginning):
    [found] = [one for one in report.verdicts(rows) if one.goal.startswith(beginning)]
    return found


# --- the plan ------------------------------------------------------------------------------------------------------


def planned(*arguments):
    return run.plan(run.parser().parse_args(arguments), READY)


def test_everything_installed_is_measured_and_the_rest_is_named() -> None:
    made = planned()
    assert [run.named(system) for system in made.systems] == ["passerelle", "kannel:file", "kannel:memory"]
    assert made.absent == {"jasmin:4conn": "not installed"}
    assert (made.n, made.repeats, made.steps) == (20_000, 3, ["speed", "delay", "bulk", "codec", "start"])


def test_quick_is_ours_alone_once_and_waits_for_nobody() -> None:
    made = planned("--quick")
    assert [run.named(system) for system in made.systems] == ["passerelle"]
    assert (made.n, made.repeats, made.patient) == (5_000, 1, False)
    assert made.absent["kannel:file"] == "left out"


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        (["--crash"], ["speed", "delay", "bulk", "codec", "start", "crash"]),
        (["--only", "codec"], ["codec"]),
        (["--only", "crash"], ["crash"]),
        (["--quick", "--only", "bulk", "speed"], ["bulk", "speed"]),
    ],
)
def test_steps(arguments, steps) -> None:
    assert planned(*arguments).steps == steps


def test_options_win_over_quick() -> None:
    made = planned("--quick", "--n", "700", "--repeats", "2", "--systems", "kannel:spool", "mine.json")
    assert (made.n, made.repeats, made.systems) == (700, 2, ["kannel:spool", "mine.json"])


def test_our_description_starts_our_command_and_the_load_finds_its_key() -> None:
    description = json.loads(ours.DESCRIPTION.read_text())
    assert description["start"][0][:2] == ["passerelle", "up"]
    assert description["env"]["PASSERELLE_DEMO_KEY"] in description["spec"]["body"]


# --- what rows mean ------------------------------------------------------------------------------------------------


def test_noisy_runs_count_only_where_there_is_no_other() -> None:
    rows = [speed(p99_ms=20.0), speed(p99_ms=900.0, noisy=True), speed(p99_ms=30.0)]
    assert report.median(rows, "p99_ms") == 25.0
    assert report.median(rows[1:2], "p99_ms") == 900.0


@pytest.mark.parametrize(("ours_", "theirs", "reached"), [(1000, 1000, True), (999, 1000, False), (5000, 1000, True)])
def test_ratios_are_against_the_same_concurrency_without_delay(ours_, theirs, reached) -> None:
    rows = [
        speed(dlr_per_s=ours_),
        speed("kannel:file", dlr_per_s=theirs),
        speed("kannel:file", concurrency=256, dlr_per_s=1.0),
        speed("kannel:file", delay=50, dlr_per_s=1.0),
        speed("kannel:memory", dlr_per_s=1.0),
    ]
    found = verdict(rows, "receipts/s at least 1.0 times Kannel with its store file, 32")
    assert (found.reached, found.measured) == (reached, f"{ours_ / theirs:.2f}")


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    assert all(one.reached is None and one.measured == "-" for one in report.verdicts([]))
    stuck = [speed(), speed("kannel:file", accepted_per_s=0.0)]
    assert verdict(stuck, "accepted/s at least 1.0 times Kannel with its store file, 32").reached is None


def test_a_verdict_from_noise_says_so() -> None:
    assert verdict([speed(noisy=True)], "p99").measured == "20.0 ms (noisy)"
    assert verdict([speed(noisy=True), speed()], "p99").measured == "20.0 ms"


@pytest.mark.parametrize(("p99", "reached"), [(49.9, True), (50.0, False)])
def test_p99(p99, reached) -> None:
    assert verdict([speed(p99_ms=p99), speed(concurrency=256, p99_ms=400.0)], "p99").reached is reached


@pytest.mark.parametrize(("slow", "reached"), [(720.0, True), (719.0, False)])
def test_a_slow_operator_is_compared_with_ourselves(slow, reached) -> None:
    assert verdict([speed(), speed(delay=50, dlr_per_s=slow)], "receipts/s with an operator").reached is reached


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (speed(), "none of 100"),
        (speed(accepted=99, smsc_unique=99, dlr_unique=99), "1 refused of 100"),
        (speed(smsc_unique=98, dlr_unique=98), "2 lost, 2 without receipt of 100"),
        (speed(smsc_duplicates=3), "3 doubled of 100"),
        (speed(dlr_unique=99, noisy=True), "1 without receipt of 100"),
        (bulk(), "none of 500"),
        (bulk(smsc_unique=499), "1 lost of 500"),
    ],
)
def test_every_message_is_accounted_for(row, told) -> None:
    found = verdict([row], "nothing refused")
    assert (found.measured, found.reached) == (told, told.startswith("none"))


def test_one_bad_run_among_good_ones_shows() -> None:
    """Also a noisy one: noise makes nothing lost."""
    rows = [speed(), speed(smsc_unique=99, dlr_unique=99, noisy=True), bulk()]
    assert verdict(rows, "nothing refused").reached is False


def test_the_peers_losses_are_not_ours() -> None:
    assert verdict([speed(), speed("kannel:file", smsc_unique=0)], "nothing refused").reached


@pytest.mark.parametrize(("rate", "reached"), [(10_000.0, True), (9_999.0, False)])
def test_bulk_goal(rate, reached) -> None:
    assert verdict([bulk(accepted_per_s=rate)], "bulk-send").reached is reached


@pytest.mark.parametrize(("rate", "reached"), [(500_000, True), (499_999, False)])
def test_codec_goal(rate, reached) -> None:
    assert verdict([{"kind": "codec", "pairs_per_s": rate}], "codec").reached is reached


@pytest.mark.parametrize(
    ("changes", "reached"),
    [({}, True), ({"sent_twice": 5}, True), ({"lost": 1}, False), ({"receipts_missing": 1}, False)],
)
def test_crash_goal(changes, reached) -> None:
    """What was in flight may be sent twice (its outcome is unknown); nothing may be lost."""
    assert verdict([crash(), crash(**changes), crash(system="kannel:file", lost=9)], "after kill").reached is reached


# --- the report ----------------------------------------------------------------------------------------------------


def test_the_report_of_a_full_run() -> None:
    rows = [
        *(speed(s, c, d) for s in ("passerelle", "kannel:file") for c in (32, 256) for d in (0, 50)),
        bulk(),
        crash(),
        {"kind": "codec", "system": "passerelle", "pairs_per_s": 600_000},
        {"kind": "start", "system": "passerelle", "cold_s": 3.21, "warm_s": 1.2},
        {"kind": "failed", "step": "speed", "system": "kannel:memory", "error": "TimeoutError: nothing listens"},
    ]
    written = report.report(rows, {"date": "2026-11-20", "CPU": "2 cores"}, bench.table)
    for expected in (
        "# Bench, 2026-11-20", "- CPU: 2 cores", "| 32 | 1.00 | 1.00 | 1.00 |", "600,000 submit_sm/s",
        "12,000 accepted/s", "0.50 CPU s per 1,000 messages, peak memory 100 MB", "3.2 s with an empty data folder",
        "failed: speed, kannel:memory: TimeoutError: nothing listens", "## After kill -9",
    ):  # fmt: skip
        assert expected in written
    assert "missed" not in written and "not measured |" not in written


def test_the_report_of_nothing() -> None:
    assert report.report([], {}, bench.table).count("not measured |") == len(report.verdicts([]))


# --- bulk-send -----------------------------------------------------------------------------------------------------


def test_bulk_requests_hold_every_message_once() -> None:
    load = ours.BulkLoad({"host": "127.0.0.1", "port": 1}, "k", 1_201)
    bodies = [json.loads(request.split(b"\r\n\r\n", 1)[1]) for request in reversed(load.todo)]
    numbers = [item["phoneNumber"] for body in bodies for item in body["SMSList"]]
    assert [len(body["SMSList"]) for body in bodies] == [500, 500, 201]
    assert len(set(numbers)) == len(numbers) == 1_201


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (b'{"success":true,"code":200,"SMSResponse_List":[{"success":true},{"success":true}]}', 2),
        (b'{"success":true,"code":200,"SMSResponse_List":[{"success":true},{"success":false,"code":14}]}', 1),
        (b'{"success":false,"code":55,"errors":[]}', 0),
        (b"oops", 0),
    ],
)
def test_only_accepted_items_count(answer, accepted) -> None:
    assert ours.bulk_accepted(answer) == accepted
