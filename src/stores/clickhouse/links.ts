import type { ClickHouseClient } from '@clickhouse/client';
import type { ReceiveDigest, SendDigest, ServiceName, TraceDigest } from '../../model/index.ts';
import { linksPerTraceMax, type Receive } from '../../query/index.ts';
import type { LinkDigest } from './digests.ts';
import type { RowReader } from './native.ts';
import { idsPerQueryMax, partsOf, select } from './select.ts';

/**
 * Joins consumers to the producers of what they received, which stand in other traces. The sends of
 * the last producers are remembered; others are looked up. When the sends of a trace change, because
 * it came after its consumers or was completed later, its consumers are to be digested again.
 */
export interface LinkResolver {
  resolve(client: ClickHouseClient, digests: readonly TraceDigest[]): Promise<Resolved>;
}

interface Resolved {
  linksOf(digest: TraceDigest): readonly LinkDigest[];
  /** Ids of other traces that received from these, whose sends have changed. */
  readonly outdated: ReadonlySet<string>;
}

/** Of all producers; the oldest are forgotten first, and looked up when they are asked for. */
const sendsMax = 100_000;
/** Of all producers, as many; most of the producers that are waited for never come. */
const consumersMax = 100_000;

const selectSends = `
  SELECT trace_id, argMax(send_call, version), argMax(send_name, version), argMax(send_type, version),
    argMax(send_account, version), argMax(send_ns, version)
  FROM digests
  WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16)) AND NOT removed
  GROUP BY trace_id
  FORMAT RowBinary`;

export function createLinkResolver(): LinkResolver {
  /** By trace. */
  const producers = new Map<string, readonly SendDigest[]>();
  let sendsKept = 0;
  /** By producer, the traces that received from it. */
  const consumers = new Map<string, Set<string>>();
  let consumersKept = 0;

  function remember(traceId: string, sends: readonly SendDigest[]): void {
    forget(traceId);
    // One without sends is remembered only if somebody waits for them.
    if (sends.length === 0 && !consumers.has(traceId)) return;
    producers.set(traceId, sends);
    sendsKept += sends.length + 1;
    for (const oldest of producers.keys()) {
      if (sendsKept <= sendsMax || oldest === traceId) return;
      forget(oldest);
    }
  }

  function forget(traceId: string): void {
    const sends = producers.get(traceId);
    if (producers.delete(traceId)) sendsKept -= (sends?.length ?? 0) + 1;
  }

  function addConsumer(producer: string, consumer: string): void {
    const known = consumers.get(producer) ?? new Set();
    consumers.delete(producer);
    consumers.set(producer, known);
    if (known.size === linksPerTraceMax || known.has(consumer)) return;
    known.add(consumer);
    consumersKept += 1;
    for (const [oldest, { size }] of consumers) {
      if (consumersKept <= consumersMax || oldest === producer) return;
      consumers.delete(oldest);
      consumersKept -= size;
    }
  }

  async function lookUp(client: ClickHouseClient, traceIds: readonly string[]): Promise<void> {
    for (const ids of partsOf(traceIds, idsPerQueryMax)) {
      await select(client, { query: selectSends, parameters: { ids } }, (row) => remember(row.hex(16), readSends(row)));
    }
  }

  return {
    async resolve(client, digests) {
      // Consumers first: then a producer of this batch is known, even as one without sends, and is not looked up.
      for (const { traceId: consumer, receives } of digests)
        for (const { traceId } of receives) addConsumer(traceId, consumer);
      const outdated = new Set<string>();
      for (const { traceId, sends } of digests) {
        const receivers = consumers.get(traceId) ?? [];
        if (!sameSends(producers.get(traceId) ?? [], sends)) for (const consumer of receivers) outdated.add(consumer);
        remember(traceId, sends);
      }
      for (const { traceId } of digests) outdated.delete(traceId);
      const received = new Set(digests.flatMap(({ receives }) => receives.map(({ traceId }) => traceId)));
      await lookUp(
        client,
        [...received].filter((traceId) => !producers.has(traceId)),
      );
      return {
        outdated,
        linksOf: ({ receives }) =>
          receives.flatMap(({ traceId, callId, service, receivedAtNs }) => {
            const send = producers.get(traceId)?.find((one) => one.callId === callId);
            return send ? [{ from: send.service, to: service, sentAtNs: send.sentAtNs, receivedAtNs }] : [];
          }),
      };
    },
  };
}

function sameSends(one: readonly SendDigest[], other: readonly SendDigest[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ callId, service, sentAtNs }, at) => {
      const match = other[at];
      return (
        match !== undefined &&
        callId === match.callId &&
        sentAtNs === match.sentAtNs &&
        service.name === match.service.name &&
        service.type === match.service.type &&
        service.accountId === match.service.accountId
      );
    })
  );
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
  for (const ids of partsOf(traceIds, idsPerQueryMax)) {
    const parameters = { ids, limit: linksPerTraceMax * ids.length };
    await select(client, { query: selectReceives, parameters }, (row) => {
      const consumerTraceId = row.hex(16);
      for (const receive of readReceived(row))
        if (wanted.has(receive.traceId)) found.push({ consumerTraceId, ...receive });
    });
  }
  return found;
}

function readReceived(row: RowReader): readonly ReceiveDigest[] {
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
    service: toService(names[i], types[i], accounts[i]),
    receivedAtNs: times[i] ?? 0n,
  }));
}

function readSends(row: RowReader): readonly SendDigest[] {
  const callIds = row.array(() => row.text());
  const names = row.array(() => row.text());
  const types = row.array(() => row.text());
  const accounts = row.array(() => row.text());
  const times = row.array(() => row.uint64());
  return callIds.map((callId, i) => ({
    callId,
    service: toService(names[i], types[i], accounts[i]),
    sentAtNs: times[i] ?? 0n,
  }));
}

/** An unknown type or account is the empty text. */
function toService(name = '', type = '', account = ''): ServiceName {
  return { name, type: type || undefined, accountId: account || undefined };
}
