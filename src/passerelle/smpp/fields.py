"""The wire format of SMPP as tables: kinds of fields, and the straight-line code generated from them.

The class of a PDU (pdu.py) lists its mandatory fields in order, each annotated with a kind from here; `compile_encoder`
and `compile_decoder` turn that list into one function each way. Text and octets are told apart once: C-octet strings
are `str` (latin-1, so any byte survives), message bodies and TLV values are `bytes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Annotated, Any, NamedTuple, cast, get_args, get_origin, get_type_hints

import msgspec

HEADER = Struct(">IIII")  # command_length, command_id, command_status, sequence_number (SMPP 3.4, 3.2)
HEADER_SIZE = 16
RESPONSE = 0x80000000

Tlvs = tuple[tuple[int, bytes], ...]
"""Optional parameters in wire order, as (tag, value); known and unknown alike, so that all survive."""

Encoder = Callable[[Any, int, int], bytes]
"""(pdu, sequence, status) -> frame; ValueError when a value cannot be written."""
Decoder = Callable[[bytes, str, int, int], Any]
"""(buffer, the buffer as latin-1, start of body, end of frame) -> PDU, or `Malformed`."""


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A whole PDU that could not be understood: the stream goes on, the sender is told `error` (a command_status)."""

    error: int
    reason: str


class Destination(msgspec.Struct, frozen=True, gc=False):
    """An SME address of submit_multi (SMPP 3.4, 4.5.1.1, dest_flag 1)."""

    ton: int
    npi: int
    address: str


class DistributionList(msgspec.Struct, frozen=True, gc=False):
    """A distribution list of submit_multi (SMPP 3.4, 4.5.1.2, dest_flag 2)."""

    name: str


class Unsuccessful(msgspec.Struct, frozen=True, gc=False):
    """A destination that submit_multi refused (SMPP 3.4, 4.5.2.1); `error` is a command_status."""

    ton: int
    npi: int
    address: str
    error: int


# --- Kinds of fields ------------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """How generated code writes and reads one field: templates over its `{name}`."""

    written: str  # its place in the f-string of the head
    strict: tuple[str, ...]  # read it, or fail with ValueError or IndexError
    lenient: tuple[str, ...]  # read what there is of it
    width: int = 0  # bytes, where fixed: strict lines read at `{at}`; the others, from `at`, which they move behind it
    size: int = 0  # of a C-octet string: its most bytes by the specification, NUL included
    body: bool = False  # message octets, which follow the head
    pack: Callable[[Any], str] | None = None
    unpack: Callable[[bytes, str, int, int], tuple[Any, int]] | None = None


def _text(size: int) -> Kind:
    """A C-octet string of at most `size` bytes."""
    return Kind(
        "{{{name}}}\\0",
        # Most are empty, and to look at a byte costs a fifth of a search.
        (
            "if data[at]:",
            "    z = index(NUL, at, end)",
            "    {name} = text[at:z]",
            "    at = z + 1",
            "else: {name}, at = '', at + 1",
        ),
        ("z = find(NUL, at, end)", "if z < 0: z = end", "{name} = text[at:z]", "at = z + 1"),
        size=size,
    )


def _items(pack: Callable[[Any], str], unpack: Callable[[bytes, str, int, int], tuple[Any, int]]) -> Kind:
    """A counted list of structures, written and read by two functions."""
    return Kind(
        "{{pack_{name}(p.{name})}}",
        ("{name}, at = unpack_{name}(data, text, at, end)",),
        ("{name}, at = unpack_{name}(data, text, at, end) if at < end else ((), at)",),
        pack=pack,
        unpack=unpack,
    )


_OCTETS = {number: chr(number) for number in range(256)}  # a look-up is faster than a format, and knows its limits
_OCTET = Kind(
    "{{OCTETS[p.{name}]}}", ("{name} = data[{at}]",), ("{name} = data[at] if at < end else 0", "at += 1"), width=1
)
_BODY = Kind(  # behind one length byte; always the last field, and in no response
    "{{OCTETS[len(p.{name})]}}",
    ("z = at + 1 + data[at]", "{name} = data[at + 1:z]", "at = z"),
    (),
    body=True,
)


