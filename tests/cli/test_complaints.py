"""`passerelle complaint`: one, and the file of a month."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest
from cli.conftest import EMAIL

from passerelle.cli.complaints import parse

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


async def sent(shell, *phones: str, at: datetime | None = None) -> None:
    """Messages that were handed over, an hour ago."""
    for phone in phones:
        await shell.ok("send", phone, "--text", f"Bonjour {phone[-1]}", "--json")
    await shell.db.execute(
        "update message set sent_at = $1, state = 1", at or datetime.now(UTC) - timedelta(hours=1)
    )  # fmt: skip


async def complaints(shell) -> int:
    found = await shell.db.fetchval("select coalesce(sum(complaints), 0) from statistic_delta where not counted")
    return int(found)


async def test_one_is_told_with_what_it_is_about(shell):
    await sent(shell, "0639980001")
    said = await shell.ok("complaint", "06 39 98 00 01")
    assert said.startswith("about message ") and f"of {EMAIL}, from the short code" in said and "Bonjour 1" in said
    assert f"counted; +33639980001 is on the stop list of {EMAIL}" in said
    assert "nothing changed" in await shell.ok("complaint", "0639980001", "--account", EMAIL)
    told = await shell.json("complaint", "+33639980001")
    assert (told["account"], told["known"], told["dialect"]) == (EMAIL, True, "smspartner")
    assert await complaints(shell) == 1
    assert await shell.db.fetchval("select phone from blocked where list = 1") == 33639980001


async def test_the_time_of_a_complaint_counts(shell):
    now = datetime.now(UTC)
    await sent(shell, "0639980001", at=now - timedelta(days=2))
    before, after = now - timedelta(days=3), now - timedelta(days=1)
    assert "30 days before" in await shell.fails("complaint", "0639980001", "--at", before.isoformat())
    assert "counted" in await shell.ok("complaint", "0639980001", "--at", f"{after:%d/%m/%Y}")


async def test_what_cannot_be_one(shell, tmp_path):
    assert "say which number" in await shell.fails("complaint")
    assert "no telephone number" in await shell.fails("complaint", "x")
    for at in ("soon", (datetime.now(UTC) + timedelta(days=2)).isoformat()):
        assert "no time that is past" in await shell.fails("complaint", "0639980001", "--at", at)
    assert "no account" in await shell.fails("complaint", "0639980001", "--account", "nobody@example.org")
    assert "30 days before" in await shell.fails("complaint", "0639980001")
    file = tmp_path / "month.csv"
    assert "No such file" in await shell.fails("complaint", "--file", str(file))
    file.write_text("number\n1\n")
    assert "no column 'phone'" in await shell.fails("complaint", "--file", str(file))
    assert "column `at`" in await shell.fails("complaint", "--file", str(file), "--at", "2026-11-20")


async def test_the_file_of_a_month(shell, tmp_path):
    await sent(shell, "0639980001", "0639980002")
    file, today = tmp_path / "month.csv", datetime.now(UTC)
    file.write_text(
        f"phone;At;note\n0639980001;{today:%d/%m/%Y};x\n+33639980002;;y\n0639980001;;again\n0639980009;;nobody\n"
        f"145;;short\n0639980002;soon;when\n"
    )
    said = await shell.ok("complaint", "--file", str(file))
    refused = tmp_path / "month.csv.refused.csv"
    assert said.startswith("2 complaints counted, about 1 accounts; 1 were known\n") and f"2  {EMAIL}" in said
    assert f"3 lines are about no message of ours: they are in {refused}" in said
    with open(refused, newline="") as lines:
        assert [row[:2] for row in csv.reader(lines)] == [
            ["line", "phone"], ["4", "0639980009"], ["5", "145"], ["6", "0639980002"],
        ]  # fmt: skip
    assert refused.stat().st_mode & 0o777 == 0o600 and await complaints(shell) == 2
    told = await shell.json("complaint", "--file", str(file))
    assert (told["lines"], told["counted"], told["known"], told["unmatched"]) == (6, 0, 3, 3)
    file.write_text("phone\n0639980001\n")
    assert "0 complaints counted" in await shell.ok("complaint", "--file", str(file)) and not refused.exists()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-19T10:00:00+01:00", datetime(2026, 11, 19, 9, 0, tzinfo=UTC)),
        ("2026-11-20", NOW),
        ("21/11/2026", None),
        ("2026-11-20T16:00+00:00", None),
        ("31/02/2026", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("9999-12-31", None),
        ("", None),
    ],
)
def test_times_of_complaints(written, read):
    assert parse(written, NOW) == read
