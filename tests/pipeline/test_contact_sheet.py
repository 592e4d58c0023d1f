"""Files of contacts as people save them."""

from __future__ import annotations

import io

import pytest

from passerelle.pipeline.contact_sheet import COLUMNS, ContactSheet, SheetError, plain


def sheet(content):
    return ContactSheet(io.BytesIO(content if isinstance(content, bytes) else content.encode()))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_encodings(delimiter, encoding, end):
    lines = ["Téléphone,Prénom,Nom de famille".replace(",", delimiter), f"0639980001{delimiter}Zoé{delimiter}Noël€"]
    found = sheet((end.join(lines) + end).encode(encoding))
    assert list(found.rows()) == [(2, {"phone": "0639980001", "firstname": "Zoé", "lastname": "Noël€"})]
    assert found.total == 1


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("phone", "phone"), ("Phone Number", "phone"), ("N° de téléphone", None), ("Numéro de téléphone", "phone"),
        ("GSM", "phone"), ("MOBILE", "phone"), ("first_name", "firstname"), ("Prénom", "firstname"),
        ("Nom", "lastname"), ("Date de naissance", "date"), ("Lien", "url"), ("Short URL", "short_url"),
        ("custom 1", "custom1"), ("Champ libre 4", "custom4"), ("custom5", None), ("code postal", None),
    ],
)  # fmt: skip
def test_names_of_columns(name, member):
    assert COLUMNS.get(plain(name)) == member


def test_lines_are_those_of_the_file_and_odd_rows_are_taken_as_they_are():
    content = 'phone,custom1,phone,ignored\n\n1,"a\nb",x,y\n,,,\n2\n3,"say ""hi"" ",,,,\n'
    found = sheet(content)
    assert list(found.rows()) == [
        (3, {"phone": "1", "custom1": "a\nb"}),
        (6, {"phone": "2"}),
        (7, {"phone": "3", "custom1": 'say "hi"'}),
    ]
    assert found.total == 3
    assert list(found.rows()) == list(found.rows())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no column"),
        ("\n\n", "no column"),
        ("0639980001,Alix\n0639980002,Zoé\n", "'0639980001', 'Alix'"),
        ("nom;prénom\nA;B\n", "'nom', 'prénom'"),
        ('phone\n"0639980001\n' + "x\n" * 100_000, "line 2"),
    ],
)
def test_what_cannot_be_imported(content, reason):
    with pytest.raises(SheetError, match=reason):
        sheet(content)


def test_bytes_of_no_text_at_all_are_only_wrong():
    assert sheet(b"phone\n\xff\x00\x81\n").total == 1
    with pytest.raises(SheetError):
        sheet(bytes(range(256)) * 4)


def test_the_content_tells_files_apart():
    assert sheet("phone\n1\n").digest == sheet("phone\n1\n").digest != sheet("phone\n2\n").digest
