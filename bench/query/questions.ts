import { performance } from 'node:perf_hooks';
import { toXrayTraceId } from '../../src/model/index.ts';
import { type Draw, generator } from '../../test/support/draw.ts';
import { type Dataset, dayMs, traceOf } from './load.ts';
import { usersCount } from '../../test/support/traffic.ts';

/** What people ask a store of traces, by the X-Ray API, and how long it may take. */
export interface Question {
  readonly name: string;
  /** The percentile that must not take longer than this. */
  readonly target: { readonly percentile: number; readonly ms: number };
  /** How often it is asked, when there is time. */
  readonly asks: number;
  /** Asks once; what it costs and how much came back. */
  ask(): Promise<Answer>;
}

export interface Answer {
  readonly ms: number;
  readonly found: number;
}

const hourMs = 60 * 60 * 1000;
const summariesWanted = 100;
/** A question that takes longer has failed whatever it was to take. */
const requestMsMax = 120_000;

export function questionsOf(dataset: Dataset, api: string): readonly Question[] {
  const draw = generator(dataset.seed + 77);
  return [
    {
      name: 'trace by id',
      target: { percentile: 0.99, ms: 50 },
      asks: 200,
      ask: () => traceById(api, traceOf(dataset, draw(dataset.traces))[0]?.traceId ?? ''),
    },
    ...filters.map(({ name, filter }) => ({
      name: `newest ${summariesWanted} of an hour: ${name}`,
      target: { percentile: 0.95, ms: 500 },
      asks: 20,
      ask: () => newestSummaries(api, hourOf(dataset, draw), filter(draw)),
    })),
    ...[6, 24].map((hours) => ({
      name: `service graph of ${hours} h`,
      target: { percentile: 0.95, ms: 500 },
      asks: 10,
      ask: () => serviceGraph(api, lastHours(dataset, hours)),
    })),
    ...series.map(({ name, hours, members }) => ({
      name: `time series of ${hours} h: ${name}`,
      target: { percentile: 0.95, ms: 500 },
      asks: 10,
      ask: () => timeSeries(api, { ...lastHours(dataset, hours), ...members }),
    })),
    ...completions.map(({ name, question }) => ({
      name: `completion of ${name}, 24 h`,
      target: { percentile: 0.95, ms: 100 },
      asks: 20,
      ask: () => complete(api, lastHours(dataset, 24), question),
    })),
  ];
}

interface Range {
  /** Epoch seconds. */
  readonly StartTime: number;
  readonly EndTime: number;
}

/** Everything that is asked for has a common and a rare variation. */
const filters: readonly { readonly name: string; readonly filter: (draw: Draw) => string | undefined }[] = [
  { name: 'any', filter: () => undefined },
  { name: 'common service', filter: () => 'service("storefront")' },
  { name: 'rare service', filter: () => 'service("archive") { root = true }' },
  { name: 'duration, common', filter: () => 'duration > 0.1' },
  { name: 'duration, rare', filter: () => 'duration > 5' },
  { name: 'fault', filter: () => 'fault' },
  { name: 'annotation, common', filter: () => 'annotation.tenant = "tenant-0"' },
  { name: 'annotation, rare', filter: (draw) => `annotation[user.id] = "user-${draw(usersCount)}"` },
  { name: 'annotation, number', filter: () => 'annotation[cart.items] >= 11' },
  { name: 'URL', filter: (draw) => `http.url CONTAINS "/api/storefront/${10 + draw(90)}"` },
  { name: 'edge', filter: () => 'edge("storefront", "search") { fault }' },
  { name: 'root cause', filter: () => 'rootcause.fault.service { name = "cart" }' },
  {
    name: 'all four, common',
    filter: () => 'service("storefront") AND duration > 0.05 AND fault AND annotation.region = "eu-west-1"',
  },
  {
    name: 'all four, rare service',
    filter: () => 'service("webhooks") AND duration > 0.2 AND fault AND annotation.region = "eu-west-1"',
  },
  {
    name: 'all four, rare value',
    filter: (draw) =>
      `service("storefront") { fault } AND duration > 0.05 AND fault AND annotation.tenant = "tenant-${150 + draw(50)}"`,
  },
  {
    name: 'all four, no match',
    filter: () => 'service("storefront") AND duration > 60 AND fault AND annotation.tenant = "nobody"',
  },
];

