from __future__ import annotations

import codecs
import time
import unicodedata

import gsmcodecs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.domain import text
from passerelle.domain.text import ALPHABET, Concat, Encoding, Segmented, segment

assert gsmcodecs  # registers the codec that judges ours
GSM, UCS2 = Encoding.GSM, Encoding.UCS2
EXTENDED = "\f^{}\\[~]|€"
gsm_texts = st.text(alphabet=sorted(ALPHABET), max_size=700)
# Few letters and many pairs, so that cuts fall on them.
crowded_gsm = st.text(alphabet="a€@", max_size=700)
crowded_ucs2 = st.text(alphabet="aé😀", max_size=300)


def septets(part: str) -> int:
    return len(part) + sum(char in EXTENDED for char in part)


def utf16(part: str) -> int:
    return len(part.encode("utf-16-be")) // 2


# --- alphabet and codec ---


def test_alphabet_is_that_of_the_standard():
    theirs = {char for char in map(chr, range(0x3000)) if encodes(char)}
    assert theirs - {"\x1b"} == ALPHABET
    assert len(ALPHABET) == 127 + 10


def encodes(char: str) -> bool:
    try:
        return bool(char.encode("gsm23.038"))
    except UnicodeEncodeError:
        return False


@given(gsm_texts)
def test_encoding_agrees_with_another_implementation(message):
    assert text.encode(message, GSM) == codecs.encode(message, "gsm23.038")


@given(gsm_texts)
def test_decoding_undoes_encoding_in_gsm(message):
    assert text.decode(text.encode(message, GSM), 0) == message


@given(st.text())
def test_decoding_undoes_encoding_in_ucs2(message):
    assert text.decode(text.encode(message, UCS2), 8) == message


@given(st.binary(), st.integers(0, 255))
def test_decoding_never_raises(data, data_coding):
    assert isinstance(text.decode(data, data_coding), str)


@pytest.mark.parametrize(
    ("data", "data_coding", "expected"),
    [
        (b"\x00\x1be\x02", 0, "@€$"),
        (b"\x1ba", 0, "a"),  # unknown escape: the main table
        (b"a\x1b\x1bb", 0, "a b"),
        (b"a\x1b", 0, "a "),
        (b"\xe9", 0, "\ufffd"),
        (b"\x1be", 0xF1, "€"),
        (b"abc", 1, "abc"),
        (b"\xe9", 3, "é"),
        (b"\xe9", 4, "é"),
        (b"\xe9", 99, "é"),
        (b"\x00\xe9", 8, "é"),
        (b"\xd8\x3d\xde\x00", 8, "😀"),
        (b"\xd8\x3d\x00a", 8, "\ufffda"),
        (b"\x00a\x00", 8, "a\ufffd"),
    ],
)
def test_what_bytes_say(data, data_coding, expected):
    assert text.decode(data, data_coding) == expected


def test_a_lone_surrogate_never_reaches_the_wire():
    assert text.encode("a\ud83d", UCS2) == "a?".encode("utf-16-be")
    assert segment("a\ud83d", UCS2).units == 2


@pytest.mark.parametrize("message", ["ç", "\x00", "\x1b", "😀", "a" * 300 + "ê"])
def test_gsm_refuses_what_it_lacks(message):
    with pytest.raises(ValueError):
        segment(message, GSM)
    with pytest.raises(ValueError):
        text.encode(message, GSM)


def test_foreign_lists_each_offender_once_in_order():
    assert text.foreign("Ça été çê😀ç\x1b€[]") == "çê😀\x1b"
    assert text.foreign("".join(ALPHABET)) == ""


@given(st.text())
def test_foreign_is_empty_exactly_when_gsm_can_carry_the_text(message):
    fits = all(char in ALPHABET for char in message)
    assert (text.foreign(message) == "") is fits


# --- segmentation ---


