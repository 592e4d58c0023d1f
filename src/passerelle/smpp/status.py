"""command_status: the codes of SMPP 3.4 (5.1.3) and 5.0 (4.7.6), and what each means for the message that got it.

One rule: only a code that says "this message, never" is PERMANENT. Codes nobody knows (vendor ranges) are TEMPORARY,
so that a retry or the validity decides, not a guess; an operator's own table overrides.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum


class Meaning(Enum):
    """What a status obliges the sender to do."""

    OK = "ok"
    THROTTLED = "throttled"  # slow the bind down, then the same message again
    TEMPORARY = "temporary"  # the same message again, later
    PERMANENT = "permanent"  # never again


class Status(IntEnum):
    """Names and codes (SMPP 3.4, 5.1.3; from 0x100 on, SMPP 5.0)."""

    ESME_ROK = 0x00
    ESME_RINVMSGLEN = 0x01
    ESME_RINVCMDLEN = 0x02
    ESME_RINVCMDID = 0x03
    ESME_RINVBNDSTS = 0x04
    ESME_RALYBND = 0x05
    ESME_RINVPRTFLG = 0x06
    ESME_RINVREGDLVFLG = 0x07
    ESME_RSYSERR = 0x08
    ESME_RINVSRCADR = 0x0A
    ESME_RINVDSTADR = 0x0B
    ESME_RINVMSGID = 0x0C
    ESME_RBINDFAIL = 0x0D
    ESME_RINVPASWD = 0x0E
    ESME_RINVSYSID = 0x0F
    ESME_RCANCELFAIL = 0x11
    ESME_RREPLACEFAIL = 0x13
    ESME_RMSGQFUL = 0x14
    ESME_RINVSERTYP = 0x15
    ESME_RINVNUMDESTS = 0x33
    ESME_RINVDLNAME = 0x34
    ESME_RINVDESTFLAG = 0x40
    ESME_RINVSUBREP = 0x42
    ESME_RINVESMCLASS = 0x43
    ESME_RCNTSUBDL = 0x44
    ESME_RSUBMITFAIL = 0x45
    ESME_RINVSRCTON = 0x48
    ESME_RINVSRCNPI = 0x49
    ESME_RINVDSTTON = 0x50
    ESME_RINVDSTNPI = 0x51
    ESME_RINVSYSTYP = 0x53
    ESME_RINVREPFLAG = 0x54
    ESME_RINVNUMMSGS = 0x55
    ESME_RTHROTTLED = 0x58
    ESME_RINVSCHED = 0x61
    ESME_RINVEXPIRY = 0x62
    ESME_RINVDFTMSGID = 0x63
    ESME_RX_T_APPN = 0x64
    ESME_RX_P_APPN = 0x65
    ESME_RX_R_APPN = 0x66
    ESME_RQUERYFAIL = 0x67
    ESME_RINVOPTPARSTREAM = 0xC0
    ESME_ROPTPARNOTALLWD = 0xC1
    ESME_RINVPARLEN = 0xC2
    ESME_RMISSINGOPTPARAM = 0xC3
    ESME_RINVOPTPARAMVAL = 0xC4
    ESME_RDELIVERYFAILURE = 0xFE
    ESME_RUNKNOWNERR = 0xFF
    ESME_RSERTYPUNAUTH = 0x100
    ESME_RPROHIBITED = 0x101
    ESME_RSERTYPUNAVAIL = 0x102
    ESME_RSERTYPDENIED = 0x103
    ESME_RINVDCS = 0x104
    ESME_RINVSRCADDRSUBUNIT = 0x105
    ESME_RINVDSTADDRSUBUNIT = 0x106
    ESME_RINVBCASTFREQINT = 0x107
    ESME_RINVBCASTALIAS_NAME = 0x108
    ESME_RINVBCASTAREAFMT = 0x109
    ESME_RINVNUMBCAST_AREAS = 0x10A
    ESME_RINVBCASTCNTTYPE = 0x10B
    ESME_RINVBCASTMSGCLASS = 0x10C
    ESME_RBCASTFAIL = 0x10D
    ESME_RBCASTQUERYFAIL = 0x10E
    ESME_RBCASTCANCELFAIL = 0x10F
    ESME_RINVBCAST_REP = 0x110
    ESME_RINVBCASTSRVGRP = 0x111
    ESME_RINVBCASTCHANIND = 0x112


_THROTTLED = {Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL}
_TEMPORARY = {
    Status.ESME_RINVBNDSTS,  # our bind is wrong, not the message
    Status.ESME_RALYBND,
    Status.ESME_RSYSERR,
    Status.ESME_RBINDFAIL,
    Status.ESME_RINVPASWD,
    Status.ESME_RINVSYSID,
    Status.ESME_RSUBMITFAIL,
    Status.ESME_RX_T_APPN,
    Status.ESME_RQUERYFAIL,
    Status.ESME_RDELIVERYFAILURE,
    Status.ESME_RUNKNOWNERR,
    Status.ESME_RSERTYPUNAVAIL,
}
MEANINGS: dict[int, Meaning] = {
    **dict.fromkeys(Status, Meaning.PERMANENT),
    **dict.fromkeys(_TEMPORARY, Meaning.TEMPORARY),
    **dict.fromkeys(_THROTTLED, Meaning.THROTTLED),
    Status.ESME_ROK: Meaning.OK,
}
NUMBER_UNKNOWN: frozenset[int] = frozenset({Status.ESME_RINVDSTADR})
"""The permanent refusals that say that the number itself does not exist."""


def meaning(status: int, overrides: Mapping[int, Meaning] | None = None) -> Meaning:
    """What a command_status means; `overrides` is the operator's own table, TEMPORARY the answer to an unknown code."""
    if overrides and status in overrides:
        return overrides[status]
    return MEANINGS.get(status, Meaning.TEMPORARY)


def status_name(status: int) -> str:
    """`ESME_RTHROTTLED` for 0x58; the code in hexadecimal where SMPP has no name for it."""
    return Status(status).name if status in MEANINGS else f"0x{status:08X}"