def _clean(text: str) -> str:
    if "\0" in text:
        raise ValueError("a C-octet string cannot hold a NUL")
    return text


def _pack_destination(item: Destination | DistributionList) -> str:
    if isinstance(item, Destination):
        return f"\1{item.ton:c}{item.npi:c}{_clean(item.address)}\0"
    return f"\2{_clean(item.name)}\0"


def pack_destinations(items: Sequence[Destination | DistributionList]) -> str:
    """The dest_address(es) of submit_multi with their count, as latin-1."""
    return f"{len(items):c}" + "".join(map(_pack_destination, items))


def unpack_destinations(
    data: bytes, text: str, at: int, end: int
) -> tuple[tuple[Destination | DistributionList, ...], int]:
    """The reverse of `pack_destinations`: the items, and where they end. ValueError or IndexError when cut short."""
    count, at = data[at], at + 1
    items: list[Destination | DistributionList] = []
    for _ in range(count):
        listed = (1, 2).index(data[at])
        start = at + (1 if listed else 3)
        stop = text.index("\0", start, end)
        name = text[start:stop]
        items.append(DistributionList(name) if listed else Destination(data[at + 1], data[at + 2], name))
        at = stop + 1
    return tuple(items), at


def pack_unsuccessful(items: Sequence[Unsuccessful]) -> str:
    """The unsuccess_sme(s) of submit_multi_resp with their count, as latin-1."""
    packed = (f"{i.ton:c}{i.npi:c}{_clean(i.address)}\0{i.error.to_bytes(4, 'big').decode('latin-1')}" for i in items)
    return f"{len(items):c}" + "".join(packed)


def unpack_unsuccessful(data: bytes, text: str, at: int, end: int) -> tuple[tuple[Unsuccessful, ...], int]:
    """The reverse of `pack_unsuccessful`; a list cut short yields the items that are whole (a response is kept)."""
    count, at = data[at], at + 1
    items: list[Unsuccessful] = []
    for _ in range(count):
        stop = text.find("\0", at + 2, end)
        if stop < 0 or stop + 5 > end:
            break
        error = int.from_bytes(data[stop + 1 : stop + 5], "big")
        items.append(Unsuccessful(data[at], data[at + 1], text[at + 2 : stop], error))
        at = stop + 5
    return tuple(items), at


Flag = Annotated[int, _OCTET]
Octets = Annotated[bytes, _BODY]
Text6 = Annotated[str, _text(6)]
Text9 = Annotated[str, _text(9)]
Text13 = Annotated[str, _text(13)]
Text16 = Annotated[str, _text(16)]
Text17 = Annotated[str, _text(17)]
Text21 = Annotated[str, _text(21)]
Text41 = Annotated[str, _text(41)]
Text65 = Annotated[str, _text(65)]
Destinations = Annotated[tuple[Destination | DistributionList, ...], _items(pack_destinations, unpack_destinations)]
Unsuccessfuls = Annotated[tuple[Unsuccessful, ...], _items(pack_unsuccessful, unpack_unsuccessful)]


# --- Optional parameters (SMPP 3.4, 5.3; 5.0, 4.8.4) ---------------------------------------------------------------

_TLV = Struct(">HH")


def pack_tlvs(tlvs: Tlvs) -> bytes:
    """The optional parameters as they stand on the wire; ValueError for a tag or a size above 65535."""
    if any(len(value) > 0xFFFF or not 0 <= tag <= 0xFFFF for tag, value in tlvs):
        raise ValueError("an optional parameter has a tag or a size above 65535")
    return b"".join([_TLV.pack(tag, len(value)) + value for tag, value in tlvs])


def unpack_tlvs(data: bytes, at: int, end: int) -> tuple[Tlvs, bool]:
    """The optional parameters between two offsets, and whether they filled that space exactly."""
    tlvs = []
    while at + 4 <= end:
        tag, size = _TLV.unpack_from(data, at)
        stop = at + 4 + size
        if stop > end:
            break
        tlvs.append((tag, data[at + 4 : stop]))
        at = stop
    return tuple(tlvs), at == end


