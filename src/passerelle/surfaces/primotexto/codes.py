"""The codes of Primotexto v2: their texts, their HTTP statuses, and which one each reason of ours becomes.

Pure. Contract, section 2.9. One rule: the table of reasons is total, and every code has a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ...domain.reasons import Finding, Reason

TEXTS = {
    10: "no phone number given",
    11: "invalid phone number syntax",
    12: "number is unsubscribed (STOP)",
    13: "number is a bounce of this account",
    14: "number is a bounce of the whole platform",
    15: "number already exists",
    16: "nothing found for this query",
    17: "too many columns",
    18: "file too large",
    19: "number is a fixed line",
    20: "invalid characters in the sender",
    21: "sender shorter than 3 characters",
    22: "sender longer than 11 characters",
    23: "sender made of digits only",
    30: "no message text",
    31: "invalid characters in the message",
    32: "message too long",
    40: "invalid campaign name",
    41: "invalid programming time of the campaign",
    42: "campaign cannot be deleted",
    43: "campaign cannot be cancelled",
    44: "campaign limit of free mode reached",
    45: "invalid tag (category)",
    46: "tag already exists",
    47: "campaign not found",
    48: "invalid send list",
    60: "list not found",
    61: "invalid date format",
    62: "invalid scheduled date",
    70: "API access disabled",
    71: "insufficient credits",
    72: "authentication failed",
    73: "invalid JSON",
    74: "limit of posted contacts reached",
    75: "identifier column not found",
    76: "quota exceeded",
    90: "country not supported",
    91: "international mode needed",
    92: "account blocked",
    93: "user not found",
    94: "user data not readable",
    95: "account not created",
    120: "automation: invalid campaign",
    121: "automation: invalid contact",
    1000: "unknown error",
}

STATUSES = {
    **dict.fromkeys((70, 72), 401),
    **dict.fromkeys((16, 47, 60, 93), 404),
    **dict.fromkeys((42, 43, 46), 409),
    18: 413,
    **dict.fromkeys((74, 76), 429),
    **dict.fromkeys((94, 95, 1000), 500),
}

CODES = {
    Reason.MALFORMED: 73,
    Reason.MEMBER_INVALID: 73,
    Reason.NO_RECIPIENT: 10,
    Reason.TOO_MANY_RECIPIENTS: 11,
    **dict.fromkeys(
        (
            Reason.DATE_WITHOUT_DAY,
            Reason.DAY_INVALID,
            Reason.HOUR_MISSING,
            Reason.HOUR_INVALID,
            Reason.MINUTE_MISSING,
            Reason.MINUTE_INVALID,
            Reason.MINUTE_STEP,
            Reason.DATE_PAST,
            Reason.DATE_INVALID,
            Reason.CLOSED_DAY,
            Reason.CLOSED_HOUR,
        ),
        62,
    ),
    Reason.TAG_LONG: 45,
    Reason.TAG_INVALID: 45,
    Reason.CAMPAIGN_NAME_INVALID: 40,
    Reason.URL_INVALID: 73,
    Reason.CONTENT_INVALID: 73,
    Reason.FAILOVER_INVALID: 73,
    Reason.SURVEY_MISSING: 73,
    Reason.SURVEY_UNKNOWN: 73,
    Reason.TEXT_MISSING: 30,
    Reason.TEXT_CHARACTERS: 31,
    Reason.TEXT_LONG: 32,
    Reason.STOP_MENTION_MISSING: 31,
    Reason.ECO_FORBIDDEN: 90,  # this dialect has one range; were it taken away, no country would be served
    Reason.ECO_LONG: 32,
    Reason.SENDER_CHARACTERS: 20,
    Reason.SENDER_SHORT: 21,
    Reason.SENDER_LONG: 22,
    Reason.SENDER_DIGITS: 23,
    Reason.SENDER_PROTECTED: 20,
    Reason.NUMBER_MISSING: 10,
    Reason.NUMBER_INVALID: 11,
    Reason.NUMBER_FIXED: 19,
    Reason.NOT_MOBILE: 11,
    Reason.DUPLICATE: 11,
    Reason.INTERNATIONAL_OFF: 91,
    Reason.NO_PRICE: 90,
    Reason.OPTED_OUT: 12,
    Reason.BOUNCED: 13,
    Reason.BOUNCED_PLATFORM: 14,
    Reason.RCS_FORBIDDEN: 70,
    Reason.CREDIT: 71,
    Reason.QUOTA: 76,
    Reason.CAMPAIGN_LIMIT: 44,
}

# The order of checks of a send (section 3): of several faults the first here is the answer.
ORDER = (70, 73, 10, 11, 19, 91, 90, 20, 21, 22, 23, 30, 31, 32, 40, 45, 62, 12, 13, 14, 44, 71, 76)
_RANK = {code: rank for rank, code in enumerate(ORDER)}


_TIMES = (Reason.DATE_WITHOUT_DAY, Reason.DAY_INVALID, Reason.HOUR_MISSING, Reason.HOUR_INVALID, Reason.MINUTE_MISSING,
          Reason.MINUTE_INVALID, Reason.MINUTE_STEP, Reason.DATE_PAST, Reason.DATE_INVALID, Reason.CLOSED_DAY,
          Reason.CLOSED_HOUR)  # fmt: skip
CAMPAIGN_CODES = CODES | dict.fromkeys(_TIMES, 41)
"""What each reason becomes in a call on a campaign."""

# The orders of checks of calls on campaigns (9.1, 9.2, 9.3); what cannot come at all stands at the end.
_OTHERS = (70, 73, 10, 11, 19, 91, 90, 12, 13, 14, 15, 40, 30, 31, 32, 48, 20, 21, 22, 23, 41, 44, 45, 62, 71, 76)
CREATION = (73, 40, 30, 31, 32, 48, 20, 21, 22, 23, 41, *_OTHERS)
TEST = (70, 10, 11, 19, 91, 90, 12, 13, 14, 32, 71, 76, *_OTHERS)
LAUNCH = (70, 48, 41, 32, 44, 71, 76, *_OTHERS)


def first_of(given: Iterable[int], order: Sequence[int]) -> int:
    """The answer to several faults of a call whose order of checks this is."""
    return min(given, key=order.index, default=1000)


def status_of(code: int) -> int:
    """The HTTP status that goes with a code."""
    return STATUSES.get(code, 400)


def error(code: int) -> bytes:
    """The body of every failure but an unknown route or method."""
    return msgspec.json.encode({"code": code, "error": TEXTS[code], "message": TEXTS[code]})


def first_code(findings: Iterable[Finding]) -> int:
    """The answer to several faults: the first in the order of the contract; 11 where none is named."""
    return min((CODES[finding.reason] for finding in findings), key=_RANK.__getitem__, default=11)
