"""Keys of this API: many an account, each with scopes of its own, shown whole once.

One rule: a key makes no key that may do more than itself, nor for longer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from ...domain.scopes import ALL, SCOPES, covers, is_scope
from ...store import api_keys as store
from ...store.api_keys import ApiKey
from . import shapes
from .calls import Caller, Services, endpoint
from .problems import Problem, invalid, missing


class Key(msgspec.Struct, kw_only=True):
    """A key, without what makes it one."""

    id: shapes.Id
    name: str
    prefix: Annotated[str, Meta(description="How it begins.", examples=["pak_1a2b3c4d"])]
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, Meta(description="A minute old at most.")]
    revoked_at: datetime | None


class MadeKey(Key, kw_only=True):
    """A new key."""

    key: Annotated[str, Meta(description="The key itself: it is shown this once, and kept nowhere.")]


class NewKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A key to be made."""

    name: Annotated[str, Meta(min_length=1, max_length=100, description="For people.", examples=["the shop"])]
    scopes: Annotated[
        list[Annotated[str, Meta(max_length=40)]],
        Meta(min_length=1, max_length=40, description="`family:action`, `family:*` or `*`.", examples=[["messages:*"]]),
    ]
    expires_at: Annotated[shapes.When | None, Meta(description="When it ends; null: never.")] = None


@endpoint("GET", "/keys", "keys:read")
async def listing(services: Services, caller: Caller, query: shapes.Paging) -> shapes.Page[Key]:
    """List the keys, the newest first. Revoked ones stay in the list."""
    rows = await store.listing(services.db, caller.id, shapes.before(query), query.limit + 1)
    return shapes.page(caller, query, rows, _worded, lambda key: key.id)


@endpoint("POST", "/keys", "keys:write", status=201)
async def make(services: Services, caller: Caller, body: NewKey) -> MadeKey:
    """Make a key. It is shown whole in this answer, and never again."""
    for place, scope in enumerate(body.scopes):
        if not is_scope(scope):
            raise invalid(f"/scopes/{place}", f"There is no such scope; there are: {', '.join(SCOPES)}.")
        if not _may_give(caller, scope):
            raise Problem("scope", f"This key does not hold `{scope}` itself, so it cannot give it.")
    if body.expires_at is not None and body.expires_at <= services.clock.now():
        raise invalid("/expires_at", "This is past: give a time to come, or null.")
    ends = caller.key.expires_at
    if ends is not None and (body.expires_at is None or body.expires_at > ends):
        raise invalid("/expires_at", f"This key ends at {ends:%Y-%m-%dT%H:%M:%SZ}: what it makes ends then or before.")
    made, whole = await services.keys.create(
        caller.id, body.name, body.scopes, services.clock.now(), body.expires_at
    )  # fmt: skip
    return MadeKey(**msgspec.structs.asdict(_worded(made)), key=whole)


def _may_give(caller: Caller, scope: str) -> bool:
    """Whether the caller holds all that a scope covers."""
    held = caller.key.scopes
    if scope == ALL:
        return ALL in held
    family = scope.removesuffix("*")
    wanted = [one for one in SCOPES if one.startswith(family)] if scope.endswith(":*") else [scope]
    return all(covers(held, one) for one in wanted)


@endpoint("DELETE", "/keys/{id}", "keys:write")
async def revoke(services: Services, caller: Caller, id: str) -> None:
    """Revoke a key. It is refused from now on."""
    if not await store.revoke(services.db, caller.id, shapes.number(id), services.clock.now()):
        raise missing("valid key")


def _worded(key: ApiKey) -> Key:
    return Key(
        id=str(key.id),
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )


HANDLERS = [listing, make, revoke]