@pytest.mark.parametrize(
    ("message", "encoding", "lengths", "units"),
    [
        ("", GSM, (0,), 0),
        ("", UCS2, (0,), 0),
        ("a" * 160, GSM, (160,), 160),
        ("a" * 161, GSM, (153, 8), 161),
        ("a" * 306, GSM, (153, 153), 306),
        ("a" * 307, GSM, (153, 153, 1), 307),
        ("a" * 1530, GSM, (153,) * 10, 1530),
        ("€" * 80, GSM, (80,), 160),
        ("a" * 159 + "€", GSM, (153, 7), 161),
        ("a" * 152 + "€" * 5, GSM, (152, 5), 162),  # the euro sign moves whole
        ("€" * 153, GSM, (76, 76, 1), 306),  # so two parts of 306 septets become three
        ("@" * 161, GSM, (153, 8), 161),
        ("é" * 70, UCS2, (70,), 70),
        ("é" * 71, UCS2, (67, 4), 71),
        ("😀" * 35, UCS2, (35,), 70),
        ("a" * 66 + "😀" * 3, UCS2, (66, 3), 72),
        ("a" * 402, UCS2, (67,) * 6, 402),
    ],
)
def test_what_an_operator_bills(message, encoding, lengths, units):
    cut = segment(message, encoding)
    assert tuple(map(len, cut.parts)) == lengths
    assert cut.units == units


def test_a_short_text_is_its_own_part():
    assert segment("Bonjour", GSM) == Segmented(GSM, ("Bonjour",), 7)


@given(gsm_texts | crowded_gsm)
def test_gsm_parts_rejoin_and_none_is_over_its_limit(message):
    cut = segment(message, GSM)
    assert "".join(cut.parts) == message
    assert cut.units == septets(message) == len(text.encode(message, GSM))
    assert (len(cut.parts) == 1) == (cut.units <= 160)
    if len(cut.parts) > 1:
        assert all(152 <= septets(part) <= 153 for part in cut.parts[:-1])
        assert 1 <= septets(cut.parts[-1]) <= 153


@given(st.text(max_size=300) | crowded_ucs2)
def test_ucs2_parts_rejoin_and_none_is_over_its_limit(message):
    cut = segment(message, UCS2)
    assert "".join(cut.parts) == message
    assert cut.units == utf16(message)
    assert (len(cut.parts) == 1) == (cut.units <= 70)
    if len(cut.parts) > 1:
        assert all(66 <= utf16(part) <= 67 for part in cut.parts[:-1])
        assert 1 <= utf16(cut.parts[-1]) <= 67


# --- concatenation headers ---


@given(st.integers(0, 0xFFFF), st.integers(1, 255), st.data(), st.binary(max_size=140))
def test_headers_are_read_back(reference, total, data, payload):
    part = data.draw(st.integers(1, total))
    assert text.parse_udh(text.udh(reference, total, part) + payload) == (
        Concat(reference & 0xFF, total, part),
        payload,
    )
    assert text.parse_udh(text.udh16(reference, total, part) + payload) == (Concat(reference, total, part), payload)


@pytest.mark.parametrize(
    ("hexed", "found", "rest"),
    [
        ("050003aa0201" + "6162", Concat(0xAA, 2, 1), b"ab"),
        ("060804beef0302" + "61", Concat(0xBEEF, 3, 2), b"a"),
        ("0b0504158200000003110201", Concat(0x11, 2, 1), b""),  # ports, then place
        ("0a00031102010003220202", Concat(0x22, 2, 2), b""),  # the last of two counts
        ("050003aa0203" + "61", None, b"a"),  # part 3 of 2: ignored, header still cut off
        ("050003aa0000" + "61", None, b"a"),
        ("06050415820000" + "61", None, b"a"),
        ("00" + "61", None, b"a"),
    ],
)
def test_headers_of_others(hexed, found, rest):
    assert text.parse_udh(bytes.fromhex(hexed)) == (found, rest)


