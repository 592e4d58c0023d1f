import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.smpp import pdu as p
from passerelle.smpp.fields import HEADER
from passerelle.smpp.session import (
    Answered,
    BindRefused,
    Bound,
    Closed,
    Config,
    Lost,
    NotBound,
    Received,
    Rejected,
    RequestTimedOut,
    Role,
    Session,
    State,
    Unmatched,
    Unsent,
)
from passerelle.smpp.status import Status

SUBMIT = p.SubmitSm(destination_addr="33611", short_message=b"hello")
BINDS = [
    (p.BindTransmitter("shop"), p.BindTransmitterResp("smsc"), State.BOUND_TX),
    (p.BindReceiver("shop"), p.BindReceiverResp("smsc"), State.BOUND_RX),
    (p.BindTransceiver("shop"), p.BindTransceiverResp("smsc"), State.BOUND_TRX),
]


# --- bind -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bind", "answer", "state"), BINDS)
def test_a_bind_accepted_binds_both_ends(unbound, bind, answer, state):
    couple = unbound()
    assert couple.bind(bind, answer) == [Bound(answer)]
    assert couple.client.state is couple.smsc.state is state
    assert couple.client.free == 50


def test_a_bind_refused_leaves_room_for_another(unbound):
    couple = unbound()
    assert couple.bind(*BINDS[2][:2], status=Status.ESME_RINVPASWD) == [BindRefused(Status.ESME_RINVPASWD)]
    assert couple.client.state is couple.smsc.state is State.OPEN and couple.client.free == 0
    assert couple.bind(*BINDS[2][:2]) == [Bound(BINDS[2][1])]


def test_a_bind_nacked_is_refused(unbound):
    couple = unbound()
    sequence = couple.client.send(BINDS[0][0], 0)
    assert couple.client.receive_bytes(p.encode(p.GenericNack(), sequence, 3), 0) == [BindRefused(3)]


def test_a_second_bind_is_told_so(bound, unbound):
    couple = unbound()
    couple.client.send(BINDS[0][0], 0)
    couple.client.send(BINDS[1][0], 0)
    couple.exchange()
    assert [type(event) for event in couple.seen] == [Received, Rejected]
    couple = bound()
    again = couple.smsc.receive_bytes(p.encode(BINDS[0][0], 9), 0)
    assert [event.error for event in again] == [Status.ESME_RALYBND]
    assert p.decode(couple.smsc.take_output()) == p.Frame(0x80000002, 5, 9, p.BindTransmitterResp())


@pytest.mark.parametrize("side", ["client", "smsc"])
def test_no_bind_in_time_closes(unbound, side):
    couple = unbound(bind_timeout=10)
    session = getattr(couple, side)
    assert session.next_timer() == 10
    assert session.tick(9.9) == []
    assert session.tick(10) == [Closed("bind timeout")]
    assert session.next_timer() is None


def test_outbind_asks_the_client_to_bind(unbound):
    couple = unbound()
    couple.smsc.send(p.Outbind("smsc", "secret"), 0)
    assert couple.exchange() == [Received(1, p.Outbind("smsc", "secret"))]
    assert couple.client.unanswered == couple.smsc.in_flight == 0
    assert couple.bind(*BINDS[1][:2]) == [Bound(BINDS[1][1])]


# --- requests and responses ---------------------------------------------------------------------------------------------


def test_a_window_of_submits_is_answered_in_any_order(bound):
    couple = bound(window=500)
    assert couple.client.send_many([(SUBMIT, f"context {n}") for n in range(500)], 0) == []
    assert (couple.client.free, couple.client.in_flight) == (0, 500)
    couple.exchange()
    assert [event.pdu for event in couple.seen] == [SUBMIT] * 500
    assert couple.smsc.unanswered == 500
    for event in reversed(couple.seen):
        couple.smsc.respond(event.sequence, p.SubmitSmResp(str(event.sequence)), 0)
    answers = couple.exchange()
    assert {a.context for a in answers} == {f"context {n}" for n in range(500)}
    assert all(type(a) is Answered and a.status == 0 for a in answers)
    assert (couple.client.free, couple.client.in_flight, couple.smsc.unanswered) == (500, 0, 0)


def test_an_error_is_an_answer(bound):
    couple = bound()
    couple.client.send(SUBMIT, 0, "a")
    couple.exchange()
    couple.smsc.respond(couple.seen[0].sequence, p.SubmitSmResp(), Status.ESME_RTHROTTLED)
    assert couple.exchange() == [Answered("a", Status.ESME_RTHROTTLED, p.SubmitSmResp())]


