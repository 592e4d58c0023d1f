"""Number -> script: what the simulated operator does with a text to that number. Pure.

One rule: `MAGIC` is the only place where a number gets a meaning. The numbers lie in a block of the range that the
French regulator keeps for fiction (06 39 98 xx xx), so none belongs to anybody. Every other number is delivered.

    06 39 98 80 0x   how the message ends        06 39 98 80 3x   how the receipt travels
    06 39 98 80 1x   how the submit is refused   06 39 98 80 4x   what the handset answers
    06 39 98 80 2x   how the answer is lost
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from passerelle.smpp.receipt import ReportState
from passerelle.smpp.status import Status

PREFIX = "33639988"
ALWAYS = -1

UNKNOWN_SUBSCRIBER = 1  # 3GPP TS 29.002 section 17.6.6: the number is not attributed
CALL_BARRED = 13
ABSENT_SUBSCRIBER = 27  # switched off or out of reach


class Pause(Enum):
    """How long the operator waits before a step; the lengths are settings of the simulator."""

    NONE = "none"
    USUAL = "usual"  # receipt_delay
    LONG = "long"  # late_delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the operator behaves towards every number. Times in seconds."""

    response_delay: float = 0.0  # from submit_sm to its answer
    receipt_delay: float = 0.5  # from one step to the next
    late_delay: float = 30.0
    early_gap: float = 1.0  # how long the answer stays behind a receipt that comes first
    retry_delay: float = 1.0  # before a refused deliver_sm is sent again; doubles up to a minute
    receipt_timeout: float = 30.0  # without deliver_sm_resp the same again
    rate: float = 0.0  # submits a second and account; beyond: ESME_RTHROTTLED. 0: no limit
    window: int = 100  # unanswered deliver_sm a bind
    passwords: Mapping[str, str] | None = None  # by system_id; None: anybody may bind

    def seconds(self, pause: Pause) -> float:
        """The length of a pause."""
        return {Pause.NONE: 0.0, Pause.USUAL: self.receipt_delay, Pause.LONG: self.late_delay}[pause]


class Answer(Enum):
    """When the submit_sm_resp leaves."""

    AT_ONCE = "at once"
    AFTER_RECEIPT = "after the receipt"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery receipt; `error` is what it carries in `err:`, three digits."""

    state: ReportState
    error: int = 0
    pause: Pause = Pause.USUAL


@dataclass(frozen=True, slots=True)
class Reply:
    """The handset texts back."""

    text: str
    pause: Pause = Pause.USUAL


Step = Report | Reply

DELIVERED = Report(ReportState.DELIVRD)


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to one submit_sm, in order: refusals, answer, then the steps one after the other.

    `refused` times the submit gets `status` (ALWAYS: each time), the next one is accepted. `accepted` is False where
    the operator takes no notice at all. `reaches` says whether the text appears on the handset.
    """

    name: str
    story: str
    steps: tuple[Step, ...] = (DELIVERED,)
    status: Status = Status.ESME_ROK
    refused: int = 0
    answer: Answer = Answer.AT_ONCE
    accepted: bool = True
    reaches: bool = True
    hex_receipt: bool = False

    def refuses(self, refused_before: int) -> bool:
        """Whether the next submit is refused, after so many refusals in a row."""
        return self.refused == ALWAYS or refused_before < self.refused


ORDINARY = Script("ordinary", "Accepted, delivered, one receipt.")

LONG_REPLY = (
    "Bonjour, merci pour votre message. Je ne pourrai pas venir mardi à 14 h comme prévu, car je suis en déplacement "
    "jusqu'à la fin de la semaine. Serait-il possible de déplacer le rendez-vous au lundi suivant, de préférence le "
    "matin ? Sinon, le jeudi après-midi me convient aussi. Cordialement, Camille"
)


def _ends(name: str, story: str, state: ReportState, error: int) -> Script:
    return Script(name, story, (Report(state, error),), reaches=False)


def _refused(name: str, story: str, status: Status, times: int) -> Script:
    return Script(name, story, status=status, refused=times, reaches=times != ALWAYS)


def _replies(name: str, story: str, text: str) -> Script:
    return Script(name, story, (DELIVERED, Reply(text)))


