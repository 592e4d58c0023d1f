"""A year of invented messages, written by COPY: what the platform's tables hold after it, figures and money included.

Memory does not grow with the number of messages. The one rule: it all agrees, so that `statistics.recount`, the ledger
and the lists of blocked numbers find nothing wrong.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

import asyncpg

from passerelle.pipeline.keys import Keyring
from passerelle.store.numbering import MESSAGE_BLOCK, MONTH_SHIFT, NUMBER_BLOCK, month_of
from passerelle.store.retention import BLANKED

FIRST_ACCOUNT = 2000
FIRST_PHONE = 33_610_000_000  # below it: numbers that nobody wrote to
PHONES = 3_000_000
CARRIER = "bench"
CREDIT = 1_000_000_000_000  # micro-euros each account began with
PRICE = 38_000
TAGS = 20
BATCH = 20_000
YEAR = timedelta(days=365)
TEXTS = timedelta(days=90)
TEXT = "Bonjour, votre commande est arrivee en magasin : elle vous attend jusqu'a samedi."


class Kind(NamedTuple):
    """What became of a message."""

    state: int
    sent: bool = True
    submitted: bool = True
    delivered: bool = False
    failed: bool = False
    bounced: bool = False
    stopped: bool = False
    refunded: bool = False
    replied: bool = False
    awaited: bool = False
    error: str = ""

    @property
    def figures(self) -> tuple[int, ...]:
        """sent, submitted, delivered, errors, bounced, replies: what it counts for."""
        errors = self.sent and self.failed and not self.bounced and not self.delivered
        return (self.sent, self.submitted, self.delivered, errors, self.bounced, self.replied and not self.stopped)


DELIVERED = Kind(10, delivered=True)
WITH_OPERATOR = Kind(1, awaited=True)
_RARE = {
    Kind(11, failed=True, error="UNDELIV"): 40,
    Kind(12, failed=True, bounced=True, error="001"): 5,
    Kind(17, failed=True): 20,
    Kind(13, submitted=False, failed=True, error="ESME_RSUBMITFAIL"): 8,
    Kind(15, sent=False, submitted=False, refunded=True): 8,
    Kind(16, sent=False, submitted=False, stopped=True, refunded=True): 5,
    Kind(10, delivered=True, replied=True): 5,
    Kind(10, delivered=True, replied=True, stopped=True): 2,
}
_rare = [kind for kind, share in _RARE.items() for _ in range(share)]
KINDS = _rare + [DELIVERED] * (1024 - len(_rare))  # drawn with ten random bits

_COLUMNS = {
    "submission": "account_id id dialect number accepted_at due_at messages cost text sender tag tag_key class service",
    "message": "account_id id submission_id dialect number phone country encoding parts price refunded refunded_parts"
    " state state_at sent_at submitted_at delivered_at failed_at bounced_at stopped_at reply_at carrier_id error",
    "part": "account_id message_id part state state_at begun",
    "posting": "at from_account to_account amount kind submission_id message_id",
    "reply": "account_id token carrier_id phone recipient text at stop message_id dialect tag tag_key",
    "blocked": "account_id list phone token created_at",
    "awaiting": "carrier_id operator_id account_id message_id part submission_id phone at",
    "queue": "account_id message_id part submission_id carrier_id lane class due_at valid_until stop_applies",
    "statistic_delta": "account_id dialect tag_key at messages waiting parts cost",
    "statistic_hour": "account_id dialect hour parts cost",
    "statistic_total": "account_id dialect tag_key messages waiting sent submitted delivered errors bounced replies",
    "account": "id email firstname lastname key_hash key_sealed secret_sealed created_at",
    "wallet": "account_id balance",
}
_LATER = """
insert into statistic_distinct (account_id, dialect, figure, tag_key, phone)
select distinct r.account_id, r.dialect, 1, k.tag_key, r.phone
from reply r cross join lateral (select '' as tag_key union select r.tag_key) k where r.stop;
insert into statistic_numbers
select account_id, dialect, figure, tag_key, count(*) from statistic_distinct group by 1, 2, 3, 4;
insert into blocked (account_id, list, phone, token, created_at)
select account_id, 1, phone, min(token), min(at) from reply where stop group by account_id, phone;
"""


def key_of(account_id: int) -> str:
    """The dialect key of an invented account."""
    return f"{account_id:032x}"


@dataclass
class Totals:
    """What is added up on the way."""

    done: int = 0
    numbers: dict[int, int] = field(default_factory=lambda: {1: 0, 2: 0})
    rows: int = 0
    balance: defaultdict[int, int] = field(default_factory=lambda: defaultdict(lambda: CREDIT))
    kinds: dict[tuple[int, int, str], dict[Kind, int]] = field(default_factory=dict)
    hours: dict[tuple[int, int, datetime], list[int]] = field(default_factory=dict)
    bounced: set[tuple[int, int]] = field(default_factory=set)


@dataclass(slots=True)
class Send:
    """One submission in the making."""

    account: int
    dialect: int
    tag: str
    tag_key: str
    id: int
    number: int
    at: datetime
    count: int

    def times(self) -> tuple[str, ...]:
        """Accepted, sent, ended; as text."""
        return tuple(f"{self.at + timedelta(seconds=after):%Y-%m-%d %H:%M:%S+00}" for after in (0, 1, 7))


class History:
    """Invents messages of a year up to `now`; the same for the same arguments."""

    def __init__(self, *, accounts: int, messages: int, now: datetime, scheduled: int = 1000, seed: int = 1) -> None:
        self.accounts = list(range(FIRST_ACCOUNT, FIRST_ACCOUNT + accounts))
        self.messages = messages
        self.now = now.replace(microsecond=0)
        self.scheduled = scheduled
        self.totals = Totals()
        self._start = self.now - YEAR
        self._with_text = month_of(self.now - TEXTS)  # texts of the months before were blanked, night by night
        self._random = random.Random(seed)
        self._weights = list(accumulate(1 / (n + 3) for n in range(accounts)))
        self._sizes = [range(1, 2)] * 90 + [range(2, 21)] * 8 + [range(20, 201)] * 2
        self._rows: dict[str, list[str]] = {}

    async def write(self, url: str, keyring: Keyring, tell: Callable[[int], None] = lambda done: None) -> None:
        """Write it all to a migrated database without messages; `tell` hears how many are there."""
        connection = await asyncpg.connect(url)
        try:
            self.carrier = await connection.fetchval("insert into carrier (name) values ($1) returning id", CARRIER)
            for month in range(month_of(self._start), month_of(self.now) + 2):
                await connection.execute("select make_month($1)", month)
            batches = self._batches()
            made = asyncio.create_task(asyncio.to_thread(self._next, batches))
            while (rows := await made) is not None:
                made = asyncio.create_task(asyncio.to_thread(self._next, batches))
                await _copy(connection, rows)
                tell(self.totals.done)
            await _copy(connection, self._ending(keyring))
            await connection.execute(_LATER)
            blanked = " ".join(str(month) for month in range(month_of(self._start), self._with_text))
            await connection.execute("insert into installation (name, value) values ($1, $2)", BLANKED, blanked)
            await self._advance_sequences(connection)
        finally:
            await connection.close()

    @staticmethod
    def _next(batches: Iterator[dict[str, list[str]]]) -> dict[str, list[str]] | None:
        return next(batches, None)

    # --- batches ---------------------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[dict[str, list[str]]]:
        month = month_of(self._start)
        while self.totals.done < self.messages:
            self._rows = defaultdict(list)
            end = min(self.totals.done + BATCH, self.messages)
            while self.totals.done < end:
                self._submission(end - self.totals.done)
            if month != (month := month_of(self._moment())):
                self._write_hours(_hour(self._moment()))
            yield self._rows
        self._rows = defaultdict(list)
        for _ in range(self.scheduled):
            self._scheduled()
        self._write_hours(self.now + YEAR)
        yield self._rows

    def _moment(self) -> datetime:
        return self._start + YEAR * (self.totals.done / self.messages)

    def _draw(self, at: datetime, most: int) -> Send:
        draw, totals = self._random, self.totals
        account = draw.choices(self.accounts, cum_weights=self._weights)[0]
        dialect = 1 if draw.random() < 0.6 else 2
        count = min(most, draw.choice(draw.choice(self._sizes)))
        tag = f"Tag-{int(TAGS * draw.random() ** 2)}" if draw.random() < 0.6 else ""
        number = totals.numbers[dialect] + 1
        totals.numbers[dialect] += 1 if dialect == 1 else count
        first = month_of(at) << MONTH_SHIFT | totals.rows + 1
        totals.rows += count
        return Send(account, dialect, tag, tag.lower() if dialect == 1 else tag, first, number, at, count)

    def _submission(self, most: int) -> None:
        send = self._draw(self._moment(), most)
        at, sent, ended = send.times()
        recent = self.now - send.at < timedelta(hours=24)
        price = parts = 0
        kinds = self.totals.kinds.setdefault((send.account, send.dialect, send.tag_key), {})
        tails: dict[Kind, str] = {}
        for offset in range(send.count):
            kind = KINDS[self._random.getrandbits(10)]
            if recent and kind is DELIVERED and offset % 8 == 0:
                kind = WITH_OPERATOR
            if kind not in tails:
                tails[kind] = self._tail(kind, at, sent, ended)
            one = 2 if self._random.getrandbits(3) == 0 else 1
            price += PRICE * one
            parts += 0 if kind.refunded else one
            kinds[kind] = kinds.get(kind, 0) + 1
            self._message(send, offset, kind, one, tails[kind])
        self._write_submission(send, at, at, price)
        hour = self.totals.hours.setdefault((send.account, send.dialect, _hour(send.at)), [0])
        hour[0] += parts
        self.totals.done += send.count

    def _tail(self, kind: Kind, at: str, sent: str, ended: str) -> str:
        final = ended if kind.state >= 10 else sent
        times = (
            sent if kind.sent else "\\N",
            sent if kind.submitted else "\\N",
            ended if kind.delivered else "\\N",
            ended if kind.failed else "\\N",
            ended if kind.bounced else "\\N",
            ended if kind.stopped else "\\N",
            ended if kind.replied else "\\N",
            str(self.carrier) if kind.sent else "\\N",
        )
        return "\t".join((str(kind.state), final, *times, kind.error)) + "\n"

    def _message(self, send: Send, offset: int, kind: Kind, parts: int, tail: str) -> None:
        id_, phone = send.id + offset, FIRST_PHONE + int(self._random.random() * PHONES)
        snapshot = 0 if send.dialect == 1 else send.number + offset
        back = parts if kind.refunded else 0
        self._rows["message"].append(
            f"{send.account}\t{id_}\t{send.id}\t{send.dialect}\t{snapshot}\t{phone}\tFR\t0\t{parts}\t{parts * PRICE}"
            f"\t{back * PRICE}\t{back}\t{tail}"
        )
        if parts > 1:
            state, at = tail.split("\t", 2)[:2]
            for part in range(1, parts + 1):
                self._rows["part"].append(
                    f"{send.account}\t{id_}\t{part}\t{state}\t{at}\t{'t' if kind.sent else 'f'}\n"
                )
        if kind is not DELIVERED:
            self._consequences(send, id_, phone, kind, parts)

    def _consequences(self, send: Send, id_: int, phone: int, kind: Kind, parts: int) -> None:
        at = send.times()[2]
        if kind.refunded:
            self._rows["posting"].append(f"{at}\t1\t{send.account}\t{parts * PRICE}\t2\t{send.id}\t{id_}\n")
            self.totals.balance[send.account] += parts * PRICE
        if kind.bounced and (send.account, phone) not in self.totals.bounced:
            self.totals.bounced.add((send.account, phone))
            self._rows["blocked"].append(f"{send.account}\t2\t{phone}\t{_token(id_)}\t{at}\n")
        if kind.replied:
            self._rows["reply"].append(
                f"{send.account}\t{_token(id_)}\t{self.carrier}\t{phone}\t36000\t{'STOP' if kind.stopped else 'Merci'}"
                f"\t{at}\t{'t' if kind.stopped else 'f'}\t{id_}\t{send.dialect}\t{send.tag}\t{send.tag_key}\n"
            )
        if kind.awaited:
            for part in range(1, parts + 1):
                self._rows["awaiting"].append(
                    f"{self.carrier}\th{id_}-{part}\t{send.account}\t{id_}\t{part}\t{send.id}\t{phone}\t{at}\n"
                )

    def _scheduled(self) -> None:
        """One message for tomorrow: in the queue, counted, and not yet in what was spent by now."""
        send = self._draw(self.now - timedelta(minutes=1), 1)
        due = self.now + timedelta(seconds=self._random.randrange(86_000, 90_000))
        at, to = send.times()[0], f"{due:%Y-%m-%d %H:%M:%S+00}"
        until = f"{due + timedelta(hours=48):%Y-%m-%d %H:%M:%S+00}"
        self._write_submission(send, at, to, PRICE)
        phone = FIRST_PHONE + self._random.randrange(PHONES)
        snapshot = 0 if send.dialect == 1 else send.number
        nulls = "\t\\N" * 8
        self._rows["message"].append(
            f"{send.account}\t{send.id}\t{send.id}\t{send.dialect}\t{snapshot}\t{phone}\tFR\t0\t1\t{PRICE}\t0\t0\t0\t{at}{nulls}\t\n"
        )
        self._rows["queue"].append(f"{send.account}\t{send.id}\t1\t{send.id}\t{self.carrier}\t1\t0\t{to}\t{until}\tt\n")
        self._rows["statistic_delta"].append(
            f"{send.account}\t{send.dialect}\t{send.tag_key}\t{to}\t1\t1\t1\t{PRICE}\n"
        )

    def _write_submission(self, send: Send, at: str, due: str, cost: int) -> None:
        number = send.number if send.dialect == 1 else 0
        text = TEXT if month_of(send.at) >= self._with_text else ""
        self._rows["submission"].append(
            f"{send.account}\t{send.id}\t{send.dialect}\t{number}\t{at}\t{due}\t{send.count}\t{cost}\t{text}\t"
            f"\t{send.tag}\t{send.tag_key}\t0\t1\n"
        )
        self.totals.balance[send.account] -= cost

    def _write_hours(self, until: datetime) -> None:
        """Those before `until`, in the order of time, as folding writes them: the hours of one account lie apart."""
        hours = self.totals.hours
        for key in sorted((key for key in hours if key[2] < until), key=lambda key: key[2]):
            account, dialect, hour = key
            (parts,) = hours.pop(key)
            self._rows["statistic_hour"].append(
                f"{account}\t{dialect}\t{hour:%Y-%m-%d %H:00+00}\t{parts}\t{parts * PRICE}\n"
            )

    # --- the end ---------------------------------------------------------------------------------------------------

    def _ending(self, keyring: Keyring) -> dict[str, list[str]]:
        rows: dict[str, list[str]] = defaultdict(list)
        start = f"{self._start:%Y-%m-%d %H:%M:%S+00}"
        for account in self.accounts:
            key = key_of(account)
            sealed = [_bytes(keyring.seal(plain)) for plain in (key.encode(), b"a secret for notifications")]
            rows["account"].append(
                f"{account}\ta{account}@example.org\tA\tB\t{_bytes(keyring.hash(key))}\t{sealed[0]}\t{sealed[1]}\t{start}\n"
            )
            rows["wallet"].append(f"{account}\t{self.totals.balance[account]}\n")
            rows["posting"].append(f"{start}\t0\t{account}\t{CREDIT}\t3\t\\N\t\\N\n")
        for (account, dialect, tag), figures in self._figures().items():
            written = "\t".join(map(str, figures))
            rows["statistic_total"].append(f"{account}\t{dialect}\t{tag}\t{written}\n")
        return rows

    def _figures(self) -> dict[tuple[int, int, str], list[int]]:
        """messages, waiting, sent, submitted, delivered, errors, bounced, replies: of each tag, and of all ('')."""
        figures: dict[tuple[int, int, str], list[int]] = defaultdict(lambda: [0] * 8)
        for (account, dialect, tag), kinds in self.totals.kinds.items():
            for kind, count in kinds.items():
                for key in {(account, dialect, tag), (account, dialect, "")}:
                    figures[key] = [
                        old + count * new for old, new in zip(figures[key], (1, 0, *kind.figures), strict=True)
                    ]
        return figures

    async def _advance_sequences(self, connection: asyncpg.Connection) -> None:
        for sequence, last, block in (
            ("message_block", self.totals.rows, MESSAGE_BLOCK),
            ("message_number", self.totals.numbers[1], NUMBER_BLOCK),
            ("snapshot_number", self.totals.numbers[2], NUMBER_BLOCK),
        ):
            await connection.execute(
                "select setval($1::text::regclass, $2, false)", sequence, last // block * block + block + 1
            )
        await connection.execute("select setval('account_number', $1)", self.accounts[-1] + 1000)


async def _copy(connection: asyncpg.Connection, rows: dict[str, list[str]]) -> None:
    for table in [table for table in _COLUMNS if rows.get(table)]:
        await connection.copy_to_table(table, columns=_COLUMNS[table].split(), source=_chunks(rows[table]))


async def _chunks(lines: list[str], size: int = 500) -> AsyncIterator[bytes]:
    for start in range(0, len(lines), size):
        yield "".join(lines[start : start + size]).encode()


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def _token(number: int) -> str:
    return _bytes(number.to_bytes(12, "big"))


def _bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()
