"""What is sent becomes the Structs of a call, or a problem that says where."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from passerelle.surfaces.native import reading
from passerelle.surfaces.native.problems import Problem


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Query(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=5)] = 1
    name: Annotated[str, Meta(max_length=3)] = ""
    colour: list[Colour] = msgspec.field(default_factory=list)
    since: Annotated[datetime, Meta(tz=True)] | None = msgspec.field(default=None, name="from")
    day: date | None = None
    stop: bool | None = None


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: int


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    items: list[Inner]
    names: dict[str, int] = msgspec.field(default_factory=dict)
    at: datetime | None = None


def test_a_query_is_read() -> None:
    asked = [("limit", "5"), ("name", "7"), ("colour", "red"), ("colour", "blue,red"), ("from", "2026-11-10T10:00:00Z"),
             ("day", "2026-11-10"), ("stop", "false")]  # fmt: skip
    assert reading.query(asked, Query) == Query(
        limit=5, name="7", colour=[Colour.RED, Colour.BLUE, Colour.RED],
        since=datetime(2026, 11, 10, 10, tzinfo=UTC), day=date(2026, 11, 10), stop=False,
    )  # fmt: skip
    assert reading.query([], Query) == Query()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "6"), ("limit", "x"), ("limit", "1.0"), ("limit", ""), ("limit", "9" * 30), ("name", "four"), ("colour", "green"),
        ("colour", ""), ("from", "0"), ("from", "2026-11-10T10:00:00"), ("from", "null"), ("day", "today"), ("stop", "1"),
        ("name", "\0"), ("other", "1"),
    ],
)  # fmt: skip
def test_what_a_query_may_not_hold_is_named(name: str, value: str) -> None:
    with pytest.raises(Problem) as refused:
        reading.query([(name, value)], Query)
    assert refused.value.slug == "invalid" and refused.value.errors[0].parameter == name


@pytest.mark.parametrize(
    ("raw", "slug", "pointer"),
    [
        (b'{"items": [{"count": 1}, {"count": "1"}]}', "invalid", "#/items/1/count"),
        (b'{"items": [{"count": 1, "x": 1}]}', "invalid", "#/items/0"),
        (b'{"items": 1}', "invalid", "#/items"),
        (b'{"items": [], "names": {"a": "b"}}', "invalid", "#/names/..."),
        (b'{"items": [], "names": {"\\u0000": 1}}', "invalid", "#"),
        (b'{"items": [], "at": "0001-01-01T00:00:00+14:00"}', "invalid", "#"),
        (b'{"items": [], "at": "9999-12-31T23:59:59-14:00"}', "invalid", "#"),
        (b"{}", "invalid", "#"),
        (b"null", "invalid", "#"),
        (b"", "malformed", None),
        (b"\xff", "malformed", None),
        (b'{"items": []} x', "malformed", None),
    ],
)
def test_what_a_body_may_not_hold_is_pointed_at(raw: bytes, slug: str, pointer: str | None) -> None:
    with pytest.raises(Problem) as refused:
        reading.body("application/json", raw, Body)
    assert refused.value.slug == slug
    assert [fault.pointer for fault in refused.value.errors] == ([] if pointer is None else [pointer])


@pytest.mark.parametrize(
    ("media", "good"),
    [("", True), ("application/json", True), ("Application/JSON; charset=utf-8", True), ("application/vnd.x+json", True),
     ("text/plain", False), ("application/x-www-form-urlencoded", False), ("application/jsonx", False)],
)  # fmt: skip
def test_the_body_is_json(media: str, good: bool) -> None:
    if good:
        assert reading.body(media, b'{"items": []}', Body) == Body(items=[])
    else:
        with pytest.raises(Problem) as refused:
            reading.body(media, b'{"items": []}', Body)
        assert refused.value.slug == "media-type"


def test_a_year_that_is_no_time_is_a_name_like_any_other() -> None:
    assert reading.body("", b'{"items": [], "names": {"9999-": 1}}', Body).names == {"9999-": 1}


def test_a_literal_backslash_is_no_nul() -> None:
    assert reading.body("", rb'{"items": [], "names": {"\\u0000": 1}}', Body).names == {"\\u0000": 1}


@given(st.binary(max_size=100))
def test_any_bytes_are_a_body_or_a_problem(raw: bytes) -> None:
    try:
        reading.body("", raw, Body)
    except Problem:
        pass


@given(st.lists(st.tuples(st.sampled_from(["limit", "name", "colour", "from", "day", "stop"]), st.text(max_size=30))))
def test_any_texts_are_a_query_or_a_problem(asked: list[tuple[str, str]]) -> None:
    try:
        found: Any = reading.query(asked, Query)
    except Problem:
        return
    assert isinstance(found, Query)


def test_variables_that_cannot_be_are_nothing() -> None:
    assert reading.variables({"id": "7"}, {"id": int}) == {"id": 7}
    with pytest.raises(Problem) as refused:
        reading.variables({"id": "x"}, {"id": int})
    assert refused.value.slug == "not-found"
