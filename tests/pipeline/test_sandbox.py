"""What is told of a sandbox send."""

from __future__ import annotations

from datetime import UTC, datetime

from passerelle.app import WORDINGS
from passerelle.domain.account import Rules
from passerelle.domain.message import Dialect, EventKind, Recipient, Submission, TrafficClass
from passerelle.domain.text import Encoding
from passerelle.pipeline.sandbox import delivered_at_once
from passerelle.store.submissions import Numbered

NOW = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def numbered():
    to = [Recipient(33639980001 + n, "FR", None, Encoding.GSM, 1, 38_000) for n in range(2)]
    wished = Submission(
        1000, 1, Dialect.SMSPARTNER, TrafficClass.TRANSACTIONAL, 1, to, "Bonjour", "", NOW, NOW,
        dlr_url="https://a.example/dlr", sandbox=True,
    )  # fmt: skip
    return Numbered(wished, 7, 12, [], [0, 0], 0, 2, 2, 0)


def test_a_delivery_each_where_the_account_wants_it():
    told = delivered_at_once(numbered(), WORDINGS, Rules(sandbox_callbacks=True))
    assert [(event.account_id, event.message_id, event.kind) for event in told] == [
        (1000, 7, EventKind.DELIVERED), (1000, 8, EventKind.DELIVERED),
    ]  # fmt: skip
    assert '"status":"delivered"' in told[0].body and '"msgId":"12"' in told[0].body


def test_silence_where_it_does_not():
    assert not delivered_at_once(numbered(), WORDINGS, Rules())
