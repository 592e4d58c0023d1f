"""The calls of Primotexto v2 on lists, their columns and their contacts (contract, chapter 8).

One rule: the body is read first (73), then the list is looked for (60), then the members are judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from ...clock import Clock
from ...domain.account import Account
from ...domain.lists import Fault
from ...domain.tokens import hex24
from ...pipeline import list_import, lists
from ...store import lists as store
from ...store import operations
from ...store.database import Database
from ...store.lists import ContactList
from ..http import LOCATION, Answer, Handler, Request, Route
from . import list_wire, wire
from .answers import GONE, answer, error

Call = Callable[[Account, Request], Awaitable[Answer]]
Guarded = Callable[[str, Call], dict[str, Handler]]

LARGEST_IMPORT = 10 * 1024 * 1024  # bytes
PAGE = 5_000  # contacts that are read and worded at once

CODES = {
    Fault.NO_NUMBER: 10,
    Fault.NUMBER_INVALID: 11,
    Fault.PRESENT: 15,
    Fault.DATE_INVALID: 61,
    Fault.FIGURE_INVALID: 73,
    Fault.VALUE_INVALID: 73,
    Fault.LIST_UNKNOWN: 60,
    Fault.TOO_MANY: 17,
    Fault.LIMIT: 74,
    Fault.NO_HEADING: 75,
}


class Lists:
    """The calls of this family."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def routes(self, guarded: Guarded) -> list[Route]:
        """What is served. `guarded`: makes a handler of a call that only accounts may make."""
        get, post, delete = (partial(guarded, method) for method in ("GET", "POST", "DELETE"))
        add = post(self._add_contact)
        remove = delete(self._remove_contact)
        one = "/lists/{listId}"
        return [
            Route("/lists", {**post(self._create), **get(self._all)}),
            Route(one, {**get(self._one), **delete(self._delete), **add}),
            Route(f"{one}/empty", post(self._empty)),
            Route(f"{one}/fields", {**post(self._add_column), **get(self._columns)}),
            Route(f"{one}/fields/{{fieldId}}", delete(self._delete_column)),
            Route(f"{one}/contacts", {**add, **get(self._contacts), **remove}),
            Route(f"{one}/contacts/{{contactId}}", remove),
            Route(f"{one}/import", post(self._import), LARGEST_IMPORT),
            Route("/operations/{operationId}", get(self._operation)),
        ]

    async def _find(self, account: Account, request: Request) -> ContactList | None:
        token = wire.token(request.variables["listId"])
        return None if token is None else await store.find(self._db, account.id, token)

    # --- lists (8.1) -----------------------------------------------------------------------------------------------

    async def _create(self, account: Account, request: Request) -> Answer:
        name = list_wire.parse_name(request.json())
        made = await store.add(self._db, account.id, name, self._clock.now())
        return answer(list_wire.made(made.token))

    async def _all(self, account: Account, _: Request) -> Answer:
        found, columns = await store.listing(self._db, account.id), await store.all_columns(self._db, account.id)
        return answer(await asyncio.to_thread(list_wire.contact_lists, found, columns))

    async def _one(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(60)
        return answer(list_wire.contact_list(found, await store.columns_of(self._db, account.id, found.id)))

    async def _delete(self, account: Account, request: Request) -> Answer:
        token = wire.token(request.variables["listId"])
        gone = token is not None and await store.delete(self._db, account.id, token)
        return GONE if gone else error(60)

    async def _empty(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(60)
        await store.empty(self._db, account.id, found.id)
        return GONE

    # --- columns (8.2) ---------------------------------------------------------------------------------------------

    async def _add_column(self, account: Account, request: Request) -> Answer:
        members = list_wire.members(request.json())
        found = await self._find(account, request)
        if found is None:
            return error(60)
        try:
            wanted = list_wire.parse_column(members)
        except list_wire.Wrong as wrong:
            return error(wrong.code)
        made = await lists.add_column(self._db, account.id, found.id, *wanted, self._clock.now())
        return error(CODES[made]) if isinstance(made, Fault) else answer(list_wire.column(made, found.token))

    async def _columns(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(60)
        columns = await store.columns_of(self._db, account.id, found.id)
        return answer(list_wire.columns(columns, found.token))

    async def _delete_column(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(60)
        token = wire.token(request.variables["fieldId"])
        asked = (self._db, account.id, found.id)
        gone = token is not None and await store.delete_column(*asked, token, self._clock.now())
        return GONE if gone else error(16)

    # --- contacts (8.3) --------------------------------------------------------------------------------------------

    async def _add_contact(self, account: Account, request: Request) -> Answer:
        given, attributes = list_wire.parse_contact(request.json())
        found = await self._find(account, request)
        if found is None:
            return error(60)
        phone = wire.phone(given)
        if phone is None:
            return error(11 if given else 10)
        made = await lists.add_contact(self._db, account, found.id, phone, attributes, self._clock.now())
        return error(CODES[made]) if isinstance(made, Fault) else answer(list_wire.made(made))

    async def _contacts(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(60)
        keys = {one.key for one in await store.columns_of(self._db, account.id, found.id)}
        pieces: list[bytes] = []
        last = 0
        while page := await store.page(self._db, account.id, found.id, last, PAGE):
            pieces.append(await asyncio.to_thread(list_wire.contacts, page, keys))
            last = page[-1].id
        return answer(b"[" + b",".join(pieces) + b"]")

    async def _remove_contact(self, account: Account, request: Request) -> Answer:
        found = await self._find(account, request)
        if found is None:
            return error(60)
        asked = (self._db, account.id, found.id)
        if "contactId" in request.variables:
            token = wire.token(request.variables["contactId"])
            return GONE if token and await store.delete_contact(*asked, token) else error(16)
        given = wire.identifier(request.query)
        phone = wire.phone(given)
        if phone is None:
            return error(11 if given else 10)
        return GONE if await store.delete_phone(*asked, phone) else error(16)

    # --- import (8.4) ----------------------------------------------------------------------------------------------

    async def _import(self, account: Account, request: Request) -> Answer:
        posted = await asyncio.to_thread(list_wire.parse_import, request.body)
        found = await self._find(account, request)
        if found is None:
            return error(60)
        made = await list_import.deposit(self._db, account.id, found.id, posted, self._clock.now())
        if isinstance(made, Fault):
            return error(CODES[made])
        return Answer(201, media=b"", headers=((LOCATION, f"/operations/{hex24(made.token)}".encode()),))

    async def _operation(self, account: Account, request: Request) -> Answer:
        token = wire.token(request.variables["operationId"])
        found = None if token is None else await operations.find(self._db, account.id, token)
        return error(16) if found is None else answer(list_wire.operation(found))
