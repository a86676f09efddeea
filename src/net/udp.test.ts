import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createTestContext } from '../../test/support/context.ts';
import { createSignal } from '../../test/support/signal.ts';
import { sendDatagrams } from '../../test/support/udp.ts';
import { openUdp, type UdpReceiver } from './udp.ts';

describe('openUdp', () => {
  const { context, log } = createTestContext('test');

  function open(endpoint: string, onDatagram: (datagram: Uint8Array) => void): Promise<UdpReceiver> {
    const { status } = context;
    return openUdp({ component: 'test', protocol: 'X-Ray segments', endpoint, onDatagram, status, log });
  }

  it('gives each datagram whole and apart, up to the largest there is', async () => {
    const largest = Buffer.alloc(65_507, 'x');
    const received: Uint8Array[] = [];
    const arrived = createSignal();
    const udp = await open('127.0.0.1:0', (datagram) => {
      received.push(datagram);
      if (received.length === 3) arrived.raise();
    });
    await sendDatagrams(udp.address, [Buffer.from('a'), largest, Buffer.from('b')]);
    await arrived.raised;
    assert.deepEqual(received.map(String), ['a', String(largest), 'b']);
    await udp.close();
  });

  it('reads what has arrived before it closes', async () => {
    let received = 0;
    const udp = await open('127.0.0.1:0', () => (received += 1));
    await sendDatagrams(udp.address, Array(500).fill(Buffer.from('a')));
    await udp.close();
    assert.equal(received, 500);
  });

  it('reports where it listens, once', async () => {
    const udp = await open('localhost:0', () => {});
    const listener = context.status.listeners.at(-1);
    const expected = { component: 'test', protocol: 'X-Ray segments', transport: 'udp', address: udp.address };
    assert.deepEqual(listener, expected);
    await udp.close();
  });

  it('names the holder of a port that is taken', async () => {
    const udp = await open('127.0.0.1:0', () => {});
    await assert.rejects(
      open(udp.address, () => {}),
      {
        code: 'LISTEN_FAILED',
        message: new RegExp(
          `^test: cannot listen for X-Ray segments on udp ${udp.address}: (this process|another program)`,
        ),
      },
    );
    await udp.close();
  });

  it('warns when other machines can reach it', async () => {
    const udp = await open(':0', () => {});
    assert.deepEqual(log.entries.at(-1)?.level, 'warn');
    await udp.close();
  });

  it(
    'counts what the kernel drops while nobody reads',
    { skip: process.platform !== 'linux' && 'only Linux tells' },
    async () => {
      const udp = await open('127.0.0.1:0', () => {});
      assert.equal(udp.drops(), 0);
      const datagram = Buffer.alloc(60_000);
      // Sent without giving the receiver a turn: several times what its buffer holds.
      const sender = createSocket('udp4');
      const [host, port] = udp.address.split(':');
      sender.connect(Number(port), host);
      await once(sender, 'connect');
      for (let i = 0; i < 400; i++) sender.send(datagram);
      assert.ok(udp.drops() > 0);
      sender.close();
      await udp.close();
    },
  );
});
