"""The contact base comes from a CSV file: one person a line, with the proof of consent.

The one rule: a line without date, source and proof of consent is refused; every refused line is told with its number
and the reason, and never with the person. One batch in memory at a time, whatever the size of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any, TextIO

from ..domain import numbers
from ..domain.calendar import PARIS
from ..domain.numbers import Kind
from ..domain.rental import Sex
from ..store import rental as store
from ..store.database import Database
from ..store.rental import Person

NEEDED = (
    "phone", "sex", "birth_year", "zipcode", "interests", "category", "consent_date", "consent_source", "consent_proof",
)  # fmt: skip
OPTIONAL = ("consent_until",)
BATCH = 5_000  # lines
LONGEST = 500  # characters of source and proof
OLDEST_YEAR = 1900
_SEXES = {"h": Sex.MAN, "f": Sex.WOMAN}


class NoBase(Exception):
    """The file cannot be a contact base: why."""


class Refused(Exception):
    """Why a line is not imported."""


@dataclass
class Imported:
    """What became of the lines."""

    people: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What a line may name: interest -> its parent or 0, and categories; `today` in Paris."""

    interests: Mapping[int, int]
    categories: frozenset[int]
    today: date


async def import_file(
    db: Database, file: Path, report: Path, now: datetime, tell: Callable[[int], None] = lambda lines: None
) -> Imported:
    """Import `file`; `report` gets `line,reason` of each line that is refused. Raises NoBase, OSError."""
    known = Known(
        {one.id: one.parent for one in await store.interests(db)},
        frozenset(await store.categories(db)),
        now.astimezone(PARIS).date(),
    )
    done = Imported()
    with open(report, "w", encoding="utf-8", newline="") as out, opened(file) as lines:
        told = csv.writer(out)
        told.writerow(("line", "reason"))
        for batch in _batches(read(lines)):
            refused = await _import(db, batch, known, now)
            told.writerows(refused)
            done.refused += len(refused)
            done.people += len(batch) - len(refused)
            tell(done.people + done.refused)
    if done.people:
        await store.settle_down(db)
    return done


Line = tuple[int, dict[str, str] | str]
"""Its number in the file, the header is 1; its members, or why it has none."""


def opened(file: Path) -> TextIO:
    """As text, whatever bytes it holds."""
    return open(file, encoding="utf-8-sig", errors="replace", newline="")


def read(lines: TextIO) -> Iterator[Line]:
    """The lines of a file behind its header; commas, semicolons or tabs between. Raises NoBase."""
    header = lines.readline().replace("\0", "")
    delimiter = max(",;\t", key=header.count)
    columns = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise NoBase(f"the header has no {', '.join(missing)}; it is to be: {','.join((*NEEDED, *OPTIONAL))}")
    rows = csv.reader((line.replace("\0", "") for line in lines), delimiter=delimiter)
    while True:
        number = rows.line_num + 2
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, f"no CSV: {error}"
            continue
        if len(row) != len(columns):
            if any(row):
                yield number, f"{len(row)} columns instead of {len(columns)}"
            continue
        yield number, dict(zip(columns, row, strict=True))


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _import(db: Database, batch: Iterable[Line], known: Known, now: datetime) -> list[tuple[int, str]]:
    """One transaction; the lines refused. Of several lines with one number the last counts."""
    refused: list[tuple[int, str]] = []
    people: dict[int, tuple[int, Person]] = {}
    again: dict[int, list[int]] = {}
    for number, members in batch:
        try:
            person = person_of(members, known)
        except Refused as why:
            refused.append((number, str(why)))
            continue
        again.setdefault(person.phone, []).append(number)
        people[person.phone] = number, person
    async with db.transaction() as connection:
        for phone, at in (await store.opted_out(connection, list(people))).items():
            del people[phone]
            refused += [
                (number, f"opted out of the base on {at.astimezone(PARIS):%Y-%m-%d}") for number in again[phone]
            ]
        await store.put(connection, [person for _, person in people.values()], now)
    return sorted(refused)


