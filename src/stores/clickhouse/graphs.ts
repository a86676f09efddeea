import type { ClickHouseClient } from '@clickhouse/client';
import type { GraphTally, ServiceName } from '../../model/index.ts';
import type { GraphQuery, PeriodGraph } from '../../pipeline/store.ts';
import { toServiceGraph } from '../../query/index.ts';
import { digestFlags, nanosecondsPerMinute } from './digests.ts';
import type { Condition } from './find-traces.ts';
import type { RowReader } from './native.ts';
import { type Parameters, select } from './select.ts';

/**
 * Service graphs, summed up from digests.
 *
 * Each segment, call and link of a digest is one count for a node or an edge. Counting 24 hours of
 * them takes seconds, so minutes that have been quiet for a while are counted once and kept in
 * `graph_counts`, and whole hours from their minutes. A minute whose digests change is stale and is
 * read from its digests until it has been counted anew, as a whole: nothing is ever added to a count.
 */
export interface Graphs {
  read(client: ClickHouseClient, query: GraphQuery, wanted: Condition | undefined): Promise<readonly PeriodGraph[]>;
  /** Digests of these minutes are about to change or have changed. */
  changed(minutes: Iterable<number>): void;
  /** Counts what is stale and quiet; finds out first what is stale after a start. */
  roll(client: ClickHouseClient): Promise<void>;
}

const minutesPerHour = 60;
/** Minutes counted by one query: planning it costs as much as counting a quiet minute. */
const minutesPerCount = 60;

const kinds = ['node', 'call', 'link'] as const satisfies readonly GraphTally['kind'][];
/** Of a request: 4 is none, of something that is not counted as one. */
const classes = { ok: 0, fault: 1, throttle: 2, error: 3, none: 4 } as const;
const countFlags = { requested: 1, reporting: 2, root: 4 } as const;

const { fault, error, throttle, inferred, client: clientFlag } = digestFlags;

/** As `histogramMilliseconds` of the query room: whole milliseconds up to ten seconds, four digits above. */
const bucketOf = (milliseconds: string): string =>
  `if(${milliseconds} <= 10000, ${milliseconds}, intDiv(${milliseconds} + intDiv(intExp10(length(toString(${milliseconds})) - 4), 2), intExp10(length(toString(${milliseconds})) - 4)) * intExp10(length(toString(${milliseconds})) - 4))`;
const millisecondsOf = (start: string, end: string): string =>
  `if(${end} > ${start}, intDiv(${end} - ${start} + 500000, 1000000), 0)`;
const classOf = (flags: string, end: string): string =>
  `multiIf(${end} = 0, ${classes.none}, bitAnd(${flags}, ${fault}) != 0, ${classes.fault}, ` +
  `bitAnd(${flags}, ${throttle}) != 0, ${classes.throttle}, bitAnd(${flags}, ${error}) != 0, ${classes.error}, ${classes.ok})`;

const countColumns =
  'kind, name, type, account, to_name, to_type, to_account, class, response_ms, duration_ms, flags, n, total_ns, start_ns, end_ns';

