import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import * as fc from 'fast-check';
import { arbitraryTraces } from '../../../test/support/arbitrary-traces.ts';
import { createTestContext, type TestContext } from '../../../test/support/context.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { createMemoryStore, type MemoryStore } from '../../../test/support/memory-store.ts';
import { graphQuery, traceQuery } from '../../../test/support/query.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Span } from '../../model/index.ts';
import type { StoreComponent } from '../../pipeline/component.ts';
import type { SpanWrite } from '../../pipeline/store.ts';
import { digestSpans } from '../../reader/index.ts';
import { type Connection, createAccessClient, createConnection, type Server } from './connection.ts';
import { encodeDigests } from './digests.ts';
import { openEngine } from './engine.ts';
import { listAll, same } from './found.test.support.ts';
import { type IndexerLimits } from './indexer.ts';
import { makeDirectory, makeSpan, newTraceId, nowNs, patientLimits, second } from './opened.test.support.ts';
import { createVersions, migrate, migrations } from './schema.ts';
import { createStore, storeParts, writeSpans } from './store.ts';

let directory: string;
let server: Server;
let databases = 0;
let version = 0n;

before(async () => {
  directory = await makeDirectory();
  server = await openEngine({ folder: join(directory, 'engine'), memoryMaxMib: 800 })(new AbortController().signal);
});

