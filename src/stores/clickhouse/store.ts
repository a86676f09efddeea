import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { RaybridgeError } from '../../errors.ts';
import { isTraceId, type Span, type TraceDigest } from '../../model/index.ts';
import type { Context, StoreComponent } from '../../pipeline/component.ts';
import type { SpanWrite, StateWrite, StoreStatistics, TraceSelection } from '../../pipeline/store.ts';
import { digestSpans } from '../../reader/index.ts';
import { findCompletions } from './completions.ts';
import type { Connection } from './connection.ts';
import { compileFilter } from './filter.ts';
import { type Condition, findTraces } from './find-traces.ts';
import { createGraphs } from './graphs.ts';
import { type Copy, createIndexer, type IndexerLimits, indexerLimits } from './indexer.ts';
import { insertBlock } from './insert.ts';
import { readLinksTo } from './linking.ts';
import { readReceives } from './links.ts';
import { countResponseTimes } from './response-times.ts';
import { partsOf, select } from './select.ts';
import { createVersions } from './versions.ts';
import { decodeSpan, encodeSpans, precedenceOf, type Shared, spanColumnList } from './spans.ts';

/** No condition. */
const every = { condition: '1', parameters: {} };
/** Insert speed peaks here; more only takes memory. */
const spansPerInsertMax = 25_000;
/** Ids travel in the URL, which may have a mebibyte. */
const traceIdsPerQueryMax = 200;
/** The receive time names the partition, which is a date that ends in 2106. */
const receivedNsMax = 4_294_967_295n * 1_000_000_000n;

const insertSpans = `INSERT INTO spans (${spanColumnList}) FORMAT Native`;

// The ids are a subquery, because with an array the engine would use neither index.
const selectSpans = `
  SELECT ${spanColumnList}
  FROM spans
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))
  FORMAT RowBinary`;

const selectState = `
  SELECT key, argMax(value, version)
  FROM state
  WHERE kind = {kind:String}
  GROUP BY key
  HAVING argMax(value, version) != ''
  FORMAT RowBinary`;

// Copies of a span that are not merged away yet count; copies of a trace's row do not. The type of a
// subquery is nullable, which RowBinary would show as one more byte.
const selectStatistics = `
  SELECT
    assumeNotNull((SELECT count() FROM spans)),
    assumeNotNull((SELECT uniq(trace_id) FROM traces)),
    assumeNotNull((SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()))
  FORMAT RowBinary`;

/** What a test may want otherwise. */
export interface StoreParts {
  readonly digestSpans: (traceId: string, spans: readonly Span[]) => TraceDigest;
  readonly limits: IndexerLimits;
  readonly counting: { readonly intervalMs: number; readonly quietMs: number; readonly recountQuietMs: number };
}

export const storeParts: StoreParts = {
  digestSpans,
  limits: indexerLimits,
  counting: { intervalMs: 5000, quietMs: 30_000, recountQuietMs: 600_000 },
};

/** Store over a connection to a database that schema.ts has prepared. */
export function createStore(connection: Connection, context: Context, parts: StoreParts = storeParts): StoreComponent {
  const { nowNs } = context;
  const stateVersions = createVersions(nowNs);
  let knowsStateVersion = false;
  const graphs = createGraphs({ nowNs, ...parts.counting });
  const indexer = createIndexer({
    context,
    use,
    readCopies,
    readState,
    writeState: keepState,
    onChange: graphs.changed,
    ...parts,
  });
  let rolling: Promise<void> | undefined;
  let rollTimer: NodeJS.Timeout | undefined;
  const stopping = new AbortController();

  function roll(): void {
    if (!connection.ready) return;
    rolling ??= use((client) => graphs.roll(client, stopping.signal), stopping.signal)
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        context.log.warn({ err: error }, 'the service graph could not be counted yet');
      })
      .finally(() => {
        rolling = undefined;
      });
  }

  function keepState(entry: StateWrite): Promise<void> {
    return use(async (client) => {
      // A clock that was set back must not make what is new look old.
      if (!knowsStateVersion) stateVersions.exceed(await readStateVersion(client));
      knowsStateVersion = true;
      await writeState(client, { ...entry, value: entry.value ?? '', version: String(stateVersions.next()) });
    });
  }

  async function use<Result>(
    work: (client: ClickHouseClient) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    const client = await connection.client();
    return work(client).catch((error: unknown) => {
      if (signal?.aborted) throw signal.reason;
      throw toStoreError(error);
    });
  }

  return {
    async start() {
      await connection.start();
      indexer.start();
      rollTimer = setInterval(roll, parts.counting.intervalMs);
      rollTimer.unref();
    },
    async shutdown() {
      clearInterval(rollTimer);
      stopping.abort();
      await indexer.shutdown();
      await rolling;
      await connection.shutdown();
    },
    get ready() {
      return connection.ready;
    },
    async write(write) {
      const latest = latestCopies(write.spans, write.version);
      await use((client) => writeSpans(client, { ...write, spans: latest }));
      await indexer.add({ ...write, spans: latest });
    },
    traces: (traceIds) => use((client) => readTraces(client, traceIds)),
    async findTraces(query) {
      await indexer.settle();
      return await use((client) => findTraces(client, query, conditionOf(query) ?? every), query.signal);
    },
    async graphs(query) {
      await indexer.settle();
      return await use((client) => graphs.read(client, query, conditionOf(query)), query.signal);
    },
    async series(query) {
      await indexer.settle();
      return await use((client) => graphs.series(client, query, conditionOf(query)), query.signal);
    },
    async responseTimes(query) {
      await indexer.settle();
      return await use((client) => countResponseTimes(client, query, conditionOf(query) ?? every), query.signal);
    },
    async receives(traceIds) {
      await indexer.settle();
      return await use((client) => readReceives(client, traceIds.filter(isTraceId)));
    },
    linksTo: (traceId, limit) => use((client) => readLinksTo(client, traceId, limit)),
    async completions(query) {
      await indexer.settle();
      return await use((client) => findCompletions(client, query), query.signal);
    },
    readState: (kind) => use((client) => readState(client, kind)),
    writeState: keepState,
    statistics: () => use(readStatistics),
  };
}

