"""What the dialects answer in these tests is heard (see `proofs`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from surfaces import proofs


@pytest.fixture(autouse=True)
def proven(request: pytest.FixtureRequest) -> Iterator[None]:
    proofs.begin()
    yield
    proofs.end(request.node.nodeid)


def pytest_sessionfinish(session: Any) -> None:
    if os.environ.get("PROOFS") == "write":
        proofs.write()
