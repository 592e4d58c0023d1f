from __future__ import annotations

import msgspec
import pytest

from passerelle.simulator.sink import LARGEST, Hit, Sink


async def call(sink, path="/sink/dlr", body=b"", method="POST", headers=(), query=b"", chunk=1 << 16):
    """One ASGI request; (status, body) of the answer."""
    chunks = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
    events = [{"type": "http.request", "body": c, "more_body": n < len(chunks)} for n, c in enumerate(chunks, 1)]
    sent = []

    async def receive():
        return events.pop(0)

    async def send(event):
        sent.append(event)

    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": list(headers)}
    await sink(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_a_request_is_kept_byte_for_byte_in_memory_and_in_the_file(tmp_path):
    sink = Sink(tmp_path / "sink.jsonl")
    for body in ('{"état": "livré"}'.encode(), b"\xff\xfe\x00", b"a" * 200_000):
        assert await call(sink, body=body, query=b"a=1", headers=[(b"Webhook-Id", b"evt_1")]) == (200, b"")
    sink.close()
    hits = [msgspec.json.decode(line, type=Hit) for line in (tmp_path / "sink.jsonl").read_bytes().splitlines()]
    assert hits == list(sink.hits)
    assert [hit.content for hit in hits] == ['{"état": "livré"}'.encode(), b"\xff\xfe\x00", b"a" * 200_000]
    assert (hits[0].method, hits[0].path, hits[0].query) == ("POST", "/sink/dlr", "a=1")
    assert hits[0].headers == [("webhook-id", "evt_1")]


async def test_it_answers_as_told_then_the_last_for_ever():
    sink = Sink()
    sink.answer([500, 410, 204])
    assert [(await call(sink))[0] for _ in range(5)] == [500, 410, 204, 204, 204]
    assert [hit.status for hit in sink.hits] == [500, 410, 204, 204, 204]
    with pytest.raises(ValueError, match="no status"):
        sink.answer([])


@pytest.mark.parametrize(
    ("path", "status"),
    [("/sink/status/503", 503), ("/sink/status/410/shop", 410), ("/sink/status/999/x", 200), ("/sink/status/5030", 200)],
)  # fmt: skip
async def test_an_address_may_ask_for_its_answer(path, status):
    assert (await call(Sink(), path))[0] == status


async def test_what_came_is_shown_and_looking_is_not_kept():
    sink = Sink(keep=2)
    for n in range(3):
        await call(sink, f"/sink/{n}", method="GET")
    status, body = await call(sink, "/sink/received", method="GET")
    assert status == 200
    assert [hit["path"] for hit in msgspec.json.decode(body)] == ["/sink/1", "/sink/2"]
    await call(sink, "/sink/received", method="POST")
    assert sink.hits[-1].method == "POST"


async def test_a_body_without_end_is_refused():
    sink = Sink()
    assert (await call(sink, body=b"x" * (LARGEST + 1)))[0] == 413
    assert sink.hits[0].body == ""
