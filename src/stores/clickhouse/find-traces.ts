import type { ClickHouseClient } from '@clickhouse/client';
import type { TraceFound, TracePage, TraceQuery, TraceReference } from '../../pipeline/store.ts';
import type { KeptSummary } from '../../query/index.ts';
import { clampTime, idsPerQueryMax, type Parameters, partsOf, select } from './select.ts';

/**
 * Pages of traces that satisfy a condition on their digests, newest first.
 *
 * The engine merges older rows of a trace away sooner or later only, so a page is found in two steps:
 * candidates are rows that satisfy the condition; of these, a row that is not the last of its trace
 * is left out. Both look at few columns; the summaries are read for the page alone.
 *
 * The range is searched in slices from its new end, each four times as long as the one before,
 * because a page of the newest traces rarely needs more than the first: 10 ms instead of 187 ms over
 * 24 h of 10 million spans.
 */

/** A condition over the columns of `digests`, with its bound values. */
export interface Condition {
  readonly condition: string;
  readonly parameters: Parameters;
}

/** Only traces before the cursor, in the order of the page, are still wanted. */
type Cursor = TraceReference;

interface Candidate extends TraceReference {
  readonly minute: number;
  readonly version: bigint;
}

interface Slice {
  readonly fromNs: bigint;
  readonly before: Cursor;
}

const columns: Readonly<Record<TraceQuery['by'], string>> = { start: 'start_ns', end: 'end_ns', update: 'received_ns' };

const firstSliceNs = 300_000_000_000n;
const sliceGrowth = 4n;
/** Below every trace id: a cursor with it excludes its time whole. */
const noTraceId = '0'.repeat(32);
const candidatesMin = 50;
const candidatesMax = 5000;
/** The rows of a trace are at most so far apart: the time in an id counts only within a day of the span. */
const minutesApartMax = 24 * 60;

/** Store.findTraces. */
export async function findTraces(client: ClickHouseClient, query: TraceQuery, wanted: Condition): Promise<TracePage> {
  const fromNs = clampTime(query.fromNs);
  const first = firstCursor(query);
  const found: TraceFound[] = [];
  let before = first;
  let sliceNs = firstSliceNs;
  let atLeast = 0;

  // One more than wanted tells whether there is a next page.
  while (found.length <= query.limit && (before.timeNs > fromNs || before.traceId > noTraceId)) {
    const slice = { fromNs: before.timeNs - fromNs > sliceNs ? before.timeNs - sliceNs : fromNs, before };
    const limit = Math.max(query.limit + 1 - found.length, atLeast);
    const candidates = await findCandidates(client, { query, wanted, slice, limit });
    found.push(...(await readPage(client, candidates, query.signal)));
    const last = candidates.at(-1);
    if (last && candidates.length === limit) {
      before = last;
      // Many were outdated: one by one they would take a query each.
      atLeast = Math.min(Math.max(2 * atLeast, candidatesMin), candidatesMax);
    } else {
      before = { timeNs: slice.fromNs, traceId: noTraceId };
      sliceNs *= sliceGrowth;
    }
  }
  const traces = found.slice(0, query.limit);
  const last = traces.at(-1);
  const next = found.length > query.limit && last ? { traceId: last.traceId, timeNs: last.timeNs } : undefined;
  // Where nothing is left out, what was looked at is what was found.
  const isChoosy = query.filter !== undefined || query.share < 1;
  const end = next ?? { timeNs: fromNs, traceId: noTraceId };
  const scanned = isChoosy ? await countScanned(client, query, { last: end, before: first }) : traces.length;
  return { traces, next, scanned };
}

function firstCursor({ toNs, after }: TraceQuery): Cursor {
  if (after && after.timeNs < toNs) return { timeNs: clampTime(after.timeNs), traceId: after.traceId };
  return { timeNs: clampTime(toNs), traceId: noTraceId };
}

/** The rows of a slice; those listed by their start lie together by minute. */
function sliceCondition(by: TraceQuery['by']): string {
  const column = columns[by];
  const minutes =
    by === 'start'
      ? 'minute >= intDiv({from:UInt64}, 60000000000) AND minute <= intDiv({before:UInt64}, 60000000000) AND '
      : '';
  return `${minutes}${column} >= {from:UInt64} AND ${column} <= {before:UInt64}
      AND (${column} < {before:UInt64} OR trace_id < toFixedString(unhex({beforeId:String}), 16))
      AND NOT removed`;
}