# --- From a list of fields to functions -----------------------------------------------------------------------------


def fields_of(command: type[Any]) -> dict[str, Kind]:
    """The mandatory fields of a PDU class in wire order, from its annotations."""
    hints = get_type_hints(command, include_extras=True)
    return {name: get_args(hint)[1] for name, hint in hints.items() if get_origin(hint) is Annotated}


def compile_encoder(command: type[Any]) -> Encoder:
    """The straight-line encoder of a PDU class, header included."""
    fields = fields_of(command)
    texts = [name for name, kind in fields.items() if kind.size]
    head = "".join(kind.written.format(name=name) for name, kind in fields.items())
    body = next((f"p.{name}" for name, kind in fields.items() if kind.body), "b''")
    lines = [f"{name} = p.{name}" for name in texts]
    lines += [f"if {' or '.join(f'NUL in {name}' for name in texts)}: raise ValueError(REASON)"] if texts else []
    lines += [f"head = f'{head}'.encode('latin-1')", f"body = {body}"]
    lines += ["if p.tlvs: body += pack_tlvs(p.tlvs)"] if fields else []
    lines += [f"return pack(16 + len(head) + len(body), {command.command_id}, status, sequence) + head + body"]
    names: dict[str, Any] = {f"pack_{name}": kind.pack for name, kind in fields.items() if kind.pack}
    names |= {"pack_tlvs": pack_tlvs, "pack": HEADER.pack, "OCTETS": _OCTETS}
    names |= {"REASON": f"{command.__name__}: a C-octet string cannot hold a NUL"}
    return cast(Encoder, _function("f(p, sequence, status)", lines, names))


def compile_decoder(command: type[Any]) -> Decoder:
    """The straight-line decoder of a PDU class.

    A request that is cut short is `Malformed`. A response is read as far as it goes: what an operator answered to a
    submit must never be lost to a missing NUL, an absent body or trailing bytes.
    """
    fields = fields_of(command)
    if not fields:
        empty = command()
        return lambda data, text, at, end: empty
    lines = _lenient_lines(fields) if command.command_id & RESPONSE else _strict_lines(fields)
    lines += [f"return Command({', '.join(fields)}, tlvs)"]
    names: dict[str, Any] = {f"unpack_{name}": kind.unpack for name, kind in fields.items() if kind.unpack}
    names |= {"unpack_tlvs": unpack_tlvs, "Command": command}
    names |= {"SHORT": Malformed(0x02, f"{command.__name__}: cut short")}  # ESME_RINVCMDLEN
    names |= {"TRAILING": Malformed(0xC0, f"{command.__name__}: bad optional parameters")}  # ESME_RINVOPTPARSTREAM
    return cast(Decoder, _function("f(data, text, at, end)", lines, names))


def _strict_lines(fields: dict[str, Kind]) -> list[str]:
    lines, offset = ["index = text.index", "try:"], 0
    for name, kind in fields.items():
        if offset and not kind.width:
            lines, offset = [*lines, f"    at += {offset}"], 0
        lines += ["    " + line.format(name=name, at=f"at + {offset}" if offset else "at") for line in kind.strict]
        offset += kind.width
    return [
        *lines,
        "except (ValueError, IndexError): return SHORT",
        *([f"at += {offset}"] if offset else []),
        "if at > end: return SHORT",  # fields without a NUL may have run into the next frame
        "if at == end: tlvs = ()",
        "else:",
        "    tlvs, whole = unpack_tlvs(data, at, end)",
        "    if not whole: return TRAILING",
    ]


def _lenient_lines(fields: dict[str, Kind]) -> list[str]:
    lines = [line.format(name=name) for name, kind in fields.items() for line in kind.lenient]
    return ["find = text.find", *lines, "tlvs = () if at >= end else unpack_tlvs(data, at, end)[0]"]


def _function(signature: str, lines: list[str], names: dict[str, Any]) -> Any:
    scope = {"NUL": "\0", **names}
    exec(f"def {signature}:\n" + "\n".join("    " + line for line in lines), scope)
    return scope["f"]
