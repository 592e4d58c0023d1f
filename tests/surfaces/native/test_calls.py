"""A function becomes a call: what it takes is told by its names, what it does by its words."""

from __future__ import annotations

import msgspec
import pytest

from passerelle.surfaces.native.calls import Caller, Services, endpoint


class Asked(msgspec.Struct):
    pass


class Thing(msgspec.Struct):
    pass


@endpoint("POST", "/things/{id}/parts/{place}", "messages:read", status=201, problems=("conflict",))
async def make(services: Services, caller: Caller, id: str, place: int, query: Asked, body: Thing) -> Thing:
    """Make a part. It is
    kept. For ever."""
    return body


@endpoint("DELETE", "/things/{id}", "messages:read")
async def remove(id: str) -> None:
    """Remove a thing."""


def test_a_call_knows_itself() -> None:
    assert (make.name, make.title, make.description) == ("test_calls_make", "Make a part", "It is kept. For ever.")
    assert (make.query, make.body, make.answer, make.status) == (Asked, Thing, Thing, 201)
    assert make.variables == {"id": str, "place": int}
    assert make.arguments == ["services", "caller", "id", "place", "query", "body"]
    assert (remove.status, remove.body, remove.title, remove.description) == (204, None, "Remove a thing", "")


def test_a_scope_has_to_be_known() -> None:
    with pytest.raises(AssertionError, match="fly"):
        endpoint("GET", "/", "fly")
