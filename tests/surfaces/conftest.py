"""What the dialects answer in these tests is heard (see `proofs`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from surfaces import proofs


@pytest.fixture(autouse=True)
def proven(request: pytest.FixtureRequest) -> Iterator[None]:
    for one in proofs.ALL:
        one.begin()
    yield
    for one in proofs.ALL:
        one.end(request.node.nodeid)


def pytest_sessionfinish(session: Any) -> None:
    if os.environ.get("PROOFS") == "write":
        for one in proofs.ALL:
            one.write()
