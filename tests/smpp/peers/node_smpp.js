// node-smpp on the other side of the wire.
//   node node_smpp.js echo           hex frames on stdin -> what it reads and writes back, one JSON line each
//   node node_smpp.js serve          an operator: prints its port, answers, sends a receipt for each submit, unbinds after it
//   node node_smpp.js client PORT    a customer: binds, submits three, answers their receipts, unbinds, prints what it saw
const smpp = require('smpp');

function echo() {
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const pdu = new smpp.PDU(Buffer.from(line, 'hex'));
    const replacer = (key, value) => (value && value.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value);
    console.log(JSON.stringify({ pdu, again: pdu.toBuffer().toString('hex') }, replacer));
  });
}

function serve() {
  const server = smpp.createServer((session) => {
    session.on('bind_transceiver', (pdu) => session.send(pdu.response({ system_id: 'node' })));
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('submit_sm', (pdu) => {
      session.send(pdu.response({ message_id: 'id' + pdu.sequence_number }));
      const receipt = {
        source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
        short_message: 'id:id' + pdu.sequence_number + ' stat:DELIVRD err:000', message_state: 2,
      };
      session.deliver_sm(receipt, () => session.unbind(() => session.close()));
    });
    session.on('error', () => {});
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
}

function client(port) {
  const saw = [];
  const session = smpp.connect({ url: 'smpp://127.0.0.1:' + port }, () => {
    session.bind_transceiver({ system_id: 'node', password: 'secret' }, (bound) => {
      saw.push(['bound', bound.command_status, bound.system_id]);
      for (const text of ['one', 'two', 'three']) {
        session.submit_sm({ source_addr: 'Shop', destination_addr: '33611', short_message: text, registered_delivery: 1 },
          (pdu) => saw.push(['submit', pdu.command_status, pdu.message_id]));
      }
    });
  });
  let receipts = 0;
  session.on('deliver_sm', (pdu) => {
    session.send(pdu.response());
    saw.push(['deliver', pdu.source_addr, pdu.receipted_message_id, pdu.message_state]);
    receipts += 1;
    if (receipts === 3) session.unbind(() => { console.log(JSON.stringify(saw)); session.close(); });
  });
}

({ echo, serve, client })[process.argv[2]](process.argv[3]);
