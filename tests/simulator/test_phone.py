from __future__ import annotations

import pytest

from passerelle.domain.text import Encoding, encode, segment, udh, udh16
from passerelle.simulator.phone import PhoneBook, correspondents
from passerelle.smpp import pdu as p

NUMBER = "33612345678"


def sms(octets, sender="BAKERY", **more):
    return p.SubmitSm(source_addr=sender, destination_addr=NUMBER, short_message=octets, **more)


def long_text(text, encoding, reference, header=udh):
    parts = segment(text, encoding).parts
    return [
        sms(header(reference, len(parts), n) + encode(piece, encoding), esm_class=0x40, data_coding=encoding)
        for n, piece in enumerate(parts, 1)
    ]


def texts(book, number=NUMBER):
    return [bubble.text for bubble in book.bubbles(number)]


@pytest.mark.parametrize("header", [udh, udh16])
@pytest.mark.parametrize(
    ("text", "encoding"), [("[€] " * 90, Encoding.GSM), ("Приходите 🥐 " * 20, Encoding.UCS2)]
)  # fmt: skip
def test_long_texts_are_put_together_in_any_order(text, encoding, header):
    parts = long_text(text, encoding, 7, header)
    for order in (parts, parts[::-1], [*parts[1:], parts[0]]):
        book = PhoneBook()
        for part in order:
            book.receive("bakery", part, 0)
        (bubble,) = book.bubbles(NUMBER)
        assert (bubble.text, bubble.parts, bubble.total) == (text, len(parts), len(parts))


def test_two_long_texts_with_one_reference_stay_apart():
    book = PhoneBook()
    one, two = "a" * 200, "b" * 200
    for part in long_text(one, Encoding.GSM, 7) + long_text(two, Encoding.GSM, 7):
        book.receive("bakery", part, 0)
    assert texts(book) == [one, two]


def test_interleaved_texts_of_two_senders_stay_apart():
    book = PhoneBook()
    one, two = long_text("a" * 200, Encoding.GSM, 7), long_text("b" * 200, Encoding.GSM, 8)
    for part in (one[0], two[0], sms(b"alone"), one[1], two[1]):
        book.receive("bakery", part, 0)
    assert texts(book) == ["a" * 200, "b" * 200, "alone"]


def test_a_missing_part_shows():
    book = PhoneBook()
    for part in long_text("a" * 153 + "b" * 153 + "c" * 9, Encoding.GSM, 7)[::2]:
        book.receive("bakery", part, 0)
    (bubble,) = book.bubbles(NUMBER)
    assert (bubble.text, bubble.parts, bubble.total) == ("a" * 153 + " […] " + "c" * 9, 2, 3)


def test_parts_by_optional_parameters():
    book = PhoneBook()
    for n, piece in enumerate((b"Bon", b"jour"), 1):
        book.receive(
            "x", sms(piece, tlvs=p.tlvs(sar_msg_ref_num=1, sar_total_segments=2, sar_segment_seqnum=n)), 0
        )  # fmt: skip
    assert texts(book) == ["Bonjour"]


def test_any_header_is_shown_rather_than_lost():
    book = PhoneBook()
    book.receive("x", sms(b"\xff\x00rest", esm_class=0x40, data_coding=3), 0)
    assert texts(book) == ["ÿ\x00rest"]


def test_memory_is_bounded_by_numbers_and_by_texts():
    book = PhoneBook(numbers=3, texts=2)
    for n in range(5):
        for text in (b"1", b"2", b"3"):
            book.receive("x", p.SubmitSm(destination_addr=f"3360000000{n}", short_message=text), n)
    assert [number for number, _ in book.latest()] == ["33600000004", "33600000003", "33600000002"]
    assert texts(book, "33600000004") == ["2", "3"]
    assert texts(book, "33600000000") == []


def test_the_list_is_searched_and_newest_first():
    book = PhoneBook()
    for number in ("33611111111", "33622222222", "33611112222"):
        book.receive("x", p.SubmitSm(destination_addr="+" + number, short_message=b"a"), 0)
    assert [number for number, _ in book.latest("1111")] == ["33611112222", "33611111111"]
    assert len(list(book.latest(limit=2))) == 2


def test_a_reply_goes_to_the_latest_number_or_short_code_rather_than_to_a_name():
    book = PhoneBook()
    for sender, text in (("38100", b"1"), ("BAKERY", b"Promo ! STOP au 36180"), ("CLINIC", b"rdv")):
        book.receive("x", sms(text, sender), 0)
    assert correspondents(book.bubbles(NUMBER)) == ["36180", "38100", "CLINIC", "BAKERY"]
