import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTestLog } from '../../../test/support/context.ts';
import { testSpan } from '../../../test/support/span.ts';
import { encodeTraces } from '../../codec/index.ts';
import { createBatch } from '../../pipeline/batches.ts';
import { createDebugExporter, debugExporter, type DebugConfig } from './index.ts';

const span = testSpan({ endTimeNs: 1_700_000_001_500_000_000n, attributes: new Map([['http.route', '/']]) });

describe('the debug exporter', () => {
  async function exported(
    config: object,
  ): Promise<{ readonly logged: readonly object[]; readonly printed: readonly string[] }> {
    const log = createTestLog();
    const printed: string[] = [];
    const parsed = debugExporter.configSchema.parse(config) as DebugConfig; // The factory's own schema.
    const exporter = createDebugExporter({ config: parsed, log, print: (line) => void printed.push(line) });
    const body = encodeTraces([span, { ...span, spanId: '53995c3f42cd8ad9', endTimeNs: 0n }]);
    const batches = [createBatch({ format: 'otlp_proto', body, items: 2, receivedAtNs: 0n })];
    await exporter.export({ batches, token: 't', sequence: 1n, signal: new AbortController().signal });
    return { logged: log.entries.map(({ fields }) => fields), printed };
  }

  it('logs counts', async () => {
    const { logged } = await exported({});
    assert.deepEqual(
      logged.map((fields) => ({ ...fields, bytes: 0 })),
      [{ batches: 1, spans: 2, bytes: 0 }],
    );
  });

  it('logs a line for each span with verbosity normal', async () => {
    const { logged } = await exported({ verbosity: 'normal' });
    const first = { traceId: span.traceId, spanId: span.spanId, parentSpanId: undefined, name: 'GET /' };
    assert.deepEqual(logged[0], { ...first, durationMs: 1500, status: 0, attributes: 1 });
    assert.equal(logged.length, 2);
  });

  it('logs every span in full as OTLP/JSON with verbosity detailed', async () => {
    const { logged } = await exported({ verbosity: 'detailed' });
    const text = JSON.stringify(logged);
    assert.match(text, /^\[\{"resourceSpans":\[/);
    assert.match(text, /"key":"http.route"/);
  });

  it('prints bare lines to stdout when the log is not wanted', async () => {
    const { logged, printed } = await exported({ verbosity: 'detailed', use_internal_logger: false });
    assert.deepEqual(logged, []);
    assert.equal(typeof JSON.parse(printed[0] ?? '').resourceSpans, 'object');
  });

  it('takes the loglevel of the former logging exporter', async () => {
    assert.equal((await exported({ loglevel: 'info' })).logged.length, 2);
    assert.match(JSON.stringify((await exported({ loglevel: 'debug' })).logged), /resourceSpans/);
  });

  const refused: readonly (readonly [object, RegExp])[] = [
    [{ verbosity: 'loud' }, /verbosity level \\"loud\\" is not supported/],
    [{ verBosity: 'basic' }, /verBosity/],
    [{ output_paths: ['stdout'] }, /output_paths is not supported when use_internal_logger is true/],
    [{ use_internal_logger: false, output_paths: ['/etc/passwd'] }, /expected stdout/],
  ];
  for (const [config, message] of refused) {
    it(`refuses ${JSON.stringify(config)}`, () => {
      assert.throws(
        () => debugExporter.configSchema.parse(config),
        (error) => message.test(JSON.stringify(String(error))) || message.test(String(error)),
      );
    });
  }
});
