import { QueryClient, keepPreviousData, useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query';
import { withoutValues } from '../../../src/query/index.ts';
import { parseRange, resolveRange } from '../range/range.ts';
import type { RangeWords } from '../range/range.ts';
import { serviceFilter } from '../filter/expression.ts';
import type { NodeName } from '../filter/expression.ts';
import { nameOf } from '../traces/summary.ts';
import { usePageSearch } from '../search.ts';
import { runningSecondsMax } from '../trace/running.ts';
import type { TraceAnswer, TraceSummaryAnswer } from './answers.ts';
import {
  ApiError,
  fetchCompletions,
  fetchExceptions,
  fetchGroups,
  fetchInsight,
  fetchInsights,
  fetchMap,
  fetchLinked,
  fetchNormal,
  fetchPipelines,
  fetchPoints,
  fetchResponseTimes,
  fetchServiceSeries,
  fetchSampling,
  fetchSamplingPreview,
  fetchStatus,
  fetchTrace,
  fetchTraces,
} from './client.ts';

const statusEveryMs = 5000;
const firstStatusEveryMs = 1000;
const listEveryMs = 3000;
const mapEveryMs = 5000;
const pointsEveryMs = 10_000;
const openTraceEveryMs = 2000;

/** How many traces of the same entry point are offered, and how far back they are looked for. */
const alikeMax = 10;
const alikeSeconds = 86_400;

const completionsMax = 20;

/** Rows of one page of the trace list. */
const pageSize = 100;

export function createConsoleQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < 1 && (!(error instanceof ApiError) || error.status >= 500),
        refetchOnWindowFocus: false,
        gcTime: 60_000,
      },
    },
  });
}

/** `watched` on the first page: its counters are to feel alive there, and a rejection is to show at once. */
export function useStatus({ watched = false }: { readonly watched?: boolean } = {}) {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => fetchStatus(signal),
    refetchInterval: watched ? firstStatusEveryMs : statusEveryMs,
  });
}

export interface TracesQuestion extends RangeWords {
  readonly filter: string;
}

/** The trace list, newest first, page by page. It is refreshed only while a single page is shown. */
export function useTraces(question: TracesQuestion, { live }: { readonly live: boolean }) {
  const { filter, from, to } = question;
  return useInfiniteQuery({
    queryKey: ['traces', filter, from, to],
    initialPageParam: undefined as { readonly next: string; readonly from: number; readonly to: number } | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const { next, ...window } = pageParam ?? {
        next: undefined,
        ...resolveRange(parseRange({ from, to }), nowSeconds()),
      };
      const answer = await fetchTraces({ filter, ...window, next, limit: pageSize }, signal);
      return { answer, window };
    },
    getNextPageParam: ({ answer, window }) => (answer.NextToken ? { next: answer.NextToken, ...window } : undefined),
    placeholderData: keepPreviousData,
    refetchInterval: (query) =>
      live && (query.state.data?.pages.length ?? 0) <= 1 && !query.state.error ? listEveryMs : false,
  });
}

/** The newest traces of all, whatever the page's time range. */
export function useNewestTraces({ limit, enabled }: { readonly limit: number; readonly enabled: boolean }) {
  return useQuery({
    queryKey: ['newest', limit],
    queryFn: ({ signal }) => fetchTraces({ filter: '', ...resolveRange(everything, nowSeconds()), limit }, signal),
    enabled,
    refetchInterval: listEveryMs,
  });
}

/** How many traces match each of some other filters; more than a page of them counts as `more`. */
export function useCounts(filters: readonly string[], { from, to }: RangeWords) {
  return useQueries({
    queries: filters.map((filter) => ({
      queryKey: ['count', filter, from, to],
      queryFn: async ({ signal }: { readonly signal: AbortSignal }) => {
        const answer = await fetchTraces(
          { filter, ...resolveRange(parseRange({ from, to }), nowSeconds()), limit: pageSize },
          signal,
        );
        return { count: answer.TraceSummaries.length, more: answer.NextToken !== undefined };
      },
    })),
  });
}

