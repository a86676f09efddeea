import { RaybridgeError } from '../../errors.ts';
import { parseSeconds, parseTraceId, secondsText } from '../../model/index.ts';
import type { Context } from '../../pipeline/component.ts';
import { exampleEnvironment } from '../../pipeline/status.ts';
import type { Store, StoreStatistics } from '../../pipeline/store.ts';
import { parseFilter, summarise, toTraceSummaryAnswer, withSummaryFacts } from '../../query/index.ts';
import {
  answerLinked,
  answerServiceGraph,
  answerSummaries,
  answerTrace,
  answerTraceGraph,
  toGroupAnswer,
} from '../../reader/index.ts';
import type { GroupRegistry, InsightDocuments, TraceReader } from '../../reader/index.ts';
import { groupExceptions } from './exceptions.ts';
import { findingsOf } from './findings.ts';
import { insightAnswer, insightsAnswer } from './insights.ts';
import { alikeMax, normalAnswer } from './normal.ts';
import { pointsMax, readSummaries, toTracePoint, type TracePointsAnswer } from './points.ts';
import { responseTimesAnswer } from './response-times.ts';
import { draftedRules, previewedMax, samplingAnswer, seenTraffic, toPreviewAnswer } from './sampling.ts';
import { seriesAnswer } from './series.ts';
import { readTrace, traceIdOf } from './trace.ts';

/** What answers are made of. */
export interface Sources {
  readonly context: Context;
  readonly store: Store;
  readonly reader: TraceReader;
  readonly groups: GroupRegistry;
  readonly insights: Pick<InsightDocuments, 'list'>;
}

export interface Call {
  readonly query: URLSearchParams;
  /** What stands at `{id}` in the path; empty where nothing does. */
  readonly id: string;
  readonly signal: AbortSignal;
}

/** A GET of the page, and how the OpenAPI description tells of it. */
export interface Route {
  /** `/api/traces/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** Members of the answer, with where their shapes are described. */
  readonly answers: string;
  readonly run: (call: Call, sources: Sources) => Promise<object>;
}

