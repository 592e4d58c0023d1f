"""Which carriers may take a message, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .message import Lane, Submission, TrafficClass

LARGE = 2_000
"""Recipients above which a submission is a campaign, whatever its class: it leaves behind what others send meanwhile,
and is written apart."""


@dataclass(frozen=True, slots=True)
class Route:
    """A carrier and what it takes; `countries` empty: any."""

    carrier_id: int
    services: frozenset[int]
    countries: frozenset[str] = frozenset()


def rank(service: int, country: str, routes: Sequence[Route]) -> list[int]:
    """Carriers that take this service to this country, the preferred first; empty: there is no way."""
    return [r.carrier_id for r in routes if service in r.services and (not r.countries or country in r.countries)]


def lane_of(submission: Submission) -> Lane:
    """A single transactional message may be a code: it goes first; marketing, campaigns, and what is large, go last."""
    is_campaign = submission.campaign_id is not None and not submission.test
    return lane_for(submission.traffic, len(submission.recipients), is_campaign)


def lane_for(traffic: int, messages: int, is_campaign: bool) -> Lane:
    """The lane of a submission of so many messages."""
    if traffic == TrafficClass.MARKETING or is_campaign or messages > LARGE:
        return Lane.BULK
    return Lane.CODES if messages == 1 else Lane.TRANSACTIONAL