def test_a_generic_nack_is_an_answer(bound):
    couple = bound()
    sequence = couple.client.send(SUBMIT, 0, "a")
    assert couple.client.receive_bytes(p.encode(p.GenericNack(), sequence, 3), 0) == [Answered("a", 3, p.GenericNack())]


def test_both_ways_at_once(bound):
    couple = bound()
    couple.client.send(SUBMIT, 0, "mt")
    couple.smsc.send(p.DeliverSm(short_message=b"STOP"), 0, "mo")
    client_saw = couple.exchange()
    assert [type(event) for event in couple.seen + client_saw] == [Received, Received]
    couple.client.respond(client_saw[0].sequence, p.DeliverSmResp())
    couple.exchange()
    assert couple.seen == [Answered("mo", 0, p.DeliverSmResp())]


def test_a_response_of_another_kind_is_not_our_answer(bound):
    couple = bound()
    sequence = couple.client.send(SUBMIT, 0, "a")
    stray = couple.client.receive_bytes(p.encode(p.QuerySmResp("7"), sequence), 0)
    assert stray == [Unmatched(0x80000003, 0, sequence, p.QuerySmResp("7"))]
    assert couple.client.in_flight == 1


def test_one_bad_item_never_fails_its_neighbours(bound):
    couple = bound()
    bad = p.SubmitSm(destination_addr="33\0")
    unsent = couple.client.send_many([(SUBMIT, 1), (bad, 2), (SUBMIT, 3)], 0)
    assert [(type(event), event.context) for event in unsent] == [(Unsent, 2)]
    couple.exchange()
    assert len(couple.seen) == couple.client.in_flight == 2


@pytest.mark.parametrize(("bind", "answer", "state"), BINDS)
def test_who_may_request_what(unbound, bind, answer, state):
    couple = unbound()
    couple.bind(bind, answer)
    sends = {State.BOUND_TX: True, State.BOUND_RX: False, State.BOUND_TRX: True}[state]
    receives = {State.BOUND_TX: False, State.BOUND_RX: True, State.BOUND_TRX: True}[state]
    cases = [(couple.client, couple.smsc, SUBMIT, sends), (couple.smsc, couple.client, p.DeliverSm(), receives)]
    cases += [(couple.client, couple.smsc, p.DeliverSm(), False), (couple.smsc, couple.client, SUBMIT, False)]
    for sender, receiver, pdu, allowed in cases:
        if not allowed:
            with pytest.raises(NotBound):
                sender.send(pdu, 0)
        (event,) = receiver.receive_bytes(p.encode(pdu, 77), 0)
        assert type(event) is (Received if allowed else Rejected)
        if not allowed:
            assert p.decode(receiver.take_output()) == p.Frame(
                pdu.command_id | 0x80000000, Status.ESME_RINVBNDSTS, 77, p.response_to(pdu.command_id)
            )


def test_before_the_bind_nothing_is_sent(unbound):
    couple = unbound()
    assert [event.context for event in couple.client.send_many([(SUBMIT, "a")], 0)] == ["a"]
    assert couple.client.take_output() == b""


def test_sequence_numbers_wrap_and_skip_those_in_flight(bound):
    client = bound().client
    client.send(SUBMIT, 0, "old")  # sequence 2, after the bind
    client._sequence = 0x7FFFFFFE
    assert [client.send(SUBMIT, 0) for _ in range(4)] == [0x7FFFFFFF, 1, 3, 4]


# --- malformed PDUs and broken streams ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (HEADER.pack(17, 0x04, 0, 7) + b"\1", p.Frame(0x80000004, 0x02, 7, p.SubmitSmResp())),
        (HEADER.pack(16, 0x99, 0, 7), p.Frame(0x80000000, 0x03, 7, p.GenericNack())),
        (
            p.encode(SUBMIT, 7)[:3] + b"\x2e" + p.encode(SUBMIT, 7)[4:] + b"\0\1\0",
            p.Frame(0x80000004, 0xC0, 7, p.SubmitSmResp()),
        ),
    ],
)
def test_a_malformed_pdu_is_answered_and_the_stream_goes_on(bound, frame, answer):
    smsc = bound().smsc
    frame = len(frame).to_bytes(4, "big") + frame[4:]
    events = smsc.receive_bytes(frame + p.encode(SUBMIT, 8), 0)
    assert [(type(event), event.sequence) for event in events] == [(Rejected, 7), (Received, 8)]
    assert p.decode(smsc.take_output()) == answer


