import { RaybridgeError } from '../../../errors.ts';
import { type Insight, type JsonObject, secondsText } from '../../../model/index.ts';
import {
  insightStateOf,
  insightStates,
  type InsightState,
  toImpactServicesAnswer,
  toInsightAnswer,
  toInsightEventAnswer,
  toInsightSummaryAnswer,
} from '../../../query/index.ts';
import { insightDaysMax } from '../../../reader/index.ts';
import { groupReference, integerMember, rangeMembers, required, textListMember, textMember } from '../members.ts';
import type { Call, Operation } from '../operation.ts';
import { pageOf } from '../page-of.ts';

/** Insights, by path (API reference 2016-04-12). */
export const insightOperations: readonly (readonly [path: string, Operation])[] = [
  ['/InsightSummaries', { name: 'GetInsightSummaries', access: 'read', run: getInsightSummaries }],
  ['/Insight', { name: 'GetInsight', access: 'read', run: getInsight }],
  ['/InsightEvents', { name: 'GetInsightEvents', access: 'read', run: getInsightEvents }],
  ['/InsightImpactGraph', { name: 'GetInsightImpactGraph', access: 'read', run: getInsightImpactGraph }],
];

/** The most on one page, and as many when the request does not say. */
const summariesPerPageMax = 100;
const eventsPerPageMax = 50;
const lookbackNs = BigInt(insightDaysMax) * 86_400_000_000_000n;
const impactRangeNsMax = 6n * 3_600_000_000_000n;
const minuteNs = 60_000_000_000n;

/** Newest first: those of the group that were active at some time of the range. */
async function getInsightSummaries(request: JsonObject, call: Call): Promise<object> {
  const range = recentRange(request, call);
  const state = stateMember(request);
  const size = pageSize(request, summariesPerPageMax);
  const group = await call.groups.get(groupReference(request));
  const entries = (await call.insights.list()).filter(
    (insight) =>
      insight.groupArn === group.arn &&
      (state === undefined || insightStateOf(insight) === state) &&
      overlaps(insight, range),
  );
  const { page, next } = pageOf({ entries, keyOf: newestFirstKey, size, ...paging(request) });
  return { InsightSummaries: page.map(toInsightSummaryAnswer), ...next };
}

async function getInsight(request: JsonObject, call: Call): Promise<object> {
  return { Insight: toInsightAnswer(await insightOf(request, call)) };
}

/** Oldest first. */
async function getInsightEvents(request: JsonObject, call: Call): Promise<object> {
  const size = pageSize(request, eventsPerPageMax);
  const { events } = await insightOf(request, call);
  const entries = events.map((event, index) => ({ event, key: String(index).padStart(keyDigits, '0') }));
  const { page, next } = pageOf({ entries, keyOf: ({ key }) => key, size, ...paging(request) });
  return { InsightEvents: page.map(({ event }) => toInsightEventAnswer(event)), ...next };
}

/** One page holds it whole, as it holds a service graph. */
async function getInsightImpactGraph(request: JsonObject, call: Call): Promise<object> {
  const range = recentRange(request, call);
  if (range.toNs - range.fromNs > impactRangeNsMax) {
    throw invalid('EndTime: expected a time at most 6 hours after StartTime');
  }
  if (textMember(request, 'NextToken')) throw invalid('NextToken: expected none, a graph has one page');
  const insight = await insightOf(request, call);
  const group = (await call.groups.list()).find(({ arn }) => arn === insight.groupArn);
  const filter = group && (await call.groups.filterOf({ name: undefined, arn: group.arn }));
  const graph = await call.reader.serviceGraph({ ...range, filter, groups: new Map(), signal: call.signal });
  const [startTime, endTime] = [range.fromNs, range.toNs].map((timeNs) => Number(secondsText(timeNs)));
  return {
    InsightId: insight.id,
    StartTime: startTime,
    EndTime: endTime,
    ServiceGraphStartTime: startTime,
    ServiceGraphEndTime: endTime,
    Services: toImpactServicesAnswer(graph, insight),
  };
}

interface Range {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

function recentRange(request: JsonObject, { context }: Call): Range {
  const range = rangeMembers(request);
  const oldestNs = context.nowNs() - lookbackNs;
  if (range.fromNs < oldestNs) throw invalid(`StartTime: expected a time at most ${insightDaysMax} days ago`);
  return range;
}

function overlaps({ startMinute, endMinute }: Insight, { fromNs, toNs }: Range): boolean {
  if (BigInt(startMinute) * minuteNs >= toNs) return false;
  return endMinute === undefined || BigInt(endMinute) * minuteNs > fromNs;
}

function stateMember(request: JsonObject): InsightState | undefined {
  if (!request.has('States') || request.get('States') === null) return undefined;
  const [text] = textListMember(request, 'States', 1);
  const state = insightStates.find((one) => one === text);
  if (state || text === undefined) return state;
  throw invalid(`States[0]: expected ${insightStates.join(' or ')}, got ${JSON.stringify(text.slice(0, 20))}`);
}

function pageSize(request: JsonObject, max: number): number {
  return integerMember(request, 'MaxResults', { min: 1, max }) ?? max;
}

/** API reference, GetInsight. */
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

async function insightOf(request: JsonObject, { insights }: Call): Promise<Insight> {
  const text = required('InsightId', textMember(request, 'InsightId'));
  if (!idPattern.test(text)) throw invalid('InsightId: expected a UUID');
  const id = text.toLowerCase();
  const insight = (await insights.list()).find((one) => one.id === id);
  if (insight) return insight;
  throw invalid(`InsightId: there is no insight ${id}`);
}

const keyDigits = 12;

/** In the order of `InsightDocuments.list`. */
function newestFirstKey({ startMinute, id }: Insight): string {
  return `${10 ** (keyDigits - 1) - startMinute}`.padStart(keyDigits, '0') + id;
}

/** A page token is bound to what is asked for; the size of a page is free to change. */
function paging(request: JsonObject): Pick<Parameters<typeof pageOf>[0], 'request' | 'nextToken'> {
  const members = ['InsightId', 'GroupName', 'GroupARN', 'StartTime', 'EndTime', 'States'];
  return {
    request: Object.fromEntries(members.map((name) => [name, request.get(name)])),
    nextToken: textMember(request, 'NextToken'),
  };
}

function invalid(message: string): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', message);
}
