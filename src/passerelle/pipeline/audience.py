"""To whom a campaign goes: the contacts of a list or of a group, page by page, with what its text may say of each.

The one rule: whatever their number, contacts are read once, and their texts are made page by page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain import campaigns, lists, merge
from ..domain.admission import LONGEST_TEXT
from ..domain.message import Recipient
from ..store import contacts as group_store
from ..store import links
from ..store import lists as list_store
from ..store.database import Database
from .large import SLICE as PAGE
from .large import Page, Pages

Address = Callable[[str], str]
"""The link of a code, as it stands in a text."""


@dataclass(frozen=True, slots=True)
class Audience:
    """A list or a group. `names`: what its contacts can be called by in a text, as names are compared; `key`: from
    such a name to the key of its values."""

    account_id: int
    list_id: int | None
    group_id: int | None
    names: Sequence[str]
    key: Callable[[str], str]
    postcode: str | None = None
    region: str = ""

    async def extent(self, db: Database) -> tuple[int, int]:
        """How many there are, and the last of them: who comes later is not meant."""
        if self.list_id is not None:
            return await list_store.extent(db, self.account_id, self.list_id)
        return await group_store.extent(db, self.account_id, self.group_id or 0)

    async def pages(self, db: Database, until: int) -> AsyncIterator[list[Any]]:
        """Rows of all up to contact `until`, the oldest first; every page but the last has PAGE."""
        last = 0
        while True:
            if self.list_id is not None:
                page: list[Any] = await list_store.rows(db, self.account_id, self.list_id, last, PAGE)
            else:
                page = await group_store.recipients(db, self.account_id, self.group_id or 0, last, PAGE)
            page = page if not page or page[-1]["id"] <= until else [row for row in page if row["id"] <= until]
            if not page:
                return
            yield page
            last = page[-1]["id"]

    async def of_phones(self, connection: Any, phones: Sequence[int]) -> dict[int, Mapping[str, str]]:
        """What can be said of those who have these numbers."""
        if self.list_id is not None:
            members = await list_store.members_of(connection, self.account_id, self.list_id, phones)
            return {one.phone: one.attributes for one in members}
        rows = await group_store.of_phones(connection, self.account_id, self.group_id or 0, phones)
        return {row["phone"]: merge.values_of(row) for row in rows}

    def values(self, row: Any) -> Mapping[str, str]:
        """What can be said of one."""
        return row["attributes"] if self.list_id is not None else merge.values_of(row)

    def region_of(self, values: Mapping[str, str]) -> str:
        """Whose public holidays count for one."""
        return campaigns.region_of(values, self.postcode, self.region)


def of_group(account_id: int, group_id: int) -> Audience:
    """The contacts of a group."""
    return Audience(account_id, None, group_id, merge.FIELDS, lambda name: name)


async def of_list(db: Database, account_id: int, list_id: int) -> Audience | None:
    """The contacts of a list; None: it is gone."""
    found = await list_store.by_id(db, account_id, list_id)
    if found is None:
        return None
    columns = await list_store.columns_of(db, account_id, list_id)
    names = [lists.plain(one.name) for one in columns]
    key, postcode = campaigns.column_keys(columns), campaigns.postcode_key(columns)
    return Audience(account_id, list_id, None, names, key, postcode, found.region)


class Writer:
    """Writes the text of each contact. `key`: of the audience; `characters`: the policy of the account; `address`: of
    short links."""

    def __init__(self, ready: campaigns.Copy, key: Callable[[str], str], characters: str, address: Address) -> None:
        self._ready = ready.renamed(key)
        self._fields = self._ready.names
        self._shared = ready.is_shared
        self._characters = characters
        self._before = address("")  # a link ends with its code
        self._codes: dict[int, list[list[str]]] = {}  # first place of a page -> codes of each of its contacts

    def write(self, values: Mapping[str, str], codes: Sequence[str]) -> str:
        """One text. Of one that is too long only so much is kept that it is refused: a hundred thousand of them would
        fill the memory."""
        said = {name: campaigns.writable(values[name], self._characters) for name in self._fields if values.get(name)}
        return self._ready.render(said, [self._before + code for code in codes])[: LONGEST_TEXT + 1]

    def pages(self, db: Database, audience: Audience, until: int) -> Pages:
        """The texts of all contacts up to `until`."""

        async def pages() -> AsyncIterator[Callable[[], Page]]:
            base = 0
            self._codes.clear()
            async for rows in audience.pages(db, until):
                yield lambda rows=rows, base=base: self._page(audience, rows, base)  # type: ignore[misc]
                base += len(rows)

        return pages

    def _page(self, audience: Audience, rows: Sequence[Any], base: int) -> Page:
        each = len(self._ready.links)
        fresh = links.new_tracked_codes(each * len(rows)) if each else []
        own = [fresh[at : at + each] for at in range(0, each * len(rows), each)] if each else [[]] * len(rows)
        if each:
            self._codes[base] = own
        values = [audience.values(row) for row in rows]
        regions = [audience.region_of(one) for one in values]
        items = [
            (f"+{row['phone']}", None if self._shared else self.write(one, codes))
            for row, one, codes in zip(rows, values, own, strict=True)
        ]
        return Page(items, regions if any(regions) else ())

    def codes_of(self, recipients: Sequence[Recipient]) -> list[list[str]]:
        """The codes of recipients of one page, by their positions. Those of the pages before it are forgotten; its own
        may be asked for again, by the next try of a batch that was undone."""
        base = recipients[0].position // PAGE * PAGE
        for before in [one for one in list(self._codes) if one < base]:  # a copy: the thread adds to them
            del self._codes[before]
        own = self._codes[base]
        return [own[to.position - base] for to in recipients]
