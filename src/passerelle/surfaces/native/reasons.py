"""Why the rules of sending refuse something, in words for the developer at the other end. Total: a test sees to it.

One rule: each sentence says what to do; `member` is what of the request it is about.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.reasons import Finding, Reason
from .problems import Fault, Problem

R = Reason
TABLE: dict[Reason, tuple[str, str]] = {
    R.MALFORMED: ("", "The request cannot be read."),
    R.MEMBER_INVALID: ("", "A member has a value that is not possible."),
    R.NO_RECIPIENT: ("to", "Name at least one recipient."),
    R.TOO_MANY_RECIPIENTS: ("to", "Name at most 1,000 recipients in one request."),
    R.DATE_WITHOUT_DAY: ("send_at", "The sending time needs a day."),
    R.DAY_INVALID: ("send_at", "This day does not exist."),
    R.HOUR_MISSING: ("send_at", "The sending time needs an hour."),
    R.HOUR_INVALID: ("send_at", "This hour does not exist."),
    R.MINUTE_MISSING: ("send_at", "The sending time needs a minute."),
    R.MINUTE_INVALID: ("send_at", "This minute does not exist."),
    R.MINUTE_STEP: ("send_at", "The minute has to be a multiple of five."),
    R.DATE_PAST: ("send_at", "The sending time is past: leave it out to send at once."),
    R.DATE_INVALID: ("send_at", "The sending time has to be within a year from now."),
    R.TAG_LONG: ("tag", "The tag is too long."),
    R.TAG_INVALID: ("tag", "The tag has characters that are not allowed."),
    R.CAMPAIGN_NAME_INVALID: ("", "The name of the campaign is not allowed."),
    R.URL_INVALID: ("callback_url", "Give an http:// or https:// URL of at most 2,048 characters."),
    R.CONTENT_INVALID: ("", "The content is not possible."),
    R.SURVEY_MISSING: ("", "Say which survey."),
    R.SURVEY_UNKNOWN: ("", "The survey is not open at the time of sending."),
    R.FAILOVER_INVALID: ("", "The SMS that is to follow is not possible."),
    R.TEXT_MISSING: ("text", "Give a text, for all or to each recipient."),
    R.TEXT_CHARACTERS: ("text", "These characters are not in GSM 03.38: send with `unicode` `allow`, or replace them."),
    R.TEXT_LONG: ("text", "The text has more than ten parts: shorten it."),
    R.STOP_MENTION_MISSING: ("text", "Marketing has to say how to STOP."),
    R.ECO_FORBIDDEN: ("range", "This account may not use the economic range: ask for it, or take `premium`."),
    R.ECO_LONG: ("text", "The economic range takes texts of one part only."),
    R.SENDER_CHARACTERS: ("sender", "A sender has letters and digits only."),
    R.SENDER_SHORT: ("sender", "A sender has at least three characters."),
    R.SENDER_LONG: ("sender", "A sender has at most eleven characters."),
    R.SENDER_DIGITS: ("sender", "A sender of digits has to be a number of the account."),
    R.SENDER_PROTECTED: ("sender", "This sender is protected: ask the operator of the platform to grant it."),
    R.NUMBER_MISSING: ("to", "The number is missing."),
    R.NUMBER_INVALID: ("to", "This is no telephone number."),
    R.NUMBER_FIXED: ("to", "This is a fixed line."),
    R.NOT_MOBILE: ("to", "This is no mobile number."),
    R.DUPLICATE: ("to", "This number comes twice: its first place counts."),
    R.INTERNATIONAL_OFF: ("to", "This account does not send abroad."),
    R.NO_PRICE: ("to", "There is no price, or no carrier, for this country: ask the operator of the platform."),
    R.OPTED_OUT: ("to", "This number is on the stop list."),
    R.BOUNCED: ("to", "This number is known to be dead."),
    R.BOUNCED_PLATFORM: ("to", "This number is known to be dead on this platform."),
    R.CLOSED_DAY: ("send_at", "Marketing may not leave on Sundays and public holidays."),
    R.CLOSED_HOUR: ("send_at", "Marketing may not leave at this hour."),
    R.RCS_FORBIDDEN: ("", "This account may not send RCS messages."),
    R.CREDIT: ("", "Put credit on the account, or send to fewer."),
    R.QUOTA: ("", "The account has sent as many messages as it may on one day: go on tomorrow."),
    R.CAMPAIGN_LIMIT: ("", "The account has launched as many campaigns as it may in one month."),
}
OF_TEXT = frozenset(reason for reason, (member, _) in TABLE.items() if member == "text")


def fault(finding: Finding) -> Fault:
    """One finding, with where it is."""
    member, detail = TABLE[finding.reason]
    told = f"{finding.subject}: {detail}" if finding.subject else detail
    return Fault(detail=told, pointer=pointer(finding, member), reason=finding.reason.value)


def pointer(finding: Finding, member: str) -> str:
    """The place in the body of a send; of a recipient by its position."""
    if finding.position < 0:
        return f"#/{member}" if member else "#"
    own = "/text" if finding.reason in OF_TEXT else ""
    return f"#/to/{finding.position}{own}"


def refused(findings: Sequence[Finding], dropped: Sequence[Finding]) -> Problem:
    """The problem of a send that was refused."""
    reasons = {finding.reason for finding in findings}
    if reasons == {R.CREDIT}:
        return Problem("credit", TABLE[R.CREDIT][1])
    if reasons == {R.QUOTA}:
        return Problem("quota", TABLE[R.QUOTA][1])
    faults = [fault(finding) for finding in (*findings, *dropped)]
    return Problem("refused", "Nothing was sent, and nothing is charged: see `errors`.", faults)