/** As OpenAPI 3.1 has it; the schema is JSON Schema. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly required: boolean;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

const limitDefault = 100;
const limitMax = 1000;

const seconds = { type: 'number', minimum: 0 };
const text = { type: 'string' };
const from = { name: 'from', in: 'query', required: true, description: 'Epoch seconds.', schema: seconds } as const;
const to = { ...from, name: 'to', description: 'Epoch seconds, not before `from`.' } as const;
const filter = {
  name: 'filter',
  in: 'query',
  required: false,
  description: 'An X-Ray filter expression.',
  schema: text,
} as const;
const limit = {
  name: 'limit',
  in: 'query',
  required: false,
  description: 'The most in one answer.',
  schema: { type: 'integer', minimum: 1, maximum: limitMax, default: limitDefault },
} as const;
const optionalText = (name: string, description: string): Parameter => ({
  name,
  in: 'query',
  required: false,
  description,
  schema: text,
});
const id = (description: string): Parameter => ({ name: 'id', in: 'path', required: true, description, schema: text });

export const routes: readonly Route[] = [
  {
    path: '/api/status',
    summary: 'The process: listeners, faults, what came in, the store and the queue',
    parameters: [],
    answers: 'version, listeners, environment, ready, faults, received, rejections, store, queue',
    run: (_, sources) => statusAnswer(sources),
  },
  {
    path: '/api/pipelines',
    summary: 'Every counter and gauge of the process, as /metrics has them',
    parameters: [],
    answers: 'Series',
    run: async (_, { context }) => ({ Series: context.telemetry.series() }),
  },
  {
    path: '/api/traces',
    summary: 'Traces that match, newest first',
    parameters: [from, to, filter, limit, optionalText('next', '`NextToken` of the page before.')],
    answers: 'TraceSummaries, ApproximateTime, TracesProcessedCount, NextToken, as GetTraceSummaries has them',
    run: async ({ query, signal }, { reader, groups }) =>
      await answerSummaries(reader, {
        ...rangeOf(query),
        by: 'start',
        share: 1,
        limit: limitOf(query),
        groups: await groups.filters(),
        filterExpression: query.get('filter') ?? undefined,
        nextToken: query.get('next') ?? undefined,
        signal,
      }),
  },
  {
    path: '/api/traces/points',
    summary: `What charts need of the newest traces that match, ${pointsMax.toLocaleString('en')} at most`,
    parameters: [from, to, filter],
    answers: 'Points, IsWhole',
    async run(call, sources) {
      const { summaries, isWhole } = await newestSummaries(call, sources);
      const answer: TracePointsAnswer = { Points: summaries.map(toTracePoint), IsWhole: isWhole };
      return answer;
    },
  },
  {
    path: '/api/traces/response-times',
    summary: 'How many traces that match took how long, by when they started: all of them',
    parameters: [from, to, filter],
    answers: 'StartTime, EndTime, ColumnCount; Cells of Column, Bucket, HasFault, HasError, HasThrottle, Count',
    run: async ({ query, signal }, { reader, groups }) => {
      const expression = query.get('filter');
      return await responseTimesAnswer(reader, {
        ...rangeOf(query),
        filter: expression ? parseFilter(expression) : undefined,
        groups: await groups.filters(),
        signal,
      });
    },
  },
  {
    path: '/api/traces/{id}',
    summary: 'A trace: its documents, its summary, its part of the service graph, and what is wrong with it',
    parameters: [id('`1-5759e988-bd862e3fe1be46a994272793`, or 32 hex digits.')],
    answers: 'Trace, Summary, Services, as BatchGetTraces, GetTraceSummaries and GetTraceGraph have them; Findings',
    run: traceAnswer,
  },
  {
    path: '/api/linked',
    summary: 'The traces that a trace is linked with, both ways',
    parameters: [{ ...id('Of the trace, as `/api/traces/{id}` takes it.'), in: 'query' }],
    answers:
      'From, To: lists of Id, LinkedTraceId, LinkedId; TraceSummaries of those kept here, as GetTraceSummaries has them',
    run: async ({ query }, { reader }) => await answerLinked(reader, await readTrace(reader, traceIdOf(query))),
  },
  {
    path: '/api/normal',
    summary: `What the newest traces of the entry point of a trace do, ${alikeMax} at most`,
    parameters: [{ ...id('Of the trace, as `/api/traces/{id}` takes it.'), in: 'query' }],
    answers: 'TraceCount; Places, a tree of Kind, Name, Detail, TraceCount, FailedCount, Duration, SelfTime, Places',
    run: normalAnswer,
  },
  {
    path: '/api/map',
    summary: 'The service graph',
    parameters: [from, to],
    answers: 'StartTime, EndTime, Services, as GetServiceGraph has them',
    run: async ({ query, signal }, { reader, groups }) =>
      await answerServiceGraph(reader, {
        ...rangeOf(query),
        filter: undefined,
        groups: await groups.filters(),
        signal,
      }),
  },
  {
    path: '/api/series',
    summary: 'What a service saw over time, by minutes or more',
    parameters: [
      from,
      to,
      { ...optionalText('name', 'Of the service.'), required: true },
      optionalText('type', 'Of the service; any when absent.'),
      optionalText('account', 'Of the service; any when absent.'),
    ],
    answers:
      'PeriodSeconds; Periods of Timestamp, ServiceSummaryStatistics, as GetTimeSeriesServiceStatistics has them',
    run: ({ query, signal }, { reader }) =>
      seriesAnswer(reader, query, { ...rangeOf(query), filter: undefined, groups: new Map(), signal }),
  },
  {
    path: '/api/attributes',
    summary: 'Keys of annotations and attributes, or values of one, with how often they occur',
    parameters: [
      from,
      to,
      optionalText('key', 'Whose values are wanted; keys when absent.'),
      optionalText('prefix', 'What they begin with.'),
      limit,
    ],
    answers: 'Completions',
    run: async ({ query, signal }, { store }) => ({
      Completions: await store.completions({
        ...rangeOf(query),
        key: query.get('key') ?? undefined,
        prefix: query.get('prefix') ?? '',
        limit: limitOf(query),
        signal,
      }),
    }),
  },
  {
    path: '/api/exceptions',
    summary: 'Exceptions by type and message, of the newest traces that went wrong',
    parameters: [from, to, filter],
    answers: 'Exceptions, TraceCount, IsWhole',
    async run(call, sources) {
      const { summaries, isWhole } = await newestSummaries(call, sources, { within: 'fault OR error OR throttle' });
      return { Exceptions: groupExceptions(summaries), TraceCount: summaries.length, IsWhole: isWhole };
    },
  },
  {
    path: '/api/sampling',
    summary: 'The sampling rules, what clients reported in the last minutes, and the last target of each rule',
    parameters: [],
    answers:
      'SamplingRuleRecords, SamplingStatisticSummaries, as GetSamplingRules and GetSamplingStatisticSummaries have them; LastTargets, as GetSamplingTargets has them, with GivenAt and ClientCount',
    run: async (_, { context: { sampling } }) => await samplingAnswer(sampling),
  },
  {
    path: '/api/sampling/preview',
    summary: `What a sampling rule would do to the newest traces that match, ${previewedMax.toLocaleString('en')} at most`,
    parameters: [
      from,
      to,
      filter,
      optionalText('draft', 'The rule as JSON, as CreateSamplingRule has it; the rules as they are when absent.'),
      optionalText('rule', 'The rule that the draft changes, which is then as UpdateSamplingRule has it.'),
    ],
    answers: 'TraceCount, IsWhole, Seconds, Services and Rules, with what they do before and after; X-Ray API errors',
    run: previewAnswer,
  },
  {
    path: '/api/groups',
    summary: 'The groups',
    parameters: [],
    answers: 'Groups, as GetGroups has them',
    run: async (_, { groups }) => ({ Groups: (await groups.list()).map(toGroupAnswer) }),
  },
  {
    path: '/api/insights',
    summary: 'Insights that were active at some time of the range, newest first',
    parameters: [from, to],
    answers: 'InsightSummaries, as GetInsightSummaries has them',
    run: ({ query }, { insights }) => insightsAnswer(rangeOf(query), insights),
  },
  {
    path: '/api/insights/{id}',
    summary: 'An insight, how it went on, who calls its services, and its root cause minute by minute',
    parameters: [id('`InsightId`.')],
    answers:
      'Insight, InsightEvents, ImpactServices, as GetInsight, GetInsightEvents and GetInsightImpactGraph have them; ExpectedFaultRate; Minutes, as GetTimeSeriesServiceStatistics has them',
    run: ({ id, signal }, sources) => insightAnswer(id, { ...sources, signal }),
  },
];

async function previewAnswer(call: Call, sources: Sources): Promise<object> {
  const { query } = call;
  const draft = { text: query.get('draft') ?? undefined, changes: query.get('rule') ?? undefined };
  const { sampling, nowNs } = sources.context;
  const rules = draftedRules(draft, { records: await sampling.rules(), nowNs: nowNs() });
  const question = { ...rangeOf(query), filterExpression: query.get('filter') ?? undefined };
  const read = () => newestSummaries(call, sources, { max: previewedMax });
  return toPreviewAnswer(await seenTraffic(sources.reader, { question, nowNs, read }), rules);
}

/** The newest that match, up to a number of them. */
async function newestSummaries(
  { query, signal }: Call,
  sources: Sources,
  { within, max = pointsMax }: { readonly within?: string; readonly max?: number } = {},
) {
  const asked = query.get('filter') ?? undefined;
  const filterExpression = asked && within ? `(${asked}) AND (${within})` : (asked ?? within);
  const question = {
    ...rangeOf(query),
    by: 'start',
    share: 1,
    groups: await sources.groups.filters(),
    filterExpression,
    signal,
  } as const;
  return await readSummaries((page) => answerSummaries(sources.reader, { ...question, ...page }), max);
}