@pytest.mark.parametrize("length", [0, 15, 65537, 0x47455420])
def test_a_broken_stream_closes(bound, length):
    client = bound().client
    client.send(SUBMIT, 0, "a")
    events = client.receive_bytes(HEADER.pack(length, 0x15, 0, 1) + bytes(100), 0)
    assert events == [Lost("a"), Closed(f"broken stream: command_length {length}")]
    assert client.receive_bytes(p.encode(p.EnquireLink(), 1), 0) == [] and client.next_timer() is None


def test_the_largest_pdu_is_a_setting(bound):
    smsc = bound(max_pdu=1000).smsc
    assert isinstance(smsc.receive_bytes(HEADER.pack(1001, 4, 0, 1), 0)[0], Closed)


# --- time ----------------------------------------------------------------------------------------------------------------


def test_a_request_without_answer_times_out_and_a_late_answer_is_told(bound):
    couple = bound(response_timeout=5, enquire_interval=0)
    first = couple.client.send(SUBMIT, 0, "a")
    couple.client.send(SUBMIT, 1, "b")
    assert couple.client.next_timer() == 5
    assert couple.client.tick(4.9) == []
    assert couple.client.tick(5) == [RequestTimedOut(first, "a")]
    assert (couple.client.next_timer(), couple.client.in_flight) == (6, 1)
    late = couple.client.receive_bytes(p.encode(p.SubmitSmResp("77"), first), 5.5)
    assert late == [Unmatched(0x80000004, 0, first, p.SubmitSmResp("77"))]


def test_a_silent_link_is_asked_and_an_answer_keeps_it(bound):
    couple = bound(enquire_interval=30, enquire_timeout=10)
    for _ in range(5):
        assert couple.client.next_timer() == couple.now + 30
        assert couple.tick(30) == ([], [])
        assert couple.client.next_timer() == couple.now + 10
        couple.exchange()
        assert couple.client.receive_bytes(couple.smsc.take_output(), couple.now) == []
    assert not couple.client.closed and not couple.smsc.closed


def test_an_enquire_link_of_ours_is_no_request_in_flight(bound):
    couple = bound()
    couple.client.send(p.EnquireLink(), 0)
    assert couple.client.in_flight == 0
    assert couple.exchange() == [] and couple.seen == []


def test_a_half_open_link_is_closed_and_everything_given_back(bound):
    couple = bound(enquire_interval=30, enquire_timeout=10, response_timeout=300)
    couple.client.send_many([(SUBMIT, "a"), (SUBMIT, "b")], 0)
    assert couple.client.tick(30) == []
    assert couple.client.tick(39.9) == []
    assert couple.client.tick(40) == [Lost("a"), Lost("b"), Closed("enquire_link timeout")]


def test_a_session_without_traffic_is_closed_though_enquire_links_flow(bound):
    couple = bound(inactivity_timeout=100, enquire_interval=30)
    for _ in range(3):
        assert couple.tick(30) == ([], [])
        couple.exchange()
        couple.exchange()
    assert couple.tick(10) == ([Closed("inactivity")], [Closed("inactivity")])


def test_while_our_answers_are_late_silence_proves_nothing(bound):
    couple = bound(window=100, backlog=10, enquire_interval=30, response_timeout=0)
    couple.client.send_many([(SUBMIT, n) for n in range(10)], 0)
    couple.exchange()
    assert couple.smsc.tick(30) == [] and couple.smsc.take_output() == b""
    assert couple.smsc.tick(300) == []


def test_a_session_without_timers_has_none(bound):
    couple = bound(enquire_interval=0, response_timeout=0)
    couple.client.send(SUBMIT, 0, "a")
    assert couple.client.next_timer() is None and couple.client.tick(1e9) == []


# --- the end -------------------------------------------------------------------------------------------------------------


def test_unbind_takes_late_answers_then_gives_the_rest_back(bound):
    couple = bound()
    couple.client.send_many([(SUBMIT, "a"), (SUBMIT, "b")], 0)
    couple.exchange()
    couple.smsc.respond(couple.seen[0].sequence, p.SubmitSmResp("1"))
    assert couple.client.unbind(0) == [] and couple.client.unbind(0) == []
    assert couple.client.state is State.UNBINDING and couple.client.free == 0
    with pytest.raises(NotBound):
        couple.client.send(SUBMIT, 0)
    assert couple.exchange() == [Answered("a", 0, p.SubmitSmResp("1")), Lost("b"), Closed("unbound")]
    assert couple.seen == [Closed("the peer said unbind")]


