import { RaybridgeError } from '../../errors.ts';
import { parseSeconds, parseTraceId, secondsText, toXrayTraceId } from '../../model/index.ts';
import type { HttpRequest } from '../../net/http.ts';
import { answerGetSamplingRules } from '../../net/sampling-calls.ts';
import { httpStatusOf } from '../../net/status.ts';
import type { Context } from '../../pipeline/component.ts';
import { exampleEnvironment } from '../../pipeline/status.ts';
import type { Store, StoreStatistics } from '../../pipeline/store.ts';
import {
  diagnose,
  type Finding,
  summarise,
  toInsightAnswer,
  toInsightEventAnswer,
  toInsightSummaryAnswer,
  toSamplingStatisticsAnswer,
  toTraceSummaryAnswer,
  withSummaryFacts,
} from '../../query/index.ts';
import {
  answerServiceGraph,
  answerSummaries,
  answerTrace,
  answerTraceGraph,
  toGroupAnswer,
} from '../../reader/index.ts';
import type { GroupRegistry, InsightDocuments, TraceReader } from '../../reader/index.ts';

import { groupExceptions } from './exceptions.ts';
import { pointsMax, readSummaries, toTracePoint, type TracePointsAnswer } from './points.ts';

/** What the page asks for: GET under `/api`, JSON out, in the shapes of the X-Ray API where it has them. */
export interface ConsoleApi {
  answer(request: HttpRequest): Promise<{ readonly status: number; readonly body: object }>;
}

interface Sources {
  readonly context: Context;
  readonly store: Store;
  readonly reader: TraceReader;
  readonly groups: GroupRegistry;
  readonly insights: Pick<InsightDocuments, 'list'>;
}

export function createConsoleApi(sources: Sources): ConsoleApi {
  return {
    async answer(request) {
      try {
        return { status: 200, body: await route(request, sources) };
      } catch (error) {
        return answerError(error, { context: sources.context, signal: request.signal });
      }
    },
  };
}

async function route(request: HttpRequest, sources: Sources): Promise<object> {
  const { path, query, signal } = request;
  switch (path) {
    case '/api/status':
      return await statusAnswer(sources);
    case '/api/traces':
      return await answerSummaries(sources.reader, {
        ...rangeOf(query),
        by: 'start',
        share: 1,
        limit: limitOf(query),
        groups: await sources.groups.filters(),
        filterExpression: query.get('filter') ?? undefined,
        nextToken: query.get('next') ?? undefined,
        signal,
      });
    case '/api/traces/points': {
      const { summaries, isWhole } = await newestSummaries(request, sources);
      const answer: TracePointsAnswer = { Points: summaries.map(toTracePoint), IsWhole: isWhole };
      return answer;
    }
    case '/api/exceptions': {
      const { summaries, isWhole } = await newestSummaries(request, sources, 'fault OR error OR throttle');
      return { Exceptions: groupExceptions(summaries), TraceCount: summaries.length, IsWhole: isWhole };
    }
    case '/api/sampling':
      return {
        ...answerGetSamplingRules(await sources.context.sampling.rules()),
        SamplingStatisticSummaries: sources.context.sampling.statistics().map(toSamplingStatisticsAnswer),
      };
    case '/api/groups':
      return { Groups: (await sources.groups.list()).map(toGroupAnswer) };
    case '/api/insights':
      return await insightsAnswer(request, sources);
    case '/api/pipelines':
      return { Series: sources.context.telemetry.series() };
    case '/api/map':
      return await answerServiceGraph(sources.reader, {
        ...rangeOf(query),
        filter: undefined,
        groups: await sources.groups.filters(),
        signal,
      });
    case '/api/attributes':
      return {
        Completions: await sources.store.completions({
          ...rangeOf(query),
          key: query.get('key') ?? undefined,
          prefix: query.get('prefix') ?? '',
          limit: limitOf(query),
          signal,
        }),
      };
    default:
      if (path.startsWith(insightPath)) return await insightAnswer(path.slice(insightPath.length), sources);
      return await traceAnswer(path, sources);
  }
}

/** The newest that match, up to `pointsMax`. */
async function newestSummaries({ query, signal }: HttpRequest, sources: Sources, within?: string) {
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
  return await readSummaries((page) => answerSummaries(sources.reader, { ...question, ...page }), pointsMax);
}

const insightPath = '/api/insights/';

/** Those that were active in the range, newest first. */
async function insightsAnswer({ query }: HttpRequest, { insights }: Sources): Promise<object> {
  const { fromNs, toNs } = rangeOf(query);
  const [from, to] = [Number(secondsText(fromNs)), Number(secondsText(toNs))];
  const all = (await insights.list()).map(toInsightSummaryAnswer);
  return { InsightSummaries: all.filter(({ StartTime, EndTime = to }) => StartTime <= to && EndTime >= from) };
}

async function insightAnswer(id: string, { insights }: Sources): Promise<object> {
  const insight = (await insights.list()).find((one) => one.id === id);
  if (!insight)
    throw new RaybridgeError('NOT_FOUND', 'There is no insight of this id; it may be older than what is kept');
  return { Insight: toInsightAnswer(insight), InsightEvents: insight.events.map(toInsightEventAnswer) };
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

const tracePath = /^\/api\/traces\/([0-9A-Fa-f-]{32,35})$/;

async function traceAnswer(path: string, { context, reader }: Sources): Promise<object> {
  const text = tracePath.exec(path)?.[1];
  const traceId = text ? parseTraceId(text) : undefined;
  if (!traceId) throw new RaybridgeError('NOT_FOUND', 'Nothing is answered at this path');
  const trace = (await reader.traces([traceId])).get(traceId);
  if (!trace) {
    throw new RaybridgeError(
      'NOT_FOUND',
      'This trace is not here. It may be unsampled, older than the retention, or elsewhere',
    );
  }
  return {
    Trace: answerTrace(trace),
    Summary: withSummaryFacts(toTraceSummaryAnswer(summarise(trace)), { revision: 1 }),
    Services: answerTraceGraph([trace]),
    Findings: [...rejectedOf(traceId, context), ...diagnose(trace, context.nowNs())],
  };
}

/** Documents of the trace that were refused a short while ago: nothing of them is in the trace. */
function rejectedOf(traceId: string, { status }: Context): readonly (Finding | RejectedFinding)[] {
  const names = [traceId, toXrayTraceId(traceId)];
  const rejections = status.rejections.filter(({ sample }) =>
    names.some((name) => sample.toLowerCase().includes(name)),
  );
  return rejections.map(({ component, reason, sample }) => ({
    code: 'REJECTED',
    severity: 'problem',
    title: `${component} rejected a document of this trace`,
    evidence: `${reason} It began: ${sample}`,
    fix: 'Nothing of it is in the trace. Mend what the reason names at its sender.',
    ids: [],
  }));
}

/** As a finding, of what never became part of the trace. */
type RejectedFinding = Omit<Finding, 'code'> & { readonly code: 'REJECTED' };

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

const limitDefault = 100;
const limitMax = 1000;

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

function answerError(
  error: unknown,
  { context, signal }: { readonly context: Context; readonly signal: AbortSignal },
): { readonly status: number; readonly body: object } {
  if (error instanceof RaybridgeError) {
    return { status: httpStatusOf(error.code), body: { code: error.code, message: error.message } };
  }
  // A question that was given up ends with its signal's reason, and nobody reads the answer.
  if (error !== signal.reason) context.log.error({ err: error }, 'a question of the console failed because of a bug');
  return { status: 500, body: { code: 'INTERNAL', message: 'An internal error occurred; the log has the details' } };
}
