"""What really differs between the dialects, one frozen value each, read by the rules and by the doors."""

from __future__ import annotations

from dataclasses import dataclass

from .message import Dialect


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one dialect.

    `characters`: what is done with those outside GSM 03.38: `replace` by the table of the contract, as the account
    says (`account`), or one of what an account may say. `date_when_closed`: a marketing send with a date in a closed
    hour is refused or held.
    """

    dialect: Dialect
    max_parts: int
    characters: str  # replace | account | reject | transliterate | unicode
    bare_international: bool  # digits without + read as international
    date_when_closed: str  # refuse | hold | account
    sender_blanks: bool  # blanks allowed in a sender
    fixed_line_reason: bool  # tells fixed lines from unreadable numbers
    bounces_refuse: bool  # the list of dead numbers is looked at on acceptance
    media_type: str

    def policy(self, of_account: str) -> str:
        """What is done with characters outside GSM 03.38 where the account says `of_account`."""
        return of_account if self.characters == "account" else self.characters


SMSPARTNER = Profile(
    dialect=Dialect.SMSPARTNER,
    max_parts=10,
    characters="replace",
    bare_international=True,
    date_when_closed="refuse",
    sender_blanks=True,
    fixed_line_reason=False,
    bounces_refuse=False,
    media_type="application/json",
)

PRIMOTEXTO = Profile(
    dialect=Dialect.PRIMOTEXTO,
    max_parts=6,
    characters="account",
    bare_international=False,
    date_when_closed="account",
    sender_blanks=False,
    fixed_line_reason=True,
    bounces_refuse=True,
    media_type="application/json;charset=UTF-8",
)

NATIVE = Profile(
    dialect=Dialect.NATIVE,
    max_parts=10,
    characters="account",
    bare_international=True,
    date_when_closed="hold",
    sender_blanks=False,
    fixed_line_reason=False,
    bounces_refuse=False,
    media_type="application/json",
)