def test_what_comes_before_the_peer_has_read_our_unbind_is_not_lost(bound):
    couple = bound()
    couple.client.unbind(0)
    couple.smsc.send(p.DeliverSm(short_message=b"receipt"), 0, "receipt")
    (event,) = couple.client.receive_bytes(couple.smsc.take_output(), 0)
    assert isinstance(event, Received)
    couple.client.respond(event.sequence, p.DeliverSmResp())
    couple.exchange()
    # the operator reads unbind first here: it will send the receipt again
    assert couple.seen == [Lost("receipt"), Closed("the peer said unbind")]


def test_the_operator_may_unbind(bound):
    couple = bound()
    couple.client.send(SUBMIT, 0, "a")
    couple.client.take_output()
    couple.smsc.unbind(0)
    assert couple.exchange() == [Lost("a"), Closed("the peer said unbind")]
    couple.exchange()
    assert couple.seen == [Closed("unbound")]


def test_an_unbind_without_answer_ends_all_the_same(bound):
    client = bound(response_timeout=5).client
    client.unbind(0)
    assert client.tick(5) == [Closed("unbind timeout")]


def test_unbind_before_the_bind_closes(unbound):
    assert unbound().client.unbind(0) == [Closed("closed before the bind")]


def test_a_lost_connection_gives_everything_back_once(bound):
    client = bound().client
    client.send_many([(SUBMIT, n) for n in range(3)], 0)
    assert client.close("connection lost") == [Lost(0), Lost(1), Lost(2), Closed("connection lost")]
    assert client.close("again") == client.unbind(0) == client.tick(1e9) == []


def test_an_answer_after_the_end_is_dropped(bound):
    couple = bound()
    couple.client.send(SUBMIT, 0)
    couple.exchange()
    couple.smsc.close("gone")
    couple.smsc.respond(couple.seen[0].sequence, p.SubmitSmResp("1"))
    assert couple.smsc.take_output() == b""


# --- laws ----------------------------------------------------------------------------------------------------------------

command_ids = st.sampled_from([*p.COMMANDS, 0x99, 0x80000099])
frames = st.builds(
    lambda command, status, sequence, body: HEADER.pack(16 + len(body), command, status, sequence) + body,
    command_ids,
    st.sampled_from([0, 8, 0x58]),
    st.integers(0, 4),
    st.binary(max_size=30) | st.just(bytes(17)),
)
valid = st.sampled_from([p.encode(pdu, n) for n in (1, 2, 3) for pdu in (SUBMIT, p.DeliverSm(), p.SubmitSmResp("1"))])
streams = st.lists(frames | valid | st.binary(max_size=20), max_size=8).map(b"".join)


def listening(role: Role) -> Session:
    """A session in the middle of its life: bound, with two requests in flight where its role has any."""
    session = Session(role, Config(), 0)
    if role is Role.ESME:
        session.send(p.BindTransceiver("shop"), 0)
        session.receive_bytes(p.encode(p.BindTransceiverResp("smsc"), 1), 0)
        session.send_many([(SUBMIT, "a"), (SUBMIT, "b")], 0)
    else:
        session.receive_bytes(p.encode(p.BindTransceiver("shop"), 1), 0)
        session.respond(1, p.BindTransceiverResp("smsc"))
        session.send_many([(p.DeliverSm(), "a"), (p.DeliverSm(), "b")], 0)
    session.take_output()
    return session


@settings(max_examples=150)
@given(st.sampled_from(Role), streams, st.integers(1, 7))
def test_any_bytes_whole_or_in_pieces_give_the_same_and_never_an_exception(role, stream, size):
    whole, pieces = listening(role), listening(role)
    at_once = whole.receive_bytes(stream, 0)
    piecewise = [e for at in range(0, len(stream), size) for e in pieces.receive_bytes(stream[at : at + size], 0)]
    assert piecewise == at_once
    assert pieces.take_output() == whole.take_output()
    assert (pieces.state, pieces.in_flight, pieces.unanswered) == (whole.state, whole.in_flight, whole.unanswered)


@settings(max_examples=150)
@given(st.sampled_from(Role), st.lists(streams | st.floats(0, 100)), st.booleans())
def test_every_context_comes_back_exactly_once(role, life, politely):
    session, now, events = listening(role), 0.0, []
    for step in life:
        if isinstance(step, bytes):
            events += session.receive_bytes(step, now)
        else:
            now += step
            events += session.tick(now)
    events += session.unbind(now) if politely else []
    events += session.close("over")
    ends = [event.context for event in events if isinstance(event, Answered | RequestTimedOut | Lost)]
    assert sorted(ends) == ["a", "b"]
    assert [type(event) for event in events].count(Closed) == 1 and isinstance(events[-1], Closed)