/** What digests count, before it is summed up: one row for each segment, call, client and link. */
function countsOf(digests: string): string {
  const tuple = (values: readonly string[]): string => `tuple(${values.join(', ')})`;
  const text = (value: string): string => `toString(${value})`;
  const number = (value: string): string => `toUInt64(${value})`;
  const ended = (start: string, end: string): string => `greatest(${start}, ${end})`;
  const segments = `arrayMap((name, type, account, flags, start, end, duration) -> ${tuple([
    'toUInt8(0)',
    ...['name', 'type', 'account'].map(text),
    "'', '', ''",
    `toUInt8(${classOf('flags', 'end')})`,
    number(millisecondsOf('start', 'end')),
    number('if(end = 0, 0, duration)'),
    `toUInt8(${countFlags.requested} + if(bitAnd(flags, ${inferred}) = 0, ${countFlags.reporting}, 0))`,
    number('if(end > start, end - start, 0)'),
    'start',
    ended('start', 'end'),
  ])}, segment_name, segment_type, segment_account, segment_flags, segment_start_ns, segment_end_ns, segment_duration_ms)`;
  const callArrays =
    'call_from_name, call_from_type, call_from_account, call_to_name, call_to_type, call_to_account, call_flags, call_start_ns, call_end_ns';
  const callNames = 'name, type, account, to_name, to_type, to_account, flags, start, end';
  const calls = `arrayMap((${callNames}) -> ${tuple([
    'toUInt8(1)',
    ...['name', 'type', 'account', 'to_name', 'to_type', 'to_account'].map(text),
    `toUInt8(${classOf('flags', 'end')})`,
    number(millisecondsOf('start', 'end')),
    number('0'),
    'toUInt8(0)',
    number('if(end > start, end - start, 0)'),
    'start',
    ended('start', 'end'),
  ])}, ${callArrays})`;
  // A client is a node of its own, and makes the one that it called a root.
  const clientNode = (names: readonly string[], flags: number): string =>
    `arrayMap((${callNames}) -> ${tuple([
      'toUInt8(0)',
      ...names.map(text),
      "'', '', ''",
      `toUInt8(${classes.none})`,
      number('0'),
      number('0'),
      `toUInt8(${flags})`,
      number('0'),
      'start',
      ended('start', 'end'),
    ])}, ${callArrays})`;
  const ofClients = (counts: string): string =>
    `arrayFilter((count, flags) -> bitAnd(flags, ${clientFlag}) != 0, ${counts}, call_flags)`;
  const links = `arrayMap((name, type, account, to_name, to_type, to_account, sent, received) -> ${tuple([
    'toUInt8(2)',
    ...['name', 'type', 'account', 'to_name', 'to_type', 'to_account'].map(text),
    `toUInt8(${classes.none})`,
    number('0'),
    number(millisecondsOf('sent', 'received')),
    'toUInt8(0)',
    number('0'),
    'sent',
    ended('sent', 'received'),
  ])}, link_from_name, link_from_type, link_from_account, link_to_name, link_to_type, link_to_account, link_sent_ns, link_received_ns)`;
  const all = [
    ofClients(clientNode(['name', 'type', 'account'], 0)),
    segments,
    ofClients(clientNode(['to_name', 'to_type', 'to_account'], countFlags.root)),
    calls,
    links,
  ];
  // Each level names what the next one uses: a name is replaced by its expression wherever it stands,
  // and planning this as one query took half a second.
  return `
    SELECT minute, kind, name, type, account, to_name, to_type, to_account, class,
      ${bucketOf('response')} AS response_ms, ${bucketOf('duration')} AS duration_ms,
      flags, toUInt64(1) AS n, total_ns, counted_start_ns, counted_end_ns
    FROM (
      SELECT minute, count.1 AS kind, count.2 AS name, count.3 AS type, count.4 AS account, count.5 AS to_name,
        count.6 AS to_type, count.7 AS to_account, count.8 AS class, count.9 AS response, count.10 AS duration,
        count.11 AS flags, count.12 AS total_ns, count.13 AS counted_start_ns, count.14 AS counted_end_ns
      FROM (SELECT minute, arrayJoin(arrayConcat(${all.join(', ')})) AS count FROM (${digests}))
    )`;
}

const summedColumns = `kind, name, type, account, to_name, to_type, to_account, class, response_ms, duration_ms,
      groupBitOr(flags) AS flags, sum(n) AS n, sum(total_ns) AS total_ns`;
const groupColumns = 'kind, name, type, account, to_name, to_type, to_account, class, response_ms, duration_ms';

/** The rows of digests that count: the last of each trace. */
const digestArrays =
  'segment_name, segment_type, segment_account, segment_flags, segment_start_ns, segment_end_ns, segment_duration_ms, ' +
  'call_from_name, call_from_type, call_from_account, call_to_name, call_to_type, call_to_account, call_flags, call_start_ns, call_end_ns, ' +
  'link_from_name, link_from_type, link_from_account, link_to_name, link_to_type, link_to_account, link_sent_ns, link_received_ns';

function digestsWhere(condition: string): string {
  return `SELECT minute, ${digestArrays} FROM digests FINAL WHERE ${condition} AND NOT removed`;
}

const countMinutes = `
  INSERT INTO graph_counts (period, start, version, ${countColumns})
  SELECT 60, minute, {version:UInt64}, ${summedColumns}, min(counted_start_ns), max(counted_end_ns)
  FROM (${countsOf(digestsWhere('minute IN {minutes:Array(UInt32)}'))})
  GROUP BY minute, ${groupColumns}`;

