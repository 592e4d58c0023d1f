"""Why something is refused, in words for the person at the keyboard. Total: every reason has its sentence."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.reasons import Finding, Reason

SENTENCES: dict[Reason, str] = {
    Reason.MALFORMED: "the request cannot be read",
    Reason.MEMBER_INVALID: "a member of the request is not possible",
    Reason.NO_RECIPIENT: "there is no recipient",
    Reason.TOO_MANY_RECIPIENTS: "too many recipients for one request",
    Reason.DATE_WITHOUT_DAY: "the sending time has no day",
    Reason.DAY_INVALID: "the day of the sending time does not exist",
    Reason.HOUR_MISSING: "the sending time has no hour",
    Reason.HOUR_INVALID: "the hour of the sending time does not exist",
    Reason.MINUTE_MISSING: "the sending time has no minute",
    Reason.MINUTE_INVALID: "the minute of the sending time does not exist",
    Reason.MINUTE_STEP: "the minute of the sending time has to be a multiple of five",
    Reason.DATE_PAST: "the sending time is past",
    Reason.DATE_INVALID: "the sending time cannot be read",
    Reason.TAG_LONG: "the tag is too long",
    Reason.TAG_INVALID: "the tag has characters that are not allowed",
    Reason.CAMPAIGN_NAME_INVALID: "the name of the campaign is not allowed",
    Reason.URL_INVALID: "a callback address is no http or https URL",
    Reason.CONTENT_INVALID: "the content of the RCS message is not valid",
    Reason.FAILOVER_INVALID: "the SMS that is to follow the RCS message is not valid",
    Reason.SURVEY_MISSING: "no survey is named",
    Reason.SURVEY_UNKNOWN: "there is no such survey, or it is not open",
    Reason.TEXT_MISSING: "the text is empty",
    Reason.TEXT_CHARACTERS: "the text has characters that this account does not send (see its setting `characters`)",
    Reason.TEXT_LONG: "the text is too long",
    Reason.STOP_MENTION_MISSING: "the text does not say how to STOP (see the setting `stop_missing`)",
    Reason.ECO_FORBIDDEN: "this account may not use the economic range (see its setting `eco`)",
    Reason.ECO_LONG: "the economic range takes texts of one part only",
    Reason.SENDER_CHARACTERS: "the sender may have letters and digits only",
    Reason.SENDER_SHORT: "the sender is shorter than 3 characters",
    Reason.SENDER_LONG: "the sender is longer than 11 characters",
    Reason.SENDER_DIGITS: "a sender of digits has to be a number of this account",
    Reason.SENDER_PROTECTED: "this sender is protected (grant it with `passerelle account sender grant`)",
    Reason.NUMBER_MISSING: "the number is missing",
    Reason.NUMBER_INVALID: "this is no telephone number",
    Reason.NUMBER_FIXED: "this is a fixed line",
    Reason.NOT_MOBILE: "this is no mobile number",
    Reason.DUPLICATE: "the number comes twice",
    Reason.INTERNATIONAL_OFF: "this account does not send abroad (see its setting `international`)",
    Reason.NO_PRICE: "there is no price or no carrier for this country (see `passerelle account price`)",
    Reason.OPTED_OUT: "the person answered STOP",
    Reason.BOUNCED: "the number is known to be dead",
    Reason.BOUNCED_PLATFORM: "the number is known to be dead on this platform",
    Reason.CLOSED_DAY: "marketing may not leave on that day",
    Reason.CLOSED_HOUR: "marketing may not leave at that hour",
    Reason.RCS_FORBIDDEN: "this account may not send RCS messages (see its setting `rcs`)",
    Reason.CREDIT: "the credit is too low (see `passerelle account credit`)",
    Reason.QUOTA: "the daily quota of the account is used up",
    Reason.CAMPAIGN_LIMIT: "no more campaigns this month (see the rule `free_campaigns` of the account)",
}


def sentence(finding: Finding) -> str:
    """The fault and what it is about."""
    said = SENTENCES[finding.reason]
    return f"{finding.subject}: {said}" if finding.subject else said


def sentences(findings: Iterable[Finding]) -> str:
    """All of them on one line, each once."""
    return "; ".join(dict.fromkeys(sentence(finding) for finding in findings))
