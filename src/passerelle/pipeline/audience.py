"""To whom a campaign goes: the contacts of a list or of a group, page by page, with what its text may say of each.

The one rule: whatever their number, contacts are read once, and their texts are made page by page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..domain import campaigns, lists, merge
from ..domain.admission import LONGEST_TEXT
from ..store import contacts as group_store
from ..store import links
from ..store import lists as list_store
from ..store.database import Database

PAGE = 2_000  # contacts read and merged at once

Address = Callable[[str], str]
"""The link of a code, as it stands in a text."""


class Person(NamedTuple):
    """A contact. `values`: by the keys of the audience; `region`: whose public holidays count too."""

    phone: int  # E.164 without +
    values: Mapping[str, str]
    region: str = ""


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

    async def pages(self, db: Database) -> AsyncIterator[list[Person]]:
        """All of them, the oldest first."""
        last = 0
        while True:
            if self.list_id is not None:
                members = await list_store.page(db, self.account_id, self.list_id, last, PAGE)
                page, last = [self.person(one) for one in members], members[-1].id if members else 0
            else:
                rows = await group_store.recipients(db, self.account_id, self.group_id or 0, last, PAGE)
                page = [Person(row["phone"], merge.values_of(row)) for row in rows]
                last = rows[-1]["id"] if rows else 0
            if not page:
                return
            yield page

    def person(self, member: list_store.Member) -> Person:
        """A contact of the list."""
        region = campaigns.region_of(member.attributes, self.postcode, self.region)
        return Person(member.phone, member.attributes, region)


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


@dataclass(slots=True)
class Written:
    """What each is to get, in the order of the contacts. `codes`: of the personal links of each, one a target."""

    items: list[tuple[str, str | None]] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    codes: list[list[str]] = field(default_factory=list)


class Writer:
    """Writes the text of each contact. `key`: of the audience; `characters`: the policy of the account; `address`: of
    short links."""

    def __init__(self, ready: campaigns.Copy, key: Callable[[str], str], characters: str, address: Address) -> None:
        self._ready = campaigns.Copy(ready.template.renamed(key), ready.links)
        self._fields = self._ready.template.names
        self._shared = ready.is_shared
        self._characters = characters
        self._address = address

    def write(self, values: Mapping[str, str], codes: Sequence[str]) -> str:
        """One text. Of one that is too long only so much is kept that it is refused: a hundred thousand of them would
        fill the memory."""
        said = {name: campaigns.writable(values[name], self._characters) for name in self._fields if values.get(name)}
        return self._ready.render(said, [self._address(code) for code in codes])[: LONGEST_TEXT + 1]

    async def everybody(self, db: Database, audience: Audience) -> Written:
        """All of them."""
        made, each = Written(), len(self._ready.links)
        async for page in audience.pages(db):
            if each:
                fresh = links.new_tracked_codes(each * len(page))
                made.codes += [fresh[at : at + each] for at in range(0, len(fresh), each)]
            own = made.codes[len(made.items) :] if each else [()] * len(page)
            made.items += [
                (f"+{one.phone}", None if self._shared else self.write(one.values, codes))
                for one, codes in zip(page, own, strict=True)
            ]
            made.regions += [one.region for one in page]
        return made
