import type { SummariesAnswer } from '../../reader/index.ts';
import type { TraceSummaryAnswer } from '../../query/index.ts';

/** What charts, groups and comparisons of many traces ask of each: a summary without its causes. */
export interface TracePoint {
  readonly Id: string;
  readonly StartTime: number;
  /** Seconds; of the whole trace while its root is in progress. */
  readonly ResponseTime: number;
  readonly HasFault: boolean;
  readonly HasError: boolean;
  readonly HasThrottle: boolean;
  readonly Service: string | undefined;
  readonly ServiceType: string | undefined;
  readonly Method: string | undefined;
  readonly Url: string | undefined;
  readonly Status: number | undefined;
  readonly Users: readonly string[];
  readonly Annotations: Readonly<Record<string, readonly string[]>>;
}

export interface TracePointsAnswer {
  /** Newest first. */
  readonly Points: readonly TracePoint[];
  /** Whether these are all that match. */
  readonly IsWhole: boolean;
}

/** So many are enough for any share that a person can see, and few enough to be sent at once. */
export const pointsMax = 5_000;
const pageSize = 1_000;

/** Summaries, newest first, up to a number of them. */
export async function readSummaries(
  ask: (page: { readonly limit: number; readonly nextToken: string | undefined }) => Promise<SummariesAnswer>,
  max: number,
): Promise<{ readonly summaries: readonly TraceSummaryAnswer[]; readonly isWhole: boolean }> {
  const summaries: TraceSummaryAnswer[] = [];
  let nextToken: string | undefined;
  do {
    const limit = Math.min(pageSize, max - summaries.length);
    const page = await ask({ limit, nextToken });
    summaries.push(...page.TraceSummaries);
    nextToken = page.NextToken;
  } while (nextToken !== undefined && summaries.length < max);
  return { summaries, isWhole: nextToken === undefined };
}

export function toTracePoint(summary: TraceSummaryAnswer): TracePoint {
  const { Http, EntryPoint } = summary;
  return {
    Id: summary.Id,
    StartTime: summary.StartTime,
    ResponseTime: summary.ResponseTime ?? summary.Duration,
    HasFault: summary.HasFault,
    HasError: summary.HasError,
    HasThrottle: summary.HasThrottle,
    Service: EntryPoint?.Name,
    ServiceType: EntryPoint?.Type,
    Method: Http.HttpMethod,
    Url: Http.HttpURL,
    Status: Http.HttpStatus,
    Users: summary.Users.map(({ UserName }) => UserName),
    Annotations: Object.fromEntries(
      Object.entries(summary.Annotations).map(([key, values]) => [
        key,
        values.map(({ AnnotationValue }) => String(Object.values(AnnotationValue)[0])),
      ]),
    ),
  };
}
