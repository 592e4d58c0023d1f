from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.simulator.journal import Direction, Journal, JournalInUse, read
from passerelle.smpp import pdu as p

FRAMES = [p.encode(p.SubmitSm(destination_addr=str(n), short_message=b"x" * n), n) for n in range(1, 6)]


def filled(path, *chunks):
    journal = Journal(path, now_ns=lambda: 1_700_000_000_000_000_000)
    for chunk in chunks:
        journal.append(Direction.IN, 1, chunk)
    journal.close()
    return path


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(b"".join(FRAMES))), max_size=6))
def test_pdus_come_back_whole_however_the_stream_was_cut(cuts, tmp_path_factory):
    stream = b"".join(FRAMES)
    edges = [0, *sorted(cuts), len(stream)]
    path = filled(tmp_path_factory.mktemp("j") / "j", *(stream[a:b] for a, b in itertools.pairwise(edges)))
    assert [record.pdu for record in read(path)] == FRAMES


def test_streams_of_two_sessions_and_directions_do_not_mix(tmp_path):
    journal = Journal(tmp_path / "j")
    one, two = FRAMES[0], FRAMES[1]
    for half in (0, 1):
        journal.append(Direction.IN, 1, one[20 * half : 20 + 99 * half])
        journal.append(Direction.OUT, 1, two[20 * half : 20 + 99 * half])
        journal.append(Direction.IN, 2, two[20 * half : 20 + 99 * half])
    journal.close()
    assert [(r.session, r.direction, r.pdu) for r in read(tmp_path / "j")] == [
        (1, Direction.IN, one), (1, Direction.OUT, two), (2, Direction.IN, two),
    ]  # fmt: skip


@pytest.mark.parametrize("lost", [1, 10, 40])
def test_a_torn_record_is_left_out_and_cut_off_on_opening(tmp_path, lost):
    path = filled(tmp_path / "j", FRAMES[0], FRAMES[1])
    path.write_bytes(path.read_bytes()[:-lost])
    assert [record.pdu for record in read(path)] == FRAMES[:1]
    filled(path, FRAMES[2])
    assert [record.pdu for record in read(path)] == [FRAMES[0], FRAMES[2]]


def test_nothing_is_in_the_file_before_flush_and_all_is_after(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.append(Direction.IN, 1, FRAMES[0])
    assert not list(read(tmp_path / "j"))
    journal.flush()
    assert len(list(read(tmp_path / "j"))) == 1
    journal.close()


def test_a_full_disk_leaves_whole_records_only(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.append(Direction.IN, 1, FRAMES[0])
    journal.flush()

    class Full(Journal):
        def _write(self, data):
            super()._write(data[:9])
            raise OSError(28, "No space left on device")

    journal.__class__ = Full
    journal.append(Direction.IN, 1, FRAMES[1])
    with pytest.raises(OSError):
        journal.flush()
    journal.__class__ = Journal
    journal.append(Direction.IN, 1, FRAMES[2])
    journal.close()
    assert [record.pdu for record in read(tmp_path / "j")] == [FRAMES[0], FRAMES[2]]


def test_one_writer_at_a_time_and_the_creation_time_is_kept(tmp_path):
    first = Journal(tmp_path / "j")
    with pytest.raises(JournalInUse):
        Journal(tmp_path / "j")
    created = first.created_ns
    first.close()
    second = Journal(tmp_path / "j")
    assert second.created_ns == created
    second.close()


def test_another_file_is_not_taken_for_a_journal(tmp_path):
    (tmp_path / "j").write_bytes(b"important notes of somebody")
    with pytest.raises(ValueError, match="not a journal"):
        Journal(tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == b"important notes of somebody"