function sliceParameters({ fromNs, before }: Slice): Parameters {
  return { from: fromNs, before: before.timeNs, beforeId: before.traceId };
}

// The last 32 bits of an id are random in both of its forms.
const shareCondition = 'reinterpretAsUInt32(reverse(substring(trace_id, 13, 4))) / 4294967296 < {share:Float64}';

async function findCandidates(
  client: ClickHouseClient,
  {
    query: { by, share, signal },
    wanted,
    slice,
    limit,
  }: {
    readonly query: TraceQuery;
    readonly wanted: Condition;
    readonly slice: Slice;
    readonly limit: number;
  },
): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  const query = `
    SELECT trace_id, ${columns[by]} AS found_ns, minute, version
    FROM digests
    WHERE ${sliceCondition(by)}
      ${share < 1 ? `AND ${shareCondition}` : ''}
      AND (${wanted.condition})
    ORDER BY found_ns DESC, trace_id DESC
    LIMIT {limit:UInt32}
    FORMAT RowBinary`;
  const parameters = { ...wanted.parameters, ...sliceParameters(slice), share, limit };
  await select(client, { query, parameters, signal }, (row) =>
    candidates.push({ traceId: row.hex(16), timeNs: row.uint64(), minute: row.uint32(), version: row.uint64() }),
  );
  return candidates;
}

// The ids are a subquery, because with an array the engine would not use the index.
const selectLast = `
  SELECT trace_id, max(version)
  FROM digests
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))
    AND minute >= {fromMinute:UInt32} AND minute <= {toMinute:UInt32}
  GROUP BY trace_id
  FORMAT RowBinary`;

const selectPage = `
  SELECT trace_id, version, received_ns, revision, summary
  FROM digests
  WHERE minute IN {minutes:Array(UInt32)}
    AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))
    AND version IN {versions:Array(UInt64)}
    AND NOT removed
  FORMAT RowBinary`;

/** The candidates that are the last row of their trace, in the same order. */
async function readPage(
  client: ClickHouseClient,
  candidates: readonly Candidate[],
  signal: AbortSignal,
): Promise<readonly TraceFound[]> {
  const last = new Map<string, bigint>();
  const rows = new Map<string, Omit<TraceFound, keyof TraceReference>>();
  for (const part of partsOf(candidates, idsPerQueryMax)) {
    const ids = part.map(({ traceId }) => traceId);
    const minutes = [...new Set(part.map(({ minute }) => minute))];
    const range = {
      fromMinute: Math.max(0, Math.min(...minutes) - minutesApartMax),
      toMinute: Math.max(...minutes) + minutesApartMax,
    };
    await Promise.all([
      select(client, { query: selectLast, parameters: { ids, ...range }, signal }, (row) =>
        last.set(row.hex(16), row.uint64()),
      ),
      select(
        client,
        { query: selectPage, parameters: { ids, minutes, versions: part.map(({ version }) => version) }, signal },
        (row) => {
          const key = rowKey(row.hex(16), row.uint64());
          const updatedAtNs = row.uint64();
          const revision = row.uint32();
          // Written by us, as the JSON of a KeptSummary.
          rows.set(key, { updatedAtNs, revision, summary: JSON.parse(row.text()) as KeptSummary });
        },
      ),
    ]);
  }
  return candidates.flatMap(({ traceId, timeNs, version }) => {
    const row = last.get(traceId) === version ? rows.get(rowKey(traceId, version)) : undefined;
    return row ? [{ traceId, timeNs, ...row }] : [];
  });
}

function rowKey(traceId: string, version: bigint): string {
  return `${traceId} ${version}`;
}

/** A trace that has just changed may count where it stood before, too. */
async function countScanned(
  client: ClickHouseClient,
  { by, share, signal }: TraceQuery,
  { last, before }: { readonly last: Cursor; readonly before: Cursor },
): Promise<number> {
  let scanned = 0;
  const slice = { fromNs: last.timeNs, before };
  const query = `
    SELECT uniq(trace_id)
    FROM digests
    WHERE ${sliceCondition(by)}
      AND (${columns[by]} > {from:UInt64} OR trace_id >= toFixedString(unhex({lastId:String}), 16))
      ${share < 1 ? `AND ${shareCondition}` : ''}
    FORMAT RowBinary`;
  const parameters = { ...sliceParameters(slice), lastId: last.traceId, share };
  await select(client, { query, parameters, signal }, (row) => {
    scanned = Number(row.uint64());
  });
  return scanned;
}
