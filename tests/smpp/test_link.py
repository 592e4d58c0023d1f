"""The pump over real sockets: one server and one client in this process, TLS included."""

import asyncio
import datetime
import ssl
from contextlib import asynccontextmanager

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from passerelle.smpp import pdu as p
from passerelle.smpp.link import Link, connect, serve
from passerelle.smpp.session import Answered, BindRefused, Bound, Closed, Config, Lost, Received, RequestTimedOut

BIND = p.BindTransceiver("shop", "secret")
SUBMIT = p.SubmitSm(destination_addr="33611", short_message=b"hello")


class Witness:
    """Takes the events of a link and lets a test wait for one of a kind."""

    def __init__(self):
        self.events, self.batches, self._changed = [], [], asyncio.Event()

    def __call__(self, events):
        self.events += events
        self.batches.append(len(events))
        self._changed.set()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, holds):
        async with asyncio.timeout(10):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def wait(self, kind, count=1):
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)


async def fill(link: Link) -> None:
    """Submit until the buffers of the kernel and ours are full."""
    while link.writable:
        link.send_many([(p.SubmitSm(short_message=bytes(250)), None)] * 5000)
        await asyncio.sleep(0)


class Operator:
    """Accepts every bind, answers every submit with a number, per read."""

    def __init__(self, answering=True):
        self.links, self.answering, self.events, self.received = [], answering, Witness(), 0

    def accept(self, link):
        self.links.append(link)

        def on_events(events):
            self.events(events)
            link.respond_many(
                [self.answer(event) for event in events if isinstance(event, Received)] if self.answering else []
            )

        return on_events

    def answer(self, event):
        self.received += 1
        if isinstance(event.pdu, p.SubmitSm):
            return event.sequence, p.SubmitSmResp(str(self.received)), 0
        return event.sequence, p.response_to(event.pdu.command_id), 0


@asynccontextmanager
async def operator(config=None, ssl=None, **settings):
    smsc = Operator(**settings)
    server = await serve(smsc.accept, "127.0.0.1", 0, config, ssl=ssl)
    try:
        yield smsc, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for link in smsc.links:
            link.abort()


async def bound(port, config=None, **settings) -> tuple[Link, Witness]:
    witness = Witness()
    link = await connect("127.0.0.1", port, BIND, witness, config, **settings)
    await witness.wait(Bound)
    return link, witness


async def test_a_window_is_answered_in_few_batches_and_the_end_is_polite():
    async with operator() as (smsc, port):
        link, witness = await bound(port, Config(window=500))
        assert link.send_many([(SUBMIT, n) for n in range(500)]) == [] and link.free == 0
        answers = await witness.wait(Answered, 500)
        assert [a.context for a in answers] == list(range(500)) and link.free == 500
        assert len(witness.batches) < 50
        link.close()
        await link.wait_closed()
        assert witness.of(Closed) == [Closed("unbound")]
        await smsc.events.wait(Closed)


async def test_what_the_owner_sends_while_it_takes_events_leaves_in_one_write():
    async with operator() as (_, port):
        witness = Witness()

        def on_events(events):
            witness(events)
            if any(isinstance(event, Bound) for event in events):
                link.send_many([(SUBMIT, 1)])
                link.send(SUBMIT, 2)

        link = await connect("127.0.0.1", port, BIND, on_events)
        assert {a.context for a in await witness.wait(Answered, 2)} == {1, 2}
        link.abort()


async def test_a_close_from_inside_comes_after_the_events_of_the_read():
    async with operator() as (_, port):
        witness = Witness()

        def on_events(events):
            if events and isinstance(events[0], Answered):
                link.abort("enough")
            witness(events)

        link = await connect("127.0.0.1", port, BIND, on_events)
        await witness.wait(Bound)
        link.send_many([(SUBMIT, n) for n in range(20)])
        await witness.wait(Closed)
        assert isinstance(witness.events[-1], Closed)
        contexts = [event.context for event in witness.events if isinstance(event, Answered | Lost)]
        assert sorted(contexts) == list(range(20))


async def test_a_lost_connection_gives_everything_back():
    async with operator() as (smsc, port):
        link, witness = await bound(port)
        smsc.answering = False
        link.send_many([(SUBMIT, n) for n in range(5)])
        await smsc.events.wait(Received, 6)
        smsc.links[0].abort()
        assert [lost.context for lost in await witness.wait(Lost, 5)] == [0, 1, 2, 3, 4]
        await link.wait_closed()
        assert isinstance(witness.events[-1], Closed) and link.free == 0


