"""When what waits will have left: a queue, a pace, and the hours in which it may leave.

The one rule: without a pace nothing is promised.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from . import calendar

LONGEST = 400  # days that are looked ahead


def expected_end(
    now: datetime, due_at: datetime, parts: int, pace: float, hours: calendar.Hours | None = None
) -> datetime | None:
    """When the last of `parts` leaves at `pace` parts a second, from `due_at` on; `hours`: only while they are open.

    None: there is no pace, or the end is further off than anybody can say.
    """
    if pace <= 0:
        return None
    at, left = max(now, due_at), timedelta(seconds=min(parts / pace, LONGEST * 86_400))
    if hours is None:
        return at + left
    for _ in range(LONGEST):
        at = calendar.next_open(at, hours)
        closing = calendar.to_utc(calendar.paris_day(at), hours.end.hour, hours.end.minute)
        if at + left <= closing:
            return at + left
        at, left = closing, left - (closing - at)
    return None