/** The newest trace before an instant; asked only when a range turned out to be empty. */
export function useNewestBefore({ before, enabled }: { readonly before: number; readonly enabled: boolean }) {
  return useQuery({
    queryKey: ['newestBefore', Math.floor(before / 60)],
    queryFn: ({ signal }) =>
      fetchTraces({ filter: '', from: Math.max(0, before - keptSeconds), to: before, limit: 1 }, signal),
    enabled,
  });
}

export function useTrace(id: string) {
  return useQuery({
    queryKey: ['trace', id],
    queryFn: ({ signal }) => fetchTrace(id, signal),
    refetchInterval: (query) => (mayGrow(query.state.data) ? openTraceEveryMs : false),
  });
}

/** Documents are in progress, or callees are missing, and it is not so long ago that they will never come. */
function mayGrow(answer: TraceAnswer | undefined): boolean {
  return answer?.Summary.IsPartial === true && nowSeconds() - answer.Summary.StartTime < runningSecondsMax;
}

/** The traces that a trace is linked with; more may come as long as it is looked at. */
export function useLinked(id: string) {
  return useQuery({
    queryKey: ['linked', id],
    queryFn: ({ signal }) => fetchLinked(id, signal),
    refetchInterval: pointsEveryMs,
  });
}

/** What traces of the same entry point usually do. */
export function useNormal(id: string) {
  return useQuery({ queryKey: ['normal', id], queryFn: ({ signal }) => fetchNormal(id, signal) });
}

/** The newest other traces of the same entry point and name. */
export function useAlike(summary: TraceSummaryAnswer) {
  return useQuery({
    queryKey: ['alike', summary.Id],
    queryFn: async ({ signal }) => {
      const { EntryPoint: entry } = summary;
      if (!entry) return [];
      const to = nowSeconds();
      const filter = serviceFilter({ name: entry.Name, type: entry.Type, accountId: entry.AccountId });
      const window = { from: Math.min(summary.StartTime, to) - alikeSeconds, to };
      const { TraceSummaries } = await fetchTraces({ filter, ...window, limit: pageSize }, signal);
      const others = TraceSummaries.filter(({ Id }) => Id !== summary.Id);
      return others.filter((other) => kindOf(other) === kindOf(summary)).slice(0, alikeMax);
    },
  });
}

/** Ids in the path do not make it another entry point. */
function kindOf(summary: TraceSummaryAnswer): string {
  return `${summary.EntryPoint?.Name} ${withoutValues(nameOf(summary).replace(/\?.*$/s, ''))}`;
}

export function useMap({ from, to }: RangeWords, { live }: { readonly live: boolean }) {
  return useQuery({
    queryKey: ['map', from, to],
    queryFn: ({ signal }) => fetchMap(resolveRange(parseRange({ from, to }), nowSeconds()), signal),
    placeholderData: keepPreviousData,
    refetchInterval: live ? mapEveryMs : false,
  });
}

/** The map of one part of the time; nothing is asked while it is undefined. */
export function useMapBetween(range: { readonly from: number; readonly to: number } | undefined) {
  return useQuery({
    queryKey: ['map between', range?.from, range?.to],
    queryFn: ({ signal }) => fetchMap(range ?? { from: 0, to: 0 }, signal),
    enabled: range !== undefined,
    placeholderData: keepPreviousData,
    staleTime: mapEveryMs,
  });
}

/** The newest traces that match, for charts and comparisons. */
export function usePoints({ filter, from, to }: TracesQuestion, { live, enabled = true }: Asking) {
  return useQuery({
    queryKey: ['points', filter, from, to],
    queryFn: ({ signal }) => fetchPoints({ filter, ...resolveRange(parseRange({ from, to }), nowSeconds()) }, signal),
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: live ? pointsEveryMs : false,
  });
}

