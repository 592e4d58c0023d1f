"""Send, find, follow, cancel: answers, and what they leave behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from surfaces.native.conftest import PHONE, TUESDAY, Desk, problem

from passerelle.domain.admission import Wanted
from passerelle.domain.message import State
from passerelle.domain.profile import PRIMOTEXTO, SMSPARTNER
from passerelle.pipeline.submit import Accepted
from passerelle.store import ledger, optouts

OTHER = "+33639980002"
LATER = (TUESDAY + timedelta(hours=3)).isoformat()


async def send(desk: Desk, to: Any = (PHONE,), status: int = 201, **members: Any) -> Any:
    body = {"to": list(to), "text": "Bonjour", **members}
    return await desk.post("/messages", body, status)


async def through(desk: Desk, profile: Any, **members: Any) -> Accepted:
    """A send through a dialect."""
    account = await desk.services.accounts.by_id(desk.account.id)
    assert account is not None
    wanted = Wanted(items=[(PHONE, None)], text="Ancien", **members)
    done = await desk.services.submitter.accept(account, wanted, profile)
    assert isinstance(done, Accepted)
    return done


async def test_a_send_is_stored_and_paid(desk: Desk) -> None:
    told = await send(desk, ["0639980001", {"phone": OTHER, "text": "Pour vous"}], tag="Été")
    assert told["price"] == "0.076" and told["parts"] == 2 and not told["scheduled"] and told["left_out"] == []
    assert [one["to"] for one in told["messages"]] == [PHONE, OTHER]
    assert told["send_at"] == "2026-11-10T10:00:00Z"
    assert await desk.balance() == 10_000_000 - 76_000 == await ledger.account_sum(desk.db, desk.account.id)
    one = await desk.get(f"/messages/{told['messages'][1]['id']}")
    assert (one["text"], one["to"], one["state"], one["dialect"], one["tag"]) == (
        "Pour vous",
        OTHER,
        "accepted",
        "native",
        "Été",
    )
    assert one["waiting"] and one["life"][0]["what"] == "accepted"
    whole = await desk.get(f"/submissions/{told['id']}")
    assert (whole["messages"], whole["price"], whole["parts_waiting"], whole["over"]) == (2, "0.076", 2, False)
    assert whole["states"] == [
        {"state": "accepted", "messages": 2, "parts": 2, "refunded": "0.000", "last_at": "2026-11-10T10:00:00Z"}
    ]


async def test_who_is_refused_is_left_out_and_told(desk: Desk) -> None:
    await optouts.add(desk.db, desk.account.id, optouts.List.STOP, int(OTHER[1:]), TUESDAY)
    told = await send(desk, [PHONE, OTHER, "0123456789", "x"])
    assert [(one["position"], one["reason"]) for one in told["left_out"]] == [
        (2, "not_mobile"), (3, "number_invalid"), (1, "opted_out"),
    ]  # fmt: skip
    refused = await desk("POST", "/messages", {"to": [OTHER], "text": "Bonjour"})
    assert problem(refused) == (422, "refused")
    assert refused.json()["errors"] == [
        {"detail": f"{OTHER}: This number is on the stop list.", "pointer": "#/to/0", "reason": "opted_out"}
    ]


WRONG_MEMBERS: list[tuple[dict[str, Any], str, str]] = [
    ({"sender": "x"}, "refused", "#/sender"),
    ({"sender": "123456"}, "refused", "#/sender"),
    ({"text": ""}, "refused", "#/text"),
    ({"text": "x" * 2000}, "refused", "#/text"),
    ({"text": "\u2713", "unicode": "refuse"}, "refused", "#/text"),
    ({"send_at": "2026-11-10T09:00:00Z"}, "refused", "#/send_at"),
    ({"send_at": "2036-11-10T09:00:00Z"}, "refused", "#/send_at"),
    ({"callback_url": "ftp://x"}, "refused", "#/callback_url"),
    ({"callback_url": "https://[x"}, "refused", "#/callback_url"),
    ({"range": "eco", "text": "x" * 161}, "refused", "#/text"),
    ({"to": [{"phone": PHONE, "text": ""}]}, "refused", "#/to/0/text"),
    ({"to": ["x"]}, "refused", "#/to/0"),
    ({"to": []}, "invalid", "#/to"),
    ({"to": [PHONE] * 1001}, "invalid", "#/to"),
    ({"to": PHONE}, "invalid", "#/to"),
    ({"to": [7]}, "invalid", "#/to/0"),
    ({"to": [{"phone": PHONE, "texte": "x"}]}, "invalid", "#/to/0"),
    ({"send_at": "2026-11-10T12:00:00"}, "invalid", "#/send_at"),
    ({"send_at": "tomorrow"}, "invalid", "#/send_at"),
    ({"class": "spam"}, "invalid", "#/class"),
    ({"sandbox": 1}, "invalid", "#/sandbox"),
    ({"text": None}, "invalid", "#/text"),
    ({"colour": "red"}, "invalid", "#"),
    ({"text": "\0"}, "invalid", "#"),
    ({"tag": "x" * 65}, "invalid", "#/tag"),
]


async def test_what_is_wrong_is_pointed_at(desk: Desk) -> None:
    for members, slug, pointer in WRONG_MEMBERS:
        refused = await desk("POST", "/messages", {"to": [PHONE], "text": "Bonjour", **members})
        assert problem(refused) == (422, slug), members
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert await desk.balance() == 10_000_000


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"to": ["\\ud800"]}', b"[" * 100_000])
async def test_what_is_no_json(desk: Desk, body: bytes) -> None:
    assert problem(await desk("POST", "/messages", body))[1] in ("malformed", "invalid")


async def test_other_media_and_large_bodies(desk: Desk) -> None:
    assert problem(await desk("POST", "/messages", b"to=1", content_type="application/x-www-form-urlencoded")) == (
        415, "media-type",
    )  # fmt: skip
    assert problem(await desk("POST", "/messages", b" " * 5_000_000)) == (413, "too-large")


async def test_credit_and_quota(desk: Desk) -> None:
    poor = await desk.open("poor@example.org", euros=0.04)
    assert problem(await poor("POST", "/messages", {"to": [PHONE, OTHER], "text": "x"})) == (402, "credit")
    small = await desk.open("small@example.org", daily_quota=1)
    await send(small)
    assert problem(await small("POST", "/messages", {"to": [OTHER], "text": "x"})) == (429, "quota")


async def test_an_idempotency_key_is_good_for_one_request(desk: Desk) -> None:
    body = {"to": [PHONE], "text": "Bonjour"}
    first = await desk.post("/messages", body, 201, idempotency_key="k")
    assert await desk.post("/messages", body, 201, idempotency_key="k") == first
    assert await desk.balance() == 10_000_000 - 38_000
    other = await desk("POST", "/messages", {**body, "text": "Autre"}, idempotency_key="k")
    assert problem(other) == (409, "idempotency-key-reused")
    assert problem(await desk("POST", "/messages", body, idempotency_key="k" * 256)) == (422, "invalid")


@pytest.mark.parametrize(
    ("policy", "text", "encoding"),
    [("allow", "L’été ✓", "ucs2"), ("transliterate", "L’été", "gsm"), ("allow", "L'été", "gsm")],
)
async def test_the_policy_for_foreign_characters(desk: Desk, policy: str, text: str, encoding: str) -> None:
    told = await send(desk, text=text, unicode=policy)
    assert told["messages"][0]["encoding"] == encoding


async def test_marketing_waits_for_its_hours_and_says_how_to_stop(desk: Desk) -> None:
    desk.clock.move(12 * 3600)  # 23:00 in Paris
    told = await send(desk, **{"class": "marketing"})
    assert (told["scheduled"] and told["send_at"] == "2026-11-11T07:00:00Z") or told["send_at"] > "2026-11-11"
    assert "STOP 36000" in (await desk.get(f"/messages/{told['messages'][0]['id']}"))["text"]


async def test_the_sandbox_sends_nothing(desk: Desk) -> None:
    told = await send(desk, sandbox=True)
    assert (told["sandbox"], told["price"]) == (True, "0.000")
    assert await desk.balance() == 10_000_000
    one = await desk.get(f"/messages/{told['messages'][0]['id']}")
    assert (one["sandbox"], one["state"]) == (True, "delivered")
    assert (await desk.get(f"/submissions/{told['id']}"))["sandbox"]
    assert problem(await desk("DELETE", f"/submissions/{told['id']}")) == (409, "conflict")


async def test_cancelling_gives_all_of_it_back_once(desk: Desk) -> None:
    told = await send(desk, [PHONE, OTHER], send_at=LATER)
    done = await desk("DELETE", f"/submissions/{told['id']}")
    assert done.status == 200 and done.json()["cancelled_at"] and done.json()["over"]
    assert done.json()["refunded"] == "0.076"
    assert await desk.balance() == 10_000_000
    assert problem(await desk("DELETE", f"/submissions/{told['id']}")) == (409, "conflict")
    assert await desk.balance() == 10_000_000


async def test_what_has_left_is_not_cancelled(desk: Desk) -> None:
    told = await send(desk, send_at=LATER)
    await desk.db.execute("update queue set lease_until = clock_timestamp() + interval '1 minute'")
    assert problem(await desk("DELETE", f"/submissions/{told['id']}")) == (409, "conflict")
    assert await desk.balance() == 10_000_000 - 38_000


async def test_an_id_of_nothing(desk: Desk) -> None:
    for path in ("/messages/", "/submissions/"):
        for number in ("0", "x", "-1", "1" * 30, "%F0%9F%98%80", "1%00", "9223372036854775808"):
            assert problem(await desk("GET", path + number)) == (404, "not-found")


async def test_other_accounts_see_nothing(desk: Desk) -> None:
    told = await send(desk, send_at=LATER, tag="t")
    mallory = await desk.open("mallory@example.org")
    for method, path in (
        ("GET", f"/messages/{told['messages'][0]['id']}"),
        ("GET", f"/submissions/{told['id']}"),
        ("DELETE", f"/submissions/{told['id']}"),
    ):
        assert problem(await mallory(method, path)) == (404, "not-found")
    for query in ("", "?tag=t", "?phone=0639980001"):
        assert (await mallory.get(f"/messages{query}"))["items"] == []
    assert (await desk.get(f"/submissions/{told['id']}"))["cancelled_at"] is None


# --- lists -----------------------------------------------------------------------------------------------------------


async def every(desk: Desk, target: str) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    following: str | None = target
    for _ in range(100):
        if following is None:
            return items
        found = await desk.get(following.removeprefix("/api/v1"))
        items += found["items"]
        following = found["next"]
    raise AssertionError("it does not end")


async def test_all_dialects_are_listed_page_by_page(desk: Desk) -> None:
    await through(desk, SMSPARTNER, tag="A", tag_key="a")
    await through(desk, PRIMOTEXTO, tag="B", tag_key="B")
    for n in range(5):
        await send(desk, [f"+336399801{n:02}"], tag="A")
    for limit in (1, 2, 3, 7, 500):
        found = await every(desk, f"/messages?limit={limit}")
        assert [one["dialect"] for one in found] == ["native"] * 5 + ["primotexto", "smspartner"]
        assert [one["text"] for one in found] == ["Bonjour"] * 5 + ["Ancien"] * 2
        assert len(await every(desk, f"/messages?limit={limit}&tag=A")) == 6
        assert len(await every(desk, f"/messages?limit={limit}&tag=A&dialect=native")) == 5
        assert len(await every(desk, f"/messages?limit={limit}&phone=0639980001")) == 2


async def test_filters(desk: Desk) -> None:
    told = await send(desk, [PHONE, OTHER, "+33639980003"], tag="T")
    ids = [one["id"] for one in told["messages"]]
    await desk.db.execute("update message set state = $1 where id = $2", int(State.DELIVERED), int(ids[0]))
    await desk.db.execute("update message set state = $1 where id = $2", int(State.BOUNCED), int(ids[1]))

    async def ids_of(query: str) -> list[str]:
        return [one["id"] for one in await every(desk, f"/messages?{query}")]

    for more in ("", "&tag=T", f"&from={(TUESDAY - timedelta(days=1)).isoformat().replace('+', '%2B')}"):
        assert await ids_of(f"state=delivered{more}") == [ids[0]]
        assert await ids_of(f"state=delivered,bounced{more}") == [ids[1], ids[0]]
        assert await ids_of(f"state=delivered&state=bounced&limit=1{more}") == [ids[1], ids[0]]
        assert await ids_of(f"state=expired{more}") == []
    assert await ids_of("from=2026-11-10T10:00:00Z&to=2026-11-10T10:00:01Z") == ids[::-1]
    assert await ids_of("from=2026-11-10T10:00:01Z") == [] == await ids_of("to=2026-11-10T10:00:00Z")
    assert await ids_of("from=2027-11-10T10:00:01Z") == [] == await ids_of("to=1026-11-10T10:00:00Z")


async def test_a_page_looks_at_so_much_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from passerelle.store import listings

    monkeypatch.setattr(listings, "LOOKED_AT", 3)
    for n in range(4):
        await send(desk, [f"+336399801{n}{k}" for k in range(2)], tag="T")
    await desk.db.execute("update message set state = 10 where phone in (33639980100, 33639980110)")
    for more in ("", "&tag=T"):
        first = await desk.get(f"/messages?state=delivered{more}")
        assert first["items"] == [] and first["next"]
        assert len(await every(desk, f"/messages?state=delivered{more}")) == 2
        assert len(await every(desk, f"/messages?state=accepted{more}")) == 6


WRONG = {
    "limit": ("0", "501", "x", ""),
    "state": ("gone",),
    "dialect": ("telex",),
    "phone": ("x",),
    "from": ("yesterday", "2026-11-10T10:00:00"),
    "cursor": ("x", "W10", "Wy0xXQ", "WyJ4Il0", "WzFlOTldLA", "%F0%9F%98%80"),
    "tag": ("%00",),
    "sort": ("id",),
}


async def test_queries_that_are_wrong(desk: Desk) -> None:
    for parameter, values in WRONG.items():
        for value in values:
            refused = await desk("GET", f"/messages?{parameter}={value}")
            assert problem(refused) == (422, "invalid")
            assert refused.json()["errors"][0]["parameter"] == parameter


async def test_a_submission_tells_when_its_end_is_expected(desk: Desk) -> None:
    told = await send(desk, [f"+3363998{n:04}" for n in range(1, 11)])
    path = f"/submissions/{told['id']}"
    assert (await desk.get(path))["expected_end"] is None, "none has left: nobody knows"
    first = [int(one["id"]) for one in told["messages"][:5]]
    left_at = desk.clock.now()
    await desk.db.execute("update message set state = 2, sent_at = $2 where id = any($1)", first, left_at)
    await desk.db.execute("delete from queue where message_id = any($1)", first)
    desk.clock.move(10)
    whole = await desk.get(path)
    assert (whole["parts_waiting"], whole["expected_end"]) == (5, "2026-11-10T10:00:20Z"), "five in ten seconds"
    assert whole["expected_end"] == (await desk.get(f"{path}/progress"))["expected_end"]
    await desk.db.execute("delete from queue")
    assert (await desk.get(path))["expected_end"] is None
