import type { MapAnswer, StatusAnswer, TraceAnswer, TraceSummariesAnswer } from './answers.ts';

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

export function fetchMap({ from, to }: { from: number; to: number }, signal?: AbortSignal): Promise<MapAnswer> {
  return fetchJson(`/api/map?${new URLSearchParams({ from: String(from), to: String(to) })}`, signal);
}

async function fetchJson<Answer>(path: string, signal: AbortSignal | undefined): Promise<Answer> {
  const response = await send(path, signal);
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw toApiError(response.status, body);
  // The server is this program's other half; its answers have the types of answers.ts.
  return body as Answer;
}

async function send(path: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(path, { headers: { accept: 'application/json' }, signal: signal ?? null });
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
