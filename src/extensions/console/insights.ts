import { RaybridgeError } from '../../errors.ts';
import { type Insight, secondsText, toSeconds } from '../../model/index.ts';
import {
  toImpactServicesAnswer,
  toInsightAnswer,
  toInsightEventAnswer,
  toInsightSummaryAnswer,
  toStatisticsAnswer,
} from '../../query/index.ts';
import type { GroupRegistry, InsightDocuments, TraceReader } from '../../reader/index.ts';

/** Those that were active in the range, newest first. */
export async function insightsAnswer(
  { fromNs, toNs }: { readonly fromNs: bigint; readonly toNs: bigint },
  insights: Pick<InsightDocuments, 'list'>,
): Promise<object> {
  const [from, to] = [Number(secondsText(fromNs)), Number(secondsText(toNs))];
  const all = (await insights.list()).map(toInsightSummaryAnswer);
  return { InsightSummaries: all.filter(({ StartTime, EndTime = to }) => StartTime <= to && EndTime >= from) };
}

/** @throws RaybridgeError NOT_FOUND. */
export async function insightAnswer(
  id: string,
  {
    insights,
    groups,
    reader,
    signal,
  }: {
    readonly insights: Pick<InsightDocuments, 'list'>;
    readonly groups: Pick<GroupRegistry, 'list' | 'filterOf'>;
    readonly reader: TraceReader;
    readonly signal: AbortSignal;
  },
): Promise<object> {
  const insight = (await insights.list()).find((one) => one.id === id);
  if (!insight)
    throw new RaybridgeError('NOT_FOUND', 'There is no insight of this id; it may be older than what is kept');
  // As in GetInsightImpactGraph: of a group that is gone all traces are shown.
  const group = (await groups.list()).find(({ arn }) => arn === insight.groupArn);
  const filter = group && (await groups.filterOf({ name: undefined, arn: group.arn }));
  const question = { filter, groups: new Map<string, never>(), signal };
  const [graph, minutes] = await Promise.all([
    reader.serviceGraph({ ...question, ...shownRange(insight, { beforeMinutes: 0 }) }),
    reader.series({
      ...question,
      ...shownRange(insight, { beforeMinutes: minutesBefore }),
      periodNs: minuteNs,
      selector: { kind: 'service', node: insight.rootCause },
    }),
  ]);
  return {
    Insight: toInsightAnswer(insight),
    InsightEvents: insight.events.map(toInsightEventAnswer),
    ExpectedFaultRate: insight.expectedRate,
    ImpactServices: toImpactServicesAnswer(graph, insight),
    Minutes: minutes.map(({ fromNs, statistics }) => ({
      Timestamp: toSeconds(fromNs),
      ServiceSummaryStatistics: toStatisticsAnswer(statistics),
    })),
  };
}

const minuteNs = 60_000_000_000n;
/** So that one sees what was usual. */
const minutesBefore = 15;
/** GetInsightImpactGraph has no more either. */
const minutesMax = 6 * 60;

/** From its first minute of trouble, or some before, to its last, the first hours of a long one. */
function shownRange(
  { startMinute, endMinute, updatedMinute }: Insight,
  { beforeMinutes }: { readonly beforeMinutes: number },
): { readonly fromNs: bigint; readonly toNs: bigint } {
  const end = Math.min(endMinute ?? updatedMinute + 1, startMinute + minutesMax);
  return { fromNs: BigInt(startMinute - beforeMinutes) * minuteNs, toNs: BigInt(end) * minuteNs };
}