const series = [
  { name: 'everything', hours: 6, members: { Period: 60 } },
  { name: 'everything', hours: 24, members: { Period: 300 } },
  { name: 'one service', hours: 24, members: { Period: 300, EntitySelectorExpression: 'service("checkout")' } },
  {
    name: 'one edge',
    hours: 24,
    members: { Period: 300, EntitySelectorExpression: 'edge("storefront", "checkout")' },
  },
] as const;

/** The console's; the X-Ray API has none. */
const completions = [
  { name: 'keys', question: '' },
  { name: 'values of a common key', question: '&key=tenant' },
  { name: 'values of many, by their beginning', question: '&key=user.id&prefix=user-1' },
];

async function complete(api: string, { StartTime, EndTime }: Range, question: string): Promise<Answer> {
  const startedAt = performance.now();
  const url = `http://${api}/api/attributes?from=${StartTime}&to=${EndTime}&limit=50${question}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(requestMsMax) });
  const body: unknown = await response.json();
  return { ms: performance.now() - startedAt, found: listOf(body, 'Completions').length };
}

async function traceById(api: string, traceId: string): Promise<Answer> {
  const { ms, body } = await post(api, '/Traces', { TraceIds: [toXrayTraceId(traceId)] });
  const segments = listOf(body, 'Traces').flatMap((trace) => listOf(trace, 'Segments'));
  if (segments.length === 0) throw new Error(`trace ${traceId} is not there`);
  return { ms, found: segments.length };
}

/** Follows the pages, which may be empty, until there are enough or the range has ended. */
async function newestSummaries(api: string, range: Range, filter: string | undefined): Promise<Answer> {
  let found = 0;
  let spentMs = 0;
  let token: unknown;
  do {
    const { ms, body } = await post(api, '/TraceSummaries', { ...range, FilterExpression: filter, NextToken: token });
    found += listOf(body, 'TraceSummaries').length;
    spentMs += ms;
    token = memberOf(body, 'NextToken');
  } while (token !== undefined && found < summariesWanted && spentMs < requestMsMax);
  return { ms: spentMs, found };
}

async function serviceGraph(api: string, range: Range): Promise<Answer> {
  return await paged(api, { path: '/ServiceGraph', list: 'Services', request: range });
}

async function timeSeries(api: string, request: Range): Promise<Answer> {
  return await paged(api, { path: '/TimeSeriesServiceStatistics', list: 'TimeSeriesServiceStatistics', request });
}

async function paged(
  api: string,
  { path, list, request }: { readonly path: string; readonly list: string; readonly request: object },
): Promise<Answer> {
  let found = 0;
  let spentMs = 0;
  let token: unknown;
  do {
    const { ms, body } = await post(api, path, { ...request, NextToken: token });
    found += listOf(body, list).length;
    spentMs += ms;
    token = memberOf(body, 'NextToken');
  } while (token !== undefined);
  return { ms: spentMs, found };
}

/** The time until the whole answer was there. */
async function post(api: string, path: string, request: object): Promise<{ ms: number; body: unknown }> {
  const startedAt = performance.now();
  const response = await fetch(`http://${api}${path}`, {
    method: 'POST',
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(requestMsMax),
  });
  const text = await response.text();
  const ms = performance.now() - startedAt;
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
  return { ms, body: JSON.parse(text) };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = memberOf(value, name);
  return Array.isArray(list) ? list : [];
}

function hourOf({ fromMs }: Dataset, draw: Draw): Range {
  const startMs = fromMs + draw(dayMs / hourMs) * hourMs;
  return { StartTime: startMs / 1000, EndTime: (startMs + hourMs) / 1000 };
}

function lastHours({ endMs }: Dataset, hours: number): Range {
  return { StartTime: endMs / 1000 - hours * 3600, EndTime: endMs / 1000 };
}
