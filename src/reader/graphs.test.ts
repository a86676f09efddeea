import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createMemoryStore, type MemoryStore } from '../../test/support/memory-store.ts';
import { graphQuery } from '../../test/support/query.ts';
import { resourceOf, rootAt } from '../../test/support/span.ts';
import { type Span } from '../model/index.ts';
import { answerServiceGraphPage, answerTraceGraphPage } from './graphs.ts';
import { createTraceReader, type TraceReader } from './reader.ts';

const second = 1_000_000_000n;
const startNs = 1_700_000_040n * second;
const traceId = 'e'.repeat(32);
const range = { ...graphQuery(), fromNs: startNs, toNs: startNs + 60n * second, nextToken: undefined };

describe('pages of graphs', () => {
  let store: MemoryStore;
  let reader: TraceReader;
  let writes: bigint;

  beforeEach(async () => {
    store = createMemoryStore();
    reader = createTraceReader(store);
    writes = 0n;
    await keep(
      Array.from({ length: 1100 }, (_, i) => ({
        ...rootAt(startNs, { resource: resourceOf(`service ${i}`) }),
        traceId,
      })),
    );
  });

  it('name the same services by the same numbers', async () => {
    for (const ask of [
      (nextToken: string | undefined) => answerServiceGraphPage(reader, { ...range, nextToken }),
      (nextToken: string | undefined) => answerTraceGraphPage(reader, { traceIds: [traceId], nextToken }),
    ]) {
      const first = await ask(undefined);
      const rest = await ask(first.NextToken);
      assert.deepEqual([first.Services.length, rest.Services.length, rest.NextToken], [1000, 101, undefined]);
      const ids = [...first.Services, ...rest.Services].map(({ ReferenceId }) => ReferenceId);
      assert.deepEqual(
        ids,
        ids.map((_, index) => index),
      );
    }
  });

  it('end when services have come before them', async () => {
    const { NextToken } = await answerServiceGraphPage(reader, range);
    await keep([rootAt(startNs - 1n, { resource: resourceOf('early') })]);
    const wider = { ...range, fromNs: startNs - second };
    const { NextToken: other } = await answerServiceGraphPage(reader, wider);
    assert.notEqual(other, NextToken);
    await assert.rejects(answerServiceGraphPage(reader, { ...wider, nextToken: NextToken }), {
      code: 'INVALID_REQUEST',
    });
    await keep([
      {
        ...rootAt(startNs, { resource: resourceOf('new') }),
        traceId: '1'.repeat(32),
        startTimeNs: startNs - second / 2n,
      },
    ]);
    await assert.rejects(answerServiceGraphPage(reader, { ...wider, nextToken: other }), {
      message: /^NextToken: other services are in the graph since the page before/,
    });
  });

  async function keep(spans: readonly Span[]): Promise<void> {
    writes += 1n;
    await store.write({ spans, receivedAtNs: startNs, version: writes, token: String(writes) });
  }
});