async def test_a_peer_that_falls_silent_is_found_out():
    async with operator() as (smsc, port):
        link, witness = await bound(port, Config(enquire_interval=0.05, enquire_timeout=0.05))
        smsc.links[0].session.receive_bytes = lambda data, now: []  # still connected, yet deaf
        link.send(SUBMIT, "a")
        await witness.wait(Closed)
        assert witness.events[-2:] == [Lost("a"), Closed("enquire_link timeout")]


def test_a_timeout_shorter_than_a_millisecond_breaks_nothing_under_uvloop():
    async def hurried():
        async with operator() as (smsc, port):
            link, witness = await bound(port, Config(response_timeout=0.0002))
            smsc.answering = False
            link.send(SUBMIT)
            link.send(SUBMIT)
            await witness.wait(RequestTimedOut, 2)
            link.abort()

    uvloop.run(hurried())


async def test_a_server_that_answers_late_stops_reading_and_goes_on_when_it_has():
    async with operator(Config(backlog=10)) as (smsc, port):
        link, witness = await bound(port, Config(window=1_000_000))
        smsc.answering = False
        await fill(link)
        server, taken = smsc.links[0], len(smsc.events.of(Received))
        assert link.free == 0 and taken < 10_000
        smsc.answering = True
        server.respond_many([smsc.answer(event) for event in smsc.events.of(Received)[1:]])
        await witness.until(lambda: link.writable)
        assert link.free > 0
        await witness.until(lambda: not link.session.in_flight)
        link.abort()


async def test_a_peer_that_takes_nothing_more_does_not_keep_the_connection():
    async with operator(Config(backlog=10)) as (smsc, port):
        link, witness = await bound(port, Config(window=1_000_000, enquire_timeout=0.05))
        smsc.answering = False
        await fill(link)
        link.abort()
        async with asyncio.timeout(5):
            await link.wait_closed()
        assert len(witness.of(Lost)) >= 5000 and isinstance(witness.events[-1], Closed)


async def test_a_client_that_reads_no_answers_is_not_read_either():
    async with operator() as (smsc, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(p.encode(BIND, 1))
        await smsc.events.wait(Received)
        server = smsc.links[0]
        while server.writable:
            writer.write(b"".join(p.encode(p.QuerySm("7" * 60), n) for n in range(2, 2002)))
            await asyncio.sleep(0)
        answered = smsc.received
        for _ in range(100):
            writer.write(p.encode(p.QuerySm("7"), 1))
            await asyncio.sleep(0)
        assert smsc.received == answered
        async with asyncio.timeout(10):
            while smsc.received == answered:
                await reader.read(65536)
        writer.close()


async def test_a_bind_refused_and_no_one_there():
    async with operator(answering=False) as (smsc, port):
        witness = Witness()
        link = await connect("127.0.0.1", port, BIND, witness)
        (request,) = await smsc.events.wait(Received)
        smsc.links[0].respond(request.sequence, p.BindTransceiverResp(), 14)
        assert await witness.wait(BindRefused) == [BindRefused(14)]
        link.close()
        await link.wait_closed()
        assert isinstance(witness.events[-1], Closed)
    with pytest.raises(OSError):
        await connect("127.0.0.1", port, BIND, witness)


async def test_noise_on_the_port_closes_that_connection_alone():
    async with operator() as (_, port):
        link, witness = await bound(port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        link.send(SUBMIT, "a")
        assert len(await witness.wait(Answered)) == 1
        assert link.peer == f"127.0.0.1:{port}"
        link.abort()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory):
    key, folder = ec.generate_private_key(ec.SECP256R1()), tmp_path_factory.mktemp("tls")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start.replace(year=2120))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "both.pem").write_bytes(certificate.public_bytes(pem) + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cafile=folder / "both.pem")


async def test_the_same_over_tls(contexts):
    async with operator(ssl=contexts[0]) as (_, port):
        witness = Witness()
        link = await connect("localhost", port, BIND, witness, ssl=contexts[1])
        await witness.wait(Bound)
        link.send_many([(SUBMIT, n) for n in range(50)])
        await witness.wait(Answered, 50)
        link.close()
        await link.wait_closed()
        assert witness.of(Closed) == [Closed("unbound")]
