"""The past of a simulated operator, told from its journal: what it accepted, and what it still owes.

One rule: a submit counts as accepted when it was answered with success, or when it was read and never refused: then its
answer was lost with the process, as it would be at a real operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from passerelle.simulator.behaviours import script_for
from passerelle.simulator.journal import Direction, Record
from passerelle.simulator.mailbox import RECEIPT, Message, Text, receipt_id
from passerelle.simulator.phone import PhoneBook
from passerelle.smpp import pdu as p
from passerelle.smpp.fields import HEADER, HEADER_SIZE, RESPONSE
from passerelle.smpp.session import BIND_STATES


@dataclass(slots=True)
class Routes:
    """Whose a text of a handset is: the account that uses that sender, else that texted the number, else the last."""

    phones: PhoneBook
    senders: dict[str, str] = field(default_factory=dict)  # sender -> account
    bound: str | None = None  # the account that bound last

    def account(self, number: str, recipient: str) -> str | None:
        """The account, None while nobody ever bound."""
        return self.senders.get(recipient) or self.phones.account(number) or self.bound


@dataclass(slots=True)
class Past:
    """What a journal tells; `sessions` and `serial` are the last numbers given out."""

    routes: Routes
    sessions: int = 0
    serial: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # destination -> refusals in a row
    owed: dict[str, Message] = field(default_factory=dict)  # by the id of their receipts
    texts: dict[bytes, list[tuple[str, Text]]] = field(default_factory=dict)  # PDU body -> (account, text)


Key = tuple[int, int]
"""A session and a sequence number in it."""


def resume(records: Iterable[Record], first_id: int, phones: PhoneBook) -> Past:
    """The state at the end of a journal; the id of submit n is `first_id + n`. Fills the screens on the way."""
    reader = _Reader(Past(Routes(phones)), first_id)
    for record in records:
        reader.read(record)
    reader.finish()
    return reader.past


class _Reader:
    def __init__(self, past: Past, first_id: int) -> None:
        self.past = past
        self._first_id = first_id
        self._accounts: dict[int, str] = {}  # by session
        self._binding: dict[int, str] = {}
        self._unbound: set[int] = set()
        self._waiting: dict[Key, Message] = {}  # submits without answer
        self._sent: dict[Key, str | bytes] = {}  # deliver_sm without answer: id of a receipt, or body of a text
        self._readers: dict[tuple[Direction, int], Callable[[Record, int, int], None]] = {
            **{(Direction.IN, command): self._bind for command in BIND_STATES},
            **{(Direction.OUT, command | RESPONSE): self._bound for command in BIND_STATES},
            (Direction.IN, p.Unbind.command_id): self._unbind,
            (Direction.IN, p.SubmitSm.command_id): self._submit,
            (Direction.OUT, p.SubmitSmResp.command_id): self._answer,
            (Direction.TYPED, p.DeliverSm.command_id): self._typed,
            (Direction.OUT, p.DeliverSm.command_id): self._deliver,
            (Direction.IN, p.DeliverSmResp.command_id): self._acknowledged,
        }

    def read(self, record: Record) -> None:
        """One PDU."""
        _, command, status, sequence = HEADER.unpack_from(record.pdu)
        self.past.sessions = max(self.past.sessions, record.session)
        reader = self._readers.get((record.direction, command))
        if reader is not None and not (record.direction is Direction.IN and record.session in self._unbound):
            reader(record, status, sequence)

    def finish(self) -> None:
        """What was read and not answered was accepted."""
        for message in self._waiting.values():
            if message.script.refuses(self.past.refused.get(message.submit.destination_addr, 0)):
                self.past.owed.pop(receipt_id(message), None)
            else:
                self._accept(message)

    def _bind(self, record: Record, status: int, sequence: int) -> None:
        bind = p.decode(record.pdu).pdu
        if isinstance(bind, p.Bind):
            self._binding[record.session] = bind.system_id

    def _bound(self, record: Record, status: int, sequence: int) -> None:
        if status == 0 and record.session in self._binding:
            self._accounts[record.session] = self.past.routes.bound = self._binding[record.session]

    def _unbind(self, record: Record, status: int, sequence: int) -> None:
        self._unbound.add(record.session)

    def _submit(self, record: Record, status: int, sequence: int) -> None:
        self.past.serial += 1
        submit = p.decode(record.pdu).pdu
        if not isinstance(submit, p.SubmitSm):
            return
        script = script_for(submit.destination_addr)
        if script.accepted:
            serial, account = self.past.serial, self._accounts.get(record.session, "")
            at = record.time_ns / 1e9
            message = Message(serial, str(self._first_id + serial), account, submit, script, at)
            self._waiting[record.session, sequence] = message
            self.past.owed[receipt_id(message)] = message

    def _answer(self, record: Record, status: int, sequence: int) -> None:
        message = self._waiting.pop((record.session, sequence), None)
        if message is None:
            return
        destination = message.submit.destination_addr
        if status == 0:
            self.past.refused.pop(destination, None)
            self._accept(message)
            return
        self.past.owed.pop(receipt_id(message), None)
        if message.script.refused and status == message.script.status:
            self.past.refused[destination] = self.past.refused.get(destination, 0) + 1

    def _accept(self, message: Message) -> None:
        self.past.routes.senders[message.submit.source_addr] = message.account
        if message.script.reaches:
            self.past.routes.phones.receive(message.account, message.submit, message.at)
        self._settle(message)

    def _typed(self, record: Record, status: int, sequence: int) -> None:
        text = p.decode(record.pdu).pdu
        if not isinstance(text, p.DeliverSm):
            return
        self.past.routes.phones.write(text, record.time_ns / 1e9)
        account = self.past.routes.account(text.source_addr, text.destination_addr) or ""
        self.past.texts.setdefault(record.pdu[HEADER_SIZE:], []).append((account, Text(text)))
        if sequence:  # an automatic reply: that step of its message is done
            self._advance(self.past.owed.get(str(self._first_id + sequence)))

    def _deliver(self, record: Record, status: int, sequence: int) -> None:
        deliver = p.decode(record.pdu).pdu
        name = p.tlv_text(deliver, "receipted_message_id") or ""
        receipt = isinstance(deliver, p.DeliverSm) and deliver.esm_class == RECEIPT
        self._sent[record.session, sequence] = name if receipt else record.pdu[HEADER_SIZE:]

    def _acknowledged(self, record: Record, status: int, sequence: int) -> None:
        sent = self._sent.pop((record.session, sequence), None)
        if status or sent is None:
            return
        if isinstance(sent, str):
            self._advance(self.past.owed.get(sent))
            return
        same = self.past.texts.get(sent, [])
        del same[:1]  # texts with the same bytes are interchangeable
        if not same:
            self.past.texts.pop(sent, None)

    def _advance(self, message: Message | None) -> None:
        if message is not None:
            message.stage += 1
            self._settle(message)

    def _settle(self, message: Message) -> None:
        if message.step is None:
            self.past.owed.pop(receipt_id(message), None)
