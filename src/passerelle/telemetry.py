"""Every log event and every metric that Passerelle emits, in one list.

The one rule: a log line never holds a key, a password or the text of a message; facts of those names are masked. And
there is no line per message: what happens to messages is counted here and told by the database.
"""

from __future__ import annotations

import json
import sys
import traceback
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MASKED = frozenset({"key", "api_key", "apikey", "password", "secret", "text", "message", "body", "authorization"})


class Event(Enum):
    """What a log line can say: its name and its level."""

    STARTED = ("started", "info")
    STOPPED = ("stopped", "info")
    MIGRATED = ("migrated", "info")
    DATABASE_STARTED = ("database_started", "info")
    DATABASE_ELSEWHERE = ("database_elsewhere", "warning")
    DATABASE_LOST = ("database_lost", "error")
    DATABASE_BACK = ("database_back", "info")
    WORKER_FAILED = ("worker_failed", "error")
    REQUEST_FAILED = ("request_failed", "error")
    BIND_UP = ("bind_up", "info")
    BIND_LOST = ("bind_lost", "warning")
    BIND_REFUSED = ("bind_refused", "error")
    THROTTLED = ("throttled", "warning")
    PDU_MALFORMED = ("pdu_malformed", "warning")
    LEASE_EXPIRED = ("lease_expired", "warning")
    RECEIPT_UNMATCHED = ("receipt_unmatched", "warning")
    REPLY_UNMATCHED = ("reply_unmatched", "warning")
    OUTCOME_UNKNOWN = ("outcome_unknown", "warning")
    CALLBACK_FAILED = ("callback_failed", "warning")
    CALLBACK_GIVEN_UP = ("callback_given_up", "error")
    PRUNED = ("pruned", "info")
    KEY_REVOKED = ("key_revoked", "info")
    OPTED_OUT = ("opted_out", "info")
    COMPLAINT = ("complaint", "info")
    MAIL_FAILED = ("mail_failed", "warning")
    MAIL_GIVEN_UP = ("mail_given_up", "error")
    RENTAL_ENDED = ("rental_ended", "info")


LEVELS = ("debug", "info", "warning", "error")
_least = LEVELS.index("info")


def configure(level: str = "info") -> None:
    """Write JSON lines of `level` and above to standard error."""
    global _least
    _least = LEVELS.index(level)


def log(event: Event, **facts: Any) -> None:
    """Write one line. `exc_info=True` adds the exception that is being handled."""
    name, level = event.value
    if LEVELS.index(level) < _least:
        return
    exc_info = facts.pop("exc_info", False)
    line = {"event": name} | {fact: "***" if fact in MASKED else value for fact, value in facts.items()}
    if exc_info:
        line["exception"] = traceback.format_exc().rstrip()
    line |= {"level": level, "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    sys.stderr.write(json.dumps(line, default=repr) + "\n")
    sys.stderr.flush()


REGISTRY = CollectorRegistry()
_BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

# `labels(...)` costs more than counting: bind it once, outside the loop.

REQUESTS = Counter("passerelle_http_requests", "HTTP requests answered", ["dialect", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "passerelle_http_request_seconds", "Time to answer", ["dialect"], buckets=_LATENCIES, registry=REGISTRY
)
ACCEPTED = Counter("passerelle_messages_accepted", "Messages accepted", ["dialect"], registry=REGISTRY)
REFUSED = Counter("passerelle_messages_refused", "Messages refused", ["dialect", "reason"], registry=REGISTRY)
SUBMITTED = Counter("passerelle_parts_submitted", "Parts handed to a carrier", ["carrier"], registry=REGISTRY)
OUTCOMES = Counter("passerelle_parts_outcomes", "Answers of carriers", ["carrier", "outcome"], registry=REGISTRY)
RECEIPTS = Counter("passerelle_receipts", "Delivery receipts", ["carrier", "state"], registry=REGISTRY)
INBOUND = Counter("passerelle_inbound", "Messages from phones", ["carrier"], registry=REGISTRY)
INBOUND_UNMATCHED = Counter(
    "passerelle_inbound_unmatched", "Messages from phones that answer nobody", ["carrier"], registry=REGISTRY
)
CALLBACKS = Counter("passerelle_callbacks", "Notifications to customers", ["result"], registry=REGISTRY)
CHECKS = Counter("passerelle_number_checks", "Numbers asked about", ["result"], registry=REGISTRY)
VISITS = Counter("passerelle_visits", "Links followed, by whom", ["who"], registry=REGISTRY)
MAILS = Counter("passerelle_mails", "Mails of the platform itself", ["result"], registry=REGISTRY)
QUEUE_DEPTH = Gauge("passerelle_queue_depth", "Parts that wait", ["carrier", "lane"], registry=REGISTRY)
QUEUE_AGE = Gauge("passerelle_queue_age_seconds", "Age of the oldest part that is due", ["carrier"], registry=REGISTRY)
BINDS_UP = Gauge("passerelle_binds_up", "Binds that are up", ["carrier"], registry=REGISTRY)
WINDOW_USED = Gauge("passerelle_window_used", "Submits without an answer yet", ["carrier"], registry=REGISTRY)
BATCH_SIZE = Histogram(
    "passerelle_batch_size", "Items committed together", ["stage"], buckets=_BATCHES, registry=REGISTRY
)


def render() -> bytes:
    """All metrics of this process in the text format of Prometheus."""
    return generate_latest(REGISTRY)
