import type { ClickHouseClient } from '@clickhouse/client';
import type { ReceiveDigest, SendDigest, TraceDigest } from '../../model/index.ts';
import { linksPerTraceMax, type Receive } from '../../query/index.ts';
import type { LinkDigest } from './digests.ts';
import { select } from './select.ts';

/**
 * Joins consumers to the producers of what they received, which stand in other traces. The sends of
 * the last traces are remembered; others are looked up. A consumer that came before its producer
 * waits, and its trace is digested again when the producer is there.
 */
export interface LinkResolver {
  resolve(client: ClickHouseClient, digests: readonly TraceDigest[]): Promise<Resolved>;
}

interface Resolved {
  linksOf(digest: TraceDigest): readonly LinkDigest[];
  /** Ids of other traces that had waited for sends of these. */
  readonly nowResolvable: ReadonlySet<string>;
}

const sendsMax = 100_000;
const waitingMax = 100_000;
/** Ids travel in the URL, which may have a mebibyte. */
const idsPerQueryMax = 500;

const selectSends = `
  SELECT trace_id, argMax(send_call, version), argMax(send_name, version), argMax(send_type, version),
    argMax(send_account, version), argMax(send_ns, version)
  FROM digests
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16)) AND NOT removed
  GROUP BY trace_id
  FORMAT RowBinary`;

export function createLinkResolver(): LinkResolver {
  const sends = new Map<string, SendDigest>();
  /** By send, the traces that wait for it. */
  const waiting = new Map<string, Set<string>>();

  function remember(key: string, send: SendDigest): void {
    sends.delete(key);
    sends.set(key, send);
    if (sends.size > sendsMax) for (const oldest of sends.keys()) return void sends.delete(oldest);
  }

  async function lookUp(client: ClickHouseClient, traceIds: readonly string[]): Promise<void> {
    for (let start = 0; start < traceIds.length; start += idsPerQueryMax) {
      const parameters = { ids: traceIds.slice(start, start + idsPerQueryMax) };
      await select(client, { query: selectSends, parameters }, (row) => {
        const traceId = row.hex(16);
        for (const send of readSends(row)) remember(sendKey(traceId, send.callId), send);
      });
    }
  }

  return {
    async resolve(client, digests) {
      const nowResolvable = new Set<string>();
      for (const { traceId, sends: sent } of digests) {
        for (const send of sent) {
          const key = sendKey(traceId, send.callId);
          remember(key, send);
          for (const consumer of waiting.get(key) ?? []) nowResolvable.add(consumer);
          waiting.delete(key);
        }
      }
      const receives = digests.flatMap((digest) => digest.receives);
      const unknown = receives.filter(({ traceId, callId }) => !sends.has(sendKey(traceId, callId)));
      if (unknown.length > 0) await lookUp(client, [...new Set(unknown.map(({ traceId }) => traceId))]);

      for (const { traceId: consumer, receives: received } of digests) {
        nowResolvable.delete(consumer);
        for (const { traceId, callId } of received) {
          const key = sendKey(traceId, callId);
          if (sends.has(key) || waiting.size >= waitingMax) continue;
          waiting.set(key, (waiting.get(key) ?? new Set()).add(consumer));
        }
      }
      return {
        nowResolvable,
        linksOf: ({ receives: received }) =>
          received.flatMap(({ traceId, callId, service, receivedAtNs }) => {
            const send = sends.get(sendKey(traceId, callId));
            return send ? [{ from: send.service, to: service, sentAtNs: send.sentAtNs, receivedAtNs }] : [];
          }),
      };
    },
  };
}

// Only the last row of a consumer counts; the others go away when the engine merges.
const selectReceives = `
  SELECT trace_id, argMax(receive_trace, version), argMax(receive_call, version), argMax(receive_segment, version),
    argMax(receive_name, version), argMax(receive_type, version), argMax(receive_account, version),
    argMax(receive_ns, version)
  FROM digests
  WHERE hasAny(receive_trace, arrayMap(id -> toFixedString(unhex(id), 16), {ids:Array(String)})) AND NOT removed
  GROUP BY trace_id
  ORDER BY min(start_ns), trace_id
  LIMIT {limit:UInt32}
  FORMAT RowBinary`;

/** Store.receives. */
export async function readReceives(client: ClickHouseClient, traceIds: readonly string[]): Promise<readonly Receive[]> {
  const wanted = new Set(traceIds);
  const found: Receive[] = [];
  for (let start = 0; start < traceIds.length; start += idsPerQueryMax) {
    const ids = traceIds.slice(start, start + idsPerQueryMax);
    const parameters = { ids, limit: linksPerTraceMax * ids.length };
    await select(client, { query: selectReceives, parameters }, (row) => {
      const consumerTraceId = row.hex(16);
      for (const receive of readReceived(row))
        if (wanted.has(receive.traceId)) found.push({ consumerTraceId, ...receive });
    });
  }
  return found;
}

function readReceived(row: Row): readonly ReceiveDigest[] {
  const traceIds = row.array(() => row.hex(16));
  const callIds = row.array(() => row.text());
  const segmentIds = row.array(() => row.text());
  const names = row.array(() => row.text());
  const types = row.array(() => row.text());
  const accounts = row.array(() => row.text());
  const times = row.array(() => row.uint64());
  return traceIds.map((traceId, i) => ({
    traceId,
    callId: callIds[i] ?? '',
    segmentId: segmentIds[i] ?? '',
    service: { name: names[i] ?? '', type: types[i] || undefined, accountId: accounts[i] || undefined },
    receivedAtNs: times[i] ?? 0n,
  }));
}

type Row = Parameters<Parameters<typeof select>[2]>[0];

function readSends(row: Row): readonly SendDigest[] {
  const callIds = row.array(() => row.text());
  const names = row.array(() => row.text());
  const types = row.array(() => row.text());
  const accounts = row.array(() => row.text());
  const times = row.array(() => row.uint64());
  return callIds.map((callId, i) => ({
    callId,
    service: { name: names[i] ?? '', type: types[i] || undefined, accountId: accounts[i] || undefined },
    sentAtNs: times[i] ?? 0n,
  }));
}

function sendKey(traceId: string, callId: string): string {
  return `${traceId} ${callId}`;
}