MAGIC: dict[str, Script] = {
    PREFIX + ending: script
    for ending, script in {
        "000": Script("delivered", "Accepted, delivered, one receipt: as any ordinary number."),
        "001": _ends("undelivered", "Receipt UNDELIV, err:027: switched off.", ReportState.UNDELIV, ABSENT_SUBSCRIBER),
        "002": _ends(
            "unknown number", "Receipt UNDELIV, err:001: nobody has that number.", ReportState.UNDELIV,
            UNKNOWN_SUBSCRIBER,
        ),
        "003": _ends("rejected", "Receipt REJECTD, err:013: barred.", ReportState.REJECTD, CALL_BARRED),
        "004": _ends("expired", "Receipt EXPIRED, err:027: never came back in time.", ReportState.EXPIRED,
                     ABSENT_SUBSCRIBER),
        "010": _refused("refused for ever", "Each submit is refused with ESME_RINVDSTADR.", Status.ESME_RINVDSTADR,
                        ALWAYS),
        "011": _refused("refused for now", "Refused twice with ESME_RSYSERR, then delivered.", Status.ESME_RSYSERR, 2),
        "012": _refused("queue full", "Refused twice with ESME_RMSGQFUL, then delivered.", Status.ESME_RMSGQFUL, 2),
        "013": _refused("throttled", "Refused twice with ESME_RTHROTTLED, then delivered.", Status.ESME_RTHROTTLED, 2),
        "014": _refused("never ready", "Each submit is refused with ESME_RSYSERR.", Status.ESME_RSYSERR, ALWAYS),
        "020": Script("silent", "No answer, no receipt, nothing on the handset.", (), answer=Answer.NEVER,
                      accepted=False, reaches=False),
        "021": Script("answer lost", "Accepted and delivered, but the submit_sm_resp is lost; the receipt comes.",
                      answer=Answer.NEVER),
        "030": Script("receipt first", "The receipt comes before the submit_sm_resp.",
                      (Report(ReportState.DELIVRD, pause=Pause.NONE),), answer=Answer.AFTER_RECEIPT),
        "031": Script("receipt late", "The receipt comes after a long while (30 s, --late-delay).",
                      (Report(ReportState.DELIVRD, pause=Pause.LONG),)),
        "032": Script("receipt twice", "The same receipt comes two times.", (DELIVERED, DELIVERED)),
        "033": Script("receipt never", "Delivered, but no receipt comes.", ()),
        "034": Script("receipt in hex", "The id is decimal in the answer, hexadecimal in the receipt.",
                      hex_receipt=True),
        "035": Script("progress", "Receipts ACCEPTD and ENROUTE come before the final one.",
                      (Report(ReportState.ACCEPTD), Report(ReportState.ENROUTE), DELIVERED)),
        "040": _replies("says STOP", "Delivered; the handset answers STOP.", "STOP"),
        "041": _replies("says OUI", "Delivered; the handset answers OUI.", "OUI"),
        "042": _replies("answers at length", "Delivered; the handset answers with a text of several parts.",
                        LONG_REPLY),
    }.items()
}  # fmt: skip


def script_for(number: str) -> Script:
    """The script of a destination, digits with or without `+`."""
    return MAGIC.get(number.lstrip("+"), ORDINARY)


def table() -> list[tuple[str, str, str]]:
    """(number, name, what happens) for people to read, the ordinary numbers last."""
    rows = [(number, script.name, script.story) for number, script in MAGIC.items()]
    return [*rows, ("any other", ORDINARY.name, ORDINARY.story)]


@lru_cache(maxsize=256)
def steps(script: Script, registered_delivery: int) -> tuple[Step, ...]:
    """The steps that are left when the sender asked for those receipts only (SMPP 3.4 section 5.2.17).

    0 asks for none, 1 for all, 2 for failures; progress reports come with 1.
    """
    asked = registered_delivery & 0x03
    return tuple(step for step in script.steps if isinstance(step, Reply) or _wanted(step, asked))


def _wanted(report: Report, asked: int) -> bool:
    if asked == 2:
        return report.state not in (ReportState.DELIVRD, ReportState.ACCEPTD, ReportState.ENROUTE)
    return asked == 1
