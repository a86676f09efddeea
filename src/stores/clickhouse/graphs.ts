import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import type { GraphTally, ServiceName } from '../../model/index.ts';
import type { GraphQuery, PeriodGraph, SeriesPeriod, SeriesQuery } from '../../pipeline/store.ts';
import { type EntitySelector, type NodeReference, toPeriodStatistics, toServiceGraph } from '../../query/index.ts';
import { digestFlags, nanosecondsPerMinute } from './digests.ts';
import type { Condition } from './find-traces.ts';
import type { RowReader } from './native.ts';
import { clampTime, type Parameters, select } from './select.ts';
import { createVersions } from './versions.ts';

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
  series(client: ClickHouseClient, query: SeriesQuery, wanted: Condition | undefined): Promise<readonly SeriesPeriod[]>;
  /** Digests of these minutes are about to change or have changed. */
  changed(minutes: Iterable<number>): void;
  /**
   * Counts what is stale and quiet; looks first what there is, at a start and once in a while.
   * @throws the reason of the signal.
   */
  roll(client: ClickHouseClient, signal: AbortSignal): Promise<void>;
}

const minutesPerHour = 60;
/** Minutes counted by one query: planning it costs as much as counting a quiet minute. */
const minutesPerCount = 60;
/**
 * How often to look what there is: what another process wrote is found, and what the retention took
 * away is let go. The look reads two columns of all digests.
 */
const lookIntervalMs = 600_000;
/** Spans of wrong clocks may be of any minute; with more minutes than this, counts are not used. */
const minutesMax = 200_000;
/** Numbers of minutes travel in the URL, which may have a mebibyte. */
const minutesPerQueryMax = 60_000;

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

// Minutes whose digests are younger than their count, or that have none.
const selectStale = `
  SELECT d.minute
  FROM (SELECT minute, max(version) AS version FROM digests GROUP BY minute) AS d
  LEFT JOIN (SELECT start, max(version) AS version FROM graph_periods WHERE period = 60 GROUP BY start) AS p
    ON d.minute = p.start
  WHERE p.version <= d.version
  LIMIT {limit:UInt32}
  FORMAT RowBinary`;

const selectCounted = `
  SELECT period, start, max(version) FROM graph_periods GROUP BY period, start LIMIT {limit:UInt32} FORMAT RowBinary`;

interface GraphsParts {
  readonly nowNs: () => bigint;
  /** A minute is counted when its digests have not changed for so long; counting costs about as much as reading it. */
  readonly quietMs: number;
  /** A minute that was counted before is counted anew only then: each count is kept until its time is over. */
  readonly recountQuietMs: number;
}

interface StaleMinute {
  /** When its digests changed last, in milliseconds of the process. */
  readonly changedMs: number;
  readonly recount: boolean;
}

