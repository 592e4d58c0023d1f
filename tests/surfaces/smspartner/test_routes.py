"""The envelope around every call of SMS Partner: whatever is sent, a documented answer comes back."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from surfaces.smspartner.conftest import Shop

from passerelle.domain.account import AccountState
from passerelle.surfaces.smspartner import codes

CALLS = {
    "send": "POST",
    "bulk-send": "POST",
    "me": "GET",
    "message-cancel": "GET",
    "message-cancel/7": "DELETE",
    "message-status": "GET",
    "multi-status": "POST",
    "bulk-status": "GET",
    "bulk-status-by-tag": "GET",
    "statistics/cost-resume": "GET",
    "stop-sms/list": "GET",
    "stop-sms/add": "POST",
    "stop-sms/delete": "GET",
}
every_call = pytest.mark.parametrize(("call", "method"), CALLS.items())


@every_call
async def test_the_general_checks_in_their_order(shop: Shop, call, method):
    async def code(body=b"", key=shop.key):
        answer = await shop.raw(method, f"/v1/{call}?apiKey={key}", body)
        assert answer.status == (429 if answer.json()["code"] == 429 else 400)
        assert answer.json()["message"] == codes.TEXTS[answer.json()["code"]]
        return answer.json()["code"]

    await shop.accounts.update_rules(shop.account.id, allowed_addresses=["198.51.100.1"], rate_default=1)
    await shop.accounts.set_state(shop.account.id, AccountState.DISABLED)
    assert await code(b"{", key="") == 90
    assert await code(key="") == 1
    assert await code(key="x") == 10
    assert await code() == 96
    await shop.accounts.update_rules(shop.account.id, allowed_addresses=["192.0.2.7"])
    assert await code() == 20
    await shop.accounts.set_state(shop.account.id, AccountState.BLOCKED)
    assert await code() == 30
    await shop.accounts.set_state(shop.account.id, AccountState.API_DENIED)
    assert await code() == 40
    await shop.accounts.set_state(shop.account.id, AccountState.ACTIVE)
    for _ in range(5):
        await shop.raw(method, f"/v1/{call}?apiKey={shop.key}")
    assert await code() == 429


@every_call
async def test_errors_in_xml(shop: Shop, call, method):
    for body, code in ((b"", "1"), (b"[]", "90")):
        answer = await shop.raw(method, f"/v1/{call}?_format=XML", body)
        assert answer.headers["content-type"] == "application/xml"
        assert [entry.text for entry in ElementTree.fromstring(answer.body)][:2] == ["false", code]


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/nowhere", 404, "Ressource introuvable"),
        ("GET", "/v1/Me", 404, "Ressource introuvable"),
        ("GET", "/v1/", 404, "Ressource introuvable"),
        ("GET", "/smspartner/v1/nowhere", 404, "Ressource introuvable"),
        ("GET", "/v1/hlr", 404, "Ressource introuvable"),
        ("GET", "/v1/send", 405, "Méthode non autorisée"),
        ("PUT", "/v1/me", 405, "Méthode non autorisée"),
    ],
)
async def test_paths_and_methods_that_are_none(shop: Shop, method, path, status, message):
    answer = await shop.raw(method, path)
    assert answer.status == status
    assert answer.json() == {"success": False, "code": status, "message": message}
    assert ElementTree.fromstring((await shop.raw(method, path + "?_format=xml")).body)[1].text == str(status)


async def test_a_body_over_the_limit(shop: Shop):
    answer = await shop.raw("POST", "/v1/send", b" " * (4 * 1024 * 1024 + 1))
    assert (answer.status, answer.json()["code"], answer.headers["connection"]) == (413, 413, "close")


async def test_a_failure_of_ours_is_an_envelope_too(shop: Shop):
    await shop.db.execute("alter table blocked rename to gone")
    answer = await shop.raw("GET", f"/v1/stop-sms/list?apiKey={shop.key}")
    assert (answer.status, answer.json()) == (500, {"success": False, "code": 500, "message": "Erreur interne"})
    sent = await shop.send()
    assert (sent["code"], sent["message"]) == (500, "L'envoi n'a pas pu être mis en file d'attente")


async def test_head_is_served_as_get(shop: Shop):
    assert (await shop.raw("HEAD", f"/v1/me?apiKey={shop.key}")).status == 200


# --- junk ----------------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(
    [
        "phoneNumbers",
        "phoneNumber",
        "to",
        "message",
        "messageId",
        "sender",
        "tag",
        "time",
        "minute",
        "scheduledDeliveryDate",
        "urlDlr",
        "webhookUrl",
        "gamme",
        "isStopSms",
        "isUnicode",
        "sandbox",
        "SMSList",
        "SMSStatut_List",
        "id",
        "page",
        "interval",
        "from",
        "_format",
    ]
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "0639980001",
            "+33639980001,145",
            "custom",
            "01-01-2026",
            "31/12/9999",
            "xml",
            "24",
            "2147483648",
            "\0",
            "STOP",
        ]
    ),
)
_MEMBERS = st.dictionaries(
    _NAMES | st.text(max_size=5),
    _SCALARS | st.lists(_SCALARS | st.dictionaries(_NAMES, _SCALARS, max_size=3), max_size=3),
    max_size=7,
)
_HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "idempotency-key", "x-forwarded-for", "host"]),
    st.sampled_from(["", "\xff", "application/x-www-form-urlencoded", "multipart/form-data", "a,b", "k" * 300, "é:80"]),
)


def _documented(answer):
    assert answer.status in (200, 400, 404, 405, 409, 429), answer
    if answer.headers["content-type"] == "application/xml":
        ElementTree.fromstring(answer.body)
        return
    told = answer.json()
    assert told["success"] is (answer.status == 200)
    if not told["success"]:
        assert told["code"] in {*codes.TEXTS, 3, 5, 6, 7}


@every_call
async def test_any_junk_is_a_documented_answer(shop: Shop, call, method):
    requests = []

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(_MEMBERS, _HEADERS, st.binary(max_size=30), st.booleans())
    def collect(members, headers, raw, is_junk):
        requests.append((members, headers, raw, is_junk))

    collect()
    for members, headers, raw, is_junk in requests:
        body = raw if is_junk else {"apiKey": shop.key, **members}
        query = f"apiKey={shop.key}&{raw.decode('latin-1')}" if is_junk else ""
        answer = await shop.raw(method, f"/v1/{call}?{query}", body, **headers)
        _documented(answer)


async def test_values_that_a_column_cannot_hold(shop: Shop):
    for value in ("\0", "x\0y", "\ud800", 2**63, 1e300, "9" * 40, "é" * 3000):
        for name in (
            "tag",
            "sender",
            "message",
            "messageId",
            "id",
            "page",
            "phoneNumber",
            "urlDlr",
            "scheduledDeliveryDate",
        ):
            for call, method in CALLS.items():
                body = {"apiKey": shop.key, "phoneNumbers": "0639980001", "message": "x", name: value}
                _documented(await shop.raw(method, f"/v1/{call}", body))
