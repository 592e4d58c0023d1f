"""The rules of sending: a request as wanted -> a submission, or every reason why not.

All rules are looked at, so that a door may answer with all faults or with the first in its own order. The lists of
blocked numbers and the balance are not here: they are looked at under the lock of the account, in the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from . import calendar, numbers, optout, text
from .account import Account
from .message import Failover, Recipient, Submission, TrafficClass
from .pricing import Service, quote
from .profile import Profile
from .reasons import Finding, Reason


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a request has of the campaign that it belongs to.

    `regions`: of the items, by position, whose public holidays count too (domain.calendar). `clean_stops`,
    `clean_bounces`: whether those lists are looked at. `test`: one message to try it, counted apart.
    """

    id: bytes
    flash: bool = False
    clean_stops: bool = True
    clean_bounces: bool = True
    test: bool = False
    regions: Sequence[str] = ()


@dataclass(slots=True)
class Wanted:
    """A request as read from the wire. `items`: (number as sent, text or None for the text of the request)."""

    items: Sequence[tuple[str, str | None]]
    text: str = ""
    sender: str = ""
    service: Service = Service.PREMIUM
    traffic: TrafficClass | None = TrafficClass.TRANSACTIONAL  # None: the class of the account
    unicode: bool = False
    stop_mention: bool = False
    due_at: datetime | None = None  # asked for
    tag: str = ""
    tag_key: str = ""
    campaign_name: str = ""
    dlr_url: str = ""
    reply_url: str = ""
    sandbox: bool = False
    failover: str | None = None  # the text of the SMS that follows where an RCS message does not arrive
    campaign: Belonging | None = None
    faults: list[Finding] = field(default_factory=list)  # found while reading


@dataclass(slots=True)
class Judged:
    """The verdict: a submission, or findings of the request; `dropped` are recipients left out either way."""

    submission: Submission | None
    findings: list[Finding]
    dropped: list[Finding]

    def news(self, told: Sequence[Finding]) -> list[Finding]:
        """The findings whose reasons were not told before, of another page of the same request."""
        known = {one.reason for one in told}
        return [one for one in self.findings if one.reason not in known]


def judge(wanted: Wanted, account: Account, profile: Profile, now: datetime) -> Judged:
    """Look at every rule that needs no lock.

    A submission is returned when nothing is wrong with the request and at least one recipient is left.
    """
    findings = list(wanted.faults)
    findings += sender_findings(wanted.sender, account, profile)
    if wanted.service is Service.ECO and not account.rules.eco:
        findings.append(Finding(Reason.ECO_FORBIDDEN))
    if wanted.service is Service.RCS and not account.rules.rcs:
        findings.append(Finding(Reason.RCS_FORBIDDEN))
    due_at = wanted.due_at or now
    if keeps_hours(wanted, account):
        due_at = _opened(wanted, account, profile, due_at, findings)
    common = _Text(wanted.text, wanted, account, profile) if wanted.text or _is_shared(wanted) else None
    if common is not None and common.fault is not None:
        findings.append(Finding(common.fault, common.subject))
    after = _failover(wanted, account, profile, findings)
    recipients, dropped = _recipients(wanted, account, profile, common)
    if wanted.campaign is not None:  # a campaign leaves as a whole or not at all
        findings += [one for one in dropped if one.reason is Reason.TEXT_LONG][:1]
    if findings or not recipients:
        return Judged(None, findings, dropped)
    submission = _submission(wanted, account, profile, now, due_at, common, recipients)
    submission.failover = after
    return Judged(submission, findings, dropped)


def _failover(wanted: Wanted, account: Account, profile: Profile, findings: list[Finding]) -> Failover | None:
    """The SMS that may follow, by the rules of any other."""
    if wanted.failover is None:
        return None
    ready = _Text(wanted.failover, replace(wanted, service=Service.PREMIUM), account, profile)
    if ready.fault is not None:
        findings.append(Finding(ready.fault, ready.subject))
    return Failover(ready.text, ready.encoding, ready.parts)


