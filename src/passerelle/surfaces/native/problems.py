"""Everything that can go wrong, as RFC 9457 has it: one table of slugs, one body, never a stack trace.

One rule: `detail` says what to do; a slug, once told, keeps its meaning and its status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ..door import Barrier

MEDIA = "application/problem+json"
URN = "urn:passerelle:problem:"

TABLE: dict[str, tuple[int, str]] = {
    "malformed": (400, "The body is no JSON"),
    "key-missing": (401, "There is no key"),
    "key-unknown": (401, "The key is not valid"),
    "scope": (403, "The key may not do this"),
    "address": (403, "Not from this address"),
    "account-disabled": (403, "The account is disabled"),
    "account-blocked": (403, "The account is blocked"),
    "account-without-api": (403, "The account may not use the API"),
    "credit": (402, "The credit is too low"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "This method is not allowed here"),
    "timeout": (408, "The body did not come in time"),
    "conflict": (409, "It is not as the request supposes"),
    "idempotency-key-reused": (409, "The Idempotency-Key was used before"),
    "too-large": (413, "The body is too large"),
    "media-type": (415, "The body has to be JSON"),
    "invalid": (422, "The request is not as it has to be"),
    "refused": (422, "The rules of sending refuse it"),
    "too-many-requests": (429, "Too many requests"),
    "quota": (429, "The quota of the day is used up"),
    "internal": (500, "Something is broken here"),
    "unavailable": (503, "Not now"),
}
"""Slug -> status and title."""

OF_BARRIER: dict[Barrier, tuple[str, str]] = {
    Barrier.KEY_MISSING: ("key-missing", "Send the header `Authorization: Bearer pak_...` with a key of the account."),
    Barrier.KEY_UNKNOWN: ("key-unknown", "The key is unknown, expired or revoked: use another, or make a new one."),
    Barrier.ADDRESS: ("address", "The account lets nobody in from this address: add it to `allowed_addresses`."),
    Barrier.DISABLED: ("account-disabled", "Ask the operator of the platform why, and to enable it."),
    Barrier.BLOCKED: ("account-blocked", "Ask the operator of the platform why, and to lift it."),
    Barrier.API_DENIED: ("account-without-api", "Ask the operator of the platform to open the API for the account."),
    Barrier.RATE: ("too-many-requests", "Wait as many seconds as the header `Retry-After` says, then repeat."),
}


class Fault(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One fault of a request."""

    detail: Annotated[str, Meta(description="What is wrong, and what is allowed.")]
    pointer: Annotated[str, Meta(description="Where in the body (a JSON pointer as URI fragment, RFC 6901).")] = ""
    parameter: Annotated[str, Meta(description="Which member of the query string or of the path.")] = ""
    reason: Annotated[str, Meta(description="Why, as a word for programs.")] = ""


class ProblemBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Meta(description="Which problem it is: for programs.", examples=[f"{URN}invalid"])]
    title: Annotated[str, Meta(description="The problem in general.")]
    status: Annotated[int, Meta(description="The HTTP status, again.")]
    detail: Annotated[str, Meta(description="This case, and what to do.")]
    errors: Annotated[list[Fault], Meta(description="Each fault, where there are some.")] = []


class Problem(Exception):
    """Ends a call with a problem of `TABLE`."""

    def __init__(
        self, slug: str, detail: str, errors: Sequence[Fault] = (), headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.detail = detail
        self.errors = list(errors)
        self.headers = list(headers)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return TABLE[self.slug][0]

    def encoded(self) -> bytes:
        """The body."""
        status, title = TABLE[self.slug]
        told = ProblemBody(type=URN + self.slug, title=title, status=status, detail=self.detail, errors=self.errors)
        return msgspec.json.encode(told)


def missing(what: str) -> Problem:
    """404 for a thing of the account: somebody else's is as missing as nobody's."""
    return Problem("not-found", f"This account has no such {what}: look it up in the list.")


def invalid(pointer: str, detail: str) -> Problem:
    """422 for one member of the body; `pointer` without the `#`."""
    return Problem("invalid", detail, [Fault(pointer=f"#{pointer}", detail=detail)])
