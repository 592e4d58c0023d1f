"""What the programs do before they begin."""

from __future__ import annotations

import subprocess
import sys

LIMITS = """
import resource
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
from passerelle.app import MOST_FILES, settle_down
settle_down()
soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
assert soft == (MOST_FILES if most < 0 else min(most, MOST_FILES)), soft
"""


def test_as_many_connections_may_be_open_as_the_machine_allows() -> None:
    subprocess.run([sys.executable, "-c", LIMITS], check=True)
