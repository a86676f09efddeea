import type { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import type { Store } from '../pipeline/store.ts';

/** The state documents of one kind, such as groups, as values. */
export interface StateDocuments<Document> {
  /**
   * All of them, by key; what another process wrote in the last second may be missing.
   * @throws RaybridgeError STORE_UNAVAILABLE, STORE_FAILED.
   */
  read(): Promise<ReadonlyMap<string, Document>>;
  /**
   * Runs `work` with the documents as they are now. Changes of one kind in one store run one after
   * another, whoever in this process makes them, so that none works on what another is changing.
   * @throws what `work` throws; RaybridgeError STORE_UNAVAILABLE, STORE_FAILED.
   */
  change<Result>(
    work: (documents: ReadonlyMap<string, Document>, write: Write<Document>) => Promise<Result>,
  ): Promise<Result>;
}

/** Durable when it resolves. An undefined document is removed. */
export type Write<Document> = (key: string, document: Document | undefined) => Promise<void>;

/** How old documents may be that `read` gives. */
const ageMaxNs = 1_000_000_000n;

export function openState<Document>({
  store,
  nowNs,
  kind,
  schema,
}: {
  readonly store: Store;
  readonly nowNs: () => bigint;
  readonly kind: string;
  readonly schema: z.ZodType<Document>;
}): StateDocuments<Document> {
  let known: { readonly documents: Promise<ReadonlyMap<string, Document>>; readonly readAtNs: bigint } | undefined;

  const load = async (): Promise<ReadonlyMap<string, Document>> => {
    const texts = await store.readState(kind);
    return new Map([...texts].map(([key, text]) => [key, parseDocument(text, { schema, place: `${kind}/${key}` })]));
  };

  return {
    async read() {
      const atNs = nowNs();
      // A clock that was set back makes the age negative.
      const isFresh = known && atNs >= known.readAtNs && atNs - known.readAtNs <= ageMaxNs;
      const reading = isFresh && known ? known : { documents: load(), readAtNs: atNs };
      known = reading;
      try {
        return await reading.documents;
      } catch (error) {
        if (known === reading) known = undefined;
        throw error;
      }
    },
    change: (work) =>
      inLine(store, kind, async () => {
        try {
          return await work(await load(), (key, document) =>
            store.writeState({ kind, key, value: document === undefined ? undefined : JSON.stringify(document) }),
          );
        } finally {
          // A write that failed may have been done all the same.
          known = undefined;
        }
      }),
  };
}

/** The last change of each kind, for each store, settled or not. */
const lines = new WeakMap<Store, Map<string, Promise<unknown>>>();

async function inLine<Result>(store: Store, kind: string, work: () => Promise<Result>): Promise<Result> {
  const ofStore = lines.get(store) ?? new Map<string, Promise<unknown>>();
  lines.set(store, ofStore);
  const before = ofStore.get(kind) ?? Promise.resolve();
  // How the change before ended is told to whoever made it.
  const turn = before.then(work, work);
  ofStore.set(kind, turn);
  return await turn;
}

function parseDocument<Document>(
  text: string,
  { schema, place }: { readonly schema: z.ZodType<Document>; readonly place: string },
): Document {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new RaybridgeError('STORE_FAILED', `${place}: expected a state document of this version, got another text`, {
      cause: error,
    });
  }
}