const currentVersions = (condition: string): string => `
    SELECT period, start, max(version) FROM graph_periods WHERE ${condition} GROUP BY period, start`;

const countHour = `
  INSERT INTO graph_counts (period, start, version, ${countColumns})
  SELECT 3600, {hour:UInt32}, {version:UInt64}, ${summedColumns}, min(start_ns), max(end_ns)
  FROM graph_counts
  WHERE (period, start, version) IN (${currentVersions(
    `period = 60 AND start >= {hour:UInt32} * ${minutesPerHour} AND start < {hour:UInt32} * ${minutesPerHour} + ${minutesPerHour}`,
  )})
  GROUP BY ${groupColumns}`;

const notePeriods = `
  INSERT INTO graph_periods (period, start, version)
  SELECT {period:UInt32}, arrayJoin({starts:Array(UInt32)}), {version:UInt64}`;

// After a start: minutes whose digests are younger than their count, or that have none.
const selectStale = `
  SELECT d.minute
  FROM (SELECT minute, max(version) AS version FROM digests GROUP BY minute) AS d
  LEFT JOIN (SELECT start, max(version) AS version FROM graph_periods WHERE period = 60 GROUP BY start) AS p
    ON d.minute = p.start
  WHERE p.version <= d.version
  FORMAT RowBinary`;

const selectCounted = `
  SELECT period, start FROM graph_periods GROUP BY period, start FORMAT RowBinary`;

interface GraphsParts {
  readonly nowNs: () => bigint;
  /** A minute is counted when its digests have not changed for so long; counting costs about as much as reading it. */
  readonly quietMs: number;
}

export function createGraphs({ nowNs, quietMs }: GraphsParts): Graphs {
  /** By minute, when its digests changed last. */
  const stale = new Map<number, number>();
  const staleHours = new Set<number>();
  const counted = { minutes: new Set<number>(), hours: new Set<number>() };
  let known = false;
  let lastVersion = 0n;

  function changed(minutes: Iterable<number>): void {
    const nowMs = performance.now();
    for (const minute of minutes) {
      stale.set(minute, nowMs);
      counted.minutes.delete(minute);
      const hour = Math.floor(minute / minutesPerHour);
      counted.hours.delete(hour);
      staleHours.add(hour);
    }
  }

  function nextVersion(): bigint {
    const now = nowNs();
    lastVersion = now > lastVersion ? now : lastVersion + 1n;
    return lastVersion;
  }

  async function findOut(client: ClickHouseClient): Promise<void> {
    const found: number[] = [];
    await select(client, { query: selectStale }, (row) => found.push(row.uint32()));
    await select(client, { query: selectCounted }, (row) => {
      const [period, start] = [row.uint32(), row.uint32()];
      (period === 60 ? counted.minutes : counted.hours).add(start);
    });
    const younger = new Set(stale.keys());
    changed(found.filter((minute) => !younger.has(minute)));
    for (const minute of found) if (!younger.has(minute)) stale.set(minute, Number.NEGATIVE_INFINITY);
    for (const minute of younger) counted.minutes.delete(minute);
    known = true;
  }

  async function rollMinutes(client: ClickHouseClient, minutes: readonly number[]): Promise<void> {
    const changedMs = new Map(minutes.map((minute) => [minute, stale.get(minute)]));
    const unchanged = (): readonly number[] => minutes.filter((minute) => stale.get(minute) === changedMs.get(minute));
    const version = nextVersion();
    await run(client, countMinutes, { minutes, version });
    // Had a digest changed meanwhile, the count of its minute would be a mixture; the next roll makes another.
    await run(client, notePeriods, { period: 60, starts: unchanged(), version });
    for (const minute of unchanged()) {
      stale.delete(minute);
      counted.minutes.add(minute);
      staleHours.add(Math.floor(minute / minutesPerHour));
    }
  }

  async function rollHour(client: ClickHouseClient, hour: number): Promise<void> {
    const version = nextVersion();
    staleHours.delete(hour);
    await run(client, countHour, { hour, version });
    await run(client, notePeriods, { period: 3600, starts: [hour], version });
    if (!staleHours.has(hour)) counted.hours.add(hour);
  }

  function isWhole(hour: number): boolean {
    const first = hour * minutesPerHour;
    for (let minute = first; minute < first + minutesPerHour; minute += 1) if (stale.has(minute)) return false;
    return true;
  }

  return {
    changed,
    async roll(client) {
      if (!known) await findOut(client);
      const nowMs = performance.now();
      const quiet = [...stale].filter(([, changedMs]) => nowMs - changedMs >= quietMs).map(([minute]) => minute);
      for (let start = 0; start < quiet.length; start += minutesPerCount) {
        await rollMinutes(client, quiet.slice(start, start + minutesPerCount));
      }
      const presentHour = Number(nowNs() / (nanosecondsPerMinute * BigInt(minutesPerHour)));
      const past = [...staleHours].filter((hour) => hour < presentHour && isWhole(hour));
      for (const hour of past) await rollHour(client, hour);
    },
    async read(client, query, wanted) {
      const plan = wanted || !known ? undefined : planOf(query, { stale, counted });
      return await readGraphs(client, query, { wanted, plan });
    },
  };
}