def _submission(
    wanted: Wanted,
    account: Account,
    profile: Profile,
    now: datetime,
    due_at: datetime,
    common: _Text | None,
    recipients: list[Recipient],
) -> Submission:
    traffic = traffic_of(wanted, account)
    scope = account.rules.stop_scope_primotexto if profile.bounces_refuse else account.rules.stop_scope_smspartner
    stop_applies, bounce_applies = scope == "all" or traffic is TrafficClass.MARKETING, profile.bounces_refuse
    campaign = wanted.campaign
    if campaign is not None:
        stop_applies = traffic is TrafficClass.MARKETING or campaign.clean_stops
        bounce_applies = campaign.clean_bounces
    return Submission(
        account_id=account.id,
        account_version=account.version,
        dialect=profile.dialect,
        traffic=traffic,
        service=wanted.service,
        recipients=recipients,
        text=common.text if common else "",
        sender=wanted.sender,
        accepted_at=now,
        due_at=due_at,
        tag=wanted.tag,
        tag_key=wanted.tag_key,
        campaign_name=wanted.campaign_name,
        dlr_url=wanted.dlr_url,
        reply_url=wanted.reply_url,
        sandbox=wanted.sandbox,
        stop_applies=stop_applies,
        bounce_applies=bounce_applies,
        scheduled=due_at > now,
        campaign_id=None if campaign is None else campaign.id,
        flash=campaign is not None and campaign.flash,
        test=campaign is not None and campaign.test,
    )


def keeps_hours(wanted: Wanted, account: Account) -> bool:
    """Whether it leaves at decent hours only."""
    return traffic_of(wanted, account) is TrafficClass.MARKETING and not account.rules.quiet_exempt


def traffic_of(wanted: Wanted, account: Account) -> TrafficClass:
    """The class of a request: its own, or that of its account."""
    return account.rules.traffic_class if wanted.traffic is None else wanted.traffic


def _is_shared(wanted: Wanted) -> bool:
    return not wanted.items or wanted.items[0][1] is None


# --- the sender ----------------------------------------------------------------------------------------------------


def sender_findings(sender: str, account: Account, profile: Profile) -> list[Finding]:
    """What is wrong with a sender; nothing where it is absent: the short code is used."""
    if not sender:
        return []
    found = []
    if len(sender) > 11:
        found.append(Finding(Reason.SENDER_LONG, sender))
    if len(sender) < 3:
        found.append(Finding(Reason.SENDER_SHORT, sender))
    plain = sender.replace(" ", "") if profile.sender_blanks else sender
    if not plain.isascii() or not plain.isalnum():
        found.append(Finding(Reason.SENDER_CHARACTERS, sender))
    elif plain.isdigit() and plain not in account.numbers:
        found.append(Finding(Reason.SENDER_DIGITS, sender))
    if plain.upper() in account.refused_senders:
        found.append(Finding(Reason.SENDER_PROTECTED, sender))
    return found


# --- the time ------------------------------------------------------------------------------------------------------


def _opened(wanted: Wanted, account: Account, profile: Profile, due_at: datetime, findings: list[Finding]) -> datetime:
    """The sending time of a marketing message; a date in a closed hour may be refused instead."""
    hours = paris_hours(account)
    closed = calendar.closed_reason(due_at, hours)
    if closed is None:
        return due_at
    policy = account.rules.quiet_dates if profile.date_when_closed == "account" else profile.date_when_closed
    if wanted.due_at is not None and policy == "refuse":
        reason = Reason.CLOSED_HOUR if closed is calendar.Closed.HOUR else Reason.CLOSED_DAY
        findings.append(Finding(reason))
        return due_at
    return calendar.next_open(due_at, hours)


def paris_hours(account: Account) -> calendar.Hours:
    """When marketing of this account may leave, in Paris."""
    rules = account.rules
    return calendar.Hours(start=rules.quiet_end, end=rules.quiet_start, region=rules.holiday_region)


LONGEST_TEXT = 10_000  # characters as sent; twice what ten parts hold, were each written `:euro:`

# --- the text ------------------------------------------------------------------------------------------------------


