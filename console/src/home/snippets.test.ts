import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { snippetTabs } from './snippets.ts';

describe('the lines of the first page', () => {
  it('carry the addresses that the process listens on', () => {
    const tabs = snippetTabs({
      AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    });
    assert.equal(tabs[0]?.snippets[0]?.text, 'export AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000');
    assert.match(tabs[3]?.snippets[0]?.text ?? '', /-e OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:4318/);
  });

  it('are none where nothing listens', () => {
    assert.deepEqual(
      snippetTabs({}).flatMap(({ snippets }) => snippets),
      [],
    );
  });

  it('send a segment from bash', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    try {
      const received = once(socket, 'message');
      await runInBash(textOf('xray', { AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${socket.address().port}` }));
      const [header, document] = String((await received)[0]).split('\n');
      assert.deepEqual(JSON.parse(header ?? ''), { format: 'json', version: 1 });
      const segment = JSON.parse(document ?? '');
      assert.match(segment.trace_id, /^1-[0-9a-f]{8}-[0-9a-f]{24}$/);
      assert.match(segment.id, /^[0-9a-f]{16}$/);
      assert.equal(segment.end_time, segment.start_time + 0.25);
    } finally {
      socket.close();
    }
  });

  it('send a span with curl', async (context) => {
    if (!(await runInBash('command -v curl').catch(() => undefined))) return context.skip('curl is not installed');
    const server = createServer((request, response) => void text(request).then((body) => response.end(body)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      // The address of a listening TCP server is an AddressInfo.
      const { port } = server.address() as AddressInfo;
      const echoed = JSON.parse(
        await runInBash(textOf('otlp', { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })),
      );
      const [span] = echoed.resourceSpans[0].scopeSpans[0].spans;
      assert.match(span.traceId, /^[0-9a-f]{32}$/);
      assert.equal(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano), 250_000_000n);
    } finally {
      server.close();
    }
  });
});

function textOf(id: string, environment: Parameters<typeof snippetTabs>[0]): string {
  return snippetTabs(environment).find((tab) => tab.id === id)?.snippets[1]?.text ?? '';
}

async function runInBash(command: string): Promise<string> {
  return (await promisify(execFile)('bash', ['-c', command])).stdout;
}
