from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from surfaces.asgi import Client, Response

from passerelle.clock import ManualClock
from passerelle.store.database import Database
from passerelle.surfaces.rcs_events import LARGEST, RcsEvents

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TOKEN = "a-token-of-the-webhook"
EVENT = {"senderPhoneNumber": "+33639980001", "eventType": "DELIVERED", "messageId": "m1", "agentId": "agent"}
WITH_TOKEN = f"/rcs/events?token={TOKEN}"


def wrapped(event: Any) -> dict[str, Any]:
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    return {"message": {"data": base64.b64encode(data).decode(), "messageId": "1"}}


def signature(event: Any, token: str = TOKEN) -> str:
    return base64.b64encode(hmac.digest(token.encode(), json.dumps(event).encode(), "sha512")).decode()


@pytest.fixture
def client(db: Database) -> Client:
    return Client(RcsEvents(db, ManualClock(NOW), "agent", TOKEN))


async def kept(db: Database) -> list[Any]:
    return [json.loads(row["body"]) for row in await db.fetch("select body from rcs_event order by id")]


async def post(client: Client, body: Any, target: str = WITH_TOKEN, **headers: str) -> Response:
    return await client("POST", target, body, {name.replace("_", "-"): value for name, value in headers.items()})


async def test_an_event_is_on_disk_before_it_is_acknowledged_and_once(db: Database, client: Client) -> None:
    for _ in range(2):
        assert (await post(client, wrapped(EVENT))).status == 200
    assert await kept(db) == [EVENT]
    assert await db.fetchval("select not done and received_at = $1 from rcs_event", NOW)


async def test_a_signature_is_as_good_as_the_token(db: Database, client: Client) -> None:
    assert (await post(client, wrapped(EVENT), "/rcs/events", X_Goog_Signature=signature(EVENT))).status == 200
    assert len(await kept(db)) == 1


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/rcs/events", {}),
        ("/rcs/events?token=", {}),
        ("/rcs/events?token=wrong", {"X_Goog_Signature": signature(EVENT)}),
        ("/rcs/events", {"X_Goog_Signature": signature(EVENT, "wrong")}),
        ("/rcs/events", {"X_Goog_Signature": signature({})}),
        ("/rcs/events", {"X_Goog_Signature": "é"}),
    ],
)
async def test_strangers_tell_us_nothing(db: Database, client: Client, target: str, headers: dict[str, str]) -> None:
    assert (await post(client, wrapped(EVENT), target, **headers)).status == 403
    assert not await kept(db)


async def test_the_first_call_of_a_provider_is_answered(client: Client) -> None:
    answer = await post(client, {"clientToken": TOKEN, "secret": "s3cret"}, "/rcs/events")
    assert (answer.status, answer.json()) == (200, {"secret": "s3cret"})
    for wrong in ("", "x", None, 5, []):
        assert (await post(client, {"clientToken": wrong, "secret": "s"}, "/rcs/events")).status == 403


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"\xff",
        b"[",
        b"[]",
        b"5",
        {},
        EVENT | {"eventType": "IS_TYPING"},
        EVENT | {"agentId": "other"},
        b"[" * 5000,
    ],
)
async def test_what_cannot_be_read_is_acknowledged_and_not_kept(db: Database, client: Client, event: Any) -> None:
    assert (await post(client, wrapped(event))).status == 200
    assert not await kept(db)


@pytest.mark.parametrize(
    "body",
    [
        {"message": {"data": "%%%"}},
        {"message": {"data": 5}},
        {"message": 5},
        {"message": {}},
        {"clientToken": TOKEN, "message": 1},
    ],
)
async def test_an_envelope_without_an_event(db: Database, client: Client, body: Any) -> None:
    assert (await post(client, body)).status == 200
    assert (await post(client, body, "/rcs/events", X_Goog_Signature=signature(EVENT))).status == 403
    assert not await kept(db)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 50_000])
async def test_no_json_object(client: Client, body: bytes) -> None:
    assert (await post(client, body)).status == 400


async def test_other_paths_methods_and_sizes(client: Client) -> None:
    assert (await client("GET", WITH_TOKEN)).status == 405
    assert (await client("POST", f"/rcs/events/more?token={TOKEN}", wrapped(EVENT))).status == 404
    assert (await post(client, b" " * (LARGEST + 1))).status == 413


async def test_without_a_database_the_provider_is_asked_to_come_again(db: Database, client: Client) -> None:
    await db.execute("alter table rcs_event rename to gone")
    assert (await post(client, wrapped(EVENT))).status == 503
