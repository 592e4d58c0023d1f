"""How many parts may go now: the rate of an operator, spread evenly, and a brake when it says that it is throttled."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0  # seconds
BURST = 0.1  # seconds' worth of parts that may leave at once


@dataclass(slots=True)
class Pacer:
    """Parts a second, over all binds of a carrier; 0 = as many as the windows let through. Times: monotonic seconds."""

    rate: float = 0.0
    tokens: float = 1.0
    filled_at: float = 0.0
    paused_until: float = 0.0
    pause: float = 0.0

    def allowance(self, now: float) -> int:
        """How many parts may be submitted at this moment."""
        if now < self.paused_until:
            return 0
        if not self.rate:
            return 1 << 30
        most = max(1.0, self.rate * BURST)
        self.tokens = min(most, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        return int(self.tokens)

    def spend(self, parts: int) -> None:
        """That many were submitted."""
        if self.rate:
            self.tokens -= parts

    def throttled(self, now: float) -> None:
        """The operator asks for less: the whole carrier pauses, longer each time, once for all that is in flight."""
        if now >= self.paused_until:
            self.pause = min(self.pause * 2 or FIRST_PAUSE, LONGEST_PAUSE)
            self.paused_until = now + self.pause

    def accepted(self) -> None:
        """The operator takes parts again: the next pause is half as long."""
        self.pause = self.pause / 2 if self.pause > FIRST_PAUSE else 0.0