class _Text:
    """A text made ready by the rules of a dialect: `fault`, or `text` with its `encoding` and `parts`."""

    __slots__ = ("encoding", "fault", "parts", "subject", "text")

    def __init__(self, raw: str, wanted: Wanted, account: Account, profile: Profile) -> None:
        self.fault: Reason | None = None
        self.subject = ""
        self.encoding = text.Encoding.GSM
        self.parts = 0
        if wanted.service is Service.RCS:  # a content that was judged where it was read: one part, whatever it holds
            self.text, self.parts = raw, 1
            return
        if len(raw) > LONGEST_TEXT:
            self.fault, self.text = Reason.ECO_LONG if wanted.service is Service.ECO else Reason.TEXT_LONG, ""
            return
        is_replaced = profile.characters == "replace"
        self.text = self._replace(raw, wanted, account) if is_replaced else self._keep(raw, account, profile)
        if self.fault is None and not self.text.strip():
            self.fault = Reason.TEXT_MISSING
        if self.fault is None:
            self._count(wanted, account, profile)

    def _replace(self, raw: str, wanted: Wanted, account: Account) -> str:
        """SMS Partner 3.3, steps 1 and 2."""
        ready = text.expand_tokens(raw)
        if wanted.unicode and account.rules.unicode:
            self.encoding = text.Encoding.UCS2
            return ready
        return text.replace(ready)

    def _keep(self, raw: str, account: Account, profile: Profile) -> str:
        """Primotexto 2.7: refused, brought near, or sent as UCS-2, as the profile or the account says."""
        ready = text.normalise_newlines(raw)
        foreign = text.foreign(ready)
        if not foreign:
            return ready
        policy = profile.policy(account.rules.characters)
        if policy == "unicode":
            self.encoding = text.Encoding.UCS2
            return ready
        near = text.transliterate(ready) if policy == "transliterate" else None
        if near is None:
            self.fault, self.subject = Reason.TEXT_CHARACTERS, foreign
            return ready
        return near

    def _count(self, wanted: Wanted, account: Account, profile: Profile) -> None:
        if wanted.stop_mention and wanted.service is not Service.ECO:
            self._mention(account, profile)
        if self.fault is not None:
            return
        segmented = text.segment(self.text, self.encoding)
        self.parts = len(segmented.parts)
        if wanted.service is Service.ECO and self.parts > 1:
            self.fault = Reason.ECO_LONG
        elif self.parts > profile.max_parts:
            self.fault = Reason.TEXT_LONG

    def _mention(self, account: Account, profile: Profile) -> None:
        rules = account.rules
        if profile.characters == "replace":
            present = optout.has_stop_mention(self.text, rules.short_code)
        else:
            present = optout.has_any_stop_mention(self.text)
        if present:
            return
        if profile.characters != "replace" and rules.stop_missing == "refuse":
            self.fault = Reason.STOP_MENTION_MISSING
        else:
            self.text = optout.append_mention(self.text, rules.stop_mention)


# --- the recipients ------------------------------------------------------------------------------------------------


def _recipients(
    wanted: Wanted, account: Account, profile: Profile, common: _Text | None
) -> tuple[list[Recipient], list[Finding]]:
    kept: list[Recipient] = []
    dropped: list[Finding] = []
    seen: set[int] = set()
    for position, (raw, own_text) in enumerate(wanted.items):
        made = _recipient(position, raw, own_text, wanted, account, profile, common)
        if isinstance(made, Finding):
            dropped.append(made)
        elif made.phone in seen:
            dropped.append(Finding(Reason.DUPLICATE, f"+{made.phone}", position))
        else:
            seen.add(made.phone)
            made.index = len(kept)
            kept.append(made)
    return kept, dropped


def _recipient(
    position: int,
    raw: str,
    own_text: str | None,
    wanted: Wanted,
    account: Account,
    profile: Profile,
    common: _Text | None,
) -> Recipient | Finding:
    number = judge_number(raw, profile)
    if isinstance(number, Reason):
        return Finding(number, raw, position)
    unit_price = _unit_price(number, wanted, account, profile)
    if isinstance(unit_price, Reason):
        return Finding(unit_price, number.e164, position)
    ready = common if own_text is None else _Text(own_text, wanted, account, profile)
    if ready is None or ready.fault is not None:
        fault = Reason.TEXT_MISSING if ready is None or ready.fault is None else ready.fault
        return Finding(fault, number.e164, position)
    regions = wanted.campaign.regions if wanted.campaign is not None else ()
    return Recipient(
        phone=int(number.e164[1:]),
        country=number.country,
        text=None if own_text is None else ready.text,
        encoding=ready.encoding,
        parts=ready.parts,
        price=quote(unit_price, ready.parts),
        position=position,
        region=regions[position] if regions else "",
    )


def judge_number(raw: str, profile: Profile) -> numbers.Number | Reason:
    """A mobile number that this dialect may send to, or why not."""
    if not raw.strip():
        return Reason.NUMBER_MISSING
    number = numbers.normalise(raw, profile.bare_international)
    if number is None:
        return Reason.NUMBER_INVALID
    if number.kind is numbers.Kind.MOBILE:
        return number
    if not profile.fixed_line_reason:
        return Reason.NOT_MOBILE
    return Reason.NUMBER_FIXED if number.kind is numbers.Kind.FIXED else Reason.NUMBER_INVALID


def _unit_price(number: numbers.Number, wanted: Wanted, account: Account, profile: Profile) -> int | Reason:
    """Micro-euros a part to this number (SMS Partner 3.1; Primotexto 2.6 and 2.7)."""
    domestic = number.country == "FR" or numbers.is_domestic(number.country)
    if profile.fixed_line_reason and not domestic and not account.rules.international:
        return Reason.INTERNATIONAL_OFF
    price = account.price(wanted.service, number.country)
    return Reason.NO_PRICE if price is None else price
