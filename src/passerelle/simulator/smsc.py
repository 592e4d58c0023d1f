"""The simulated operator: an SMPP server with a latency, a rate, magic numbers, receipts, and handsets that text back.

One rule: whatever it does can be told again from its journal, so that killed at any byte it comes back with the same
ids, the same refusals counted and the same receipts owed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from pathlib import Path

from passerelle.domain.text import ALPHABET, Encoding, encode, segment, udh
from passerelle.simulator.agenda import Agenda
from passerelle.simulator.behaviours import Answer, Options, Reply, Script, script_for
from passerelle.simulator.journal import Direction, Journal, Recorded, read
from passerelle.simulator.mailbox import Mailbox, Message, Text
from passerelle.simulator.phone import UDHI, PhoneBook, place_of
from passerelle.simulator.resume import Routes, resume
from passerelle.smpp import pdu as p
from passerelle.smpp.fields import RESPONSE
from passerelle.smpp.link import Link, OnEvents, serve
from passerelle.smpp.session import (
    BIND_STATES,
    Answered,
    Closed,
    Config,
    Event,
    Lost,
    Received,
    Rejected,
    RequestTimedOut,
    State,
)
from passerelle.smpp.status import Status

NAME = "PASSERELLE-SIM"
_IDS_A_SECOND = 100_000  # so many ids a second since the journal was made are free, and a new journal repeats none
_GOODBYE = 1.0  # seconds that a bind has to answer unbind
_BACKLOG = 1_000_000  # submits that may wait for a slow answer before a link stops reading

Response = tuple[int, p.Pdu, int]
"""Sequence, PDU and status of an answer."""


class NobodyBound(Exception):
    """No program has ever bound, so a text of a handset has nowhere to go."""


class Account:
    """All binds with one system_id: what it is owed, and what is left of its rate."""

    def __init__(self, name: str, mailbox: Mailbox, options: Options, now: float) -> None:
        self.name = name
        self.mailbox = mailbox
        self._rate = options.rate
        self._left, self._at = options.rate, now

    def exceeded(self, now: float) -> bool:
        """Whether a submit is beyond the rate; if not, it is counted. A second's worth may come at once."""
        if not self._rate:
            return False
        self._left = min(max(self._rate, 1.0), self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return True
        self._left -= 1
        return False


class Smsc:
    """The operator; `start` it, bind to it, `stop` it.

    `phones` are the handsets that it fills; `journal` the file it writes and resumes from.
    """

    def __init__(self, *, journal: Path, options: Options | None = None, phones: PhoneBook | None = None) -> None:
        self.options = options or Options()
        self.phones = phones or PhoneBook()
        self.tally: Counter[str] = Counter()
        self.accounts: dict[str, Account] = {}
        self.routes = Routes(self.phones)
        self.refused: dict[str, int] = {}  # destination -> refusals in a row
        self._path = journal
        self._links: set[Link] = set()
        self._sessions = self._serial = self._first_id = self._reference = 0

    async def start(self, host: str = "127.0.0.1", port: int = 2775) -> int:
        """Read the journal, then listen; returns the port. OSError, or what `Journal` raises."""
        self.loop = asyncio.get_running_loop()
        self._agenda: Agenda[tuple[Link, Response]] = Agenda(self.loop, self._answer_due)
        self._journal = Journal(self._path)
        try:
            self._resume()
            config = Config(window=self.options.window, response_timeout=self.options.receipt_timeout, backlog=_BACKLOG)
            self._server = await serve(self._accept, host, port, config)
        except BaseException:
            self._journal.close()
            raise
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    async def stop(self) -> None:
        """Unbind everybody and close; what is owed stays in the journal."""
        self._server.close()
        self._agenda.stop()
        for account in self.accounts.values():
            account.mailbox.stop()
        leaving = [asyncio.ensure_future(link.wait_closed()) for link in self._links]
        for link in tuple(self._links):
            link.close()
        if leaving:
            await asyncio.wait(leaving, timeout=_GOODBYE)
            for link in tuple(self._links):
                link.abort("the simulator stops")
            await asyncio.wait(leaving, timeout=_GOODBYE)
        await self._server.wait_closed()
        self._journal.close()

    def stats(self) -> dict[str, int]:
        """Counts of this life, and what is owed now."""
        return {
            **{name: self.tally[name] for name in COUNTED},
            "binds": sum(link.session.bound for link in self._links),
            "owed": sum(len(account.mailbox) for account in self.accounts.values())
            + sum(link.session.in_flight for link in self._links),
        }

    def inject(self, phone: str, recipient: str, text: str, *, serial: int = 0) -> int:
        """A handset texts `recipient`; returns the number of parts. It waits while no bind can take it.

        NobodyBound, or ValueError for an address that SMPP cannot carry. `serial` names the submit it answers.
        """
        phone = phone.lstrip("+")
        name = self.routes.account(phone, recipient)
        if name is None:
            raise NobodyBound("no program has bound to the simulated operator yet")
        self._reference += 1
        parts = mobile_originated(phone, recipient, text, self._reference)
        frames = [p.encode(part, serial) for part in parts]
        self._journal.append(Direction.TYPED, 0, b"".join(frames))
        self._journal.flush()
        now, account = self.loop.time(), self.account(name)
        for part in parts:
            self.phones.write(part, time.time())
            account.mailbox.put(Text(part), now)
        self.tally["texts_typed"] += 1
        return len(parts)

    def account(self, name: str) -> Account:
        """The account of a system_id, made at its first use."""
        account = self.accounts.get(name)
        if account is None:
            mailbox = Mailbox(self.options, self.loop, self.tally, self._reply)
            account = self.accounts[name] = Account(name, mailbox, self.options, self.loop.time())
        return account

    def submitted(self, account: Account, submit: p.SubmitSm, now: float) -> tuple[str, int, Script]:
        """Decide on one submit: its message id, the status of its answer, its script."""
        self._serial += 1
        script = script_for(submit.destination_addr)
        status = self._refusal(account, script, submit.destination_addr, now)
        if status or not script.accepted:
            return "", status, script
        message = Message(self._serial, str(self._first_id + self._serial), account.name, submit, script, time.time())
        self.tally["accepted"] += 1
        self.routes.senders[submit.source_addr] = account.name
        if script.reaches:
            self.phones.receive(account.name, submit, message.at)
        account.mailbox.owe(message, now)
        return message.id, 0, script

    def rejected(self) -> None:
        """A submit that the session itself refused: it takes a serial too, as the journal counts it."""
        self._serial += 1
        self.tally["refused"] += 1

    def answer(self, link: Link, response: Response, script: Script, now: float) -> Response | None:
        """The answer if it leaves now; None if it leaves later, or never."""
        if script.answer is Answer.NEVER and response[2] == 0:
            link.session.unanswered -= 1  # else the link would wait for us
            return None
        delay = self.options.response_delay
        if script.answer is Answer.AFTER_RECEIPT:
            delay = max(delay, self.options.early_gap)
        elif not delay:
            return response
        self._agenda.put(now + delay, (link, response))
        self._agenda.arm(now)
        return None

    def left(self, link: Link) -> None:
        """A connection is gone."""
        self._links.discard(link)

    def _refusal(self, account: Account, script: Script, destination: str, now: float) -> int:
        if account.exceeded(now):
            self.tally["throttled"] += 1
            return Status.ESME_RTHROTTLED
        if not script.refused:
            return 0
        before = self.refused.get(destination, 0)
        if not script.refuses(before):
            self.refused.pop(destination, None)
            return 0
        self.refused[destination] = before + 1
        self.tally["refused"] += 1
        return script.status

    def _reply(self, message: Message, reply: Reply) -> None:
        """A handset that answers by itself does so once a text, at its last part."""
        place, submit = place_of(message.submit), message.submit
        if place.part == place.total:
            self.inject(submit.destination_addr, submit.source_addr, reply.text, serial=message.serial & 0x7FFFFFFF)

    def _answer_due(self, now: float) -> None:
        due: defaultdict[Link, list[Response]] = defaultdict(list)
        while (held := self._agenda.take(now)) is not None:
            due[held[0]].append(held[1])
        for link, responses in due.items():
            link.respond_many(responses)
        self._agenda.arm(now)

    def _accept(self, link: Link) -> OnEvents:
        self._sessions += 1
        link.session = Recorded(self._journal, self._sessions, link.session.config, self.loop.time())
        self._links.add(link)
        return _Connection(self, link).take

    def _resume(self) -> None:
        self._first_id = self._journal.created_ns * _IDS_A_SECOND // 1_000_000_000
        past = resume(read(self._path), self._first_id, self.phones)
        self._sessions, self._serial = past.sessions, past.serial
        self.routes, self.refused = past.routes, past.refused
        now, wall = self.loop.time(), time.time()
        for message in past.owed.values():
            self.account(message.account).mailbox.owe(message, now, since=wall - message.at)
        for account, text in (same for texts in past.texts.values() for same in texts):
            self.account(account).mailbox.put(text, now)


COUNTED = (
    "accepted", "refused", "throttled", "receipts_sent", "receipts_acknowledged", "texts_typed", "texts_sent",
    "texts_acknowledged", "deliver_refused",
)  # fmt: skip


def mobile_originated(phone: str, recipient: str, text: str, reference: int) -> list[p.DeliverSm]:
    """The deliver_sm of a text that a handset sends; several, with concatenation headers, when it is long."""
    coding = Encoding.GSM if ALPHABET.issuperset(text) else Encoding.UCS2
    parts = segment(text, coding).parts
    ton, npi = _kind(recipient)
    return [
        p.DeliverSm(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=phone,
            dest_addr_ton=ton,
            dest_addr_npi=npi,
            destination_addr=recipient,
            esm_class=UDHI if len(parts) > 1 else 0,
            data_coding=coding,
            short_message=(udh(reference, len(parts), part) if len(parts) > 1 else b"") + encode(piece, coding),
        )
        for part, piece in enumerate(parts, 1)
    ]


def _kind(address: str) -> tuple[int, int]:
    """TON and NPI (SMPP 3.4 sections 5.2.5 and 5.2.6): a name, a short code, else an international number."""
    if not address.isdecimal():
        return 5, 0
    return (3, 0) if len(address) < 7 else (1, 1)


class _Connection:
    """One connection of a client: what its events mean."""

    def __init__(self, smsc: Smsc, link: Link) -> None:
        self._smsc = smsc
        self._link = link
        self._account: Account | None = None

    def take(self, events: list[Event]) -> None:
        """The events of one read: all answers, then the receipts that are due, leave in one write."""
        now = self._smsc.loop.time()
        responses: list[Response] = []
        for event in events:
            if type(event) is Received:
                response = self._request(event, now)
                if response is not None:
                    responses.append(response)
            else:
                self._other(event, now)
        self._link.respond_many(responses)
        if self._account is not None:
            self._account.mailbox.pump(now)

    def _request(self, event: Received, now: float) -> Response | None:
        request = event.pdu
        if type(request) is p.SubmitSm and self._account is not None:
            name, status, script = self._smsc.submitted(self._account, request, now)
            return self._smsc.answer(self._link, (event.sequence, p.SubmitSmResp(name), status), script, now)
        if isinstance(request, p.Bind):
            return self._bind(event.sequence, request)
        return event.sequence, p.response_to(request.command_id), Status.ESME_RINVCMDID

    def _bind(self, sequence: int, bind: p.Bind) -> Response:
        response = p.COMMANDS[bind.command_id | RESPONSE]
        passwords = self._smsc.options.passwords
        if passwords is not None and bind.system_id not in passwords:
            return sequence, response(), Status.ESME_RINVSYSID
        if passwords is not None and passwords[bind.system_id] != bind.password:
            return sequence, response(), Status.ESME_RINVPASWD
        self._account = self._smsc.account(bind.system_id)
        self._smsc.routes.bound = bind.system_id
        if BIND_STATES[bind.command_id] is not State.BOUND_TX:
            self._account.mailbox.join(self._link)
        accepted: p.Pdu = response(system_id=NAME, tlvs=p.tlvs(sc_interface_version=0x34))
        return sequence, accepted, 0

    def _other(self, event: Event, now: float) -> None:
        if isinstance(event, Rejected):
            if event.command_id == p.SubmitSm.command_id:
                self._smsc.rejected()
        elif isinstance(event, Closed):
            self._smsc.left(self._link)
        if self._account is not None:
            self._delivery(self._account.mailbox, event, now)

    def _delivery(self, mailbox: Mailbox, event: Event, now: float) -> None:
        if isinstance(event, Answered):
            mailbox.answered(event.context, event.status, now)
        elif isinstance(event, RequestTimedOut):
            mailbox.again(event.context, now)
        elif isinstance(event, Lost):
            mailbox.again(event.context, now, at_once=True)
        elif isinstance(event, Closed):
            mailbox.leave(self._link)
