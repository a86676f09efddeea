import { RaybridgeError } from '../../../errors.ts';
import { type Insight, type JsonObject, secondsText } from '../../../model/index.ts';
import {
  insightStateOf,
  insightStates,
  type InsightState,
  type PagePosition,
  parseFilter,
  parsePageToken,
  printPageToken,
  toImpactServicesAnswer,
  toInsightAnswer,
  toInsightEventAnswer,
  toInsightSummaryAnswer,
} from '../../../query/index.ts';
import { insightDaysMax, type InsightGroup } from '../../../reader/index.ts';
import { integerMember, rangeMembers, textListMember, textMember } from '../members.ts';
import type { Call, Operation } from '../operation.ts';

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
  const limit = pageSize(request, summariesPerPageMax);
  const after = readPosition(request, isSummaryPosition);
  const group = await groupOf(request, call);
  const all = (await call.insights.insights()).filter(
    (insight) =>
      insight.groupArn === group.arn &&
      (state === undefined || insightStateOf(insight) === state) &&
      overlaps(insight, range) &&
      (after === undefined || isAfter(insight, after)),
  );
  const page = all.slice(0, limit);
  const last = all.length > limit ? page.at(-1) : undefined;
  return {
    InsightSummaries: page.map(toInsightSummaryAnswer),
    ...nextToken(request, last && { startMinute: last.startMinute, id: last.id }),
  };
}

async function getInsight(request: JsonObject, call: Call): Promise<object> {
  return { Insight: toInsightAnswer(await insightOf(request, call)) };
}

/** Oldest first. */
async function getInsightEvents(request: JsonObject, call: Call): Promise<object> {
  const limit = pageSize(request, eventsPerPageMax);
  const from = readPosition(request, isEventPosition)?.index ?? 0;
  const { events } = await insightOf(request, call);
  const next = from + limit;
  return {
    InsightEvents: events.slice(from, next).map(toInsightEventAnswer),
    ...nextToken(request, next < events.length ? { index: next } : undefined),
  };
}

/** One page holds it whole, as it holds a service graph. */
async function getInsightImpactGraph(request: JsonObject, call: Call): Promise<object> {
  const range = recentRange(request, call);
  if (range.toNs - range.fromNs > impactRangeNsMax) {
    throw invalid('EndTime: expected a time at most 6 hours after StartTime');
  }
  if (textMember(request, 'NextToken')) throw invalid('NextToken: expected none, a graph has one page');
  const insight = await insightOf(request, call);
  const group = (await call.insightGroups()).find(({ arn }) => arn === insight.groupArn);
  const filter = group?.filterExpression ? parseFilter(group.filterExpression) : undefined;
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

async function groupOf(request: JsonObject, { insightGroups }: Call): Promise<InsightGroup> {
  const [name, arn] = [textMember(request, 'GroupName'), textMember(request, 'GroupARN')];
  if (name === undefined && arn === undefined) throw invalid('GroupName: expected it or GroupARN, got neither');
  const group = (await insightGroups()).find(
    (one) => (name === undefined || one.name === name) && (arn === undefined || isArnOf(one, arn)),
  );
  if (group) return group;
  throw invalid(`${name === undefined ? 'GroupARN' : 'GroupName'}: expected a group that is here, got another`);
}

/** Clients write the ARN of the default group with the region and the account that they believe in. */
const defaultArnPattern = /^arn:aws[a-z-]{0,20}:xray:[^:]*:[^:]*:group\/Default$/;

function isArnOf(group: InsightGroup, arn: string): boolean {
  return group.arn === arn || (group.name === 'Default' && defaultArnPattern.test(arn));
}

/** API reference, GetInsight. */
const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

async function insightOf(request: JsonObject, { insights }: Call): Promise<Insight> {
  const text = textMember(request, 'InsightId');
  if (text === undefined || !idPattern.test(text)) throw invalid('InsightId: expected a UUID');
  const id = text.toLowerCase();
  const insight = (await insights.insights()).find((one) => one.id === id);
  if (insight) return insight;
  throw invalid(`InsightId: there is no insight ${id}`);
}

interface SummaryPosition {
  readonly startMinute: number;
  readonly id: string;
}

function isSummaryPosition(position: PagePosition): position is PagePosition & SummaryPosition {
  return typeof position['startMinute'] === 'number' && typeof position['id'] === 'string';
}

/** In the order of `InsightDocuments.insights`. */
function isAfter(insight: Insight, { startMinute, id }: SummaryPosition): boolean {
  return insight.startMinute < startMinute || (insight.startMinute === startMinute && insight.id > id);
}

function isEventPosition(position: PagePosition): position is PagePosition & { readonly index: number } {
  return typeof position['index'] === 'number' && Number.isSafeInteger(position['index']) && position['index'] >= 0;
}

function readPosition<Position extends PagePosition>(
  request: JsonObject,
  isPosition: (position: PagePosition) => position is Position,
): Position | undefined {
  const token = textMember(request, 'NextToken');
  if (!token) return undefined;
  const position = parsePageToken(token, tokenRequest(request));
  if (isPosition(position)) return position;
  throw invalid('NextToken: expected the token of the page before, got something else');
}

function nextToken(request: JsonObject, position: PagePosition | undefined): { readonly NextToken?: string } {
  return position ? { NextToken: printPageToken({ request: tokenRequest(request), position }) } : {};
}

/** What a page token is bound to; the size of a page is free to change. */
function tokenRequest(request: JsonObject): Readonly<Record<string, unknown>> {
  const members = ['InsightId', 'GroupName', 'GroupARN', 'StartTime', 'EndTime', 'States'];
  return Object.fromEntries(members.map((name) => [name, request.get(name)]));
}

function invalid(message: string): RaybridgeError {
  return new RaybridgeError('INVALID_REQUEST', message);
}
