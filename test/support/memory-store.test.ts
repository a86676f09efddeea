import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { RaybridgeError } from '../../src/errors.ts';
import type { Span } from '../../src/model/index.ts';
import type { TraceQuery, TraceReference } from '../../src/pipeline/store.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';
import { traceQuery } from './query.ts';
import { testSpan } from './span.ts';

const second = 1_000_000_000n;
const now = 1_700_000_000;
const nowNs = BigInt(now) * second;
/** Its first 32 bits are a time in 2106, so no trace of a test is listed by it. */
const traceId = idOf(1);

/** The fake is held to the contract of `Store`, as the real one is by its own tests. */
describe('the store in memory', () => {
  let store: MemoryStore;
  let version: bigint;

  beforeEach(() => {
    store = createMemoryStore();
    version = 0n;
  });

  async function write(members: Partial<Span>, { receivedAtNs = nowNs, token = '' } = {}): Promise<void> {
    version += 1n;
    const spans = [testSpan({ traceId, startTimeNs: nowNs, ...members })];
    await store.write({ spans, receivedAtNs, version, token: token || String(version) });
  }

  async function names(): Promise<readonly string[] | undefined> {
    return (await store.traces([traceId])).get(traceId)?.map(({ name }) => name);
  }

  async function listAll(range: Pick<TraceQuery, 'by' | 'fromNs' | 'toNs'>, limit: number) {
    const listed: TraceReference[] = [];
    for (;;) {
      const page = await store.findTraces(traceQuery({ ...range, after: listed.at(-1), limit }));
      listed.push(...page.traces);
      if (!page.next) return listed.map((found) => found.traceId);
    }
  }

  it('keeps of each span the later copy, but one that has ended before one in progress', async () => {
    await write({ name: 'one', endTimeNs: 0n });
    await write({ name: 'two', endTimeNs: 0n });
    assert.deepEqual(await names(), ['two']);
    await write({ name: 'ended', endTimeNs: nowNs + second });
    await write({ name: 'late', endTimeNs: 0n });
    assert.deepEqual(await names(), ['ended']);
    await write({ name: 'ended again', endTimeNs: nowNs + second });
    assert.deepEqual(await names(), ['ended again']);
    assert.deepEqual(await store.statistics(), { spans: 1, traces: 1, bytesOnDisk: 0 });
  });

  it('counts the writes of a trace in its revision, a repeated token once', async () => {
    for (const token of ['a', 'b', 'a']) await write({ name: token }, { token });
    assert.deepEqual(
      (await store.findTraces(traceQuery())).traces.map(({ revision }) => revision),
      [2],
    );
    assert.deepEqual(await names(), ['b']);
  });

  it('lists newest first by start, end and update, ties by id, page by page, in half open ranges', async () => {
    const facts = [
      { id: idOf(1), start: 1, end: 9, update: 5 },
      { id: idOf(2), start: 2, end: 8, update: 5 },
      { id: idOf(3), start: 2, end: 3, update: 6 },
    ];
    for (const { id, start, end, update } of facts) {
      const times = { startTimeNs: nowNs + BigInt(start) * second, endTimeNs: nowNs + BigInt(end) * second };
      await write({ traceId: id, ...times }, { receivedAtNs: nowNs + BigInt(update) * second });
    }
    const range = (by: TraceQuery['by'], from: number, to: number) => ({
      by,
      fromNs: nowNs + BigInt(from) * second,
      toNs: nowNs + BigInt(to) * second,
    });
    for (const limit of [1, 2, 10]) {
      assert.deepEqual(await listAll(range('start', 0, 10), limit), [idOf(3), idOf(2), idOf(1)]);
      assert.deepEqual(await listAll(range('end', 0, 10), limit), [idOf(1), idOf(2), idOf(3)]);
      assert.deepEqual(await listAll(range('update', 0, 10), limit), [idOf(3), idOf(2), idOf(1)]);
    }
    assert.deepEqual(await listAll(range('start', 1, 2), 10), [idOf(1)]);
    assert.deepEqual(await listAll(range('start', 2, 2), 10), []);
  });

  it('lists a trace by the time in its id when that is within a day of its start', async () => {
    const id = `${(now - 5).toString(16)}${'1'.repeat(24)}`;
    await write({ traceId: id });
    const [found] = (await store.findTraces(traceQuery({ toNs: nowNs, limit: 1 }))).traces;
    assert.equal(found?.timeNs, nowNs - 5n * second);
  });

  it('fails when told to, and is not ready while it is unavailable', async () => {
    store.failWith(new RaybridgeError('STORE_FAILED', 'disk'));
    assert.equal(store.ready, true);
    await assert.rejects(store.statistics(), { code: 'STORE_FAILED' });
    store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'starting'));
    assert.equal(store.ready, false);
    await assert.rejects(names(), { code: 'STORE_UNAVAILABLE' });
    store.failWith(undefined);
    assert.equal(store.ready, true);
    assert.equal(await names(), undefined);
  });
});

function idOf(number: number): string {
  return `fffffff0${number.toString(16).padStart(24, '0')}`;
}
