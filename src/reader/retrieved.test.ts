import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../test/support/arbitraries.ts';
import { fuzzing } from '../../test/support/fuzz.ts';
import { createMemoryStore } from '../../test/support/memory-store.ts';
import type { Span } from '../model/index.ts';
import { answerRetrievedGraph, answerRetrievedTraces, type RetrievedTrace, type TraceFormat } from './index.ts';

const traceId = '5759e988bd862e3fe1be46a994272793';
const { signal } = new AbortController();
const always = { fromNs: 0n, toNs: 2n ** 64n };
const retrieval = { token: 'token', traceIds: [traceId], cancelled: false, ...always };

describe('the answers to a retrieval', () => {
  it('hold every span of a trace once, whatever spans it has', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrarySpans, async (spans) => {
        const kept = inOneTrace(spans);
        const store = createMemoryStore();
        await store.write({ spans: kept, receivedAtNs: 1n, version: 1n, token: '1' });

        const ids = (await everySpan(store, 'OTEL')).map(({ Id }) => Id);
        assert.deepEqual(ids.toSorted(), kept.map(({ spanId }) => spanId).toSorted());
        const documents = (await everySpan(store, 'XRAY')).map(({ Document }): Segment => JSON.parse(Document));
        const embedded = new Set(documents.flatMap(idsOf));
        for (const id of ids) assert.ok(embedded.has(id), `${id} is in a document`);
        const { RetrievalStatus } = await answerRetrievedGraph(store, { retrieval, nextToken: undefined, signal });
        assert.equal(RetrievalStatus, 'COMPLETE');
      }),
      fuzzing(50),
    );
  });

  it('stop when nobody waits for them any more', async () => {
    const store = createMemoryStore();
    const gone = AbortSignal.abort(new Error('the client is gone'));
    const question = { retrieval, nextToken: undefined, signal: gone };
    await assert.rejects(answerRetrievedGraph(store, question), /the client is gone/);
    await assert.rejects(answerRetrievedTraces(store, { ...question, format: 'XRAY' }), /the client is gone/);
  });
});

async function everySpan(
  store: Parameters<typeof answerRetrievedTraces>[0],
  format: TraceFormat,
): Promise<RetrievedTrace['Spans']> {
  const found: RetrievedTrace['Spans'][number][] = [];
  for (let nextToken: string | undefined, pages = 0; pages < 100; pages += 1) {
    const page = await answerRetrievedTraces(store, { retrieval, format, nextToken, signal });
    found.push(...page.Traces.flatMap(({ Spans }) => Spans));
    nextToken = page.NextToken;
    if (!nextToken) return found;
  }
  assert.fail('the pages do not end');
}

interface Segment {
  readonly id: string;
  readonly subsegments?: readonly Segment[];
}

function idsOf({ id, subsegments = [] }: Segment): readonly string[] {
  return [id, ...subsegments.flatMap(idsOf)];
}

/** Each under an id of its own. */
function inOneTrace(spans: readonly Span[]): readonly Span[] {
  return spans.map((span, i) => ({ ...span, traceId, spanId: (i + 1).toString(16).padStart(16, '0') }));
}