@pytest.mark.parametrize("hexed", ["", "05", "050003aa02", "050009aa0201", "0100", "ff0003aa0201", "020003aa"])
def test_malformed_headers_leave_the_bytes_alone(hexed):
    data = bytes.fromhex(hexed)
    assert text.parse_udh(data) == (None, data)


@given(st.binary(max_size=64))
def test_any_bytes_have_an_answer(data):
    found, rest = text.parse_udh(data)
    assert data.endswith(rest)
    assert found is None or 1 <= found.part <= found.total


# --- SMS Partner ---


def test_tokens_are_lower_case():
    assert text.expand_tokens("Là:br:10 :euro: :BR: :Euro: :b") == "Là\r\n10 € :BR: :Euro: :b"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ą", "à"),
        ("’‘`“”", "'''''"),
        ("ÿûüïîôöóëê", "yuuiiooo" + "ee"),
        ("œç", "oeÇ"),
        ("ÄÀÁÂÃÈÊËÎÜÙÚÛÝ", "AAAAAEEEIUUUUY"),
        ("äáâãÖÔ", "aaaaOO"),
        ("[{]}", "(())"),
        ("µ°ñÑ«»", 'u.nN""'),
        ("a^~|\\¨§b", "ab"),
        ("àéèùìòÇÉÆæßØøÅå@£$¥ \r\n€", "àéèùìòÇÉÆæßØøÅå@£$¥ \r\n€"),
        ("ΔΦ¿¡¤_", "ΔΦ¿¡¤_"),
        ("í…\u00a0\u202f", "i...  "),
        ("–—‑−", "----"),
        ("e\u0301c\u0327", "éÇ"),  # decomposed as some phones type them
        ("ệ ﬁ ［ ２ ½", "e fi ( 2 1/2"),
        ("a😀б中\fb\u200b", "ab"),
        ("😀", ""),
    ],
)
def test_replacement_to_the_letter(before, after):
    assert text.replace(before) == after


@given(st.text())
def test_replaced_text_travels_in_gsm_and_stays(message):
    replaced = text.replace(message)
    assert text.foreign(replaced) == ""
    assert not set(replaced) & set("^{}\\[~]|\f")
    # "Ç" replaces "ç" and is kept itself, so a second pass changes nothing.
    assert text.replace(replaced) == replaced


def test_stop_example_of_the_contract():
    assert len(segment("a" * 150 + "\nSTOP 36000", GSM).parts) == 2


# --- Primotexto ---


def test_cr_lf_counts_once():
    assert text.normalise_newlines("a\r\nb\n\rc\r\n") == "a\nb\n\rc\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("L’été “à” Ñü{€}", 'L\'été "à" Ñü{€}'),
        ("ça fête Œuvre œuf", "ca fete OEuvre oeuf"),
        ("10\u00a0h – 5…", "10 h - 5..."),
        ("Łódź ½ ™", "Lodz 1/2 TM"),
        ("a\u200b\ufe0f", "a"),
        ("😀", None),
        ("привет", None),
        ("a\x00", None),
    ],
)
def test_closest_characters(before, after):
    assert text.transliterate(before) == after


@settings(max_examples=200)
@given(st.text())
def test_a_transliteration_travels_in_gsm(message):
    closest = text.transliterate(message)
    assert closest is None or text.foreign(closest) == ""


@given(gsm_texts)
def test_what_fits_is_left_alone(message):
    assert text.transliterate(message) == message
    assert unicodedata.is_normalized("NFC", message)


@pytest.mark.parametrize("heap", ["a" + "\u0301\u0316" * 50_000, "\u0f73" * 50_000, "\u0316" + "e\u0301" * 50_000])
def test_a_heap_of_marks_takes_no_time(heap):
    began = time.process_time()
    assert text.replace(heap) == text.replace(text.composed(heap))
    assert time.process_time() - began < 1


def test_as_many_marks_as_any_writing_has_are_kept():
    letter = "o\u0302\u0323\u0301\u0308"
    assert text.composed(letter) == unicodedata.normalize("NFC", letter)
