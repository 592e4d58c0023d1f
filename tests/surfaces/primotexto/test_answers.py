"""Answers: status, media type, and nothing where there is no body."""

from __future__ import annotations

from passerelle.surfaces.http import Answer
from passerelle.surfaces.primotexto import codes
from passerelle.surfaces.primotexto.answers import GONE, answer, error

MEDIA = b"application/json;charset=UTF-8"


def test_answers() -> None:
    assert Answer(204, b"", b"") == GONE
    assert answer(b"{}") == Answer(200, b"{}", MEDIA)
    assert answer(b"{}", 201).status == 201
    assert error(60, ((b"A", b"b"),)) == Answer(404, codes.error(60), MEDIA, ((b"A", b"b"),))
