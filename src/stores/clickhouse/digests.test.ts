import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { arbitraryTraces } from '../../../test/support/arbitrary-traces.ts';
import { fuzzing } from '../../../test/support/fuzz.ts';
import { createMemoryStore } from '../../../test/support/memory-store.ts';
import { graphQuery, traceQuery } from '../../../test/support/query.ts';
import type { Span } from '../../model/index.ts';
import type { StoreComponent } from '../../pipeline/component.ts';
import type { Completion, SpanWrite } from '../../pipeline/store.ts';
import { parseSelector, type Receive } from '../../query/index.ts';
import { listAll, sorted } from './found.test.support.ts';
import { makeDirectory, nowNs, openTestStore, second } from './opened.test.support.ts';

let directory: string;
let store: StoreComponent;
let version = 0n;

before(async () => {
  directory = await makeDirectory();
  ({ store } = await openTestStore(directory));
});

after(async () => {
  await store.shutdown(0);
  await rm(directory, { recursive: true });
});

/** Each case has a time of its own, so that one does not see another's traces. */
let caseFromNs = nowNs - 10_000_000n * second;

test('what the engine finds and counts is what one finds and counts by looking at each trace', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTraces({ nowNs: 0n }), fc.integer({ min: 1, max: 4 }), async (spans, parts) => {
      caseFromNs += 8000n * second;
      const moved = spans.map((span) => moveBy(span, caseFromNs + 7200n * second));
      const memory = createMemoryStore();
      const firstWriteNs = receivedAt(version + 1n);
      for (const write of writesOf(moved, parts)) {
        await store.write(write);
        await memory.write(write);
      }
      const range = { fromNs: caseFromNs, toNs: caseFromNs + 7900n * second };
      for (const by of ['start', 'end', 'update'] as const) {
        const ofWrites = { fromNs: firstWriteNs, toNs: 2n * nowNs };
        for (const limit of [2, 100]) {
          const query = { ...range, ...(by === 'update' ? ofWrites : {}), by, limit };
          assert.deepEqual(await listAll(store, query), await listAll(memory, query), `${by} by ${limit}`);
        }
      }
      const ids = [...new Set(moved.map(({ traceId }) => traceId))];
      assert.deepEqual(byConsumer(await store.receives(ids)), byConsumer(await memory.receives(ids)));
      for (const id of ids)
        assert.deepEqual(membersInOrder(await store.linksTo(id, 1000)), membersInOrder(await memory.linksTo(id, 1000)));
      const { signal } = traceQuery();
      for (const question of [
        { key: undefined, prefix: '' },
        { key: 'user_id', prefix: '' },
        { key: 'tenant', prefix: 'ac' },
      ]) {
        const query = { ...range, ...question, limit: 1000, signal };
        assert.deepEqual(inOrder(await store.completions(query)), inOrder(await memory.completions(query)));
      }
      const times = { ...graphQuery(range), columnNs: 90n * second };
      assert.deepEqual(
        membersInOrder(await store.responseTimes(times)),
        membersInOrder(await memory.responseTimes(times)),
      );
      for (const selector of [
        undefined,
        ...['service("shop")', 'edge("shop", id(type: "remote"))'].map(parseSelector),
      ]) {
        const query = { ...graphQuery(range), periodNs: 60n * second, selector };
        assert.deepEqual(await store.series(query), await memory.series(query));
      }
      for (const periodNs of [undefined, 60n * second, 3600n * second]) {
        const query = graphQuery({ ...range, periodNs });
        assert.deepEqual(sorted(await store.graphs(query)), sorted(await memory.graphs(query)));
      }
    }),
    fuzzing(5),
  );
});

function byConsumer(receives: readonly Receive[]): readonly Receive[] {
  return [...receives].sort((a, b) => (a.consumerTraceId < b.consumerTraceId ? -1 : 1));
}

/** The engine orders texts by their bytes. */
function inOrder(completions: readonly Completion[]): readonly Completion[] {
  return [...completions].sort((a, b) => (a.text < b.text ? -1 : 1));
}

function membersInOrder<Value extends object>(values: readonly Value[]): readonly Value[] {
  const key = (value: Value): string => Object.values(value).join();
  return [...values].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function writesOf(spans: readonly Span[], parts: number): readonly SpanWrite[] {
  const writes: SpanWrite[] = [];
  const size = Math.max(1, Math.ceil(spans.length / parts));
  for (let start = 0; start < spans.length; start += size) {
    version += 1n;
    writes.push({
      spans: spans.slice(start, start + size),
      receivedAtNs: receivedAt(version),
      version,
      token: `digest ${version}`,
    });
  }
  return writes;
}

function receivedAt(writeVersion: bigint): bigint {
  return nowNs + writeVersion * 1000n;
}

function moveBy(span: Span, byNs: bigint): Span {
  const endTimeNs = span.endTimeNs === 0n ? 0n : span.endTimeNs + byNs;
  const moved = (id: string): string => `ffffffff${(byNs / second).toString(16).padStart(12, '0')}${id.slice(-12)}`;
  const links = span.links.map((link) => ({ ...link, traceId: moved(link.traceId) }));
  return { ...span, traceId: moved(span.traceId), links, startTimeNs: span.startTimeNs + byNs, endTimeNs };
}
