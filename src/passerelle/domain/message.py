"""The words that every room shares: submissions, messages, parts, their states, outcomes and receipts.

Frozen values and enumerations only. Numbers of enumerations are stored: never reuse one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from .text import Encoding


class Dialect(enum.IntEnum):
    """Through which door a submission came."""

    SMSPARTNER = 1
    PRIMOTEXTO = 2
    VOICEPARTNER = 3
    MAILPARTNER = 4
    NATIVE = 5


class TrafficClass(enum.IntEnum):
    """What the law and the policy for unknown outcomes look at."""

    TRANSACTIONAL = 0
    MARKETING = 1


class Lane(enum.IntEnum):
    """Order in which queued parts leave; a lower lane always goes first."""

    CODES = 0
    TRANSACTIONAL = 1
    BULK = 2
    PAUSED = 3  # nobody leases it


class State(enum.IntEnum):
    """State of a part and of a message. From DELIVERED on it is final (see lifecycle)."""

    ACCEPTED = 0  # queued, held or scheduled
    SUBMITTED = 1  # with the operator, receipt to come
    UNCERTAIN = 2  # bytes may have left, no answer came
    DELIVERED = 10
    UNDELIVERED = 11  # the operator says so
    BOUNCED = 12  # the number is not attributed
    REFUSED = 13  # the operator did not take it, retries exhausted: `ko`
    EXPIRED = 14  # validity over before it was handed over: `ko`
    CANCELLED = 15
    OPTED_OUT = 16  # on the stop list when it was to leave
    UNCONFIRMED = 17  # handed over, no receipt in time


TESTS = "\x1ftest"
"""The tag key of tests of campaigns: they are in no figure but that of the whole account."""


def campaign_key(campaign_id: bytes) -> str:
    """The tag key of the messages of a campaign (12 bytes): no tag that anybody gives has its first character."""
    return f"\x1fcampaign {campaign_id.hex()}"


class EventKind(enum.IntEnum):
    """What a customer can be told."""

    SENT = 1
    SUBMITTED = 2
    DELIVERED = 3
    FAILED = 4
    BOUNCED = 5
    UNSUBSCRIBED = 6
    REPLY = 7
    OPENED = 8
    HLR = 9
    RENTAL = 10
    READ = 11
    SURVEY = 12


class OutcomeKind(enum.IntEnum):
    """What became of one submit."""

    SENT = 0
    THROTTLED = 1
    TEMPORARY = 2
    PERMANENT = 3
    UNKNOWN = 4
    UNSENT = 5  # nothing left: the bind was lost or the lease over before the bytes were written
    UNREACHABLE = 6  # not over this carrier: another way may be taken


@dataclass(frozen=True, slots=True)
class PartKey:
    """Names one part; `part` counts from 1."""

    account_id: int
    message_id: int
    part: int


@dataclass(slots=True)
class DuePart:
    """A leased part with all that a carrier needs to submit it."""

    key: PartKey
    submission_id: int
    dialect: int
    tag_key: str
    phone: int  # E.164 without +
    sender: str  # '' = the short code
    text: str  # of this part
    encoding: Encoding
    parts: int
    traffic: TrafficClass
    attempts: int
    uncertain: bool
    valid_until: datetime
    deadline: float  # monotonic seconds: after it nothing may be written
    region: str = ""  # whose public holidays count too
    flash: bool = False  # shown at once, not stored by the phone
    twice: bool = False  # an unknown outcome is tried once more
    bulk: bool = False  # of a campaign
    lease_until: datetime | None = None  # clock of the database: names the lease
    begun_at: datetime | None = None  # set when the bytes were written


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a carrier says of a part it was given."""

    part: DuePart
    kind: OutcomeKind
    operator_id: str = ""
    error: str = ""  # the operator's word, e.g. `ESME_RTHROTTLED`
    bounced: bool = False  # the refusal says that the number is not attributed
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an operator reports of a part; state is a final State or SUBMITTED for a progress report."""

    operator_ids: tuple[str, ...]  # every lossless spelling, the one on the wire first
    phone: int
    state: State
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text from a handset, or one part of it."""

    phone: int
    recipient: str
    text: str
    at: datetime
    reference: int = 0
    total: int = 1
    part: int = 1


@dataclass(slots=True)
class Recipient:
    """One message to be: a number, what it gets and what it costs."""

    phone: int
    country: str
    text: str | None  # None: the text of the submission
    encoding: Encoding
    parts: int
    price: int  # micro-euros, all parts
    position: int = 0  # in the request
    index: int = 0  # among the accepted
    region: str = ""  # whose public holidays count too (domain.calendar)


@dataclass(frozen=True, slots=True)
class Failover:
    """The SMS that follows where an RCS message does not arrive, its text made ready."""

    text: str
    encoding: Encoding
    parts: int


@dataclass(slots=True)
class Submission:
    """A judged request, ready to be stored: everything but the lists of blocked numbers and the balance is decided."""

    account_id: int
    account_version: int
    dialect: Dialect
    traffic: TrafficClass
    service: int
    recipients: list[Recipient]
    text: str
    sender: str
    accepted_at: datetime
    due_at: datetime
    tag: str = ""
    tag_key: str = ""
    campaign_name: str = ""
    dlr_url: str = ""
    reply_url: str = ""
    sandbox: bool = False
    stop_applies: bool = True
    bounce_applies: bool = False
    scheduled: bool = False  # due_at is later than accepted_at: asked for, or held
    failover: Failover | None = None
    campaign_id: bytes | None = None  # 12 bytes
    flash: bool = False
    test: bool = False