export async function writeSpans(
  client: ClickHouseClient,
  { spans, receivedAtNs, version, token }: SpanWrite,
): Promise<void> {
  const facts = { receivedAtNs: receivedAtNs < receivedNsMax ? receivedAtNs : receivedNsMax, version };
  for (let start = 0; start < spans.length; start += spansPerInsertMax) {
    const block = encodeSpans(spans.slice(start, start + spansPerInsertMax), facts);
    await insertBlock(client, { query: insertSpans, block, token: `${token}/${start}` });
  }
}

/** Undefined when every trace is wanted. */
function conditionOf({ filter, groups }: TraceSelection): Condition | undefined {
  return filter && compileFilter(filter, groups);
}

/** One copy of each span, by the rule of Store.write: copies of one write have the same version, so the table could not tell them apart. */
function latestCopies(spans: readonly Span[], version: bigint): readonly Span[] {
  const latest = new Map<string, Span>();
  for (const span of spans) {
    const id = span.traceId + span.spanId;
    const known = latest.get(id);
    if (!known || precedenceOf(span, version) >= precedenceOf(known, version)) latest.set(id, span);
  }
  return latest.size === spans.length ? spans : [...latest.values()];
}

async function readTraces(
  client: ClickHouseClient,
  traceIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Span[]>> {
  const copies = await readCopies(client, traceIds.filter(isTraceId));
  return new Map([...copies].map(([traceId, all]) => [traceId, [...all.values()].map(({ span }) => span)]));
}

/** By trace and span id, the copy of highest precedence; the engine merges copies away only sooner or later. */
async function readCopies(
  client: ClickHouseClient,
  traceIds: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Copy>>> {
  const traces = new Map<string, Map<string, Copy>>();
  const shared: Shared = { resources: new Map(), scopes: new Map() };
  for (const ids of partsOf(traceIds, traceIdsPerQueryMax)) {
    await select(client, { query: selectSpans, parameters: { ids } }, (row) => {
      const copy = decodeSpan(row, shared);
      const copies = traces.get(copy.span.traceId) ?? new Map<string, Copy>();
      traces.set(copy.span.traceId, copies);
      const known = copies.get(copy.span.spanId);
      if (!known || copy.precedence > known.precedence) copies.set(copy.span.spanId, copy);
    });
  }
  return traces;
}

async function readState(client: ClickHouseClient, kind: string): Promise<ReadonlyMap<string, string>> {
  const documents = new Map<string, string>();
  await select(client, { query: selectState, parameters: { kind } }, (row) => documents.set(row.text(), row.text()));
  return documents;
}

const selectStateVersion = 'SELECT max(version) FROM state FORMAT RowBinary';

async function readStateVersion(client: ClickHouseClient): Promise<bigint> {
  let version = 0n;
  await select(client, { query: selectStateVersion }, (row) => {
    version = row.uint64();
  });
  return version;
}

interface StateRow {
  readonly kind: string;
  readonly key: string;
  /** Empty: removed. */
  readonly value: string;
  readonly version: string;
}

async function writeState(client: ClickHouseClient, row: StateRow): Promise<void> {
  await client.insert({
    table: 'state',
    format: 'JSONEachRow',
    values: [row],
    clickhouse_settings: { async_insert: 0 },
  });
}

async function readStatistics(client: ClickHouseClient): Promise<StoreStatistics> {
  const found = { spans: 0, traces: 0, bytesOnDisk: 0 };
  await select(client, { query: selectStatistics }, (row) => {
    found.spans = Number(row.uint64());
    found.traces = Number(row.uint64());
    found.bytesOnDisk = Number(row.uint64());
  });
  return found;
}

function toStoreError(error: unknown): RaybridgeError {
  if (error instanceof RaybridgeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ClickHouseError) {
    return new RaybridgeError('STORE_FAILED', `The store answered ${error.type ?? 'an error'}: ${message}`, {
      cause: error,
    });
  }
  return new RaybridgeError('STORE_UNAVAILABLE', `The store does not answer: ${message}`, { cause: error });
}
