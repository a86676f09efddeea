import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback, parseAddress, printAddress } from './address.ts';

describe('parseAddress', () => {
  const readings = [
    ['127.0.0.1:4317', '127.0.0.1', 4317],
    ['localhost:4317', '127.0.0.1', 4317],
    ['LOCALHOST:0', '127.0.0.1', 0],
    ['[::1]:65535', '::1', 65535],
    [':2000', '0.0.0.0', 2000],
    ['[]:2000', '::', 2000],
    ['otel.example:80', 'otel.example', 80],
  ] as const;
  for (const [text, host, port] of readings) {
    it(`reads ${text} as ${host} port ${port}`, () => {
      assert.deepEqual(parseAddress(text), { host, port });
    });
  }

  for (const text of ['4317', '', 'localhost', 'a:b', '::1:4317', '127.0.0.1:65536', 'http://127.0.0.1:80', '[::1]']) {
    it(`refuses ${JSON.stringify(text)} and shows it`, () => {
      const expected = { code: 'CONFIG_INVALID', message: `expected host:port, got ${JSON.stringify(text)}` };
      assert.throws(() => parseAddress(text), expected);
    });
  }

  it('is undone by printAddress', () => {
    assert.equal(printAddress(parseAddress('[::1]:80')), '[::1]:80');
    assert.equal(printAddress(parseAddress('127.0.0.1:80')), '127.0.0.1:80');
  });
});

describe('isLoopback', () => {
  it('knows every way to write this machine', () => {
    for (const host of ['localhost', 'Localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]', '::ffff:127.0.0.1']) {
      assert.equal(isLoopback(host), true, host);
    }
  });

  it('takes nothing else for it', () => {
    for (const host of ['', '0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', 'localhost.evil.example', '127.1']) {
      assert.equal(isLoopback(host), false, host);
    }
  });
});
