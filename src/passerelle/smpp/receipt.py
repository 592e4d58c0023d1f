"""Delivery receipts: the text and the optional parameters of deliver_sm and data_sm, to one value and back.

SMPP 3.4, appendix B leaves the text to the vendor, so the reader takes any order, case and set of fields. One rule:
what the optional parameters say wins over the text, and the raw bytes are always kept.
"""

from __future__ import annotations

import re
from enum import Enum

import msgspec

from passerelle.smpp.pdu import DataSm, DeliverSm, Tlvs, content, tlv, tlv_int, tlv_text, tlvs


class ReportState(Enum):
    """The state words of receipt texts (SMPP 3.4, appendix B)."""

    DELIVRD = "DELIVRD"
    UNDELIV = "UNDELIV"
    REJECTD = "REJECTD"
    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    ACCEPTD = "ACCEPTD"
    ENROUTE = "ENROUTE"


_CODES = {
    0: ReportState.ENROUTE,  # SCHEDULED, SMPP 5.0
    1: ReportState.ENROUTE,
    2: ReportState.DELIVRD,
    3: ReportState.EXPIRED,
    4: ReportState.DELETED,
    5: ReportState.UNDELIV,
    6: ReportState.ACCEPTD,
    7: ReportState.UNKNOWN,
    8: ReportState.REJECTD,
    9: ReportState.DELETED,  # SKIPPED, SMPP 5.0
}  # message_state, SMPP 3.4, 5.2.28
STATE_CODES = {state: code for code, state in reversed(_CODES.items()) if code not in (0, 9)}
"""The message_state of each word."""

_PREFIXES = {
    "DELIV": ReportState.DELIVRD,
    "UNDEL": ReportState.UNDELIV,
    "FAIL": ReportState.UNDELIV,
    "REJ": ReportState.REJECTD,
    "EXP": ReportState.EXPIRED,
    "DELET": ReportState.DELETED,
    "ACC": ReportState.ACCEPTD,
    "ENROUTE": ReportState.ENROUTE,
    "BUFF": ReportState.ENROUTE,
    "SENT": ReportState.ENROUTE,
}  # how vendors spell the words: DELIVERED, UNDELIVERABLE, REJECTED, FAILED, BUFFERED ...


class DeliveryReport(msgspec.Struct, frozen=True, gc=False):
    """What a receipt says; an empty string where it is silent."""

    operator_id: str
    state: ReportState
    error: str = ""  # as the operator writes it; from network_error_code, "type:code" in decimal
    done_at: str = ""  # raw text, usually YYMMDDhhmm[ss] in a zone that only the operator knows
    raw: bytes = b""  # the user data
    text_id: str = ""  # the id in the text, where the optional parameter gave another

    @property
    def ids(self) -> tuple[str, ...]:
        """Every spelling to look the message up by, likeliest first (see `id_forms`)."""
        forms = id_forms(self.operator_id) + (id_forms(self.text_id) if self.text_id else ())
        return tuple(dict.fromkeys(forms))

    @property
    def final(self) -> bool:
        """Whether nothing more is to be expected for this message."""
        return self.state not in (ReportState.ENROUTE, ReportState.ACCEPTD)


def is_report(pdu: DeliverSm | DataSm) -> bool:
    """Whether a message is a receipt or an intermediate notification: by esm_class (SMPP 3.4, 5.2.12) or by its
    optional parameters. Text alone proves nothing: any subscriber can write it."""
    return pdu.esm_class & 0x3C in (0x04, 0x20) or tlv(pdu, "receipted_message_id") is not None


def parse(pdu: DeliverSm | DataSm, *, trust_text: bool = False) -> DeliveryReport | None:
    """The report in a message, None where there is none or it names no message.

    `trust_text` also takes a receipt by its text alone (`id:` and `stat:`), for operators that leave esm_class 0.
    """
    raw = content(pdu)
    # some operators write the text in UCS-2, whatever data_coding says
    fields = parse_text(raw.decode("utf-16-be" if b"\0:" in raw else "latin-1", "replace"))
    if not is_report(pdu) and not (trust_text and "id" in fields and "stat" in fields):
        return None
    named, written = (tlv_text(pdu, "receipted_message_id") or "").strip(), fields.get("id", "")
    if not named and not written:
        return None
    return DeliveryReport(
        operator_id=named or written,
        state=_state(tlv_int(pdu, "message_state"), fields.get("stat", "")),
        error=fields.get("err") or _network_error(tlv(pdu, "network_error_code")),
        done_at=fields.get("done", ""),
        raw=raw,
        text_id=written if named and written != named else "",
    )


