"""Other people's SMPP: node-smpp on the wire, and Wireshark's dissector over our bytes. Skipped where not installed."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from passerelle.smpp import pdu as p
from passerelle.smpp.fields import fields_of
from passerelle.smpp.link import connect, serve
from passerelle.smpp.receipt import ReportState, format_receipt, parse, receipt_tlvs
from passerelle.smpp.session import Answered, Bound, Closed, Received

SCRIPT = Path(__file__).parent / "peers" / "node_smpp.js"
EXAMPLES: list[p.Pdu] = [
    p.BindTransmitter("shop", "secret", "VMA", 0x34, 1, 1, "336"),
    p.BindReceiver("shop", "secret"),
    p.BindTransceiver("shop", "secret"),
    p.BindTransceiverResp("smsc", p.tlvs(sc_interface_version=0x34)),
    p.Outbind("smsc", "secret"),
    p.Unbind(),
    p.UnbindResp(),
    p.EnquireLink(),
    p.EnquireLinkResp(),
    p.GenericNack(),
    p.SubmitSm(
        "CMT", 5, 0, "Shop", 1, 1, "33612345678", 0x01, 0, 1, "", "261231235900000+", 1, 0, 4, 0,
        b"\xffbinary", p.tlvs(user_message_reference=77, sar_total_segments=3),
    ),
    p.SubmitSmResp("0123456789abcdef"),
    p.DeliverSm("", 1, 1, "33611", 5, 0, "Shop", 4, short_message=b"id:7 stat:DELIVRD", tlvs=receipt_tlvs("7", ReportState.DELIVRD)),
    p.DeliverSmResp(),
    p.SubmitMulti("", 5, 0, "Shop", (p.Destination(1, 1, "33611"), p.DistributionList("friends")), short_message=b"hello"),
    p.SubmitMultiResp("77", (p.Unsuccessful(1, 1, "33611", 11),)),
    p.DataSm("", 1, 1, "33600", 1, 1, "33611", 0, 1, 0, p.tlvs(message_payload=b"hello")),
    p.DataSmResp("77"),
    p.QuerySm("77", 1, 1, "33600"),
    p.QuerySmResp("77", "", 2, 0),
    p.CancelSm("", "77", 1, 1, "33600", 1, 1, "33611"),
    p.CancelSmResp(),
    p.ReplaceSm("77", 1, 1, "33600", "", "", 1, 0, b"new text"),
    p.ReplaceSmResp(),
    p.AlertNotification(1, 1, "33600", 1, 1, "900", p.tlvs(ms_availability_status=1)),
]  # fmt: skip
FRAMES = [p.encode(pdu, number) for number, pdu in enumerate(EXAMPLES, 1)]

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def node():
    """The environment in which node finds `smpp`."""
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    env = dict(os.environ)
    if "NODE_PATH" not in env and shutil.which("npm"):
        env["NODE_PATH"] = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True).stdout.strip()
    if subprocess.run(["node", "-e", "require('smpp')"], env=env, capture_output=True).returncode:
        pytest.skip("node-smpp is not installed (npm install -g smpp)")
    return env


# --- node-smpp ----------------------------------------------------------------------------------------------------------


def test_node_smpp_reads_the_same_fields_and_writes_the_same_bytes(node):
    lines = "\n".join(frame.hex() for frame in FRAMES)
    run = subprocess.run(["node", SCRIPT, "echo"], input=lines, env=node, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(EXAMPLES)
    for pdu, frame, answer in zip(EXAMPLES, FRAMES, answers, strict=True):
        theirs = answer["pdu"]
        for name, kind in fields_of(type(pdu)).items():
            if name in theirs and not kind.body and not kind.pack and name not in TIMES:
                assert theirs[name] == getattr(pdu, name), name
        assert answer["again"] == frame.hex()


TIMES = ("schedule_delivery_time", "validity_period", "final_date")  # turned into dates there


async def test_our_client_against_the_server_of_node_smpp(node):
    server = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), "serve", env=node, stdout=asyncio.subprocess.PIPE
    )
    try:
        port = int(await server.stdout.readline())
        events = []

        def on_events(batch):
            events.extend(batch)
            link.respond_many([(e.sequence, p.DeliverSmResp(), 0) for e in batch if isinstance(e, Received)])
            if any(isinstance(e, Bound) for e in batch):
                link.send(p.SubmitSm(source_addr="Shop", destination_addr="33611", short_message=b"hello"), "mine")

        link = await connect("127.0.0.1", port, p.BindTransceiver("shop", "secret"), on_events)
        async with asyncio.timeout(10):
            await link.wait_closed()
    finally:
        server.kill()
        await server.wait()
    bound, answered, received, closed = events
    assert bound == Bound(p.BindTransceiverResp("node"))
    assert answered == Answered("mine", 0, p.SubmitSmResp("id2"))
    report = parse(received.pdu)
    assert (report.operator_id, report.state, report.error) == ("id2", ReportState.DELIVRD, "000")
    assert closed == Closed("the peer said unbind")


async def test_the_client_of_node_smpp_against_our_server(node):
    def accept(link):
        def on_events(events):
            for event in events:
                if isinstance(event, Received):
                    answer(link, event)

        return on_events

    def answer(link, event):
        if isinstance(event.pdu, p.BindTransceiver):
            link.respond(event.sequence, p.BindTransceiverResp("ours"))
        elif isinstance(event.pdu, p.SubmitSm):
            number = event.pdu.short_message.decode()
            link.respond(event.sequence, p.SubmitSmResp(number))
            text = format_receipt(number, ReportState.DELIVRD, submitted="2401151230", done="2401151231")
            optional = receipt_tlvs(number, ReportState.DELIVRD)
            link.send(p.DeliverSm(source_addr="33611", esm_class=4, short_message=text, tlvs=optional))

    server = await serve(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    command = ("node", str(SCRIPT), "client", str(port))
    client = await asyncio.create_subprocess_exec(*command, env=node, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(10):
            output, _ = await client.communicate()
    finally:
        server.close()
    saw = json.loads(output)
    assert saw[0] == ["bound", 0, "ours"]
    assert [line for line in saw if line[0] == "submit"] == [["submit", 0, n] for n in ("one", "two", "three")]
    assert [line for line in saw if line[0] == "deliver"] == [
        ["deliver", "33611", n, 2] for n in ("one", "two", "three")
    ]


# --- Wireshark ----------------------------------------------------------------------------------------------------------

COLUMNS = {
    "system_id": "smpp.system_id",
    "message_id": "smpp.message_id",
    "source_addr": "smpp.source_addr",
    "destination_addr": "smpp.destination_addr",
    "esme_addr": "smpp.esme_addr",
}


def test_the_dissector_of_wireshark_finds_nothing_malformed(tmp_path):
    if not shutil.which("tshark") or not shutil.which("text2pcap"):
        pytest.skip("tshark is not installed")
    dump = "".join(f"000000 {frame.hex(' ')}\n\n" for frame in FRAMES)
    (tmp_path / "frames.txt").write_text(dump)
    capture = str(tmp_path / "frames.pcap")
    subprocess.run(["text2pcap", "-q", "-T", "40000,2775", str(tmp_path / "frames.txt"), capture], check=True)
    asked = ["smpp.command_id", "smpp.sequence_number", "_ws.malformed", "smpp.opt_param_tag", *COLUMNS.values()]
    columns = [word for name in asked for word in ("-e", name)]
    command = ["tshark", "-r", capture, "-d", "tcp.port==2775,smpp", "-T", "fields", *columns]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(EXAMPLES)
    for number, (pdu, line) in enumerate(zip(EXAMPLES, lines, strict=True), 1):
        code, sequence, malformed, tags, *rest = line.split("\t")
        assert (int(code, 16), int(sequence, 0), malformed) == (pdu.command_id, number, "")
        assert [int(tag, 16) for tag in tags.split(",") if tag] == [tag for tag, _ in getattr(pdu, "tlvs", ())]
        for name, value in zip(COLUMNS, rest, strict=True):
            if isinstance(getattr(pdu, name, None), str):
                assert value == getattr(pdu, name), name
