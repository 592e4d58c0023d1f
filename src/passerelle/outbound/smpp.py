"""SMS over SMPP: the binds of one operator behind the contract of a carrier.

Window and pace together say how much may go; the rest stays in the queue.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from .. import telemetry
from ..clock import Clock
from ..domain.message import DuePart, Outcome, OutcomeKind
from ..domain.pacing import Pacer
from ..settings import CarrierSettings
from ..smpp.pdu import SubmitSm
from .carrier import Arrived
from .smpp_bind import Bind
from .smpp_wire import submit_sm


class SmppCarrier:
    """One operator; `wake` is called whenever there is something to take or a slot became free."""

    def __init__(
        self,
        settings: CarrierSettings,
        carrier_id: int,
        short_code: str,
        clock: Clock,
        wake: Callable[[], None],
        bind_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.id = carrier_id
        self.name = settings.name
        self.settings = settings
        self._short_code = short_code
        self._clock = clock
        self._wake = wake
        self._bind_changed = bind_changed
        self._pacer = Pacer(float(settings.rate), filled_at=time.monotonic())
        self._binds: dict[int, Bind] = {}
        self._submitted = telemetry.SUBMITTED.labels(settings.name)
        self._counted = {kind: telemetry.OUTCOMES.labels(settings.name, kind.name.lower()) for kind in OutcomeKind}
        self._outcomes: list[Outcome] = []
        self._arrived: list[Arrived] = []

    # --- binds -----------------------------------------------------------------------------------------------------

    def open(self, number: int) -> None:
        """Connect a bind that this process holds, and keep it connected."""
        if number not in self._binds:
            self._binds[number] = Bind(self, number)

    @property
    def binds(self) -> int:
        """How many there are over all processes."""
        return self.settings.binds

    async def close(self, number: int) -> None:
        """Unbind: what was submitted is waited for, a moment."""
        bind = self._binds.pop(number, None)
        if bind is not None:
            await bind.close()

    async def finish(self) -> None:
        """Unbind all that this process holds."""
        for number in tuple(self._binds):
            await self.close(number)

    def drop(self, number: int) -> None:
        """Cut a bind that this process may hold no longer."""
        bind = self._binds.pop(number, None)
        if bind is not None:
            bind.abort()

    def state(self, number: int) -> tuple[bool, str]:
        """Whether a bind is up, and what it says of itself."""
        bind = self._binds.get(number)
        return (bind.bound, bind.note) if bind else (False, "")

    def in_flight(self) -> int:
        """Submits without an answer."""
        return sum(bind.in_flight for bind in self._binds.values())

    # --- the contract ----------------------------------------------------------------------------------------------

    def free_slots(self) -> int:
        """The least of what the windows and the pace allow."""
        window = sum(bind.free for bind in self._binds.values())
        self._pacer.rate = self.settings.rate * len(self._binds) / self.settings.binds  # others pace the other binds
        return min(window, self._pacer.allowance(time.monotonic())) if window else 0

    def submit(self, parts: Sequence[DuePart]) -> None:
        """Spread the parts over the binds, as their windows allow; what nobody can take comes back unsent."""
        self._pacer.spend(len(parts))
        self._submitted.inc(len(parts))
        left = list(parts)
        for bind in self._binds.values():
            room = bind.free
            if room and left:
                bind.submit(left[:room])
                left = left[room:]
        if left:
            self.ended([Outcome(part, OutcomeKind.UNSENT) for part in left])

    def take_outcomes(self) -> list[Outcome]:
        """Outcomes since the last call."""
        taken, self._outcomes = self._outcomes, []
        return taken

    def take_arrived(self) -> list[Arrived]:
        """Receipts and texts since the last call."""
        taken, self._arrived = self._arrived, []
        return taken

    # --- what a bind tells -----------------------------------------------------------------------------------------

    def ended(self, outcomes: list[Outcome]) -> None:
        """Outcomes of a bind."""
        for kind, count in Counter(outcome.kind for outcome in outcomes).items():
            self._counted[kind].inc(count)
        for outcome in outcomes:
            if outcome.kind is OutcomeKind.THROTTLED:
                self._pacer.throttled(time.monotonic())
            elif outcome.kind is OutcomeKind.SENT and self._pacer.pause:
                self._pacer.accepted()
        self._outcomes += outcomes
        self._wake()

    def arrived(self, arrived: Arrived) -> None:
        """Receipts and texts of a bind."""
        self._arrived.append(arrived)
        self._wake()

    def bind_changed(self) -> None:
        """A bind came up, or went."""
        self._bind_changed()
        self._wake()

    def now(self) -> datetime:
        """Business time."""
        return self._clock.now()

    def pdu(self, part: DuePart) -> SubmitSm:
        """The submit_sm of a part."""
        return submit_sm(part, self.settings, self._short_code)
