import type { AwsClient } from '../../aws/client.ts';
import { createHash } from 'node:crypto';
import { inspectSegment, joinSegments } from '../../codec/segment.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Context, Intake } from '../../pipeline/component.ts';
import { createBatch } from '../../pipeline/batches.ts';
import type { PollerConfig } from './index.ts';

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Brings everything that changed in the window, and what came late to traces before it. @throws RaybridgeError DESTINATION_UNAVAILABLE … */
export type Poll = (window: Window) => Promise<void>;

/** AWS shows a trace some seconds after its segments, and segments come late: each poll looks back so far. */
const overlapMs = 60_000;
const tracesPerCall = 5;
const timeoutMs = 30_000;

/** What of a trace has been brought. */
interface Brought {
  revision: number;
  readonly documents: Map<string, string>;
  seenAtMs: number;
}

interface Setup {
  readonly client: AwsClient;
  readonly config: PollerConfig;
  readonly context: Context;
  readonly intake: Intake;
  readonly signal: AbortSignal;
}

export function createPoll({ client, config, context, intake, signal }: Setup): Poll {
  const { id, telemetry, nowNs } = context;
  const known = new Map<string, Brought>();

  const call = async (path: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await client.call({ path, body: Buffer.from(JSON.stringify(body)), timeoutMs, signal });
    const text = Buffer.from(answer.body).toString();
    if (answer.status === 200) return JSON.parse(text);
    const type = answer.headers.get('x-amzn-errortype')?.replace(/:.*$/, '') ?? '';
    if (/Expired|UnrecognizedClient/.test(type)) client.forgetCredentials();
    throw new RaybridgeError(
      'DESTINATION_UNAVAILABLE',
      `${path}: AWS X-Ray answered ${answer.status} ${type} ${text.slice(0, 300)}`,
    );
  };

  /** Pages may come twice or be empty; a page that repeats its own token would never end. */
  async function* pages(path: string, body: object): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const tokens = new Set<string>();
    let NextToken: string | undefined;
    do {
      const page = await call(path, NextToken === undefined ? body : { ...body, NextToken });
      yield page;
      NextToken = typeof page['NextToken'] === 'string' && page['NextToken'] !== '' ? page['NextToken'] : undefined;
      if (NextToken !== undefined && tokens.has(NextToken)) return;
      if (NextToken !== undefined) tokens.add(NextToken);
    } while (NextToken !== undefined);
  }

  const changedTraces = async ({ fromMs, toMs }: Window): Promise<ReadonlyMap<string, number>> => {
    const changed = new Map<string, number>();
    const body = {
      StartTime: Math.floor((fromMs - overlapMs) / 1000),
      EndTime: Math.ceil(toMs / 1000),
      TimeRangeType: 'Event',
      ...(config.filter === '' ? {} : { FilterExpression: config.filter }),
    };
    for await (const page of pages('/TraceSummaries', body)) {
      for (const { Id, Revision } of listOf(page['TraceSummaries'])) {
        const revision = Number(Revision ?? 0);
        if (typeof Id === 'string' && (known.get(Id)?.revision ?? -1) < revision) changed.set(Id, revision);
      }
    }
    return changed;
  };

  const bring = async (traceIds: readonly string[], revisions: ReadonlyMap<string, number>): Promise<void> => {
    for await (const page of pages('/Traces', { TraceIds: traceIds })) {
      const documents: { readonly bytes: Uint8Array; readonly remember: () => void }[] = [];
      for (const trace of listOf(page['Traces'])) {
        const brought = known.get(String(trace['Id'])) ?? { revision: -1, documents: new Map(), seenAtMs: 0 };
        for (const { Id, Document } of listOf(trace['Segments'])) {
          const inspected = inspectSegment(String(Document), { rules: 'api' });
          if (!inspected.ok) {
            telemetry.count('raybridge_rejected_total', { receiver: id, reason: 'BAD_INPUT' });
            continue;
          }
          const digest = createHash('sha256').update(String(Document)).digest('base64');
          if (brought.documents.get(String(Id)) === digest) continue;
          const remember = (): void => void brought.documents.set(String(Id), digest);
          for (const bytes of inspected.documents) documents.push({ bytes, remember });
        }
        known.set(String(trace['Id']), brought);
      }
      if (documents.length === 0) continue;
      const body = joinSegments(documents.map(({ bytes }) => bytes));
      telemetry.count('raybridge_received_spans_total', { receiver: id }, documents.length);
      await intake.consume(
        createBatch({ format: 'xray_segments', body, items: documents.length, receivedAtNs: nowNs() }),
      );
      telemetry.count('raybridge_accepted_spans_total', { receiver: id }, documents.length);
      for (const { remember } of documents) remember();
    }
    for (const traceId of traceIds) {
      const brought = known.get(traceId);
      if (brought) brought.revision = revisions.get(traceId) ?? brought.revision;
    }
  };

  return async (window) => {
    const changed = await changedTraces(window);
    const ids = [...changed.keys()];
    for (let at = 0; at < ids.length; at += tracesPerCall) await bring(ids.slice(at, at + tracesPerCall), changed);
    for (const traceId of changed.keys()) {
      const brought = known.get(traceId);
      if (brought) brought.seenAtMs = window.toMs;
    }
    // Nothing older is looked at again.
    const oldestMs = window.toMs - config.max_replay - 2 * overlapMs;
    for (const [traceId, { seenAtMs }] of known) if (seenAtMs < oldestMs) known.delete(traceId);
  };
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}
