import { RaybridgeError } from '../../errors.ts';
import { parseTraceId } from '../../model/index.ts';
import type { Trace } from '../../model/index.ts';
import type { TraceReader } from '../../reader/index.ts';

/** @throws RaybridgeError NOT_FOUND, with the reasons that there may be; STORE_UNAVAILABLE. */
export async function readTrace(reader: TraceReader, traceId: string): Promise<Trace> {
  const trace = (await reader.traces([traceId])).get(traceId);
  if (trace) return trace;
  throw new RaybridgeError(
    'NOT_FOUND',
    'This trace is not here. It may be unsampled, older than the retention, or elsewhere',
  );
}

/** The parameter `id`. @throws RaybridgeError INVALID_REQUEST. */
export function traceIdOf(query: URLSearchParams): string {
  const text = query.get('id') ?? '';
  const traceId = parseTraceId(text);
  if (traceId) return traceId;
  throw new RaybridgeError('INVALID_REQUEST', `id: expected a trace id, got "${text.slice(0, 40)}"`);
}
