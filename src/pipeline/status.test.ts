import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createStatus, exampleEnvironment, type Listener } from './status.ts';

describe('the status', () => {
  it('keeps the last fifty rejections, newest first', () => {
    const status = createStatus();
    for (let i = 0; i < 60; i++) status.reject({ component: 'otlp', atNs: BigInt(i), reason: 'bad', sample: '' });
    assert.equal(status.rejections.length, 50);
    assert.deepEqual([status.rejections[0]?.atNs, status.rejections.at(-1)?.atNs], [59n, 10n]);
  });

  it('keeps of a sample the first 200 characters, and none that a terminal or a page would obey', () => {
    const status = createStatus();
    const sampleOf = (sample: string) => {
      status.reject({ component: 'awsxray', atNs: 0n, reason: 'bad', sample });
      return status.rejections[0]?.sample;
    };
    assert.equal(sampleOf('{"name":\n"\u001b[31mred\u0000\u009b"}'), '{"name":·"·[31mred··"}');
    assert.equal(sampleOf('ü€😀'), 'ü€😀');
    assert.equal(sampleOf('x'.repeat(1000)), 'x'.repeat(200));
    assert.equal(sampleOf(`${'x'.repeat(199)}😀`), `${'x'.repeat(199)}·`);
  });

  it('holds one fault a component until it works again', () => {
    const status = createStatus();
    status.fault('clickhouse', 'starting');
    status.fault('clickhouse', 'crashed');
    status.fault('traces>store', 'waits');
    assert.deepEqual(
      [...status.faults],
      [
        ['clickhouse', 'crashed'],
        ['traces>store', 'waits'],
      ],
    );
    status.fault('clickhouse', undefined);
    status.fault('never', undefined);
    assert.deepEqual([...status.faults.keys()], ['traces>store']);
  });
});

describe('the example environment', () => {
  const udp: Listener = {
    component: 'awsxray',
    protocol: 'X-Ray segments',
    transport: 'udp',
    address: '127.0.0.1:2000',
  };
  const tcp: Listener = { ...udp, protocol: 'X-Ray sampling', transport: 'tcp' };
  const otlp: Listener = { component: 'otlp/2', protocol: 'OTLP HTTP', transport: 'tcp', address: '0.0.0.0:4318' };
  const api: Listener = { component: 'xray_api', protocol: 'X-Ray API', transport: 'tcp', address: '[::]:2080' };

  it('points the three kinds of client at the listeners that are open, over loopback', () => {
    assert.deepEqual(exampleEnvironment([api, otlp, tcp, udp]), {
      AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      AWS_ENDPOINT_URL_XRAY: 'http://127.0.0.1:2080',
    });
  });

  it('names both addresses of the daemon when they differ, and keeps an address that is one', () => {
    assert.deepEqual(exampleEnvironment([udp, { ...tcp, address: '10.0.0.5:2000' }]), {
      AWS_XRAY_DAEMON_ADDRESS: 'tcp:10.0.0.5:2000 udp:127.0.0.1:2000',
    });
    assert.deepEqual(exampleEnvironment([udp]), { AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000' });
  });

  it('names nothing that does not listen', () => {
    assert.deepEqual(exampleEnvironment([]), {});
    assert.deepEqual(exampleEnvironment([tcp, { ...otlp, component: 'otlpish' }, { ...api, protocol: 'console' }]), {});
  });
});