def person_of(members: Mapping[str, str] | str, known: Known) -> Person:
    """The person of a line. Raises Refused."""
    if isinstance(members, str):
        raise Refused(members)
    cells = {name: members.get(name, "").strip() for name in (*NEEDED, *OPTIONAL)}
    return Person(
        phone=_phone(cells["phone"]),
        sex=_sex(cells["sex"]),
        birth_year=_birth_year(cells["birth_year"], known.today),
        zipcode=_zipcode(cells["zipcode"]),
        interests=_interests(cells["interests"], known.interests),
        category=_category(cells["category"], known.categories),
        consent_date=_consent_date(cells["consent_date"], known.today),
        consent_source=_words(cells["consent_source"], "source"),
        consent_proof=_words(cells["consent_proof"], "proof"),
        consent_until=_day(cells["consent_until"], "consent_until") if cells["consent_until"] else date.max,
    )


def _phone(written: str) -> int:
    number = numbers.normalise(written)
    if number is None:
        raise Refused("phone is no valid number" if written else "phone is missing")
    if number.kind is not Kind.MOBILE:
        raise Refused("phone is no mobile")
    return int(number.e164[1:])


def _sex(written: str) -> Sex:
    sex = _SEXES.get(written.lower())
    if sex is None:
        raise Refused("sex is not h or f")
    return sex


def _birth_year(written: str, today: date) -> int:
    if not (len(written) == 4 and _is_digits(written) and OLDEST_YEAR <= int(written) <= today.year):
        raise Refused(f"birth_year is not a year from {OLDEST_YEAR} to {today.year}")
    return int(written)


def _zipcode(written: str) -> str:
    if not (len(written) == 5 and _is_digits(written)):
        raise Refused("zipcode is not five digits")
    return written


def _interests(written: str, known: Mapping[int, int]) -> tuple[int, ...]:
    """`14;14.35` as (14, 35): a sub-interest brings its interest."""
    found: dict[int, None] = {}
    for piece in filter(None, (piece.strip() for piece in written.split(";"))):
        parent, dot, sub = piece.partition(".")
        ids = [int(one) if _is_digits(one) else 0 for one in ((parent, sub) if dot else (parent,))]
        if any(one not in known for one in ids) or (dot and known[ids[1]] != ids[0]):
            raise Refused(f"interest {piece} is not known")
        own = known[ids[-1]]
        found.update(dict.fromkeys([own, ids[-1]] if own else ids))
    return tuple(found)


def _category(written: str, known: frozenset[int]) -> int:
    if not written:
        return 0
    if not _is_digits(written) or int(written) not in known:
        raise Refused(f"category {written[:20]} is not known")
    return int(written)


def _consent_date(written: str, today: date) -> date:
    if not written:
        raise Refused("consent without a date")
    day = _day(written, "consent_date")
    if day > today:
        raise Refused("consent_date is in the future")
    return day


def _words(written: str, name: str) -> str:
    if not written:
        raise Refused(f"consent without a {name}")
    if len(written) > LONGEST:
        raise Refused(f"the {name} of the consent is longer than {LONGEST} characters")
    return written


def _day(written: str, name: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Refused(f"{name} is not a day like 2026-11-30") from None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def report_of(file: Path) -> Path:
    """Where the report goes unless it is said."""
    return file.with_name(file.name + ".refused.csv")


def example(count: int) -> Iterator[dict[str, Any]]:
    """People who do not exist, with numbers kept free for fiction (06 39 98 xx xx), for trying out."""
    towns = ("60200", "60000", "02200", "02100", "75011", "69003", "13001", "97400")
    dice = Random(14)  # the same people everywhere
    for n in range(count):
        yield {
            "phone": f"06399{80000 + n:05}",
            "sex": dice.choice("hf"),
            "birth_year": str(dice.randint(1940, 2007)),
            "zipcode": dice.choice(towns),
            "interests": dice.choice(("14", "14.35")),
            "category": dice.choice(("102", "103", "")),
            "consent_date": "2026-01-15",
            "consent_source": "fiction",
            "consent_proof": f"example {n}",
        }


async def fill_with_examples(db: Database, count: int, now: datetime) -> None:
    """Put them into a base that is empty."""
    if not await store.is_empty(db):
        return
    known = Known({14: 0, 35: 14}, frozenset({102, 103}), now.astimezone(PARIS).date())
    people = [person_of(members, known) for members in example(count)]
    async with db.transaction() as connection:
        await store.put(connection, people, now)
    await store.settle_down(db)