async function statusAnswer({ context, store }: Sources): Promise<object> {
  const { status, telemetry, version } = context;
  const series = telemetry.series();
  const gauge = (name: string): number => series.find((one) => one.name === name)?.value ?? 0;
  return {
    version,
    nowSeconds: Number(secondsText(context.nowNs())),
    listeners: status.listeners,
    environment: exampleEnvironment(status.listeners),
    ready: store.ready && status.faults.size === 0,
    faults: [...status.faults].map(([component, reason]) => ({ component, reason })),
    received: series
      .filter(({ name }) => name === 'raybridge_received_spans_total')
      .map(({ labels, value }) => ({ component: labels['receiver'] ?? '', spans: value })),
    rejections: status.rejections.map(({ atNs, ...rejection }) => ({
      ...rejection,
      atSeconds: Number(secondsText(atNs)),
    })),
    store: await storeAnswer(store),
    queue: {
      bytes: gauge('raybridge_queue_bytes'),
      bytesMax: gauge('raybridge_queue_bytes_max'),
      deadLetters: gauge('raybridge_queue_dead_letters'),
      durable: gauge('raybridge_queue_durable') === 1,
    },
  };
}

/** Zeros while the store cannot tell: the page must say why, not fail as well. */
async function storeAnswer(store: Store): Promise<StoreStatistics> {
  try {
    if (store.ready) return await store.statistics();
  } catch (error) {
    if (!(error instanceof RaybridgeError)) throw error;
  }
  return { spans: 0, traces: 0, bytesOnDisk: 0 };
}

async function traceAnswer({ id }: Call, { context, reader }: Sources): Promise<object> {
  const traceId = parseTraceId(id);
  if (!traceId) {
    throw new RaybridgeError(
      'NOT_FOUND',
      `id: expected 1-5759e988-bd862e3fe1be46a994272793 or 32 hex digits, got "${id.slice(0, 40)}"`,
    );
  }
  const trace = await readTrace(reader, traceId);
  const answer = answerTrace(trace);
  return {
    Trace: answer,
    Summary: withSummaryFacts(toTraceSummaryAnswer(summarise(trace)), { revision: 1 }),
    Services: answerTraceGraph([trace]),
    Findings: findingsOf({ trace, isCut: answer.LimitExceeded, context }),
  };
}

function rangeOf(query: URLSearchParams): { readonly fromNs: bigint; readonly toNs: bigint } {
  const range = { fromNs: timeOf(query, 'from'), toNs: timeOf(query, 'to') };
  if (range.fromNs <= range.toNs) return range;
  throw new RaybridgeError('INVALID_REQUEST', 'to: expected a time not before from');
}

function timeOf(query: URLSearchParams, name: string): bigint {
  const text = query.get(name) ?? '';
  const timeNs = parseSeconds(text);
  if (timeNs !== undefined) return timeNs;
  throw new RaybridgeError('INVALID_REQUEST', `${name}: expected epoch seconds, got "${text.slice(0, 40)}"`);
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null) return limitDefault;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit;
  throw new RaybridgeError(
    'INVALID_REQUEST',
    `limit: expected a whole number from 1 to ${limitMax}, got "${text.slice(0, 40)}"`,
  );
}
