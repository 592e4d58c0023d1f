"""A sandbox send is delivered at once: what its owner is told of it.

The one rule: it is told as of a real send, and only where the account wants that.
"""

from __future__ import annotations

from ..domain.account import Rules
from ..domain.message import EventKind, State
from ..store.events import NewEvent
from ..store.submissions import Numbered
from .wording import Told, Wordings, notification


def delivered_at_once(one: Numbered, wordings: Wordings, rules: Rules) -> list[NewEvent]:
    """The notifications of a sandbox send."""
    if not rules.sandbox_callbacks:
        return []
    s = one.submission
    told = [
        Told(
            event=EventKind.DELIVERED,
            dialect=s.dialect,
            account_id=s.account_id,
            row_id=one.id + offset,
            state=State.DELIVERED,
            message_id=one.number,
            snapshot=number,
            phone=to.phone,
            at=s.accepted_at,
            cost=to.price,
            tag=s.tag,
            campaign_name=s.campaign_name,
        )
        for offset, (to, number) in enumerate(zip(s.recipients, one.numbers, strict=True))
    ]
    worded = (notification(wordings, each, rules, s.dlr_url) for each in told)
    return [event for event in worded if event is not None]
