"""A database whose every statement tells the plan that it was really run with, and a day's work to run on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import msgspec

from passerelle.store.database import Database, queries

MODULES = sorted(
    file.name.removesuffix(".sql")
    for file in (resources.files("passerelle.store") / "sql").iterdir()
    if file.name.endswith(".sql")
)
NAMES = {sql: f"{module}.{name}" for module in MODULES for name, sql in queries(module)}
EXPLAIN = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
    "client_min_messages": "notice",
}


@dataclass(frozen=True)
class Plan:
    """One execution of a statement."""

    name: str
    tree: dict[str, Any]

    @property
    def buffers(self) -> int:
        """Pages looked at."""
        return int(self.tree["Shared Hit Blocks"] + self.tree["Shared Read Blocks"])

    def nodes(self) -> Iterator[dict[str, Any]]:
        """Every step that was taken."""
        waiting = [self.tree]
        while waiting:
            node = waiting.pop()
            waiting += node.get("Plans", [])
            if node.get("Actual Loops", 1):
                yield node

    def scanned(self) -> set[str]:
        """Tables that were read from end to end."""
        return {node["Relation Name"] for node in self.nodes() if node["Node Type"] == "Seq Scan"}

    @property
    def searches(self) -> int:
        """How many times an index was descended."""
        return sum(int(node.get("Index Searches", 0)) for node in self.nodes())


@dataclass
class Plans:
    """What was run, by the name of the query."""

    by_name: dict[str, list[Plan]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, _: Any, message: Any) -> None:
        """A notice of the server."""
        _, marker, text = message.message.partition("plan:\n")
        if marker:
            found = msgspec.json.decode(text)
            name = NAMES.get(found["Query Text"])
            if name is not None:
                self.by_name[name].append(Plan(name, found["Plan"]))

    def most_buffers(self, name: str) -> int:
        """Of the dearest execution."""
        return max(plan.buffers for plan in self.by_name[name])

    def searches(self, name: str) -> int:
        """Of the dearest execution."""
        return max(plan.searches for plan in self.by_name[name])

    def writes(self, name: str) -> bool:
        """Whether it changes rows."""
        return any(node["Node Type"] == "ModifyTable" for plan in self.by_name[name] for node in plan.nodes())


class Watched(Database):
    """Tells `plans` of every statement."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.plans = Plans()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with super().connection() as connection:
            connection.add_log_listener(self.plans.hear)
            try:
                yield connection
            finally:
                await asyncio.sleep(0)  # the last notice is on its way through the loop
                connection.remove_log_listener(self.plans.hear)


@contextlib.asynccontextmanager
async def watched(url: str, **settings: str) -> AsyncIterator[Watched]:
    """A `Database` on `url` whose plans are heard."""
    db = await Watched.open(url, size=4, settings=EXPLAIN | settings)
    assert isinstance(db, Watched)
    try:
        yield db
    finally:
        await db.close()
