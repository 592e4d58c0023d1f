"""What clients send becomes values: what the contracts forgive is forgiven, the rest is malformed, nothing else."""

from __future__ import annotations

import json
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.surfaces import values


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b"\xef\xbb\xbf{}", {}),
        (b' \r\n{"a": 1} \n', {"a": 1}),
        ('{"a":"é\\u00e9\\/"}'.encode(), {"a": "éé/"}),
        (b'{"a":"x\\u0000y"}', {"a": "xy"}),
        (b'{"\\u0000a":["\\u0000"]}', {"a": [""]}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a":"\\ud83d"}', {"a": "?"}),
        (b'{"a":1e400}', {"a": float("inf")}),
        (b'{"a":' + b"9" * 5000 + b"}", {"a": float("inf")}),
        (b'{"a":33639980001,"a":2}', {"a": 2}),
        (b"[1]", [1]),
    ],
)
def test_json_is_read(body, value):
    assert values.json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":1,}',
        b'{"a":"b"c"}',
        b"{'a':1}",
        b'{"a":1} // no',
        b'{"a":/* no */1}',
        b'{"a":"line\nend"}',
        b'{"a":"tab\tend"}',
        b'{"a":"\xe9"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":NaN}',
        b'{"a":"\\u0000","b":NaN}',
        b'{"a":-Infinity}',
        b'{"a":01}',
        b'{"a":"\\x"}',
        b"SEND",
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a":"\\u0000","b":' + b"[" * 50_000,
    ],
)
def test_what_is_no_json_is_malformed(body):
    with pytest.raises(values.Malformed):
        values.json(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_value_without_nul_or_malformed(body):
    try:
        value = values.json(body)
    except values.Malformed:
        return
    json.dumps(value, ensure_ascii=False).encode()
    assert "\\u0000" not in json.dumps(value)


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"??apiKey=k", {"apiKey": "k"}),
        (b"a=1&a=2", {"a": "2"}),
        (b"phone=+33639980001", {"phone": " 33639980001"}),
        (b"phone=%2B33639980001", {"phone": "+33639980001"}),
        (b"a=%zz&b=%e9&c=%C3%A9", {"a": "%zz", "b": "\ufffd", "c": "é"}),
        ("a=é".encode(), {"a": "é"}),
        (b"a=x%00y&%00=1", {"a": "xy", "": "1"}),
        (b"&&a&b=&=c", {"a": "", "b": "", "": "c"}),
        (b"url=http%3A%2F%2Fx%2F%3Fa%3D1%26b%3D2", {"url": "http://x/?a=1&b=2"}),
        (b"a==b=", {"a": "=b="}),
    ],
)
def test_queries_and_forms_are_read(raw, fields):
    assert values.form(raw) == fields


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_query_is_fields_that_a_database_takes(raw):
    for name, value in values.form(raw).items():
        assert "\0" not in (name + value).encode().decode()


def test_a_multipart_form_is_read():
    body = b'--x\r\nContent-Disposition: form-data; name="message"\r\n\r\nd\xc3\xa9j\xc3\xa0\r\n--x--\r\n'
    assert values.multipart(body, "multipart/form-data; boundary=x") == {"message": "déjà"}
    with pytest.raises(values.Malformed):
        values.multipart(b"nothing", "multipart/form-data")


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=60), st.sampled_from(["multipart/form-data; boundary=x", "multipart/form-data", "multipart/é"])
)
def test_any_multipart_form_is_fields_or_malformed(body, kind):
    try:
        values.multipart(b"--x\r\n" + body, kind)
    except values.Malformed:
        pass


@pytest.mark.parametrize(
    ("value", "on"),
    [(1, True), ("1", True), (True, True), ("true", True), (1.0, True)]
    + [(value, False) for value in (0, "0", 2, "2", "on", "True", "yes", None, [], [1], {}, False, "")],
)
def test_flags(value, on):
    assert values.flag(value) is on


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), (" 05 ", 5), ("-3", -3), (7.0, 7)]
    + [(value, None) for value in (7.5, "7.5", "", "a", None, True, [], float("inf"), 10**30, "9" * 30, "٣")],
)
def test_integers(value, number):
    assert values.integer(value) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (33639980001, "33639980001"), (3.3e10, "33000000000"), (1.5, "1.5"), (True, ""), (None, ""), ([], "")],
)
def test_texts(value, text):
    assert values.text(value) == text


def test_a_member_is_found_by_its_name_then_in_any_case():
    members = {"To": "a", "to": "b", "SENDER": "", "x": None}
    assert [values.member(members, name) for name in ("to", "To", "TO", "sender", "x", "y")] == [
        "b",
        "a",
        "a",
        None,
        None,
        None,
    ]


# --- what would take long --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 1_000_000 + b"0]",
        b"[" + b'"",' * 1_000_000 + b"0]",
        b"[" * 4_000_000,
        b'{"a":' * 800_000,
        b'{"x":"\\u0000","y":[' + b"{}," * 300_000 + b"0]}",
    ],
)
def test_a_body_that_takes_long_is_malformed_at_once(body):
    began = time.process_time()
    with pytest.raises(values.Malformed):
        values.json(body)
    assert time.process_time() - began < 0.5


def test_the_largest_honest_bodies_are_read():
    texts = [{"phoneNumber": "+33639980001", "message": 'Un "mot", [deux] {trois}\\ud83d ' * 12}] * 500
    body = msgspec.json.encode({"SMSList": texts})
    assert values.json(body)["SMSList"] == texts
    assert values.json(body.replace(b"trois", b"\\u0000"))["SMSList"][0]["message"].startswith('Un "mot", [deux] {}')


@pytest.mark.parametrize("raw", [b"&" * 4_000_000, b"a=b&" * 1_000_000, b"&".join(b"%x=1" % n for n in range(300_000))])
def test_a_form_has_so_many_fields(raw):
    began = time.process_time()
    assert len(values.form(raw)) <= values.MOST_FIELDS
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "body",
    [
        b'--x\r\nContent-Disposition: form-data; name="m"\r\n\r\nv\r\n' * 2000,
        b"--x" * 40_000,
        b"--x\r\nContent-Disposition: " + b"; name" * 18_000,
        b"--x\r\n" + b"\n" * 120_000,
        b"--x\r\n" + b"(" * 120_000,
    ],
)
def test_a_multipart_form_is_read_in_no_time(body):
    began = time.process_time()
    assert set(values.multipart(body, "multipart/form-data; boundary=x")) <= {"m"}
    with pytest.raises(values.Malformed):
        values.multipart(body * 20 + b" " * values.LARGEST_FORM, "multipart/form-data; boundary=x")
    assert time.process_time() - began < 0.5


def test_the_forms_of_curl_and_of_browsers_are_read():
    body = (
        b'------W\r\nContent-Disposition: form-data; name="to"\r\n\r\n+33639980001\r\n'
        b'------W\r\nContent-Disposition: form-data; name="message"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
        b"l\xc3\xa0\r\n--W\r\n\r\n------W--\r\n"
    )
    fields = {"to": "+33639980001", "message": "là\r\n--W\r\n"}
    assert values.multipart(body, 'multipart/form-data; charset=utf-8; boundary="----W"') == fields