/** How long all traces took that match, for charts. */
export function useResponseTimes({ filter, from, to }: TracesQuestion, { live, enabled = true }: Asking) {
  return useQuery({
    queryKey: ['response times', filter, from, to],
    queryFn: ({ signal }) =>
      fetchResponseTimes({ filter, ...resolveRange(parseRange({ from, to }), nowSeconds()) }, signal),
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: live ? pointsEveryMs : false,
  });
}

interface Asking {
  readonly live: boolean;
  readonly enabled?: boolean;
}

/** What the traces of the page's range hold that begins so; nothing is asked while it is undefined. */
export function useCompletions(wanted: { readonly prefix: string; readonly key?: string } | undefined) {
  const { from, to } = usePageSearch();
  return useQuery({
    queryKey: ['completions', wanted?.key, wanted?.prefix, from, to],
    enabled: wanted !== undefined,
    staleTime: mapEveryMs,
    queryFn: ({ signal }) => {
      const { key, prefix = '' } = wanted ?? {};
      const window = resolveRange(parseRange({ from, to }), nowSeconds());
      return fetchCompletions({ ...window, key, prefix, limit: completionsMax }, signal);
    },
  });
}

export function useExceptions({ filter, from, to }: TracesQuestion, { live, enabled = true }: Asking) {
  return useQuery({
    queryKey: ['exceptions', filter, from, to],
    enabled,
    queryFn: ({ signal }) =>
      fetchExceptions({ filter, ...resolveRange(parseRange({ from, to }), nowSeconds()) }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: live ? pointsEveryMs : false,
  });
}

const nowhere: NodeName = { name: '', type: undefined, accountId: undefined };

/** What a service saw over time; nothing is asked while it is undefined. */
export function useServiceSeries(node: NodeName | undefined, { from, to }: RangeWords, { live }: Asking) {
  return useQuery({
    queryKey: ['series', node?.name, node?.type, node?.accountId, from, to],
    queryFn: ({ signal }) =>
      fetchServiceSeries({ ...(node ?? nowhere), ...resolveRange(parseRange({ from, to }), nowSeconds()) }, signal),
    placeholderData: keepPreviousData,
    enabled: node !== undefined,
    refetchInterval: live ? pointsEveryMs : false,
  });
}

export const samplingKey = ['sampling'];

export function useSampling() {
  return useQuery({
    queryKey: samplingKey,
    queryFn: ({ signal }) => fetchSampling(signal),
    refetchInterval: mapEveryMs,
  });
}

/** What a draft, as JSON, would do to the traces of a range; `rule` names the one that it changes. */
export function useSamplingPreview(
  { draft, rule }: { readonly draft: string; readonly rule: string | undefined },
  { from, to }: RangeWords,
) {
  return useQuery({
    queryKey: [...samplingKey, 'preview', draft, rule, from, to],
    queryFn: ({ signal }) =>
      fetchSamplingPreview({ draft, rule, ...resolveRange(parseRange({ from, to }), nowSeconds()) }, signal),
    placeholderData: keepPreviousData,
  });
}

export const groupsKey = ['groups'];

export function useGroups() {
  return useQuery({ queryKey: groupsKey, queryFn: ({ signal }) => fetchGroups(signal) });
}

export function useInsights({ from, to }: RangeWords, { live }: Asking) {
  return useQuery({
    queryKey: ['insights', from, to],
    queryFn: ({ signal }) => fetchInsights(resolveRange(parseRange({ from, to }), nowSeconds()), signal),
    placeholderData: keepPreviousData,
    refetchInterval: live ? pointsEveryMs : false,
  });
}

export function useInsight(id: string) {
  return useQuery({ queryKey: ['insight', id], queryFn: ({ signal }) => fetchInsight(id, signal) });
}

export function usePipelines() {
  return useQuery({
    queryKey: ['pipelines'],
    queryFn: ({ signal }) => fetchPipelines(signal),
    refetchInterval: openTraceEveryMs,
  });
}

export function nowSeconds(): number {
  return Date.now() / 1000;
}

const keptSeconds = 30 * 86_400;
const everything = { kind: 'last', seconds: keptSeconds } as const;
