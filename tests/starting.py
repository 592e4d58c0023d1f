"""One `up` starts at a time: two at once may choose the same free port, and one of them would end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Held by one test process of this account at a time, until what it starts is ready."""
    with (Path(tempfile.gettempdir()) / f"passerelle-tests-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
