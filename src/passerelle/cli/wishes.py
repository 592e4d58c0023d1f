"""What `send` and `explain` have in common: the options that make a request of a text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from cyclopts import Parameter

from ..domain.admission import Wanted
from ..domain.message import TrafficClass
from ..domain.pricing import Service
from ..domain.profile import PRIMOTEXTO, SMSPARTNER, Profile
from .place import Switch
from .screen import parse_time


@Parameter(name="*")
@dataclass(frozen=True)
class Manner:
    """How a text is to be sent, whoever sends it."""

    sender: Annotated[
        str, Parameter(help="3 to 11 letters and digits; without it the short code.", show_default=False)
    ] = ""
    eco: Annotated[bool, Switch, Parameter(help="The economic range: one part.")] = False
    marketing: Annotated[
        bool, Switch, Parameter(help="Advertising: not at night or on Sundays, with the STOP mention.")
    ] = False
    unicode: Annotated[bool, Switch, Parameter(help="Keep every character (70 a part instead of 160).")] = False
    at: Annotated[str | None, Parameter(help="When to send, e.g. 2026-12-24T09:30; without it now.")] = None
    dialect: Annotated[
        Literal["smspartner", "primotexto"], Parameter(help="Whose rules for texts and numbers are applied.")
    ] = "smspartner"

    @property
    def profile(self) -> Profile:
        """The rules of the dialect."""
        return PRIMOTEXTO if self.dialect == "primotexto" else SMSPARTNER

    def wanted(self, items: list[tuple[str, str | None]], text: str, now: datetime) -> Wanted:
        """The request. Raises Problem for a time that cannot be."""
        return Wanted(
            items=items,
            text=text,
            sender=self.sender,
            service=Service.ECO if self.eco else Service.PREMIUM,
            traffic=TrafficClass.MARKETING if self.marketing else TrafficClass.TRANSACTIONAL,
            unicode=self.unicode,
            stop_mention=self.marketing,
            due_at=parse_time(self.at, now) if self.at else None,
        )


@Parameter(name="*")
@dataclass(frozen=True)
class Wishes(Manner):
    """How a text is to be sent, and for whom."""

    account: Annotated[
        str | None, Parameter(help="E-mail address of the account; without it the demo's, or the only one.")
    ] = None


PLAINLY = Manner()
NO_WISHES = Wishes()
