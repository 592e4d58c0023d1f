"""RCS over Google's RBM REST API (v1): one agent behind the contract of a carrier.

The one rule: a message has a name of our own, so that a request whose answer was lost is made again without harm: a
name that is taken (409) says that it was sent. There are no binds: any process may send, as far as its window allows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import aiohttp

from .. import telemetry
from ..clock import Clock
from ..domain.message import DuePart, Outcome, OutcomeKind, TrafficClass
from ..domain.pacing import Pacer
from ..domain.rcs_names import CARRIER, name_of
from .carrier import Arrived
from .google_token import NoToken, Tokens

TIMEOUT = 10.0  # seconds for an answer, and never longer than the lease of a part
WRITE_MARGIN = 1.0  # seconds of its lease in which the outcome of a part is written down
LONGEST_ERROR = 200
KNOWN_FOR = 3600.0  # seconds that a phone which has RCS is not asked about again
KNOWN_MOST = 100_000  # such phones
_TRAFFIC = {TrafficClass.TRANSACTIONAL: "TRANSACTION", TrafficClass.MARKETING: "PROMOTION"}
_TAKEN = frozenset({200, 201, 409})
_NOT_READY = frozenset({401, 408, 425})  # and 5xx


class RcsCarrier:
    """One agent; `wake` is called whenever there is an outcome to take."""

    id = CARRIER
    name = "rcs"
    binds = 0

    def __init__(
        self,
        url: str,
        agent_id: str,
        tokens: Tokens,
        clock: Clock,
        wake: Callable[[], None],
        *,
        ttl: timedelta = timedelta(seconds=300),
        window: int = 100,
        timeout: float = TIMEOUT,
        asks_first: bool = False,
    ) -> None:
        self._url = url.rstrip("/")
        self._agent_id = agent_id
        self._tokens = tokens
        self._clock = clock
        self._wake = wake
        self._ttl = f"{int(ttl.total_seconds())}s"
        self._window = window
        self._timeout = timeout
        self._asks_first = asks_first
        self._known: dict[int, float] = {}  # phones that have RCS: when that was said, in monotonic seconds
        self._pacer = Pacer()
        self._session: aiohttp.ClientSession | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._outcomes: list[Outcome] = []
        self._submitted = telemetry.SUBMITTED.labels(self.name)
        self._counted = {kind: telemetry.OUTCOMES.labels(self.name, kind.name.lower()) for kind in OutcomeKind}

    # --- binds: none -----------------------------------------------------------------------------------------------

    def open(self, number: int) -> None:
        """Nothing to open."""

    def drop(self, number: int) -> None:
        """Nothing to drop."""

    def state(self, number: int) -> tuple[bool, str]:
        """Never asked for."""
        return False, ""

    async def finish(self) -> None:
        """What is in flight comes back; then the connections are closed."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- the contract ----------------------------------------------------------------------------------------------

    def free_slots(self) -> int:
        """The least of what the window and the pace allow."""
        return min(self._window - len(self._in_flight), self._pacer.allowance(time.monotonic()))

    def submit(self, parts: Sequence[DuePart]) -> None:
        """A request for each part."""
        self._submitted.inc(len(parts))
        for part in parts:
            task = asyncio.get_running_loop().create_task(self._submit(part))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    def take_outcomes(self) -> list[Outcome]:
        """Outcomes since the last call."""
        taken, self._outcomes = self._outcomes, []
        return taken

    def take_arrived(self) -> list[Arrived]:
        """Nothing: events come to the platform's own door."""
        return []

    # --- requests --------------------------------------------------------------------------------------------------

    async def _submit(self, part: DuePart) -> None:
        name = name_of(part.key.message_id, part.phone, part.text)
        try:
            outcome = await self._attempt(part, name)
        except Exception as error:  # a part that is lost here would be known only when its lease is over
            telemetry.log(telemetry.Event.WORKER_FAILED, room="rcs", error=type(error).__name__)
            outcome = Outcome(part, OutcomeKind.UNKNOWN, name, type(error).__name__, at=self._clock.now())
        self._counted[outcome.kind].inc()
        if outcome.kind is OutcomeKind.THROTTLED:
            self._pacer.throttled(time.monotonic())
        elif outcome.kind is OutcomeKind.SENT and self._pacer.pause:
            self._pacer.accepted()
        self._outcomes.append(outcome)
        self._wake()

    async def _attempt(self, part: DuePart, name: str) -> Outcome:
        """One request. What surely did not leave is refused for now; what may have left is unknown, under its name."""
        session = self._session or self._open_session()
        patience = min(self._timeout, part.deadline - WRITE_MARGIN - time.monotonic())
        if patience <= 0:
            return Outcome(part, OutcomeKind.UNSENT)
        began = part.begun_at = self._clock.now()
        try:
            async with asyncio.timeout(patience):
                token = await self._tokens.token(session)
                first = part.attempts == 0  # later something may have left already, and the send tells
                if self._asks_first and first and not await self._has_rcs(session, token, part.phone, name):
                    return Outcome(part, OutcomeKind.UNREACHABLE, error="no RCS", at=self._clock.now())
                status, words = await self._post(session, token, part, name)
        except NoToken as error:
            return Outcome(part, OutcomeKind.TEMPORARY, error=str(error), at=began)
        except aiohttp.ClientConnectorError as error:  # nobody was there to take it
            return Outcome(part, OutcomeKind.TEMPORARY, error=type(error).__name__, at=began)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Outcome(part, OutcomeKind.UNKNOWN, name, type(error).__name__, at=self._clock.now())
        if status == 401:
            self._tokens.refused(token)
        kind = kind_of(status)
        return Outcome(part, kind, name if kind is OutcomeKind.SENT else "", words, at=self._clock.now())

    async def _has_rcs(self, session: aiohttp.ClientSession, token: str, phone: int, name: str) -> bool:
        """GET capabilities: False where the provider says that this phone cannot get anything of the agent's. What it
        cannot say now is left to the send."""
        now = time.monotonic()
        if now - self._known.get(phone, -KNOWN_FOR) < KNOWN_FOR:
            return True
        async with session.get(
            f"{self._url}/v1/phones/+{phone}/capabilities",
            params={"requestId": name, "agentId": self._agent_id},
            headers={"Authorization": f"Bearer {token}"},
            allow_redirects=False,
        ) as response:
            if response.status == 200:
                if len(self._known) >= KNOWN_MOST:
                    self._known.clear()
                self._known[phone] = now
            return response.status not in (403, 404)

    async def _post(self, session: aiohttp.ClientSession, token: str, part: DuePart, name: str) -> tuple[int, str]:
        """POST agentMessages; the status, and the provider's word where it is no success."""
        body = f'{{"contentMessage":{part.text},"messageTrafficType":"{_TRAFFIC[part.traffic]}","ttl":"{self._ttl}"}}'
        async with session.post(
            f"{self._url}/v1/phones/+{part.phone}/agentMessages",
            params={"messageId": name, "agentId": self._agent_id},
            data=body.encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            allow_redirects=False,
        ) as response:
            answer = await response.content.read(LONGEST_ERROR * 4)
            return response.status, "" if response.status in _TAKEN else _words(response.status, answer)

    async def revoke(self, phone: int, name: str) -> bool:
        """DELETE agentMessages: what was not delivered yet shall not be; whether the provider heard it."""
        session = self._session or self._open_session()
        try:
            async with asyncio.timeout(self._timeout):
                token = await self._tokens.token(session)
                async with session.delete(
                    f"{self._url}/v1/phones/+{phone}/agentMessages/{name}",
                    params={"agentId": self._agent_id},
                    headers={"Authorization": f"Bearer {token}"},
                    allow_redirects=False,
                ) as response:
                    return response.status < 500 and response.status not in (401, 429)
        except (NoToken, aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _open_session(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
            headers={"User-Agent": "Passerelle"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session


def kind_of(status: int) -> OutcomeKind:
    """What an HTTP status of a send means."""
    if status in _TAKEN:
        return OutcomeKind.SENT
    if status == 429:
        return OutcomeKind.THROTTLED
    if status in _NOT_READY or status >= 500 or status < 400:
        return OutcomeKind.TEMPORARY
    return OutcomeKind.UNREACHABLE


def _words(status: int, answer: bytes) -> str:
    """The provider's word as it is stored: never more than a line."""
    said = " ".join(answer.decode("utf-8", "replace").replace("\0", "").split())
    return f"HTTP {status} {said}"[:LONGEST_ERROR].rstrip()