after(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

const minute = 60n * second;
const hour = 3600n * second;
const smallLimits = { ...patientLimits, waitingSpansMax: 200, keptSpansMax: 20, spansPerTraceMax: 100 };

test('a trace that left the memory is found whole when more of it comes, wherever it then stands', () =>
  withStores({ limits: smallLimits }, async ({ store, memory, write }) => {
    const traceId = newTraceId();
    const begin = nowNs - 10n * hour;
    const root = makeSpan({ traceId, startTimeNs: begin, endTimeNs: begin + second });
    await write([root]);
    await forgetAll(write);
    // A second root, hours later; then the child of a long one that comes last; then what began first of all.
    await write([makeSpan({ traceId, startTimeNs: begin + 5n * hour, endTimeNs: begin + 6n * hour })]);
    await forgetAll(write);
    const job = newTraceId();
    const child = { traceId: job, parentSpanId: '00000000000000a1' };
    await write([makeSpan({ ...child, startTimeNs: begin + 3n * hour, endTimeNs: begin + 4n * hour })]);
    await same(store, memory);
    await forgetAll(write);
    await write([
      makeSpan({ traceId: job, spanId: '00000000000000a1', startTimeNs: begin, endTimeNs: begin + 4n * hour }),
    ]);
    await forgetAll(write);
    await write([makeSpan({ traceId, parentSpanId: root.spanId, startTimeNs: begin - 50n * hour, endTimeNs: begin })]);
    await same(store, memory);
  }));

test('a trace that moved is shown as it is now, beside another that stands where it stood', () =>
  withStores({}, async ({ store, memory, write }) => {
    const traceId = newTraceId();
    const begin = ((nowNs - hour) / minute) * minute;
    const annotated = { attributes: new Map([['tenant', 'acme']]) };
    await write([makeSpan({ traceId, startTimeNs: begin, endTimeNs: begin + second })]);
    await write([makeSpan({ startTimeNs: begin + second, endTimeNs: begin + 2n * second })]);
    await same(store, memory);
    await write([makeSpan({ traceId, ...annotated, startTimeNs: begin - 2n * minute, endTimeNs: begin })]);
    await same(store, memory);
  }));

test('a segment in progress is completed long after its trace left the memory', () =>
  withStores({ limits: smallLimits }, async ({ store, memory, write }) => {
    const span = makeSpan({ startTimeNs: nowNs - 3n * hour, endTimeNs: 0n });
    await write([span]);
    await same(store, memory);
    await forgetAll(write);
    await write([{ ...span, endTimeNs: nowNs }]);
    await same(store, memory);
  }));

test('digests that cannot be written do not hold up the spans, take bounded memory, and come later', async () => {
  let refused = true;
  const refuse = (query: string): Error | undefined =>
    refused && query.includes('INSERT INTO digests')
      ? new RaybridgeError('STORE_FAILED', 'Cannot reserve 1.00 MiB, not enough space')
      : undefined;
  await withStores({ limits: smallLimits, refuse }, async ({ store, memory, write, context }) => {
    const spans = fc.sample(arbitraryTraces({ nowNs }), { numRuns: 60, seed: 3 }).flat();
    for (let start = 0; start < spans.length; start += 20) await write(spans.slice(start, start + 20));
    assert.ok(spans.length > 2 * smallLimits.waitingSpansMax);
    assert.ok(context.value('raybridge_digest_waiting_spans', { store: 'clickhouse' }) <= 220);
    assert.deepEqual((await store.findTraces(traceQuery())).traces, []);
    refused = false;
    await same(store, memory);
    assert.equal(context.value('raybridge_digest_waiting_spans', { store: 'clickhouse' }), 0);
    assert.ok(context.value('raybridge_digest_kept_spans', { store: 'clickhouse' }) <= smallLimits.keptSpansMax);
  });
});

test('a consumer that came before its producer is linked, although the digest of the producer failed once', async () => {
  let refusals = 0;
  const refuse = (query: string): Error | undefined =>
    query.includes('INSERT INTO digests') && refusals-- > 0 ? new Error('lost on the way') : undefined;
  await withStores({ refuse }, async ({ store, memory, write }) => {
    const spans = fc.sample(arbitraryTraces({ nowNs }), { numRuns: 40, seed: 11 }).flat();
    const consumers = new Set(spans.flatMap(({ traceId, links }) => (links.length > 0 ? [traceId] : [])));
    assert.ok(consumers.size > 3);
    await write(spans.filter(({ traceId }) => consumers.has(traceId)));
    await store.findTraces(traceQuery());
    refusals = 2;
    await write(spans.filter(({ traceId }) => !consumers.has(traceId)));
    await same(store, memory);
  });
});

test('a trace of which no digest can be made keeps no other from being found, is counted, and tried when it changes', async () => {
  const bad = makeSpan({});
  let broken = true;
  const digest: typeof digestSpans = (traceId, spans) => {
    if (broken && traceId === bad.traceId) throw new RangeError('a bug');
    return digestSpans(traceId, spans);
  };
  await withStores({ digest }, async ({ store, memory, write, context }) => {
    const good = makeSpan({});
    await write([bad, good]);
    const { traces } = await store.findTraces(traceQuery());
    assert.deepEqual(
      traces.map(({ traceId }) => traceId),
      [good.traceId],
    );
    assert.equal(context.value('raybridge_digest_failures_total', { store: 'clickhouse' }), 1);
    assert.match(
      context.log.entries.find(({ level }) => level === 'error')?.message ?? '',
      /cannot be made searchable/,
    );
    broken = false;
    await write([makeSpan({ traceId: bad.traceId, parentSpanId: bad.spanId })]);
    await same(store, memory);
  });
});

test('what another process wrote is noticed as soon as its trace is touched, and at a start', () =>
  withStores({}, async ({ store, memory, write, client, database }) => {
    const traceId = newTraceId();
    const root = makeSpan({ traceId, endTimeNs: nowNs + 4n * hour });
    await write([root]);
    await same(store, memory);
    const child = { traceId, parentSpanId: root.spanId, startTimeNs: nowNs + 3n * hour, endTimeNs: nowNs + 3n * hour };
    const elsewhere = [makeSpan(child), makeSpan({})];
    const other = nextWrite(elsewhere);
    await writeSpans(client, other);
    await memory.write(other);
    await write([makeSpan({ traceId, parentSpanId: root.spanId })]);
    const found = await listAll(store, { limit: 10 });
    assert.equal(found.find((trace) => trace.traceId === traceId)?.revision, 3);
    await withStore({ database }, async (again) => {
      await same(again.store, memory);
    });
  }));

test('a database without digests is made searchable', async () => {
  const database = nextDatabase();
  const client = await openDatabase(database);
  const run = (query: string) => client.command({ query, query_params: { retention: 864_000, version: 1 } });
  await run(createVersions);
  for (const statement of migrations[0]?.statements ?? []) await run(statement);
  await run('INSERT INTO schema_versions (version) SELECT {version:UInt32}');
  const memory = createMemoryStore();
  const spans = fc.sample(arbitraryTraces({ nowNs }), { numRuns: 60, seed: 5 }).flat();
  for (let start = 0; start < spans.length; start += 30) {
    const write = nextWrite(spans.slice(start, start + 30));
    await writeSpans(client, write);
    await memory.write(write);
  }
  await client.close();
  await withStore({ database }, async ({ store }) => {
    await same(store, memory);
  });
});

test('after a restart with a clock that was set back, what is new still counts', async () => {
  const database = nextDatabase();
  const span = makeSpan({ endTimeNs: 0n });
  const memory = createMemoryStore();
  const first = nextWrite([span]);
  const later = nextWrite([{ ...span, endTimeNs: nowNs + second, status: { code: 2, message: '' } }]);
  await memory.write(first);
  await memory.write(later);
  await withStore({ database }, async ({ store }) => {
    await store.write(first);
    await store.writeState({ kind: 'group', key: 'a', value: 'first' });
  });
  await withStore({ database, aheadNs: -hour }, async ({ store }) => {
    await store.write(later);
    await store.writeState({ kind: 'group', key: 'a', value: 'later' });
    await same(store, memory);
    assert.deepEqual(await store.readState('group'), new Map([['a', 'later']]));
  });
});

test('thousands of traces in one write are listed page by page, and counted', () =>
  withStores({}, async ({ store, memory, write }) => {
    const begin = nowNs - hour;
    const spans = Array.from({ length: 2100 }, (_, i) => {
      const startTimeNs = begin + BigInt(i % 7) * second;
      return makeSpan({ startTimeNs, endTimeNs: startTimeNs + second });
    });
    await write(spans);
    await eventually('all digests', async () =>
      (await listAll(store, { limit: 1000 })).length === spans.length ? true : undefined,
    );
    for (const by of ['start', 'end', 'update'] as const) {
      for (const [limit, share] of [
        [1000, 1],
        [37, 0.1],
      ] as const) {
        const range = { by, fromNs: begin, toNs: nowNs + hour, limit, share };
        let after = undefined as { readonly traceId: string; readonly timeNs: bigint } | undefined;
        do {
          const page = await store.findTraces(traceQuery({ ...range, after }));
          assert.deepEqual(page, await memory.findTraces(traceQuery({ ...range, after })), `${by} by ${limit}`);
          after = page.next;
        } while (after);
      }
    }
    const far = { fromNs: 2n ** 70n, toNs: 2n ** 80n };
    assert.deepEqual(await store.findTraces(traceQuery(far)), { traces: [], scanned: 0, next: undefined });
    const past = { fromNs: -(2n ** 70n), toNs: -1n };
    assert.deepEqual(await store.findTraces(traceQuery(past)), { traces: [], scanned: 0, next: undefined });
    const one = await store.findTraces(traceQuery({ limit: 1 }));
    assert.deepEqual(one, await memory.findTraces(traceQuery({ limit: 1 })));
  }));

test('outdated digests of traces that change often cost a page few queries', async () => {
  let queries = 0;
  const refuse = (): undefined => void (queries += 1);
  await withStores({ refuse }, async ({ store, memory, write }) => {
    const spans = Array.from({ length: 200 }, () => makeSpan({}));
    for (let round = 0; round < 4; round++) {
      await write(spans.map((span) => ({ ...span, name: `round ${round}` })));
      await store.findTraces(traceQuery());
    }
    queries = 0;
    const query = { by: 'update', limit: 199 } as const;
    assert.deepEqual(await listAll(store, query), await listAll(memory, query));
    assert.ok(queries < 60, `${queries} queries`);
  });
});

test('a trace too large to be kept is found whole when it grows', () =>
  withStores({ limits: smallLimits }, async ({ store, memory, write }) => {
    const traceId = newTraceId();
    const root = makeSpan({ traceId });
    await write([root, ...Array.from({ length: 1500 }, () => makeSpan({ traceId, parentSpanId: root.spanId }))]);
    await same(store, memory);
    await write([makeSpan({ traceId, parentSpanId: root.spanId, endTimeNs: nowNs + hour })]);
    await same(store, memory);
  }));

test('a digest with more calls and segments than two bytes can number is written', () => {
  const traceId = newTraceId();
  const [segment] = digestSpans(traceId, [makeSpan({ traceId })]).segments;
  assert.ok(segment);
  const digest = digestSpans(traceId, [makeSpan({ traceId })]);
  const { fault, error, throttle, startTimeNs, endTimeNs, service } = segment;
  const measured = { fault, error, throttle, startTimeNs, endTimeNs, from: service, to: service, client: false };
  const calls = Array.from({ length: 70_000 }, (_, at) => ({
    ...measured,
    annotations: at % 1000 === 0 ? [{ key: 'at', value: at }] : [],
  }));
  const attributes = [{ key: 'a', value: 'b', segment: 69_999 }];
  const facts = { version: 1n, removed: false, startNs: nowNs, endNs: nowNs, receivedNs: nowNs, revision: 1 };
  assert.ok(encodeDigests([{ traceId, ...facts, links: [], digest: { ...digest, calls, attributes } }]).length > 0);
});

test('an aborted question rejects with its reason, and hurts no other', () =>
  withStores({}, async ({ store, memory, write }) => {
    await write([makeSpan({})]);
    const abort = new AbortController();
    const reason = new Error('gone');
    abort.abort(reason);
    const { signal } = abort;
    const answers = await Promise.allSettled([
      store.findTraces(traceQuery({ signal })),
      store.graphs(graphQuery({ signal })),
    ]);
    for (const answer of answers) assert.ok(answer.status === 'rejected' && answer.reason === reason);
    await same(store, memory);
  }));

test('questions asked while writes come in are answered, and shutdown in the middle loses nothing', async () => {
  const database = nextDatabase();
  const memory = createMemoryStore();
  const spans = fc.sample(arbitraryTraces({ nowNs }), { numRuns: 25, seed: 9 }).flat();
  await withStore({ database, limits: smallLimits }, async ({ store }) => {
    for (let start = 0; start < spans.length; start += 40) {
      const write = nextWrite(spans.slice(start, start + 40));
      await memory.write(write);
      await Promise.all([
        store.write(write),
        store.findTraces(traceQuery()),
        store.graphs(graphQuery()),
        listAll(store, { limit: 20 }),
      ]);
    }
  });
  await withStore({ database }, async ({ store }) => {
    await same(store, memory);
  });
});

interface StoreOptions {
  readonly database?: string;
  readonly limits?: IndexerLimits;
  readonly digest?: typeof digestSpans;
  /** Each query is refused with what this gives for it. */
  readonly refuse?: (query: string) => Error | undefined;
  readonly aheadNs?: bigint;
}

interface OpenStore {
  readonly store: StoreComponent;
  readonly client: ClickHouseClient;
  readonly context: TestContext;
  readonly database: string;
}

/** A store with a database of its own, shut down afterwards. */
async function withStore(options: StoreOptions, run: (opened: OpenStore) => Promise<unknown>): Promise<void> {
  const { database = nextDatabase(), limits = patientLimits, digest = digestSpans, refuse, aheadNs = 0n } = options;
  const context = createTestContext('clickhouse');
  const connection = createConnection({
    open: async () => ({
      access: server.access,
      ended: new Promise<never>(() => undefined),
      stop: async () => undefined,
    }),
    database,
    prepare: (client) => migrate(client, 864_000),
    context: context.context,
  });
  const clock = { ...context.context, nowNs: () => BigInt(Date.now()) * 1_000_000n + aheadNs };
  const store = createStore(refusing(connection, refuse), clock, { ...storeParts, digestSpans: digest, limits });
  await store.start();
  const client = createAccessClient(server.access, database);
  try {
    await run({ store, client, context, database });
  } finally {
    await client.close();
    await store.shutdown(0);
  }
}

interface Stores extends OpenStore {
  readonly memory: MemoryStore;
  write(spans: readonly Span[]): Promise<void>;
}

/** The same writes go to a store and to one in memory. */
function withStores(options: StoreOptions, run: (stores: Stores) => Promise<unknown>): Promise<void> {
  return withStore(options, (opened) => {
    const memory = createMemoryStore();
    const write = async (spans: readonly Span[]): Promise<void> => {
      const one = nextWrite(spans);
      await opened.store.write(one);
      await memory.write(one);
    };
    return run({ ...opened, memory, write });
  });
}

function refusing(connection: Connection, refuse: StoreOptions['refuse']): Connection {
  return {
    get ready() {
      return connection.ready;
    },
    start: () => connection.start(),
    shutdown: () => connection.shutdown(),
    async client() {
      const client = await connection.client();
      return new Proxy(client, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          return (...values: readonly [{ readonly query?: string }]) => {
            const error = refuse?.(values[0].query ?? '');
            return error ? Promise.reject(error) : Reflect.apply(member, target, values);
          };
        },
      });
    },
  };
}

/** More spans than are kept, of other traces. */
async function forgetAll(write: Stores['write']): Promise<void> {
  for (let i = 0; i < 3; i++) await write(Array.from({ length: 100 }, () => makeSpan({})));
}

function nextWrite(spans: readonly Span[]): SpanWrite {
  version += 1n;
  return { spans, version, receivedAtNs: nowNs + version * 1000n, token: `write ${version}` };
}

function nextDatabase(): string {
  databases += 1;
  return `index_${databases}`;
}

async function openDatabase(database: string): Promise<ClickHouseClient> {
  const admin = createAccessClient(server.access, undefined);
  await admin.command({ query: `CREATE DATABASE ${database}` });
  await admin.close();
  return createAccessClient(server.access, database);
}
