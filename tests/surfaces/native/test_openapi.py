"""The document and the page are made of the calls, whole, and load nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import msgspec
import pytest
from surfaces.asgi import Client
from surfaces.native.conftest import Desk

from passerelle.domain.scopes import SCOPES
from passerelle.surfaces.native.application import FAMILIES
from passerelle.surfaces.native.openapi import example, problems_of

ENDPOINTS = [one for family in FAMILIES for one in family.HANDLERS]


async def document(desk: Desk) -> Any:
    return (await Client(desk.app)("GET", "/api/v1/openapi.json")).json()


async def test_every_call_is_in_the_document(desk: Desk) -> None:
    told = await document(desk)
    assert told["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert described == {(one.method, f"/api/v1{one.path}") for one in ENDPOINTS}
    names = [operation["operationId"] for methods in told["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)


async def test_every_reference_leads_somewhere_and_every_component_is_used(desk: Desk) -> None:
    told = await document(desk)
    pointed = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(told).decode()))
    assert pointed == set(told["components"]["schemas"])


async def test_every_example_of_a_body_is_good(desk: Desk) -> None:
    told = await document(desk)
    for one in ENDPOINTS:
        content = told["paths"][f"/api/v1{one.path}"][one.method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            made = example(told["components"]["schemas"], content["application/json"]["schema"])
            msgspec.json.decode(msgspec.json.encode(made), type=one.body)


@pytest.mark.parametrize("one", ENDPOINTS, ids=lambda one: one.name)
def test_every_call_is_told_in_words(one: Any) -> None:
    assert one.title and len(one.title) < 80 and one.scope in SCOPES
    assert ("not-found" in problems_of(one)) == bool(one.variables) or "not-found" in one.problems


async def test_the_page_shows_all_and_loads_nothing(desk: Desk) -> None:
    answer = await Client(desk.app)("GET", "/api/v1/docs")
    assert answer.status == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    page = answer.text
    assert all(f'id="{one.name}"' in page for one in ENDPOINTS)
    assert not re.search(r"<script|<link|<img|<iframe|(src|href)=.?https?:|url\(|@import", page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert ' style="' not in page and "prefers-color-scheme: dark" in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
