"""When marketing may leave for a number: the hours of Paris, and those where its holder lives.

One rule: `now` is an argument, and of two calendars the stricter holds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from . import calendar, numbers
from .account import Rules

LAST = timedelta(seconds=1)  # before closing: what is handed over in it may be with the operator only after it


def opening(rules: Rules, phone: int, now: datetime, region: str = "") -> datetime:
    """When marketing may leave for this number: `now`, or later. Where two zones share no hour, Paris decides.

    `region`: whose public holidays count, beside those that the account keeps.
    """
    if rules.quiet_exempt:
        return now
    paris = calendar.Hours(start=rules.quiet_end, end=rules.quiet_start, region=region or rules.holiday_region)
    zone = numbers.zone_of(f"+{phone}")
    if zone == calendar.PARIS.key:
        return calendar.next_open(now, paris)
    own = calendar.Hours(start=rules.quiet_end, end=rules.quiet_start, zone=ZoneInfo(zone))
    return calendar.next_open_for(now, [paris, own]) or calendar.next_open(now, paris)


def leaving(rules: Rules, phone: int, now: datetime, region: str = "") -> datetime:
    """When marketing for this number is handed over: `now` while it is open and stays so for a moment, else the next
    opening."""
    opens, soon = opening(rules, phone, now, region), now + LAST
    if opens > now:
        return opens
    later = opening(rules, phone, soon, region)
    return later if later > soon else now
