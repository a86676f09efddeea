import type { NodeName } from '../filter/expression.ts';
import type {
  CompletionsAnswer,
  ExceptionsAnswer,
  GroupsAnswer,
  InsightAnswer,
  InsightsAnswer,
  MapAnswer,
  LinkedAnswer,
  NormalAnswer,
  PipelinesAnswer,
  SamplingAnswer,
  SamplingPreviewAnswer,
  StatusAnswer,
  TraceAnswer,
  ResponseTimesAnswer,
  ServiceSeriesAnswer,
  TracePointsAnswer,
  TraceSummariesAnswer,
} from './answers.ts';

/** A call that was answered with an error, or not at all (`code` is then UNREACHABLE). */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor({ code, message, status }: { code: string; message: string; status: number }) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

export interface TracesRequest {
  readonly filter: string;
  /** Epoch seconds, as `to`. */
  readonly from: number;
  readonly to: number;
  readonly next?: string | undefined;
  readonly limit?: number;
}

export function fetchStatus(signal?: AbortSignal): Promise<StatusAnswer> {
  return fetchJson('/api/status', signal);
}

/** @throws ApiError FILTER_INVALID when the filter expression cannot be read; the message names the position. */
export function fetchTraces(request: TracesRequest, signal?: AbortSignal): Promise<TraceSummariesAnswer> {
  const words = new URLSearchParams({ from: String(request.from), to: String(request.to) });
  if (request.filter) words.set('filter', request.filter);
  if (request.next) words.set('next', request.next);
  if (request.limit) words.set('limit', String(request.limit));
  return fetchJson(`/api/traces?${words}`, signal);
}

/** @throws ApiError with status 404 when the store does not hold the trace. */
export function fetchTrace(id: string, signal?: AbortSignal): Promise<TraceAnswer> {
  return fetchJson(`/api/traces/${encodeURIComponent(id)}`, signal);
}

/** @throws ApiError with status 404 when the store does not hold the trace. */
export function fetchLinked(id: string, signal?: AbortSignal): Promise<LinkedAnswer> {
  return fetchJson(`/api/linked?${new URLSearchParams({ id })}`, signal);
}

/** @throws ApiError with status 404 when the store does not hold the trace. */
export function fetchNormal(id: string, signal?: AbortSignal): Promise<NormalAnswer> {
  return fetchJson(`/api/normal?${new URLSearchParams({ id })}`, signal);
}

export function fetchMap(request: RangeRequest, signal?: AbortSignal): Promise<MapAnswer> {
  return fetchJson(`/api/map?${rangeWords(request)}`, signal);
}

interface RangeRequest {
  readonly from: number;
  readonly to: number;
  readonly filter?: string;
}

function rangeWords({ from, to, filter }: RangeRequest): URLSearchParams {
  return new URLSearchParams({ from: String(from), to: String(to), ...(filter ? { filter } : {}) });
}

/** @throws ApiError FILTER_INVALID when the filter expression cannot be read. */
export function fetchPoints(request: RangeRequest, signal?: AbortSignal): Promise<TracePointsAnswer> {
  return fetchJson(`/api/traces/points?${rangeWords(request)}`, signal);
}

/** @throws ApiError FILTER_INVALID when the filter expression cannot be read. */
export function fetchResponseTimes(request: RangeRequest, signal?: AbortSignal): Promise<ResponseTimesAnswer> {
  return fetchJson(`/api/traces/response-times?${rangeWords(request)}`, signal);
}

export function fetchServiceSeries(
  { from, to, name, type, accountId }: RangeRequest & NodeName,
  signal?: AbortSignal,
): Promise<ServiceSeriesAnswer> {
  const words = rangeWords({ from, to });
  words.set('name', name);
  if (type !== undefined) words.set('type', type);
  if (accountId !== undefined) words.set('account', accountId);
  return fetchJson(`/api/series?${words}`, signal);
}

