import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { findPortHolder } from './port-holder.ts';

const linuxOnly = process.platform !== 'linux' && 'only Linux tells';

describe('findPortHolder', () => {
  const programs = {
    tcp: `const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))`,
    udp: `const s = require('dgram').createSocket('udp6'); s.bind(0, '::1', () => console.log(s.address().port))`,
  };
  for (const transport of ['tcp', 'udp'] as const) {
    it(`names the program that has a ${transport} port open`, { skip: linuxOnly }, async () => {
      const child = spawn(process.execPath, ['-e', programs[transport]], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        const [line] = await once(child.stdout, 'data');
        const holder = findPortHolder({ transport, port: Number(line) });
        assert.deepEqual(holder, { pid: child.pid, name: 'node' });
      } finally {
        child.kill();
        await once(child, 'close');
      }
    });
  }

  it('knows nobody on a port that is free', () => {
    assert.equal(findPortHolder({ transport: 'tcp', port: 1 }), undefined);
  });
});
