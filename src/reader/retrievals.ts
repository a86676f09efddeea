import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import type { Store } from '../pipeline/store.ts';
import { openState } from './state.ts';

/**
 * Retrievals of traces (X-Ray API reference, StartTraceRetrieval). Nothing is fetched ahead: a
 * retrieval is the question under a token, complete at once, and each page of its answer is read
 * when it is asked for. A token is too short to carry a hundred trace ids, so the questions are kept:
 * in a fixed number of places that are used again, because each document that is removed
 * would leave its mark in the store.
 */
export interface RetrievalRegistry {
  /** Its token. */
  start(question: RetrievalQuestion): Promise<string>;
  /** @throws RaybridgeError NOT_FOUND: an unknown token, or one whose time is over. */
  get(token: string): Promise<Retrieval>;
  /** @throws RaybridgeError NOT_FOUND. */
  cancel(token: string): Promise<void>;
}

export interface RetrievalQuestion {
  /** 32 hex digits each, at most `retrievedTracesMax`. */
  readonly traceIds: readonly string[];
  /** Of a trace some part must lie in the range, both ends included. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

export interface Retrieval extends RetrievalQuestion {
  readonly token: string;
  readonly cancelled: boolean;
}

/** API reference, StartTraceRetrieval. */
export const retrievedTracesMax = 100;
/** Retrievals that are kept. One more takes the place of the oldest. */
export const retrievalsMax = 100;
/** After this AWS ends a retrieval. */
const ageMaxNs = 3_600_000_000_000n;

const nanoseconds = z.string().regex(/^-?\d+$/);
const retrievalSchema = z.object({
  token: z.string(),
  traceIds: z.array(z.string()),
  fromNs: nanoseconds,
  toNs: nanoseconds,
  startedAtNs: nanoseconds,
  cancelled: z.boolean(),
});
type RetrievalDocument = z.output<typeof retrievalSchema>;
type Documents = ReadonlyMap<string, RetrievalDocument>;

export function createRetrievalRegistry({
  store,
  nowNs,
}: {
  readonly store: Store;
  readonly nowNs: () => bigint;
}): RetrievalRegistry {
  const state = openState({ store, nowNs, kind: 'trace_retrieval', schema: retrievalSchema });

  const find = (documents: Documents, token: string): readonly [key: string, document: RetrievalDocument] => {
    const earliestNs = nowNs() - ageMaxNs;
    const found = [...documents].find(([, document]) => document.token === token);
    if (found && BigInt(found[1].startedAtNs) > earliestNs) return found;
    throw new RaybridgeError('NOT_FOUND', 'RetrievalToken: there is no retrieval with this token, or no longer', {
      resource: token,
    });
  };

  return {
    start: ({ traceIds, fromNs, toNs }) =>
      state.change(async (documents, write) => {
        const token = randomUUID();
        await write(freePlace(documents), {
          token,
          traceIds: [...traceIds],
          fromNs: String(fromNs),
          toNs: String(toNs),
          startedAtNs: String(nowNs()),
          cancelled: false,
        });
        return token;
      }),
    async get(token) {
      const [, { traceIds, fromNs, toNs, cancelled }] = find(await state.read(), token);
      return { token, traceIds, fromNs: BigInt(fromNs), toNs: BigInt(toNs), cancelled };
    },
    cancel: (token) =>
      state.change(async (documents, write) => {
        const [place, document] = find(documents, token);
        await write(place, { ...document, cancelled: true });
      }),
  };
}

/** One that was never used, or that of the oldest. */
function freePlace(documents: Documents): string {
  if (documents.size < retrievalsMax) return String(documents.size);
  const [oldest] = [...documents].sort(([, one], [, other]) =>
    BigInt(one.startedAtNs) < BigInt(other.startedAtNs) ? -1 : 1,
  );
  return oldest?.[0] ?? '0';
}
