"""The XML answers: nameless entries in the order of the JSON, always well-formed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.surfaces.smspartner import wire, xml

HEAD = "<?xml version='1.0' encoding='UTF-8'?>"


@pytest.mark.parametrize(
    ("members", "document"),
    [
        (
            {"success": False, "code": 10, "message": "Clé API incorrecte"},
            "<result><entry>false</entry><entry>10</entry><entry><![CDATA[Clé API incorrecte]]></entry></result>",
        ),
        ({"a": 0.038, "b": "0.038"}, "<result><entry>0.038</entry><entry><![CDATA[0.038]]></entry></result>"),
        ({"a": None, "b": [], "c": {}}, "<result><entry/><entry/><entry/></result>"),
        ({"a": [{"b": 1}, [True]]}, "<result><entry><entry><entry>1</entry></entry><entry><entry>true</entry></entry></entry></result>"),
        ({"a": "x]]>y\x08\ud800"}, "<result><entry><![CDATA[x]]]]><![CDATA[>y]]></entry></result>"),
        ({"user": xml.Named(name="A & <B>")}, "<result><entry><name>A &amp; &lt;B&gt;</name></entry></result>"),
        ({"errors": ["x"], "error": ["x"]}, "<result><entry><entry><![CDATA[x]]></entry></entry></result>"),
        ({"error": "x"}, "<result><entry><![CDATA[x]]></entry></result>"),
    ],
)  # fmt: skip
def test_documents(members, document):
    assert xml.encode(members).decode() == HEAD + document


def test_a_list_of_constraints_is_one_entry():
    root = ElementTree.fromstring(wire.encode(wire.constraints([("message", "Le message est requis")]), True))
    assert [len(entry) for entry in root] == [0, 0, 1]
    assert [field.text for field in root[2][0]] == ["children[message].data", "Le message est requis"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(), _VALUES, max_size=4))
def test_any_members_make_a_document_that_a_parser_reads(members):
    root = ElementTree.fromstring(xml.encode(members))
    assert len(root) == len(members) - ("error" in members and "errors" in members)
