"""The people of the campaign proof, as rows of a list: who they are, how their numbers are written, what each is to get.

One rule: what is expected of each is written here by hand, or follows from `holidays` and `zoneinfo`; nothing of ours
is asked.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import holidays

SHORT_CODE = "36000"
PRICE = 38_000  # micro-euros a part, to a mobile in France, overseas too
TESTER = "33639988050"  # who gets the test
MESSAGE = "Bonjour {{prénom|cher client}}, -20% samedi en boutique ({{Code Postal|France}})."
STOPS = ("STOP", "stop", "Stop merci", "S.T.O.P.", f"STOP {SHORT_CODE}")
ANSWERS = ("Oui merci", "C'est noté", "Qui êtes-vous ? Ne m'écrivez plus")  # no opt-out by the letter of the contract
HEADINGS = ["tel", "prénom", "code postal"]
NAMES = {
    "Ana": "Ana",
    "Zoé": "Zoé",
    "François": "Francois",  # what GSM 03.38 cannot write is brought near
    "Łukasz": "Lukasz",
    "D’Arcy": "D'Arcy",
    " Bo ": "Bo",
    "{{code postal}}": "{{code postal}}",  # a value is never a field
    "Анна": "cher client",  # and what cannot be brought near is missing
    "": "cher client",
}
"""First names as the list has them, and how they arrive."""

MAGIC = ("000", "001", "002", "003", "004", "010", "030", "032", "034", "035", "040", "041", "042")
"""Numbers with which the operator does something on purpose, one of each in the list; 002 and 010 prove dead."""
PREFIX = "33639988"


class Place(enum.Enum):
    """Where somebody is: share in percent, zone, subdivision whose holidays count, beginnings of numbers, postcodes."""

    METROPOLITAN = (45, "Europe/Paris", None, ("3361", "3367", "3375"), ("75011", "33000", "20000", ""))
    ALSACE = (16, "Europe/Paris", "57", ("3362", "3376"), ("57000", "67000", "68100"))
    REUNION = (22, "Indian/Reunion", "974", ("262692", "262693"), ("97400", "97410", ""))
    GUADELOUPE = (17, "America/Guadeloupe", None, ("590690", "590691"), ("97100", "97190", ""))

    @property
    def share(self) -> int:
        return self.value[0]

    def number(self, n: int) -> str:
        """The n-th number here, E.164 without +."""
        beginnings = self.value[3]
        beginning = beginnings[n % len(beginnings)]
        return beginning + f"{n:0{11 - len(beginning)}d}" if beginning[:2] == "33" else beginning + f"{n:06d}"


class Fate(enum.Enum):
    """What is known of somebody before the campaign is launched, or before it starts."""

    ELIGIBLE = "eligible"
    OPTED_OUT = "opted_out"  # before the launch
    OPTED_OUT_LATER = "opted_out_later"  # between the launch and the start
    BOUNCED = "bounced"
    FIXED = "number_fixed"
    ABROAD = "international_off"


@dataclass(slots=True)
class Person:
    """A recipient. `rows`: how the number is written, once for each row of the list; `name`: as written there."""

    phone: str  # E.164 without +
    place: Place
    name: str
    postcode: str
    fate: Fate = Fate.ELIGIBLE
    rows: list[str] = field(default_factory=list)
    is_magic: bool = False

    @property
    def text(self) -> str:
        """What must arrive."""
        return f"Bonjour {NAMES[self.name]}, -20% samedi en boutique ({self.postcode or 'France'}).\nSTOP {SHORT_CODE}"


@dataclass
class Crowd:
    """Everybody. `rows`: of the files, in order; `spoilt`: how many of them are no numbers; `repeats`: how many repeat
    a number in another spelling."""

    people: dict[str, Person]
    rows: list[list[str]]
    spoilt: int
    repeats: int

    def of(self, *fates: Fate) -> list[Person]:
        """Those with one of these fates."""
        return [one for one in self.people.values() if one.fate in fates]


def crowd(count: int, chance: random.Random) -> Crowd:
    """So many recipients: 3 % of them repeated in another spelling, 2 % opted out, in random order."""
    people = list(_recipients(count, chance))
    plain = [one for one in people if not one.is_magic]
    chance.shuffle(plain)
    out = count * 2 // 100
    for fate, number in ((Fate.OPTED_OUT, out - out // 4), (Fate.OPTED_OUT_LATER, out // 4), (Fate.BOUNCED, 3)):
        for _ in range(number):
            plain.pop().fate = fate
    repeated = chance.sample(people, count * 3 // 100)
    people += _unfit()
    chance.shuffle(people)
    for one in people:
        one.rows.append(chance.choice(SPELLINGS[: 1 if one.fate in (Fate.FIXED, Fate.ABROAD) else None])(one.phone))
    for one in repeated:
        one.rows.append(chance.choice([way(one.phone) for way in SPELLINGS if way(one.phone) != one.rows[0]]))
    return Crowd({one.phone: one for one in people}, _rows(people, repeated, chance), len(SPOILT), len(repeated))


SPOILT = ("bonjour", "12", "", "+33 6", "06 12 34 56 7")


def _rows(people: list[Person], repeated: list[Person], chance: random.Random) -> list[list[str]]:
    """The first row of each, and behind it, anywhere, the second, which says something else of the person."""
    placed = [(at, [one.rows[0], one.name, one.postcode]) for at, one in enumerate(people)]
    first = {one.phone: at for at, one in enumerate(people)}
    for one in repeated:
        at = first[one.phone]
        placed.append((chance.uniform(at, len(people)) + 0.5, [one.rows[1], "Double", "99999"]))
    placed += [(chance.uniform(0, len(people)), [number, "Ana", ""]) for number in SPOILT]
    return [row for _, row in sorted(placed, key=lambda item: item[0])]


def _recipients(count: int, chance: random.Random) -> Iterator[Person]:
    for ending in MAGIC:
        yield Person(PREFIX + ending, Place.METROPOLITAN, chance.choice(list(NAMES)), "75011", is_magic=True)
    places = [place for place in Place for _ in range(place.share)]
    for n in range(count - len(MAGIC)):
        place = places[n % len(places)]
        postcodes = place.value[4]
        yield Person(place.number(n), place, chance.choice(list(NAMES)), chance.choice(postcodes))


def _unfit() -> list[Person]:
    """In the list, and never written to."""
    return [
        Person("33140000001", Place.METROPOLITAN, "Ana", "", Fate.FIXED),
        Person("262262000001", Place.REUNION, "Ana", "", Fate.FIXED),
        Person("32470123456", Place.METROPOLITAN, "Ana", "", Fate.ABROAD),
    ]


# --- spellings -----------------------------------------------------------------------------------------------------


def _national(phone: str) -> str:
    """0 and nine digits, as it is dialled at home."""
    return "0" + phone[-9:]


def _pairs(phone: str, blank: str) -> str:
    digits = _national(phone)
    return blank.join(digits[at : at + 2] for at in range(0, 10, 2))


def _bracketed(phone: str) -> str:
    code, digits = phone[:-9], phone[-9:]
    return f"+{code} (0){digits}" if code == "33" else f"+{code} {digits[:3]} {digits[3:]}"


SPELLINGS: list[Callable[[str], str]] = [
    lambda phone: f"+{phone}",
    lambda phone: f"00{phone}",
    _national,
    lambda phone: _pairs(phone, " "),
    lambda phone: _pairs(phone, "."),
    lambda phone: _pairs(phone, "-"),
    lambda phone: _pairs(phone, "\N{NO-BREAK SPACE}"),
    _bracketed,
]


# --- when they may be written to -----------------------------------------------------------------------------------

PARIS = ZoneInfo("Europe/Paris")
_HOLIDAYS = {
    subdivision: holidays.country_holidays("FR", subdiv=subdivision, years=range(2026, 2028))
    for subdivision in (None, "57", "974")
}


def is_open(at: datetime, place: Place) -> bool:
    """Whether marketing may leave: Monday to Saturday, 8 to 20, no public holiday, in Paris and where they are."""
    closed = _HOLIDAYS[place.value[2]]
    for zone in (PARIS, ZoneInfo(place.value[1])):
        local = at.astimezone(zone)
        if local.weekday() == 6 or local.date() in closed or not 8 <= local.hour < 20:
            return False
    return True