export function createGraphs({ nowNs, quietMs, recountQuietMs }: GraphsParts): Graphs {
  const stale = new Map<number, StaleMinute>();
  const staleHours = new Set<number>();
  const counted = { minutes: new Set<number>(), hours: new Set<number>() };
  let known = false;
  let lookedMs = Number.NEGATIVE_INFINITY;
  const versions = createVersions(nowNs);

  function changed(minutes: Iterable<number>): void {
    for (const minute of minutes) markStale(minute, performance.now());
    if (stale.size > minutesMax) forgetAll();
  }

  function markStale(minute: number, changedMs: number): void {
    const recount = counted.minutes.delete(minute) || stale.get(minute)?.recount === true;
    stale.set(minute, { changedMs, recount });
    const hour = hourOf(minute);
    counted.hours.delete(hour);
    staleHours.add(hour);
  }

  /** Until the next look everything is read from digests. */
  function forgetAll(): void {
    known = false;
    for (const set of [stale, staleHours, counted.minutes, counted.hours]) set.clear();
  }

  async function look(client: ClickHouseClient): Promise<void> {
    const before = new Map(stale);
    const limit = minutesMax;
    const found: number[] = [];
    await select(client, { query: selectStale, parameters: { limit } }, (row) => found.push(row.uint32()));
    const minutes = new Map<number, bigint>();
    const hours = new Map<number, bigint>();
    await select(client, { query: selectCounted, parameters: { limit } }, (row) => {
      const period = row.uint32();
      (period === 60 ? minutes : hours).set(row.uint32(), row.uint64());
    });
    lookedMs = performance.now();
    if (found.length === limit || minutes.size + hours.size === limit) return forgetAll();
    // A clock that was set back must not make what is new look old.
    for (const version of [...minutes.values(), ...hours.values()]) versions.exceed(version);

    // What changed during the look stays stale; from here on nothing comes in between.
    const changedMeanwhile = [...stale].filter(([minute, entry]) => before.get(minute) !== entry);
    forgetAll();
    for (const minute of minutes.keys()) counted.minutes.add(minute);
    for (const hour of hours.keys()) counted.hours.add(hour);
    // An hour is as good as the youngest count of its minutes.
    for (const [minute, version] of minutes) {
      const hour = hourOf(minute);
      if ((hours.get(hour) ?? 0n) > version) continue;
      counted.hours.delete(hour);
      staleHours.add(hour);
    }
    for (const minute of found) markStale(minute, before.get(minute)?.changedMs ?? Number.NEGATIVE_INFINITY);
    for (const [minute, { changedMs }] of changedMeanwhile) markStale(minute, changedMs);
    known = true;
  }

  async function countTogether(client: ClickHouseClient, minutes: readonly number[]): Promise<void> {
    const entries = new Map(minutes.map((minute) => [minute, stale.get(minute)]));
    const unchanged = (): readonly number[] => minutes.filter((minute) => stale.get(minute) === entries.get(minute));
    const version = versions.next();
    await run(client, countMinutes, { minutes, version });
    // Had a digest changed meanwhile, the count of its minute would be a mixture; a later roll makes another.
    await run(client, notePeriods, { period: 60, starts: unchanged(), version });
    for (const minute of unchanged()) {
      stale.delete(minute);
      counted.minutes.add(minute);
      staleHours.add(hourOf(minute));
    }
  }

  async function rollHour(client: ClickHouseClient, hour: number): Promise<void> {
    const version = versions.next();
    await run(client, countHour, { hour, version });
    // Meanwhile a minute of it may have changed, or everything was forgotten.
    if (!isWhole(hour) || !staleHours.has(hour)) return;
    await run(client, notePeriods, { period: 3600, starts: [hour], version });
    if (!isWhole(hour) || !staleHours.delete(hour)) return;
    counted.hours.add(hour);
  }

  function isWhole(hour: number): boolean {
    const first = hour * minutesPerHour;
    for (let minute = first; minute < first + minutesPerHour; minute += 1) if (stale.has(minute)) return false;
    return true;
  }

  /** One minute that the engine refuses to count waits like one that has changed, so that it holds up no other. */
  async function countMinutesOf(client: ClickHouseClient, minutes: readonly number[]): Promise<void> {
    try {
      await countTogether(client, minutes);
    } catch (error) {
      if (!(error instanceof ClickHouseError)) throw error;
      const [first, second] = minutes;
      if (first === undefined || second === undefined) {
        if (first !== undefined) markStale(first, performance.now());
        throw error;
      }
      const half = Math.ceil(minutes.length / 2);
      await countMinutesOf(client, minutes.slice(0, half));
      await countMinutesOf(client, minutes.slice(half));
    }
  }

  async function rollMinutes(client: ClickHouseClient, signal: AbortSignal): Promise<void> {
    const nowMs = performance.now();
    const quiet = [...stale]
      .filter(([, { changedMs, recount }]) => nowMs - changedMs >= (recount ? recountQuietMs : quietMs))
      .map(([minute]) => minute);
    for (let start = 0; start < quiet.length; start += minutesPerCount) {
      signal.throwIfAborted();
      await countMinutesOf(client, quiet.slice(start, start + minutesPerCount));
    }
  }

  async function rollHours(client: ClickHouseClient, signal: AbortSignal): Promise<void> {
    const presentHour = Number(nowNs() / (nanosecondsPerMinute * BigInt(minutesPerHour)));
    for (const hour of [...staleHours].filter((stalest) => stalest < presentHour && isWhole(stalest))) {
      signal.throwIfAborted();
      // Last in line, should the engine refuse it.
      staleHours.delete(hour);
      staleHours.add(hour);
      await rollHour(client, hour);
    }
  }

  function sourceOf(range: CountedRange, wanted: Condition | undefined): Source {
    return { wanted, plan: wanted || !known ? undefined : planOf(range, { stale, counted }) };
  }

  return {
    changed,
    async roll(client, signal) {
      if (performance.now() - lookedMs >= lookIntervalMs) await look(client);
      if (!known) return;
      await rollMinutes(client, signal);
      await rollHours(client, signal);
    },
    read: (client, query, wanted) => readGraphs(client, query, sourceOf(query, wanted)),
    series: (client, query, wanted) => readSeries(client, query, sourceOf(query, wanted)),
  };
}

