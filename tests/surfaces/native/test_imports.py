"""A file handed over, imported in the background, its refused lines."""

from __future__ import annotations

import csv
import io

import pytest
from surfaces.native.conftest import Desk, problem
from surfaces.native.test_contacts import NOWHERE, group
from surfaces.native.test_messages import every

from passerelle.pipeline.contact_import import take_up
from passerelle.surfaces.native.shapes import encode_cursor

FILE = "Téléphone;Prénom\n0639980001;Alix\n145;Zoé\n0639980001;Alix\n=1+1;x\n0639980002;\n".encode("cp1252")


async def upload(desk: Desk, made: str, content: bytes = FILE) -> dict[str, object]:
    answer = await desk("POST", f"/groups/{made}/imports?name=clients.csv", content, content_type="text/csv")
    assert answer.status == 202, answer.text
    told: dict[str, object] = answer.json()
    return told


async def test_a_file_from_its_upload_to_its_refused_lines(desk: Desk) -> None:
    made = await group(desk)
    left = await upload(desk, made)
    assert left == {
        "id": left["id"], "name": "clients.csv", "state": "open", "total": 5, "done": 0, "added": 0, "refused": 0,
        "error": "", "created_at": "2026-11-10T10:00:00Z", "ended_at": None,
    }  # fmt: skip
    assert await take_up(desk.db, desk.clock)
    assert await desk.get(f"/imports/{left['id']}") == left | {
        "state": "done", "done": 5, "added": 2, "refused": 3, "ended_at": "2026-11-10T10:00:00Z",
    }  # fmt: skip
    assert (await desk.get(f"/groups/{made}"))["contacts"] == 2
    for limit in (1, 500):
        lines = await every(desk, f"/imports/{left['id']}/refused?limit={limit}")
        assert [(one["line"], one["phone"], one["reason"]) for one in lines] == [
            (3, "145", "number_invalid"), (4, "0639980001", "twice"), (5, "=1+1", "number_invalid"),
        ]  # fmt: skip
        assert lines[0]["detail"] == "not a telephone number"
    beyond = f"/imports/{left['id']}/refused?cursor={encode_cursor(2**62)}"
    assert await desk.get(beyond) == {"items": [], "next": None}
    answer = await desk("GET", f"/imports/{left['id']}/refused.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert [row[:2] for row in rows] == [["line", "phone"], ["3", "145"], ["4", "0639980001"], ["5", "'=1+1"]]


@pytest.mark.parametrize("content", [b"", b"nom\nAlix\n", b"0639980001\n", b'phone\n"0639980001\n' + b"x\n" * 100_000])
async def test_what_is_no_file_of_contacts(desk: Desk, content: bytes) -> None:
    made = await group(desk)
    answer = await desk("POST", f"/groups/{made}/imports", content or None, content_type="text/csv")
    assert problem(answer) == (422, "invalid")
    assert not await take_up(desk.db, desk.clock)


async def test_it_is_its_accounts_alone(desk: Desk) -> None:
    made = await group(desk)
    left = await upload(desk, made)
    mallory = await desk.open("mallory@example.org")
    for named, who in ((left["id"], mallory), (NOWHERE, desk), ("x", desk)):
        for path in (f"/imports/{named}", f"/imports/{named}/refused", f"/imports/{named}/refused.csv"):
            assert problem(await who("GET", path)) == (404, "not-found")
    answer = await mallory("POST", f"/groups/{made}/imports", FILE, content_type="text/csv")
    assert problem(answer) == (404, "not-found")
    reader = await desk.with_key("contacts:read")
    assert problem(await reader("POST", f"/groups/{made}/imports", FILE)) == (403, "scope")
