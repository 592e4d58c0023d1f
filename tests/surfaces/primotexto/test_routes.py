"""Requests, their answers, and what they leave in the database; every failure leaves nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.domain.account import AccountState
from passerelle.domain.message import Dialect
from passerelle.store import optouts, statistics
from passerelle.store.optouts import List
from passerelle.store.statistics import Delta, Figure

from .conftest import PHONE, TUESDAY, Client

SEND = "/v2/notification/messages/send"
MARKETING = "/v2/marketing/messages/send"
STOPS = "/v2/unsubscribers/default/contacts"
BOUNCES = "/v2/bounces/default/contacts"
ENCODED = "%2B33639980001"


def minutes(n: float) -> datetime:
    return TUESDAY + timedelta(minutes=n)


# --- the door ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", SEND, "POST"),
        ("POST", "/v2/messages/status", "GET, HEAD"),
        ("PUT", STOPS, "DELETE, GET, HEAD, POST"),
        ("GET", STOPS + "/533e9f59e4b05d2efeb6f1b4", "DELETE"),
    ],
)
async def test_a_wrong_method(client: Client, method: str, path: str, allow: str) -> None:
    answer = await client.call(method, path, x_primotexto_apikey="nobody")
    assert (answer.status, answer.headers["allow"], answer.code) == (405, allow, 1000)


@pytest.mark.parametrize(
    "path",
    ["/v2/nowhere", "/v2/other/messages/send", "/v2", "/v2/messages", "/app/contacts", "/app/contacts/nothing",
     "/v2/unsubscribers/default", STOPS + "/a/b"],
)  # fmt: skip
async def test_an_unknown_route(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.json == {
        "timestamp": 1794304800000, "status": 404, "error": "Not Found", "message": "no such resource", "path": path, "code": 1000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [(AccountState.API_DENIED, 401, 70), (AccountState.BLOCKED, 400, 92), (AccountState.DISABLED, 400, 92)],
)
async def test_the_state_of_the_account_comes_before_the_body(
    client: Client, state: AccountState, status: int, code: int
) -> None:
    await client.send()  # the account is cached
    await client.accounts.set_state(client.account.id, state)
    for answer in (await client.send(), await client.get("/v2/account/stats")):
        assert (answer.status, answer.code) == (status, code)
    assert (await client.rows())[0] == 1


async def test_keys(client: Client) -> None:
    for key in ("", " ", "0123456789abcdef0123456789abcdef", client.key.upper(), "é"):
        answer = await client.call("POST", SEND, b"not json", x_primotexto_apikey=key)
        assert (answer.status, answer.code) == (401, 72)
    assert (await client.get("/v2/account/stats", userId="7")).status == 200
    await client.rules(allowed_addresses=["198.51.100.0/24"])
    assert (await client.get("/v2/account/stats")).code == 70


async def test_a_revoked_key_sends_nothing(client: Client) -> None:
    await client.send()
    await client.accounts.new_key(client.account.id)
    assert (await client.send()).code == 72
    assert (await client.rows())[0] == 1


async def test_the_rate_limit_says_when_to_come_back(client: Client) -> None:
    await client.rules(rate_default=2)
    answers = [await client.get("/v2/account/stats") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].code == 76
    assert answers[2].headers["retry-after"] == "60"


async def test_a_body_over_the_limit(client: Client) -> None:
    answer = await client.call("POST", SEND, b" " * (4 * 1024 * 1024 + 1), x_primotexto_apikey="nobody")
    assert (answer.status, answer.code) == (413, 18)


@pytest.mark.parametrize(
    "path",
    [
        "/v2//account/stats",
        "/v2/account/stats/",
        "/v2/account/stats?",
        "/primotexto/v2/account/stats",
        "//v2/account//stats//",
    ],
)
async def test_slips_in_paths(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 200


# --- sending -------------------------------------------------------------------------------------------------------


async def test_a_send_is_stored_debited_and_queued(client: Client) -> None:
    answer = await client.send(
        sender="Mairie", category="codes-2fa", campaignName="Codes", list_id=3, snapshotId=0, type="x"
    )
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json;charset=UTF-8")
    assert list(answer.json) == ["creditsUsed", "snapshotId"]
    assert answer.body.startswith(b'{"creditsUsed":1.0,"snapshotId":"')
    row = await client.db.fetchrow(
        "SELECT s.*, m.number AS snapshot, m.phone, q.due_at AS leaves FROM submission s"
        " JOIN message m ON m.submission_id = s.id JOIN queue q ON q.message_id = m.id"
    )
    assert str(row["snapshot"]) == answer.json["snapshotId"]
    stored = [
        row[name]
        for name in ("dialect", "text", "sender", "tag", "tag_key", "campaign_name", "class", "phone", "leaves")
    ]
    assert stored == [
        Dialect.PRIMOTEXTO,
        "Bonjour",
        "Mairie",
        "codes-2fa",
        "codes-2fa",
        "Codes",
        0,
        33639980001,
        TUESDAY,
    ]
    assert await client.balance() == 10_000_000 - 38_000


@pytest.mark.parametrize(
    ("members", "credits"),
    [
        ({"message": "a" * 161}, "2.0"),
        ({"message": "€" * 81}, "2.0"),
        ({"message": "a" * 918}, "6.0"),
        ({"number": "06.39.98.00.01"}, "1.0"),
        ({"number": 33639980001}, "1.0"),
        ({"sender": None, "from": "Mairie"}, "1.0"),
        ({"sender": ""}, "1.0"),
        ({"message": "ligne\r\nligne"}, "1.0"),
        ({"date": None, "category": None, "campaignName": ""}, "1.0"),
    ],
)
async def test_what_a_send_takes(client: Client, members: dict[str, Any], credits: str) -> None:
    answer = await client.send(**members)
    assert answer.body.startswith(b'{"creditsUsed":' + credits.encode() + b",")


@pytest.mark.parametrize(
    "body",
    [b'{"number":"+33639980001","message":"\\u00e9t\\u00e9"}', '{"number":"+33639980001","message":"été"}'.encode()],
)
async def test_escapes_and_raw_characters_are_equal(client: Client, body: bytes) -> None:
    for media in ("application/x-www-form-urlencoded", "application/json; charset=utf-8", ""):
        assert (await client.call("POST", SEND, body, content_type=media)).status == 200
    assert {row["text"] for row in await client.db.fetch("SELECT text FROM submission")} == {"été"}


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("no number", {"number": None}, 10),
    ("empty number", {"number": " "}, 10),
    ("several numbers", {"number": "0639980001,0639980002"}, 11),
    ("letters", {"number": "coucou"}, 11),
    ("special French number", {"number": "+33836656565"}, 11),
    ("no number at all", {"number": ["+33639980001"]}, 11),
    ("fixed line", {"number": "0142278186"}, 19),
    ("foreign", {"number": "+32470123456"}, 91),
    ("sender with a dash", {"sender": "Ma-irie"}, 20),
    ("sender with an accent", {"sender": "Décor"}, 20),
    ("short and wrong: characters first", {"sender": "é"}, 20),
    ("short sender", {"sender": "AB"}, 21),
    ("long sender", {"sender": "A" * 12}, 22),
    ("sender of digits", {"sender": "12345"}, 23),
    ("sender as a number", {"sender": 12345}, 23),
    ("from of digits", {"from": "12345"}, 23),
    ("no text", {"message": None}, 30),
    ("blank text", {"message": " \n "}, 30),
    ("text of another type", {"message": {}}, 30),
    ("character outside the set", {"message": "çà ✓"}, 31),
    ("seven parts", {"message": "a" * 919}, 32),
    ("long campaign name", {"campaignName": "a" * 101}, 40),
    ("long category", {"category": "a" * 51}, 45),
    ("category with a slash", {"category": "a/b"}, 45),
    ("date in the past", {"date": 1398177000000}, 62),
    ("date no number", {"date": "demain"}, 62),
    ("date too far", {"date": 1794304800000 + 366 * 86_400_000}, 62),
    (
        "everything wrong: the number first",
        {"number": "0142278186", "sender": "é", "message": "", "category": "/", "date": 1},
        19,
    ),
    ("sender before text", {"sender": "12345", "message": "", "category": "/"}, 23),
    ("text before names", {"message": "", "campaignName": "a" * 101, "category": "/"}, 30),
    ("names before date", {"category": "/", "date": 1}, 45),
]


async def test_what_a_send_refuses(client: Client) -> None:
    before = [await client.rows(), await client.balance()]
    for what, members, code in REFUSED:
        for kind in ("notification", "marketing"):
            answer = await client.send(kind, **members)
            assert (answer.code, answer.status) == (code, 400), what
    for body in (
        b"",
        b"{",
        b"[]",
        b"null",
        b'"SEND"',
        b"{'number':1}",
        b"\xff",
        b'{"number":"+33639980001","message":"x"} x',
    ):
        answer = await client.call("POST", SEND, body)
        assert (answer.code, answer.status) == (73, 400), body
    assert [await client.rows(), await client.balance()] == before


@pytest.mark.parametrize("offered", [False, True])
async def test_a_foreign_number_with_international_mode(client: Client, offered: bool) -> None:
    await client.rules(international=True)
    if offered:
        await client.db.execute("INSERT INTO price (account_id, service, country, price) VALUES (0, 1, 'BE', 57000)")
    answer = await client.send(number="+32470123456")
    assert answer.json["creditsUsed"] == 1.5 if offered else answer.code == 90


async def test_the_last_credit_is_spent_once(client: Client) -> None:
    await client.accounts.credit(client.account.id, 38_000 - 10_000_000, TUESDAY)
    answers = await asyncio.gather(*(client.send() for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400]
    assert {answer.code for answer in answers if answer.status == 400} == {71}
    assert await client.balance() == 0


async def test_the_lists_refuse_and_stop_refusing(client: Client) -> None:
    account, phone = client.account.id, 33639980001
    await optouts.add(client.db, account, List.STOP, phone, TUESDAY)
    assert ((await client.send()).status, (await client.send("marketing")).code) == (200, 12)
    await client.rules(stop_scope_primotexto="all")
    assert (await client.send()).code == 12
    await optouts.add(client.db, 0, List.BOUNCE, phone, TUESDAY)
    await client.rules(stop_scope_primotexto="marketing")
    assert ((await client.send()).code, (await client.send("marketing")).code) == (14, 12)
    await optouts.add(client.db, account, List.BOUNCE, phone, TUESDAY)
    assert (await client.send()).code == 13
    for list_, owner in ((List.BOUNCE, account), (List.BOUNCE, 0), (List.STOP, account)):
        await optouts.remove_by_phone(client.db, owner, list_, phone)
    assert (await client.send("marketing")).status == 200


async def test_marketing_gets_its_mention_and_its_hours(client: Client) -> None:
    saturday = datetime.fromisoformat("2026-11-14T19:30:00+01:00")
    for asked, due in (
        (None, TUESDAY),
        (saturday, saturday),
        (saturday + timedelta(hours=1), datetime.fromisoformat("2026-11-16T08:00:00+01:00")),
        (datetime.fromisoformat("2026-11-11T12:00:00+01:00"), datetime.fromisoformat("2026-11-12T08:00:00+01:00")),
    ):
        snapshot = await client.snapshot(kind="marketing", date=asked and int(asked.timestamp() * 1000))
        row = await client.db.fetchrow(
            "SELECT s.text, s.due_at FROM submission s JOIN message m ON m.submission_id = s.id WHERE m.number = $1",
            snapshot,
        )
        assert (row["text"], row["due_at"]) == ("Bonjour\nSTOP 36000", due)
    assert (await client.send("marketing", message="Bonjour STOP au 38080")).status == 200
    await client.rules(quiet_dates="refuse", stop_missing="refuse")
    closed = int((saturday + timedelta(hours=1)).timestamp() * 1000)
    assert (await client.send("marketing", date=closed, message="STOP 36000")).code == 62
    assert (await client.send("marketing")).code == 31
    assert (await client.send("notification", date=closed)).status == 200


async def test_an_idempotency_key_sends_once(client: Client) -> None:
    first, twin = await asyncio.gather(*(client.call("POST", SEND, client.sent, idempotency_key="a") for _ in range(2)))
    assert (first.status, first.body) == (twin.status, twin.body)
    assert twin.headers["content-type"] == "application/json;charset=UTF-8"
    other = await client.call("POST", SEND, client.sent | {"message": "Autre"}, idempotency_key="a")
    assert (other.status, other.code) == (409, 73)
    assert (await client.call("POST", MARKETING, client.sent, idempotency_key="a")).status == 200
    assert (await client.send()).status == 200
    assert (await client.rows())[0] == 3


# --- reading -------------------------------------------------------------------------------------------------------


async def test_status_by_snapshot_and_by_number(client: Client) -> None:
    first = await client.snapshot()
    client.clock.move(60)
    second = await client.snapshot()
    waiting = {"id": second, "state": "submitted", "stateDate": 1794304860000, "test": False}
    for query in (f"identifier={ENCODED}", "identifier=+33639980001", "identifier=06%2039%2098+00+01", f"snapshotId={second}",
                  f"identifier=junk&snapshotId={second}"):  # fmt: skip
        assert (await client.get(f"/v2/messages/status?{query}")).json == waiting, query
    await client.happened(second, sent_at=minutes(2), submitted_at=minutes(3), failed_at=minutes(4))
    assert (await client.get(f"/v2/messages/status?snapshotId={second}")).json == {
        "id": second, "sent": 1794304920000, "state": "error", "stateDate": 1794305040000, "submitted": 1794304980000, "test": False,
    }  # fmt: skip
    assert (await client.get(f"/v2/messages/status?snapshotId={first}")).json["id"] == first


async def test_the_latest_is_the_one_accepted_last_even_if_another_process_numbered_it_lower(client: Client) -> None:
    first, second = await client.snapshot(), await client.snapshot()
    await client.db.execute(
        "UPDATE submission SET accepted_at = $1 WHERE id = (SELECT id FROM message WHERE number = $2)",
        minutes(1),
        first,
    )
    assert (await client.get(f"/v2/messages/status?identifier={ENCODED}")).json["id"] == first < second


@pytest.mark.parametrize(
    ("query", "code"),
    [("", 10), ("identifier=", 10), ("identifier=+", 10), ("identifier=coucou", 11), ("identifier=0142278186", 16),
     (f"identifier={ENCODED}", 16), ("snapshotId=1", 16), ("snapshotId=abc", 16), ("snapshotId=99999999999999999999", 16), ("snapshotId=0", 16)],
)  # fmt: skip
async def test_status_refuses(client: Client, query: str, code: int) -> None:
    answer = await client.get(f"/v2/messages/status?{query}")
    assert (answer.code, answer.status) == (code, 404 if code == 16 else 400)


async def test_messages_of_others_and_of_other_dialects_are_not_seen(client: Client) -> None:
    snapshot = await client.snapshot()
    await client.db.execute("UPDATE message SET dialect = 1")
    await client.replied("Oui", dialect=1)
    for query in (f"snapshotId={snapshot}", f"identifier={ENCODED}"):
        assert (await client.get(f"/v2/messages/status?{query}")).code == 16
    _, client.key = await client.accounts.create("clinic@example.org", now=TUESDAY)
    await client.db.execute("UPDATE message SET dialect = 2")
    for query in (f"snapshotId={snapshot}", f"identifier={ENCODED}"):
        assert (await client.get(f"/v2/messages/status?{query}")).code == 16
    assert (await client.get("/v2/messages/replies")).json == []


async def counted(client: Client, category: str, **figures: int) -> None:
    async with client.db.transaction() as connection:
        await statistics.insert(connection, [Delta(client.account.id, 2, category, TUESDAY, **figures)])
        if figures.get("replies"):
            await statistics.add_distinct(
                connection, [(client.account.id, 2, Figure.UNSUBSCRIBERS, category, 33639980001)]
            )


async def test_statistics_of_a_category_and_of_all(client: Client) -> None:
    zeros = dict.fromkeys(
        ("sent", "submitted", "delivered", "openers", "clickers", "clicks", "opens", "replies", "unsubscribers", "errors", "bounced",
         "complaint", "timespent"), 0,
    )  # fmt: skip
    assert list((await client.get("/v2/messages/stats")).json.items()) == list(zeros.items())
    await counted(client, "codes", sent=3, submitted=3, delivered=1, errors=1, bounced=1, replies=2, complaints=1)
    await counted(client, "", sent=5, submitted=4)
    await statistics.fold(client.db, TUESDAY)
    await counted(client, "codes", delivered=1, errors=-1)
    codes = zeros | {
        "sent": 3,
        "submitted": 3,
        "delivered": 2,
        "bounced": 1,
        "replies": 2,
        "unsubscribers": 1,
        "complaint": 1,
    }
    assert (await client.get("/v2/messages/stats?category=codes")).json == codes
    assert (await client.get("/v2/messages/stats?category=CODES")).json == zeros
    for path in ("/v2/messages/stats", "/v2/messages/stats?category="):
        assert (await client.get(path)).json == codes | {"sent": 8, "submitted": 7}
    await client.send()
    account = (await client.get("/v2/account/stats")).json
    assert list(account.items()) == [
        ("bounces", 1), ("credits", 262), ("delivered", 2), ("sent", 8), ("submitted", 7), ("undelivered", 6), ("unsubscribers", 1),
    ]  # fmt: skip


async def test_replies_oldest_first_without_stops(client: Client) -> None:
    first = await client.replied("Réponse 1", "codes")
    await client.replied("STOP", "codes", stop=True)
    stray = await client.replied("Pour personne", dialect=0)
    await client.replied("Autre porte", dialect=1)
    listed = [
        {"id": first, "identifier": PHONE, "message": "Réponse 1"},
        {"id": stray, "identifier": PHONE, "message": "Pour personne"},
    ]
    assert (await client.get("/v2/messages/replies?category=codes")).json == listed[:1]
    assert (await client.get("/v2/messages/replies")).json == listed
    assert (await client.get("/v2/messages/replies?category=none")).json == []


async def bounced(client: Client, number: str, category: str, at: float) -> None:
    snapshot = await client.snapshot(number=number, category=category)
    await client.happened(snapshot, sent_at=TUESDAY, failed_at=minutes(at), bounced_at=minutes(at))


async def test_blacklists_of_a_category(client: Client) -> None:
    empty = {"number": 0, "identifiers": []}
    assert (await client.get("/v2/messages/blacklists")).json == {"bounces": empty, "unsubscribers": empty}
    for number, category, at in (
        ("0639980003", "codes", 9),
        ("0639980002", "codes", 5),
        ("0639980003", "codes", 1),
        ("0690000001", "colis", 2),
    ):
        await bounced(client, number, category, at)
    corrected = await client.snapshot(number="0639980004", category="codes")
    await client.happened(corrected, sent_at=TUESDAY, bounced_at=TUESDAY, delivered_at=minutes(1))
    async with client.db.transaction() as connection:
        phones = (33639980002, 33639980003, 33639980004, 590690000001)
        await optouts.add_many(connection, [(client.account.id, List.BOUNCE, phone) for phone in phones], TUESDAY)
    await optouts.remove_by_phone(client.db, client.account.id, List.BOUNCE, phones[0])  # it bounced all the same
    await client.replied("STOP", "codes", stop=True)
    await client.replied("stop encore", "codes", stop=True)
    await client.replied("STOP", "colis", stop=True, phone="+590690000001")
    assert (await client.get("/v2/messages/blacklists?category=codes")).json == {
        "bounces": {"number": 2, "identifiers": ["0639980003", "0639980002"]},
        "unsubscribers": {"number": 1, "identifiers": ["0639980001"]},
    }
    assert (await client.get("/v2/messages/blacklists?category=none")).json == {
        "bounces": empty,
        "unsubscribers": empty,
    }
    await client.rules(national_blacklists=False)
    assert (await client.get("/v2/messages/blacklists")).json == {
        "bounces": {"number": 3, "identifiers": ["+33639980003", "+590690000001", "+33639980002"]},
        "unsubscribers": {"number": 2, "identifiers": ["+33639980001", "+590690000001"]},
    }


# --- the lists of the account --------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["unsubscribers", "bounces"])
async def test_the_life_of_an_entry(client: Client, word: str) -> None:
    base = f"/v2/{word}/default/contacts"
    added = await client.call("POST", base, {"identifier": "06 39 98 00 01", "attributes": []})
    assert (added.status, list(added.json)) == (200, ["id"])
    [entry] = (await client.get(base)).json
    assert list(entry) == ["id", "deleted", "identifier", "blacklistId", "history"]
    assert entry == added.json | {
        "deleted": False,
        "identifier": PHONE,
        "blacklistId": entry["blacklistId"],
        "history": [],
    }
    assert (await client.call("POST", base, {"identifier": PHONE})).code == 15

    own = f"/v2/{word}/{entry['blacklistId']}/contacts"
    for path in (own, f"/v2/{word}/defaults/contacts", base + "/"):
        assert (await client.get(path)).json == [entry]
    gone = await client.call("DELETE", f"{own}/{entry['id']}?identifier=junk")
    assert (gone.status, gone.body, "content-type" in gone.headers) == (204, b"", False)
    assert (await client.get(base)).json == []
    again = await client.call("POST", base, {"identifier": 33639980001})
    assert again.json == added.json
    assert (await client.call("DELETE", f"{base}?identifier={ENCODED}")).status == 204
    assert (await client.call("DELETE", f"{base}?identifier={ENCODED}")).code == 16


async def test_fixed_and_foreign_numbers_may_be_listed_oldest_first(client: Client) -> None:
    numbers = ["+33142278186", "+32470123456", PHONE]
    for number in numbers:
        assert (await client.call("POST", STOPS, {"identifier": number})).status == 200
    assert [entry["identifier"] for entry in (await client.get(STOPS)).json] == numbers


async def test_what_the_lists_refuse(client: Client) -> None:
    other = (await client.call("POST", BOUNCES, {"identifier": PHONE})).json["id"]
    own = "/v2/unsubscribers/533e9f59e4b05d2efeb6f1b4/contacts"
    cases: list[tuple[str, str, object, int]] = [
        *(("POST", STOPS, body, 73) for body in (b"", b"{", [], "x")),
        *(("POST", STOPS, {"identifier": given}, 10) for given in (None, "", " ")),
        *(
            ("POST", STOPS, {"identifier": given}, 11)
            for given in ("x", [], True, "0639980001,0639980002", "+33836656565")
        ),
        ("DELETE", STOPS, b"", 10),
        ("DELETE", f"{STOPS}?identifier=x", b"", 11),
        ("DELETE", f"{STOPS}?identifier={ENCODED}", b"", 16),
        ("DELETE", f"{STOPS}/{other}", b"", 16),
        ("DELETE", f"{STOPS}/nonsense", b"", 16),
        ("GET", own, b"", 60),
        ("POST", own, {"identifier": "x"}, 60),
        ("POST", own, b"{", 73),
        ("DELETE", own, b"", 60),
        ("DELETE", f"{own}/{other}", b"", 60),
    ]
    before = await client.rows()
    for method, path, body, code in cases:
        answer = await client.call(method, path, body)
        assert (answer.code, answer.status) == (code, 404 if code in (16, 60) else 400), (method, path, body)
    assert await client.rows() == before


async def test_the_check_reads_the_lists(client: Client) -> None:
    async def word() -> str:
        shown = (await client.get(f"/app/contacts/check?identifier={ENCODED}")).json
        assert shown == (await client.get("/v2/check?identifier=+33639980001")).json
        return shown["status"]

    assert await word() == "OK"
    await client.call("POST", STOPS, {"identifier": PHONE})
    assert await word() == "UNSUBSCRIBED"
    await client.call("POST", BOUNCES, {"identifier": PHONE})
    assert await word() == "BOUNCED"
    assert (await client.get("/v2/check?identifier=0142278186")).json == {
        "international": False, "rawIdentifier": "0142278186", "formattedIdentifier": "+33142278186", "status": "FIXED_LINE",
    }  # fmt: skip
    assert (await client.get("/v2/check?identifier=x")).json["status"] == "INVALID"
    assert (await client.get("/v2/check?identifier=%20")).code == 10


# --- anything at all -----------------------------------------------------------------------------------------------

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just(PHONE)
junk = st.dictionaries(
    st.sampled_from(["number", "message", "sender", "from", "campaignName", "category", "date", "identifier"]),
    leaves | st.lists(leaves, max_size=2),
).map(msgspec.json.encode) | st.binary(max_size=60)
calls = st.sampled_from(
    [("POST", SEND), ("POST", MARKETING), ("POST", STOPS), ("GET", "/v2/messages/status"), ("GET", "/v2/messages/stats"),
     ("GET", "/v2/messages/replies"), ("GET", "/v2/messages/blacklists"), ("DELETE", BOUNCES), ("GET", "/v2/check"), ("DELETE", STOPS + "/x")]
)  # fmt: skip
queries = st.dictionaries(
    st.sampled_from(["identifier", "snapshotId", "category", "x"]), st.text(st.characters(exclude_categories=["Cs"]))
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=calls, body=junk, query=queries)
async def test_junk_gets_a_documented_answer(
    client: Client, call: tuple[str, str], body: bytes, query: dict[str, str]
) -> None:
    answer = await client.call(call[0], f"{call[1]}?{urlencode(query)}", body)
    assert answer.status in (200, 204, 400, 404)
    if answer.status == 200:
        assert b'"error"' not in answer.body
    elif answer.status != 204:
        assert answer.code in range(10, 93)


@pytest.mark.parametrize("path", [STOPS, BOUNCES])
async def test_what_is_wrong_with_calls_on_the_lists_of_the_account(client: Client, path: str) -> None:
    nobody = path.replace("default", "nothing")
    entry = "533e9f59e4b05d2efeb6f1b4"
    wrong = [
        ("POST", path, b"{", 73), ("POST", path, {}, 10), ("POST", path, {"identifier": "x"}, 11),
        ("POST", nobody, {"identifier": PHONE}, 60), ("GET", nobody, b"", 60), ("DELETE", nobody, b"", 60),
        ("DELETE", path, b"", 10), ("DELETE", f"{path}?identifier=x", b"", 11),
        ("DELETE", f"{nobody}/{entry}", b"", 60), ("DELETE", f"{path}/{entry}", b"", 16),
    ]  # fmt: skip
    for method, target, body, code in wrong:
        assert (await client.call(method, target, body)).code == code, (method, target)


async def test_a_daily_quota_is_told(client: Client) -> None:
    await client.rules(daily_quota=1)
    assert (await client.send()).status == 200
    answer = await client.send()
    assert (answer.status, answer.code) == (429, 76)