async function run(client: ClickHouseClient, query: string, parameters: Parameters): Promise<void> {
  await client.command({ query, query_params: parameters });
}

/** Which parts of a range are read from which counts. */
interface Plan {
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  /** Minutes whose digests are read. */
  readonly digests: readonly number[];
}

function planOf(
  { fromNs, toNs, periodNs }: GraphQuery,
  known: {
    readonly stale: ReadonlyMap<number, number>;
    readonly counted: { readonly minutes: ReadonlySet<number>; readonly hours: ReadonlySet<number> };
  },
): Plan {
  const isInside = (startNs: bigint, lengthNs: bigint): boolean => startNs >= fromNs && startNs + lengthNs <= toNs;
  const touches = (startNs: bigint): boolean => startNs + nanosecondsPerMinute > fromNs && startNs < toNs;
  const hourNs = nanosecondsPerMinute * BigInt(minutesPerHour);
  const hoursFit = periodNs === undefined || periodNs % hourNs === 0n;
  const hours = hoursFit ? [...known.counted.hours].filter((hour) => isInside(BigInt(hour) * hourNs, hourNs)) : [];
  const whole = new Set(hours);
  const minutes: number[] = [];
  const digests: number[] = [];
  for (const minute of known.counted.minutes) {
    const startNs = BigInt(minute) * nanosecondsPerMinute;
    if (!touches(startNs) || whole.has(Math.floor(minute / minutesPerHour))) continue;
    (isInside(startNs, nanosecondsPerMinute) ? minutes : digests).push(minute);
  }
  for (const minute of known.stale.keys()) if (touches(BigInt(minute) * nanosecondsPerMinute)) digests.push(minute);
  return { hours, minutes, digests };
}

const planned = `
    SELECT if(period = 60, start, start * ${minutesPerHour}) AS minute, ${groupColumns}, flags, n, total_ns,
      start_ns AS counted_start_ns, end_ns AS counted_end_ns
    FROM graph_counts
    WHERE (period, start, version) IN (${currentVersions(
      '(period = 3600 AND start IN {hours:Array(UInt32)}) OR (period = 60 AND start IN {minutes:Array(UInt32)})',
    )})`;

const counts = (from: string): string =>
  `SELECT minute, ${groupColumns}, flags, n, total_ns, counted_start_ns, counted_end_ns FROM (${from})`;

const inRange =
  'minute >= intDiv({from:UInt64}, 60000000000) AND minute <= intDiv({to:UInt64}, 60000000000) AND start_ns >= {from:UInt64} AND start_ns < {to:UInt64}';

