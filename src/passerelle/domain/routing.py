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
    """A single transactional message may be a code: it goes first; marketing, and what is large, goes last."""
    if submission.traffic is TrafficClass.MARKETING or len(submission.recipients) > LARGE:
        return Lane.BULK
    return Lane.CODES if len(submission.recipients) == 1 else Lane.TRANSACTIONAL
