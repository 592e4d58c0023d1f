"""Why a request or one of its recipients is refused, whichever rule says so.

One rule: every door has a table from each reason to its own code, and a test that the table is total.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Reason(enum.Enum):
    """Why a request or one of its recipients is refused. Every door has a table from each to its own code."""

    # found while reading the request
    MALFORMED = "malformed"
    MEMBER_INVALID = "member_invalid"
    NO_RECIPIENT = "no_recipient"
    TOO_MANY_RECIPIENTS = "too_many_recipients"
    DATE_WITHOUT_DAY = "date_without_day"
    DAY_INVALID = "day_invalid"
    HOUR_MISSING = "hour_missing"
    HOUR_INVALID = "hour_invalid"
    MINUTE_MISSING = "minute_missing"
    MINUTE_INVALID = "minute_invalid"
    MINUTE_STEP = "minute_step"
    DATE_PAST = "date_past"
    DATE_INVALID = "date_invalid"
    TAG_LONG = "tag_long"
    TAG_INVALID = "tag_invalid"
    CAMPAIGN_NAME_INVALID = "campaign_name_invalid"
    URL_INVALID = "url_invalid"
    CONTENT_INVALID = "content_invalid"
    FAILOVER_INVALID = "failover_invalid"
    SURVEY_MISSING = "survey_missing"
    SURVEY_UNKNOWN = "survey_unknown"
    # of the text and the sender
    TEXT_MISSING = "text_missing"
    TEXT_CHARACTERS = "text_characters"
    TEXT_LONG = "text_long"
    STOP_MENTION_MISSING = "stop_mention_missing"
    ECO_FORBIDDEN = "eco_forbidden"
    ECO_LONG = "eco_long"
    SENDER_CHARACTERS = "sender_characters"
    SENDER_SHORT = "sender_short"
    SENDER_LONG = "sender_long"
    SENDER_DIGITS = "sender_digits"
    SENDER_PROTECTED = "sender_protected"
    # of a recipient
    NUMBER_MISSING = "number_missing"
    NUMBER_INVALID = "number_invalid"
    NUMBER_FIXED = "number_fixed"
    NOT_MOBILE = "not_mobile"
    DUPLICATE = "duplicate"
    INTERNATIONAL_OFF = "international_off"
    NO_PRICE = "no_price"
    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    BOUNCED_PLATFORM = "bounced_platform"
    # of the time
    CLOSED_DAY = "closed_day"
    CLOSED_HOUR = "closed_hour"
    # of the account
    RCS_FORBIDDEN = "rcs_forbidden"
    CREDIT = "credit"
    QUOTA = "quota"
    CAMPAIGN_LIMIT = "campaign_limit"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `subject`: the value or member concerned, as sent; `position`: of the recipient, -1 = the request."""

    reason: Reason
    subject: str = ""
    position: int = -1