/** Node, then edge by edge: clients first, then whom they call, so that a picture begins at its entrance. */
function readQuery(from: string): string {
  return `
    SELECT slot, kind, name, type, account, to_name, to_type, to_account, groupBitOr(flags) AS all_flags,
      min(counted_start_ns), max(counted_end_ns),
      sumIf(n, class = ${classes.ok}), sumIf(n, class = ${classes.fault}), sumIf(n, class = ${classes.throttle}),
      sumIf(n, class = ${classes.error}), sum(total_ns),
      sumMapIf(map(response_ms, n), class != ${classes.none}),
      sumMapIf(map(duration_ms, n), kind = 2 OR (kind = 0 AND class != ${classes.none}))
    FROM (
      SELECT toUInt32(if({period:UInt32} = 0, 0, intDiv(minute, {period:UInt32}))) AS slot, ${groupColumns},
        groupBitOr(flags) AS flags, sum(n) AS n, sum(total_ns) AS total_ns,
        min(counted_start_ns) AS counted_start_ns, max(counted_end_ns) AS counted_end_ns
      FROM (${from})
      GROUP BY slot, ${groupColumns}
    )
    GROUP BY slot, kind, name, type, account, to_name, to_type, to_account
    ORDER BY slot, kind, bitAnd(all_flags, ${countFlags.requested}), bitAnd(all_flags, ${countFlags.root}) DESC, name, type,
      account, to_name, to_type, to_account
    FORMAT RowBinary`;
}

const timeNsMax = 2n ** 64n - 1n;

async function readGraphs(
  client: ClickHouseClient,
  { fromNs, toNs, periodNs }: GraphQuery,
  { wanted, plan }: { readonly wanted: Condition | undefined; readonly plan: Plan | undefined },
): Promise<readonly PeriodGraph[]> {
  const period = periodNs === undefined ? 0 : Number(periodNs / nanosecondsPerMinute);
  const range = { from: fromNs < 0n ? 0n : fromNs, to: toNs > timeNsMax ? timeNsMax : toNs, period };
  const ofDigests = plan
    ? digestsWhere(`minute IN {digests:Array(UInt32)} AND ${inRange}`)
    : digestsWhere(wanted ? `${inRange} AND (${wanted.condition})` : inRange);
  const parts = [
    ...(plan && plan.hours.length + plan.minutes.length > 0 ? [counts(planned)] : []),
    ...(plan && plan.digests.length === 0 ? [] : [counts(countsOf(ofDigests))]),
  ];
  if (parts.length === 0) return [];
  const from = parts.join(' UNION ALL ');
  const parameters = {
    ...wanted?.parameters,
    ...range,
    ...(plan ? { hours: plan.hours, minutes: plan.minutes, digests: plan.digests } : {}),
  };
  const tallies = new Map<number, GraphTally[]>();
  await select(client, { query: readQuery(from), parameters }, (row) => {
    const slot = row.uint32();
    const known = tallies.get(slot);
    const tally = readTally(row);
    if (known) known.push(tally);
    else tallies.set(slot, [tally]);
  });
  return [...tallies].map(([slot, ofSlot]) => ({
    fromNs: periodNs === undefined ? fromNs : BigInt(slot) * periodNs,
    graph: toServiceGraph(ofSlot),
  }));
}

function readTally(row: RowReader): GraphTally {
  const kind = kinds[row.uint8()] ?? 'node';
  const service = readService(row);
  const destination = readService(row);
  const flags = row.uint8();
  const times = { startTimeNs: row.uint64(), endTimeNs: row.uint64() };
  const requests = {
    okCount: Number(row.uint64()),
    faultCount: Number(row.uint64()),
    throttleCount: Number(row.uint64()),
    errorCount: Number(row.uint64()),
    totalResponseTimeNs: row.uint64(),
  };
  const responseTimes = readHistogram(row);
  const durations = readHistogram(row);
  return {
    kind,
    service,
    destination: kind === 'node' ? undefined : destination,
    requested: (flags & countFlags.requested) !== 0,
    reporting: (flags & countFlags.reporting) !== 0,
    root: (flags & countFlags.root) !== 0,
    ...times,
    ...requests,
    responseTimes,
    durations: kind === 'link' ? noHistogram : durations,
    eventAges: kind === 'link' ? durations : noHistogram,
  };
}

const noHistogram: ReadonlyMap<number, number> = new Map();

function readService(row: RowReader): ServiceName {
  const [name, type, accountId] = [row.text(), row.text(), row.text()];
  return { name, type: type || undefined, accountId: accountId || undefined };
}

function readHistogram(row: RowReader): ReadonlyMap<number, number> {
  const histogram = new Map<number, number>();
  for (let entries = row.varint(); entries > 0; entries -= 1) histogram.set(Number(row.uint64()), Number(row.uint64()));
  return histogram;
}