def _state(code: int | None, word: str) -> ReportState:
    if code in _CODES:
        return _CODES[code]
    upper = word.upper()
    return next((state for prefix, state in _PREFIXES.items() if upper.startswith(prefix)), ReportState.UNKNOWN)


def _network_error(value: bytes | None) -> str:
    """`3:17` for the three octets of network_error_code (SMPP 3.4, 5.3.2.31)."""
    return f"{value[0]}:{int.from_bytes(value[1:], 'big')}" if value and len(value) == 3 else ""


_KEY = re.compile(
    r"(?<![A-Za-z])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat(?:us)?|err(?:or)?|text)\s*[:=]\s*", re.IGNORECASE
)
_NAMES = {"status": "stat", "error": "err", "submitdate": "submit", "donedate": "done"}


# The layout of appendix B, as most operators write it: read in one go.
_USUAL = re.compile(
    r"id:(?P<id>[^ :=]+) sub:(?P<sub>\d{1,3}) dlvrd:(?P<dlvrd>\d{1,3}) submit date:(?P<submit>\d{10,12}) "
    r"done date:(?P<done>\d{10,12}) stat:(?P<stat>[A-Z]{1,16}) err:(?P<err>[0-9A-Za-z]{1,8}) "
    r"text:(?P<text>[^:=]*[^:=\s\0])"
)


def parse_text(text: str) -> dict[str, str]:
    """The fields of a receipt text under `id sub dlvrd submit done stat err text`, those that are there.

    The first of a repeated field counts, and what stands behind `text:` (the words of a sender) only fills gaps.
    """
    usual = _USUAL.fullmatch(text)
    if usual:
        return usual.groupdict()
    keys = list(_KEY.finditer(text))
    ends = [key.start() for key in keys[1:]] + [len(text)]
    fields: dict[str, str] = {}
    for key, end in zip(keys, ends, strict=False):
        name = key[1].lower().replace(" ", "").replace("_", "")
        fields.setdefault(_NAMES.get(name, name), text[key.end() : end].strip(" \t\r\n\0"))
    return fields


def format_receipt(
    operator_id: str,
    state: ReportState,
    *,
    submitted: str,
    done: str,
    error: str = "000",
    text: bytes = b"",
) -> bytes:
    """The receipt text of SMPP 3.4, appendix B, for one message; dates as YYMMDDhhmm, the first 20 octets of `text`."""
    delivered = state is ReportState.DELIVRD
    head = (
        f"id:{operator_id} sub:001 dlvrd:{delivered:03d} submit date:{submitted} done date:{done} "
        f"stat:{state.value} err:{error} text:"
    )
    return head.encode("latin-1") + text[:20]


def receipt_tlvs(operator_id: str, state: ReportState) -> Tlvs:
    """The optional parameters that go with a receipt: receipted_message_id and message_state."""
    return tlvs(receipted_message_id=operator_id, message_state=STATE_CODES[state])


_HEX = re.compile(r"[0-9A-Fa-f]+")
_LONGEST = 64  # SMPP 3.4, 5.2.23; more is no number
_HEX_GROUPS = re.compile(r"[0-9A-Fa-f]+(?:-[0-9A-Fa-f]+)+")


def id_forms(operator_id: str) -> tuple[str, ...]:
    """Every lossless spelling of an operator's message id, the canonical one first.

    Store the first form of the id in a response; look a receipt up by all forms of its id. Then hexadecimal against
    decimal, upper against lower case and lost leading zeros all match. Forms may belong to different messages ("10" is
    also the hexadecimal of 16), so where several rows answer, the earlier form wins. Ids that are not numbers match as
    they stand, since their case may carry meaning; hexadecimal groups (UUIDs) match in any case.
    """
    given = operator_id.strip(" \t\r\n\0")
    if _HEX_GROUPS.fullmatch(given):
        return given.lower(), *(() if given == given.lower() else (given,))
    if not _HEX.fullmatch(given) or len(given) > _LONGEST:
        return (given,)
    canonical = given.lower().lstrip("0") or "0"
    other = [str(int(canonical, 16))]
    if canonical.isdecimal():
        other.insert(0, f"{int(canonical):x}")
    return tuple(dict.fromkeys([canonical, *other, canonical.upper(), given]))