/** @throws ApiError FILTER_INVALID when the filter expression cannot be read. */
export function fetchExceptions(request: RangeRequest, signal?: AbortSignal): Promise<ExceptionsAnswer> {
  return fetchJson(`/api/exceptions?${rangeWords(request)}`, signal);
}

/** Keys of attributes when `key` is undefined, else values of it. */
export function fetchCompletions(
  { from, to, key, prefix, limit }: RangeRequest & { key?: string | undefined; prefix: string; limit: number },
  signal?: AbortSignal,
): Promise<CompletionsAnswer> {
  const words = rangeWords({ from, to });
  words.set('prefix', prefix);
  words.set('limit', String(limit));
  if (key !== undefined) words.set('key', key);
  return fetchJson(`/api/attributes?${words}`, signal);
}

export function fetchSampling(signal?: AbortSignal): Promise<SamplingAnswer> {
  return fetchJson('/api/sampling', signal);
}

/**
 * `rule` names the one that the draft changes.
 * @throws ApiError with the words in which the X-Ray API would refuse the draft.
 */
export function fetchSamplingPreview(
  { from, to, draft, rule }: RangeRequest & { readonly draft: string; readonly rule: string | undefined },
  signal?: AbortSignal,
): Promise<SamplingPreviewAnswer> {
  const words = rangeWords({ from, to });
  words.set('draft', draft);
  if (rule !== undefined) words.set('rule', rule);
  return fetchJson(`/api/sampling/preview?${words}`, signal);
}

export function fetchGroups(signal?: AbortSignal): Promise<GroupsAnswer> {
  return fetchJson('/api/groups', signal);
}

export function fetchInsights(request: RangeRequest, signal?: AbortSignal): Promise<InsightsAnswer> {
  return fetchJson(`/api/insights?${rangeWords(request)}`, signal);
}

/** @throws ApiError with status 404 when the insight is gone. */
export function fetchInsight(id: string, signal?: AbortSignal): Promise<InsightAnswer> {
  return fetchJson(`/api/insights/${encodeURIComponent(id)}`, signal);
}

export function fetchPipelines(signal?: AbortSignal): Promise<PipelinesAnswer> {
  return fetchJson('/api/pipelines', signal);
}

/**
 * Changes something by an operation of the X-Ray API, so that the same is checked and kept as for any
 * other client of it. It must be answered where this page is from; where calls are signed, it refuses.
 * @throws ApiError with the words of the X-Ray API.
 */
export async function changeByXray(operation: string, request: object): Promise<void> {
  const response = await send(`/${operation}`, undefined, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  if (response.ok) return;
  const body: unknown = await response.json().catch(() => undefined);
  const members = Object.entries(typeof body === 'object' && body !== null ? body : {});
  // `Message` in some errors of the API, `message` in others.
  const message = members.find(([name]) => name.toLowerCase() === 'message')?.[1];
  throw toApiError(response.status, { message: message ?? `The X-Ray API answered HTTP ${response.status}.` });
}

async function fetchJson<Answer>(path: string, signal: AbortSignal | undefined): Promise<Answer> {
  const response = await send(path, signal);
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw toApiError(response.status, body);
  // The server is this program's other half; its answers have the types of answers.ts.
  return body as Answer;
}

async function send(path: string, signal: AbortSignal | undefined, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(path, { headers: { accept: 'application/json' }, signal: signal ?? null, ...init });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ code: 'UNREACHABLE', message: 'Raybridge does not answer. Is it still running?', status: 0 });
  }
}

function toApiError(status: number, body: unknown): ApiError {
  const fields = typeof body === 'object' && body !== null ? body : {};
  const code = 'code' in fields && typeof fields.code === 'string' ? fields.code : 'UNKNOWN';
  const message =
    'message' in fields && typeof fields.message === 'string' ? fields.message : `The server answered HTTP ${status}.`;
  return new ApiError({ code, message, status });
}
