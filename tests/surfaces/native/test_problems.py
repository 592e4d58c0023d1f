"""Every problem has its status, its title, its barrier."""

from __future__ import annotations

import msgspec
import pytest

from passerelle.surfaces.door import Barrier
from passerelle.surfaces.native.problems import OF_BARRIER, TABLE, Fault, Problem, invalid, missing


@pytest.mark.parametrize("slug", TABLE)
def test_a_problem_on_the_wire(slug: str) -> None:
    told = msgspec.json.decode(Problem(slug, "Do this.").encoded())
    assert told == {
        "type": f"urn:passerelle:problem:{slug}", "title": TABLE[slug][1], "status": TABLE[slug][0], "detail": "Do this.",
    }  # fmt: skip
    assert 400 <= told["status"] < 600 and told["title"]


def test_every_barrier_is_told() -> None:
    assert set(OF_BARRIER) == set(Barrier)
    assert all(slug in TABLE and detail.endswith(".") for slug, detail in OF_BARRIER.values())


def test_faults_say_where() -> None:
    told = msgspec.json.decode(invalid("/to/0", "No.").encoded())
    assert told["errors"] == [{"detail": "No.", "pointer": "#/to/0"}]
    assert missing("group").status == 404
    assert msgspec.json.decode(Problem("invalid", "x", [Fault(detail="x", parameter="limit")]).encoded())["errors"] == [
        {"detail": "x", "parameter": "limit"}
    ]
