"""What an account is owed: receipts and texts of handsets, in order of time, to whichever of its binds can take them.

One rule: a deliver_sm leaves the mailbox only when a bind answered it with success; refused, unanswered or lost with
its bind, it goes back.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from passerelle.simulator.agenda import Agenda
from passerelle.simulator.behaviours import Options, Reply, Report, Script, Step, steps
from passerelle.smpp import pdu as p
from passerelle.smpp.link import Link
from passerelle.smpp.receipt import ReportState, format_receipt, receipt_tlvs
from passerelle.smpp.session import Event, Unsent

RECEIPT = 0x04  # esm_class, SMPP 3.4 section 5.2.12
_LONGEST_RETRY = 60.0  # seconds


@dataclass(slots=True, eq=False)
class Message:
    """An accepted submit and how far its script has come; `at` in seconds since 1970."""

    serial: int
    id: str
    account: str
    submit: p.SubmitSm
    script: Script
    at: float
    stage: int = 0
    tries: int = 0

    @property
    def step(self) -> Step | None:
        """What comes next; None when nothing is owed any more."""
        plan = steps(self.script, self.submit.registered_delivery)
        return plan[self.stage] if self.stage < len(plan) else None

    def deliver_sm(self, now: float) -> p.DeliverSm:
        """The receipt that is next."""
        report, submit = self.step, self.submit
        assert isinstance(report, Report)
        name = receipt_id(self)
        return p.DeliverSm(
            source_addr_ton=submit.dest_addr_ton,
            source_addr_npi=submit.dest_addr_npi,
            source_addr=submit.destination_addr,
            dest_addr_ton=submit.source_addr_ton,
            dest_addr_npi=submit.source_addr_npi,
            destination_addr=submit.source_addr,
            esm_class=RECEIPT,
            short_message=format_receipt(
                name,
                report.state,
                submitted=_date(int(self.at // 60)),
                done=_date(int(now // 60)),
                error=f"{report.error:03d}",
                text=_excerpt(submit),
            ),
            tlvs=_tlvs(name, report),
        )


@dataclass(slots=True, eq=False)
class Text:
    """A text of a handset, or a part of one."""

    pdu: p.DeliverSm
    tries: int = 0

    def deliver_sm(self, now: float) -> p.DeliverSm:
        """Itself."""
        return self.pdu


Item = Message | Text


def receipt_id(message: Message) -> str:
    """The id of a message as its receipts spell it."""
    return f"{int(message.id):x}" if message.script.hex_receipt else message.id


def _tlvs(name: str, report: Report) -> p.Tlvs:
    failed = report.state is not ReportState.DELIVRD and report.error
    # 3: a GSM network (SMPP 3.4 section 5.3.2.31)
    error = p.tlvs(network_error_code=b"\3" + report.error.to_bytes(2, "big")) if failed else ()
    return receipt_tlvs(name, report.state) + error


def _excerpt(submit: p.SubmitSm) -> bytes:
    """The first octets for `text:`; nothing where they would be unreadable."""
    return b"" if submit.data_coding == 8 or submit.esm_class & 0x40 else p.content(submit)[:20]


@lru_cache(maxsize=64)
def _date(minute: int) -> str:
    """YYMMDDhhmm in UTC of a minute since 1970."""
    return time.strftime("%y%m%d%H%M", time.gmtime(minute * 60))


class Mailbox:
    """The deliver_sm due to one account, and the binds that can take them."""

    def __init__(
        self,
        options: Options,
        loop: asyncio.AbstractEventLoop,
        tally: Counter[str],
        reply: Callable[[Message, Reply], None],
    ) -> None:
        self._options = options
        self._links: deque[Link] = deque()
        self._agenda: Agenda[Item] = Agenda(loop, self.pump)
        self._tally = tally
        self._reply = reply

    def __len__(self) -> int:
        return len(self._agenda)

    def join(self, link: Link) -> None:
        """A bind that takes deliver_sm."""
        self._links.append(link)

    def leave(self, link: Link) -> None:
        """That bind is gone."""
        if link in self._links:
            self._links.remove(link)

    def owe(self, message: Message, now: float, *, since: float = 0.0) -> None:
        """Schedule the next step of a message, if there is one; `since` seconds of its pause are over already."""
        if message.step is not None:
            self._agenda.put(now + max(0.0, self._options.seconds(message.step.pause) - since), message)

    def put(self, text: Text, now: float) -> None:
        """A text to be delivered at once."""
        self._agenda.put(now, text)
        self._arm(now)

    def answered(self, item: Item, status: int, now: float) -> None:
        """A bind answered a deliver_sm."""
        if status:
            self._tally["deliver_refused"] += 1
            self.again(item, now)
            return
        self._tally["receipts_acknowledged" if isinstance(item, Message) else "texts_acknowledged"] += 1
        if isinstance(item, Message):
            self._advance(item, now)

    def again(self, item: Item, now: float, *, at_once: bool = False) -> None:
        """A deliver_sm that was not taken goes back; `at_once` when its bind was lost."""
        delay = 0.0 if at_once else min(self._options.retry_delay * 2**item.tries, _LONGEST_RETRY)
        item.tries = min(item.tries + 1, 16)
        self._agenda.put(now + delay, item)

    def pump(self, now: float) -> None:
        """Send what is due, as far as the windows of the binds allow; a wake-up is set for the rest."""
        self._links.rotate(-1)
        for link in tuple(self._links):
            batch = self._take(link.free, now)
            if batch:
                self._returned(link.send_many(batch), now)
        self._arm(now)

    def stop(self) -> None:
        """Set no timer any more."""
        self._agenda.stop()
        self._links.clear()

    def _arm(self, now: float) -> None:
        if any(link.free for link in self._links):  # else the next answer, or the next bind, calls `pump`
            self._agenda.arm(now)

    def _take(self, room: int, now: float) -> list[tuple[p.Pdu, Item]]:
        batch: list[tuple[p.Pdu, Item]] = []
        wall = time.time()
        while len(batch) < room and (item := self._agenda.take(now)) is not None:
            if isinstance(item, Message) and isinstance(item.step, Reply):
                self._reply(item, item.step)
                self._advance(item, now)
                continue
            batch.append((item.deliver_sm(wall), item))
            self._tally["receipts_sent" if isinstance(item, Message) else "texts_sent"] += 1
        return batch

    def _advance(self, message: Message, now: float) -> None:
        message.stage += 1
        message.tries = 0
        self.owe(message, now)

    def _returned(self, events: list[Event], now: float) -> None:
        for event in events:
            if isinstance(event, Unsent):
                self.again(event.context, now)
