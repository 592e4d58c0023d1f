"""Requests of SMS Partner: sources, names, aliases, values, scheduling."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from passerelle.domain.account import Account, AccountState, Rules
from passerelle.domain.message import TrafficClass
from passerelle.domain.pricing import Service
from passerelle.domain.reasons import Finding, Reason
from passerelle.surfaces import values
from passerelle.surfaces.smspartner.reading import Members, number_of, parse_day, parse_send, read

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)  # a Tuesday, 11:00 in Paris
ACCOUNT = Account(1, 1, AccountState.ACTIVE, "a@example.org", "", "", Rules(), {})
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def parsed(bulk=False, **members):
    return parse_send(Members(members, {}), NOW, bulk=bulk)


def reasons(**members):
    return [fault.reason for fault in parsed(phoneNumbers="0639980001", message="x", **members).faults]


def test_the_body_wins_over_the_query_and_an_absent_member_over_nothing():
    members = read(b'{"tag":"body","sender":"","x":null}', "", {"tag": "query", "sender": "Query", "to": "1"})
    assert [members.text(name) for name in ("tag", "sender", "to", "x")] == ["body", "Query", "1", ""]


@pytest.mark.parametrize("name", ["apiKey", "APIKey", "apikey", "APIKEY"])
def test_names_in_any_case(name):
    assert Members({name: "k"}, {}).text("apiKey") == "k"
    assert Members({}, {name: "k"}).text("apiKey") == "k"


def test_an_exact_name_comes_first():
    assert Members({"TO": "a", "to": "b"}, {}).text("to") == "b"


@pytest.mark.parametrize(
    ("body", "kind", "phones"),
    [
        (b'{"phoneNumbers":"0639980001"}', FORM, ["0639980001"]),
        (b'\xef\xbb\xbf {"phoneNumbers":"0639980001"}', "", ["0639980001"]),
        (b"phoneNumbers=0639980001%2C0639980002", FORM, ["0639980001", "0639980002"]),
        (b"phoneNumbers=+33639980001,+33639980002", FORM, ["+33639980001", "+33639980002"]),
        (
            b'--b\r\nContent-Disposition: form-data; name="to"\r\n\r\n06\r\n--b--',
            "multipart/form-data; boundary=b",
            ["06"],
        ),
        (b"", "application/json", []),
        (b" \n", "application/json", []),
    ],
)
def test_bodies(body, kind, phones):
    assert read(body, kind, {}).phones("phoneNumbers", "to") == phones


@pytest.mark.parametrize("body", [b"a=1", b"[]", b"[{}]", b'"x"', b"5", b"null", b"{", b'{"a":1}}'])
def test_what_is_no_object_is_malformed(body):
    with pytest.raises(values.Malformed):
        read(body, "text/plain", {})


@pytest.mark.parametrize("body", [b"[]", b'{"a":'])
def test_a_form_that_begins_like_json_is_json(body):
    with pytest.raises(values.Malformed):
        read(body, FORM, {})


@pytest.mark.parametrize(
    ("value", "phones"),
    [
        ("0639980001", ["0639980001"]),
        (" 0639980001 , ,+33639980002,", ["0639980001", "+33639980002"]),
        (["0639980001", 33639980002, None, " ", ["x"]], ["0639980001", "33639980002"]),
        (33639980001, ["33639980001"]),
        (["0639980001,0639980002"], ["0639980001", "0639980002"]),
        ({"a": 1}, []),
        (True, []),
    ],
)
def test_number_lists(value, phones):
    assert Members({"phoneNumbers": value}, {}).phones("phoneNumbers") == phones


@pytest.mark.parametrize(
    ("query", "phone"),
    [
        (" 33639980001", "+33639980001"),
        ("+33639980001", "+33639980001"),
        (" 0639980001", "0639980001"),
        ("0639980001", "0639980001"),
    ],
)
def test_a_leading_blank_in_a_query_was_a_plus(query, phone):
    assert Members({}, {"phoneNumber": query}).phone("phoneNumber") == phone
    assert Members({}, {"phoneNumber": f"0639980009,{query}"}).phones("phoneNumber") == ["0639980009", phone]
    assert Members({"phoneNumber": " 33639980001"}, {}).phone("phoneNumber") == "33639980001"


@pytest.mark.parametrize(
    ("given", "number"),
    [("7", 7), (7, 7), (2**31 - 1, 2**31 - 1), (2**31, None), (0, None), (-1, None), ("x", None), ({}, None)],
)
def test_numbers_of_messages(given, number):
    assert number_of(given) == number


def test_a_send_with_everything():
    wanted = parsed(
        phoneNumbers="0639980001,0639980002", message="Bonjour", gamme="2", sender="MaBoutique", tag="Colis",
        scheduledDeliveryDate="16/11/2026", time="8", minute=5, urlResponse="https://a.example/?s=1&t=%20",
        urlDlr="http://b.example", isStopSms="true", isUnicode=1, sandbox=True, virtualNumber="x",
    )  # fmt: skip
    assert wanted.faults == []
    assert wanted.items == [("0639980001", None), ("0639980002", None)]
    assert (wanted.text, wanted.sender, wanted.service) == ("Bonjour", "MaBoutique", Service.ECO)
    assert (wanted.tag, wanted.tag_key) == ("Colis", "colis")
    assert wanted.due_at == datetime(2026, 11, 16, 7, 5, tzinfo=UTC)
    assert (wanted.reply_url, wanted.dlr_url) == ("https://a.example/?s=1&t=%20", "http://b.example")
    assert wanted.unicode and wanted.sandbox and wanted.stop_mention and wanted.traffic is TrafficClass.MARKETING


def test_a_send_with_nothing_else():
    wanted = parsed(
        to="0639980001", message=5, gamme=3, tag=[], urlDlr={}, scheduledDeliveryDate=[], time=0, minute="0"
    )
    assert (wanted.items, wanted.text, wanted.faults) == ([("0639980001", None)], "5", [])
    assert (wanted.service, wanted.traffic, wanted.due_at) == (Service.PREMIUM, None, None)
    assert not (wanted.sandbox or wanted.unicode or wanted.stop_mention or wanted.tag or wanted.dlr_url)


def test_without_a_stop_mention_the_account_decides_the_class():
    assert parsed(to="06").traffic is None


@pytest.mark.parametrize(
    ("members", "url"),
    [
        ({"webhookUrl": "http://a.example"}, "http://a.example"),
        ({"webhookUrl": "nothing"}, ""),
        ({"webhookUrl": "http://a.example", "urlDlr": "http://b.example"}, "http://b.example"),
    ],
)
def test_another_name_for_the_delivery_url(members, url):
    wanted = parsed(to="06", **members)
    assert (wanted.dlr_url, wanted.faults) == (url, [])


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "a.example",
        "http://",
        "http:///x",
        "http://a b",
        "http://a.example/\nx",
        "http://[x",
        "http://a:99999",
        "http://a.example/" + "x" * 2048,
    ],
)
def test_urls_that_are_none(url):
    faults = parsed(to="06", urlDlr=url, urlResponse=url).faults
    assert faults == [Finding(Reason.URL_INVALID, "urlResponse"), Finding(Reason.URL_INVALID, "urlDlr")]


def test_too_many_recipients_are_not_even_looked_at():
    assert parsed(to=["0639980001"] * 500).faults == []
    wanted = parsed(to=["0639980001"] * 501)
    assert (wanted.items, wanted.faults) == ((), [Finding(Reason.TOO_MANY_RECIPIENTS)])


@pytest.mark.parametrize("listed", [None, [], "x", {}, 5])
def test_a_bulk_send_without_list(listed):
    assert parsed(bulk=True, SMSList=listed, phoneNumbers="06").faults == [Finding(Reason.NO_RECIPIENT)]


def test_a_bulk_send():
    wanted = parsed(bulk=True, SMSList=[{"phoneNumber": 33639980001, "Message": "a"}, {"phoneNumber": "06"}, "x", None])
    assert wanted.items == [("33639980001", "a"), ("06", ""), ("", ""), ("", "")]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"tag": "x" * 20}, []),
        ({"tag": "x" * 21}, [Reason.TAG_LONG]),
        ({"tag": "a b"}, [Reason.TAG_INVALID]),
        ({"time": 5}, [Reason.DATE_WITHOUT_DAY]),
        ({"minute": "x"}, [Reason.DATE_WITHOUT_DAY]),
        ({"time": 0, "minute": 0}, []),
        ({"scheduledDeliveryDate": "16/11/2026"}, [Reason.HOUR_MISSING, Reason.MINUTE_MISSING]),
        ({"scheduledDeliveryDate": "16/11/2026", "time": 0}, [Reason.MINUTE_MISSING]),
        ({"scheduledDeliveryDate": "16-11-2026", "time": 0, "minute": 0}, [Reason.DAY_INVALID]),
        ({"scheduledDeliveryDate": "31/11/2026", "time": 0, "minute": 0}, [Reason.DAY_INVALID]),
        ({"scheduledDeliveryDate": "1/12/2026", "time": 0, "minute": 0}, [Reason.DAY_INVALID]),
        ({"scheduledDeliveryDate": "16/11/2026", "time": 25, "minute": 0}, [Reason.HOUR_INVALID]),
        ({"scheduledDeliveryDate": "16/11/2026", "time": "8h", "minute": 0}, [Reason.HOUR_INVALID]),
        (
            {"scheduledDeliveryDate": "16/11/2026", "time": -1, "minute": 60},
            [Reason.HOUR_INVALID, Reason.MINUTE_INVALID],
        ),
        ({"scheduledDeliveryDate": "16/11/2026", "time": 8, "minute": 7}, [Reason.MINUTE_STEP]),
        ({"scheduledDeliveryDate": "10/11/2026", "time": 10, "minute": 55}, [Reason.DATE_PAST]),
        ({"scheduledDeliveryDate": "10/11/2026", "time": 11, "minute": 5}, []),
        ({"scheduledDeliveryDate": "10/11/2026"}, [Reason.HOUR_MISSING, Reason.MINUTE_MISSING, Reason.DATE_PAST]),
    ],
)
def test_faults_of_the_request(members, expected):
    assert reasons(**members) == expected


def test_the_past_is_told_as_sent():
    given = {"scheduledDeliveryDate": "01/02/2020", "time": "07"}
    assert parsed(to="06", **given).faults[-1] == Finding(Reason.DATE_PAST, "01/02/2020 à 07:")


@pytest.mark.parametrize(
    ("day", "hour", "minute", "utc"),
    [
        ("16/11/2026", 24, 0, (2026, 11, 16, 23, 0)),
        ("28/03/2027", 2, 30, (2027, 3, 28, 1, 30)),  # does not exist: one hour on
        ("31/10/2027", 2, 30, (2027, 10, 31, 0, 30)),  # twice: the first
    ],
)
def test_local_times(day, hour, minute, utc):
    wanted = parsed(to="06", scheduledDeliveryDate=day, time=hour, minute=minute)
    assert (wanted.due_at, wanted.faults) == (datetime(*utc, tzinfo=UTC), [])


@pytest.mark.parametrize("text", ["01/12/2026", " 01/12/2026 "])
def test_days(text):
    assert str(parse_day(text)) == "2026-12-01"


@pytest.mark.parametrize(
    "text", ["", "2026/12/01", "01/13/2026", "32/01/2026", "٠١/١٢/٢٠٢٦", "01/12/0000", "a/b/c", "01-12-2026"]
)
def test_what_is_no_day(text):
    assert parse_day(text) is None


@pytest.mark.parametrize(
    "phones",
    [
        ",".join(["0639980001"] * 400 + [""] * 20_000 + ["0639980001"] * 50),
        "," * 4_000_000,
        ["1"] * 200_000,
        ["1,"] * 501,
    ],
)
def test_a_list_far_too_long_is_too_long_and_takes_no_time(phones):
    began = time.process_time()
    wanted = parse_send(Members({"phoneNumbers": phones, "message": "x"}, {}), NOW, bulk=False)
    assert [fault.reason for fault in wanted.faults] == [Reason.TOO_MANY_RECIPIENTS]
    bulk = parse_send(Members({"SMSList": [{}] * 200_000}, {}), NOW, bulk=True)
    assert [fault.reason for fault in bulk.faults] == [Reason.TOO_MANY_RECIPIENTS]
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("name", ["tag", "sender", "urlDlr", "scheduledDeliveryDate", "time", "gamme"])
def test_a_member_of_any_length_takes_no_time(name):
    began = time.process_time()
    for text in ("/" * 4_000_000, "a" * 4_000_000, "9" * 4_000_000):
        parse_send(Members({"phoneNumbers": "1", "message": "x", name: text}, {}), NOW, bulk=False)
    assert time.process_time() - began < 0.5
