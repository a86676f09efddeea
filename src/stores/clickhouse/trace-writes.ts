import type { ClickHouseClient } from '@clickhouse/client';
import { idsPerQueryMax, partsOf, select } from './select.ts';

/** What the table `traces` knows of a trace: over all of its spans, whatever was seen of them. */
export interface TraceWrites {
  /** The time by which it is listed. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly receivedNs: bigint;
  /** Number of writes that touched it. */
  readonly writes: number;
}

interface KnownTrace {
  readonly traceId: string;
  /** First start and last end of the spans that we have seen: children lie within their root, as a rule. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** We have seen a span without a parent. */
  readonly rooted: boolean;
}

// The ids are a subquery, because with an array the engine would not use the index.
const facts = `
  SELECT trace_id, min(start_ns), max(end_ns), max(received_ns), uniqMerge(writes)
  FROM traces
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))`;

const selectNear = `${facts} AND hour IN {hours:Array(UInt32)} GROUP BY trace_id FORMAT RowBinary`;
const selectAnywhere = `${facts} GROUP BY trace_id FORMAT RowBinary`;

// Only of traces that were read back: few.
const selectMinutes = `
  SELECT trace_id, argMax(minute, version)
  FROM digests
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16)) AND NOT removed
  GROUP BY trace_id
  FORMAT RowBinary`;

const nanosecondsPerSecond = 1_000_000_000n;
const secondsPerHour = 3600n;
/** Spans of one trace that start further apart than this are looked for everywhere only when the trace has no root. */
const nearSeconds = 900n;
/** Hours looked into by name; traces that are spread over more are looked for everywhere. */
const hoursMax = 48;

/**
 * The rows of `traces` lie by hour. A trace whose root is at hand has its other spans near in time,
 * and only the hours of those are read; the others are found by the index over ids, which has to be
 * asked for all hours there are.
 */
export async function readWrites(
  client: ClickHouseClient,
  traces: readonly KnownTrace[],
): Promise<ReadonlyMap<string, TraceWrites>> {
  const found = new Map<string, TraceWrites>();
  const hours = new Set<number>();
  const near: string[] = [];
  const anywhere: string[] = [];
  for (const trace of traces) {
    const own = trace.rooted ? hoursOf(trace) : [];
    if (own.length === 0 || own.length + hours.size > hoursMax) {
      anywhere.push(trace.traceId);
      continue;
    }
    near.push(trace.traceId);
    for (const hour of own) hours.add(hour);
  }
  await read(client, selectNear, near, [...hours], found);
  await read(client, selectAnywhere, anywhere, undefined, found);
  return found;
}

async function read(
  client: ClickHouseClient,
  query: string,
  ids: readonly string[],
  hours: readonly number[] | undefined,
  found: Map<string, TraceWrites>,
): Promise<void> {
  for (const part of partsOf(ids, idsPerQueryMax)) {
    const parameters = { ids: part, ...(hours ? { hours } : {}) };
    await select(client, { query, parameters }, (row) => {
      found.set(row.hex(16), {
        startNs: row.uint64(),
        endNs: row.uint64(),
        receivedNs: row.uint64(),
        writes: Number(row.uint64()),
      });
    });
  }
}

/** A write to a trace. */
export interface Touched {
  readonly receivedNs: bigint;
  readonly traceId: string;
}

const selectTouched = `
  SELECT received_ns, trace_id
  FROM traces
  WHERE received_ns >= {from:UInt64}
    AND (received_ns > {from:UInt64} OR trace_id > toFixedString(unhex({afterId:String}), 16))
  ORDER BY received_ns, trace_id
  LIMIT {limit:UInt32}
  FORMAT RowBinary`;

/** The next last writes to traces, the oldest first. */
export async function readTouched(
  client: ClickHouseClient,
  after: Touched,
  limit: number,
): Promise<readonly Touched[]> {
  const touched: Touched[] = [];
  const parameters = { from: after.receivedNs, afterId: after.traceId, limit };
  await select(client, { query: selectTouched, parameters }, (row) =>
    touched.push({ receivedNs: row.uint64(), traceId: row.hex(16) }),
  );
  return touched;
}

const selectNewestVersion = 'SELECT max(version) FROM digests FORMAT RowBinary';

/** The highest version that a digest has; 0 when there is none. */
export async function readNewestVersion(client: ClickHouseClient): Promise<bigint> {
  let newest = 0n;
  await select(client, { query: selectNewestVersion }, (row) => {
    newest = row.uint64();
  });
  return newest;
}

/** Minutes under which these traces are listed, of those that have a digest. */
export async function readMinutes(
  client: ClickHouseClient,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const minutes = new Map<string, number>();
  for (const part of partsOf(ids, idsPerQueryMax)) {
    const parameters = { ids: part };
    await select(client, { query: selectMinutes, parameters }, (row) => minutes.set(row.hex(16), row.uint32()));
  }
  return minutes;
}

/** Hours in which spans of the trace may stand; by their start, and by the time in an X-Ray id. */
function hoursOf({ traceId, firstNs, lastNs }: KnownTrace): readonly number[] {
  const from = firstNs / nanosecondsPerSecond - nearSeconds;
  const to = lastNs / nanosecondsPerSecond + nearSeconds;
  const hours: number[] = [Math.floor(Number.parseInt(traceId.slice(0, 8), 16) / Number(secondsPerHour))];
  for (let hour = from / secondsPerHour; hour <= to / secondsPerHour && hours.length <= hoursMax; hour += 1n) {
    if (hour >= 0n) hours.push(Number(hour));
  }
  return hours;
}