function hourOf(minute: number): number {
  return Math.floor(minute / minutesPerHour);
}

async function run(client: ClickHouseClient, query: string, parameters: Parameters): Promise<void> {
  await client.command({ query, query_params: parameters });
}

type CountedRange = Pick<GraphQuery, 'fromNs' | 'toNs' | 'periodNs'>;

/** Which parts of a range are read from which counts; all of it from digests where there is no plan. */
interface Plan {
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  /** Minutes whose digests are read. */
  readonly digests: readonly number[];
}

function planOf(
  { fromNs, toNs, periodNs }: CountedRange,
  known: {
    readonly stale: ReadonlyMap<number, StaleMinute>;
    readonly counted: { readonly minutes: ReadonlySet<number>; readonly hours: ReadonlySet<number> };
  },
): Plan | undefined {
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
  if (minutes.length + digests.length > minutesPerQueryMax) return undefined;
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

const slot = 'toUInt32(if({period:UInt32} = 0, 0, intDiv(minute, {period:UInt32}))) AS slot';

/** Of the rows of a group: their times, requests and response times. */
const requestSums = `
      min(counted_start_ns), max(counted_end_ns),
      sumIf(n, class = ${classes.ok}), sumIf(n, class = ${classes.fault}), sumIf(n, class = ${classes.throttle}),
      sumIf(n, class = ${classes.error}), sum(total_ns),
      sumMapIf(map(response_ms, n), class != ${classes.none})`;

/**
 * Node, then edge by edge: clients first, then whom they call, so that a picture begins at its entrance.
 * Grouping by a hash of the seven names takes a third of the time of grouping by them.
 */
function readQuery(from: string): string {
  return `
    SELECT ${slot}, any(kind) AS a_kind, any(name) AS a_name, any(type) AS a_type, any(account) AS a_account,
      any(to_name) AS a_to_name, any(to_type) AS a_to_type, any(to_account) AS a_to_account,
      groupBitOr(flags) AS a_flags, ${requestSums},
      sumMapIf(map(duration_ms, n), kind = 2 OR (kind = 0 AND class != ${classes.none}))
    FROM (${from})
    GROUP BY slot, cityHash64(kind, name, type, account, to_name, to_type, to_account)
    ORDER BY slot, a_kind, bitAnd(a_flags, ${countFlags.requested}), bitAnd(a_flags, ${countFlags.root}) DESC, a_name, a_type,
      a_account, a_to_name, a_to_type, a_to_account
    FORMAT RowBinary`;
}

function seriesQuery(from: string, selected: string): string {
  return `
    SELECT ${slot}, ${requestSums}
    FROM (${from})
    WHERE ${selected}
    GROUP BY slot
    ORDER BY slot
    FORMAT RowBinary`;
}

interface Source {
  readonly wanted: Condition | undefined;
  readonly plan: Plan | undefined;
}

async function readGraphs(
  client: ClickHouseClient,
  query: GraphQuery,
  source: Source,
): Promise<readonly PeriodGraph[]> {
  const { from, parameters } = countsIn(query, source);
  if (from === '') return [];
  const { fromNs, periodNs, signal } = query;
  const tallies = new Map<number, GraphTally[]>();
  await select(client, { query: readQuery(from), parameters, signal }, (row) => {
    const index = row.uint32();
    const known = tallies.get(index);
    const tally = readTally(row);
    if (known) known.push(tally);
    else tallies.set(index, [tally]);
  });
  return [...tallies].map(([index, ofSlot]) => ({
    fromNs: periodNs === undefined ? fromNs : BigInt(index) * periodNs,
    graph: toServiceGraph(ofSlot),
  }));
}

async function readSeries(
  client: ClickHouseClient,
  query: SeriesQuery,
  source: Source,
): Promise<readonly SeriesPeriod[]> {
  const { from, parameters } = countsIn(query, source);
  if (from === '') return [];
  const { periodNs, signal } = query;
  const selected = selectedBy(query.selector);
  const periods: SeriesPeriod[] = [];
  await select(
    client,
    { query: seriesQuery(from, selected.condition), parameters: { ...parameters, ...selected.parameters }, signal },
    (row) => {
      const fromNs = BigInt(row.uint32()) * periodNs;
      periods.push({ fromNs, ...toPeriodStatistics({ ...readRequests(row), responseTimes: readHistogram(row) }) });
    },
  );
  return periods;
}

/** The counts of a range, as something to select from; empty when there are none. */
function countsIn(
  { fromNs, toNs, periodNs }: CountedRange,
  { wanted, plan }: Source,
): { readonly from: string; readonly parameters: Parameters } {
  const period = periodNs === undefined ? 0 : Number(periodNs / nanosecondsPerMinute);
  const range = { from: clampTime(fromNs), to: clampTime(toNs), period };
  const ofDigests = plan
    ? digestsWhere(`minute IN {digests:Array(UInt32)} AND ${inRange}`)
    : digestsWhere(wanted ? `${inRange} AND (${wanted.condition})` : inRange);
  const parts = [
    ...(plan && plan.hours.length + plan.minutes.length > 0 ? [counts(planned)] : []),
    ...(plan && plan.digests.length === 0 ? [] : [counts(countsOf(ofDigests))]),
  ];
  const parameters = {
    ...wanted?.parameters,
    ...range,
    ...(plan ? { hours: plan.hours, minutes: plan.minutes, digests: plan.digests } : {}),
  };
  return { from: parts.join(' UNION ALL '), parameters };
}

/** The rows of the nodes or calls that a selector means; of all calls when there is none. */
function selectedBy(selector: EntitySelector | undefined): Condition {
  if (selector?.kind === 'service') {
    const node = referredBy(selector.node, { name: 'name', type: 'type', accountId: 'account' }, 'node');
    const condition = [`kind = 0 AND bitAnd(flags, ${countFlags.requested}) != 0`, ...node.conditions].join(' AND ');
    return { condition, parameters: node.parameters };
  }
  const from = referredBy(selector?.from, { name: 'name', type: 'type', accountId: 'account' }, 'from');
  const to = referredBy(selector?.to, { name: 'to_name', type: 'to_type', accountId: 'to_account' }, 'to');
  return {
    condition: ['kind = 1', ...from.conditions, ...to.conditions].join(' AND '),
    parameters: { ...from.parameters, ...to.parameters },
  };
}

function referredBy(
  reference: NodeReference | undefined,
  columns: Readonly<Record<keyof NodeReference, string>>,
  prefix: string,
): { readonly conditions: readonly string[]; readonly parameters: Readonly<Record<string, string>> } {
  const conditions: string[] = [];
  const parameters: Record<string, string> = {};
  for (const member of ['name', 'type', 'accountId'] as const) {
    const value = reference?.[member];
    if (value === undefined) continue;
    conditions.push(`${columns[member]} = {${prefix}_${member}:String}`);
    parameters[`${prefix}_${member}`] = value;
  }
  return { conditions, parameters };
}

function readTally(row: RowReader): GraphTally {
  const kind = kinds[row.uint8()] ?? 'node';
  const service = readService(row);
  const destination = readService(row);
  const flags = row.uint8();
  const requests = readRequests(row);
  const responseTimes = readHistogram(row);
  const durations = readHistogram(row);
  return {
    kind,
    service,
    destination: kind === 'node' ? undefined : destination,
    requested: (flags & countFlags.requested) !== 0,
    reporting: (flags & countFlags.reporting) !== 0,
    root: (flags & countFlags.root) !== 0,
    ...requests,
    responseTimes,
    durations: kind === 'link' ? noHistogram : durations,
    eventAges: kind === 'link' ? durations : noHistogram,
  };
}

type Requests = Pick<
  GraphTally,
  'startTimeNs' | 'endTimeNs' | 'okCount' | 'faultCount' | 'throttleCount' | 'errorCount' | 'totalResponseTimeNs'
>;

function readRequests(row: RowReader): Requests {
  return {
    startTimeNs: row.uint64(),
    endTimeNs: row.uint64(),
    okCount: Number(row.uint64()),
    faultCount: Number(row.uint64()),
    throttleCount: Number(row.uint64()),
    errorCount: Number(row.uint64()),
    totalResponseTimeNs: row.uint64(),
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
