import { createHash } from 'node:crypto';
import { encodeTraces } from '../../src/codec/index.ts';
import type { Span } from '../../src/model/index.ts';
import { testSpan } from './span.ts';
import type { TakenSpan } from './taken-span.ts';

/**
 * What was sent and what was acknowledged, to hold what arrived against (reliability 5.1). Span
 * number n is a function of the seed and n alone, so the judge needs nothing but the number.
 */
export interface Ledger {
  readonly issued: number;
  readonly acknowledged: ReadonlySet<number>;
  /** The next spans. */
  issue(count: number): readonly Span[];
  /** One request; what the agent answered. Rejects when there is no answer. */
  send(address: string, spans: readonly Span[]): Promise<Response>;
  judge(arrived: readonly TakenSpan[], isExcused?: (spanId: string) => boolean): Verdict;
}

export interface Verdict {
  /** Acknowledged, and neither arrived nor excused. */
  readonly missing: number;
  /** Arrived, but nobody sent them. */
  readonly invented: number;
  /** Arrived as something else than was sent. */
  readonly altered: number;
  /** Arrivals beyond the first of each. */
  readonly repeated: number;
}

export function createLedger(seed: string): Ledger {
  const numbers = new Map<string, number>();
  const acknowledged = new Set<number>();
  let issued = 0;
  return {
    get issued() {
      return issued;
    },
    acknowledged,
    issue: (count) =>
      Array.from({ length: count }, () => {
        const span = ledgerSpan(seed, issued);
        numbers.set(span.spanId, issued++);
        return span;
      }),
    async send(address, spans) {
      const headers = { 'content-type': 'application/x-protobuf' };
      const answer = await fetch(`http://${address}/v1/traces`, { method: 'POST', headers, body: encodeTraces(spans) });
      if (answer.status === 200) for (const { spanId } of spans) acknowledged.add(numbers.get(spanId) ?? -1);
      await answer.arrayBuffer();
      return answer;
    },
    judge(arrived, isExcused = () => false) {
      const there = new Set(arrived.map(({ spanId }) => spanId));
      const isMissing = (number: number): boolean => {
        const { spanId } = ledgerSpan(seed, number);
        return !there.has(spanId) && !isExcused(spanId);
      };
      const known = arrived.filter(({ spanId }) => numbers.has(spanId));
      const isAltered = (span: TakenSpan): boolean => {
        const sent = ledgerSpan(seed, numbers.get(span.spanId) ?? -1);
        return (
          span.traceId !== sent.traceId ||
          span.name !== sent.name ||
          [...sent.attributes].some(([key, value]) => String(span.attributes.get(key)) !== String(value))
        );
      };
      return {
        missing: [...acknowledged].filter(isMissing).length,
        invented: arrived.length - known.length,
        altered: known.filter(isAltered).length,
        repeated: arrived.length - there.size,
      };
    },
  };
}

/** Of a hundred spans a backend may refuse those for which this holds, and take the others. */
export function isPoison(spanId: string): boolean {
  return Number.parseInt(spanId.slice(0, 4), 16) % 100 === 0;
}

/** Long, so that few spans make a backlog of many calls; but an annotation holds a thousand characters. */
const payloadDigests = 15;

function ledgerSpan(seed: string, number: number): Span {
  const digest = createHash('sha256').update(`${seed}-${number}`).digest('hex');
  return testSpan({
    traceId: digest.slice(16, 48),
    spanId: digest.slice(0, 16),
    name: 'ledger',
    attributes: new Map<string, bigint | string>([
      ['number', BigInt(number)],
      ['payload', digest.repeat(payloadDigests)],
    ]),
  });
}
