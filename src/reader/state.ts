import type { z } from 'zod';
import { RaybridgeError } from '../errors.ts';
import type { Store } from '../pipeline/store.ts';
import { createTurns, type Turns } from '../pipeline/turns.ts';

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
  const shelf = shelfOf(store, kind);
  let parsed: { readonly texts: Texts; readonly documents: ReadonlyMap<string, Document> } | undefined;

  const parse = (texts: Texts): ReadonlyMap<string, Document> => {
    if (parsed?.texts === texts) return parsed.documents;
    const documents = new Map(
      [...texts].map(([key, text]) => [key, parseDocument(text, { schema, place: `${kind}/${key}` })]),
    );
    parsed = { texts, documents };
    return documents;
  };

  return {
    async read() {
      const atNs = nowNs();
      const { known } = shelf;
      // A clock that was set back makes the age negative.
      const isFresh = known && atNs >= known.readAtNs && atNs - known.readAtNs <= ageMaxNs;
      const reading = isFresh ? known : { texts: store.readState(kind), readAtNs: atNs };
      shelf.known = reading;
      try {
        return parse(await reading.texts);
      } catch (error) {
        if (shelf.known === reading) shelf.known = undefined;
        throw error;
      }
    },
    change: (work) =>
      shelf.inTurn(async () => {
        try {
          return await work(parse(await store.readState(kind)), (key, document) =>
            store.writeState({ kind, key, value: document === undefined ? undefined : JSON.stringify(document) }),
          );
        } finally {
          // A write that failed may have been done all the same.
          shelf.known = undefined;
        }
      }),
  };
}

type Texts = ReadonlyMap<string, string>;

/** What all who work on one kind of documents of one store in this process have in common. */
interface Shelf {
  known: { readonly texts: Promise<Texts>; readonly readAtNs: bigint } | undefined;
  readonly inTurn: Turns;
}

const shelves = new WeakMap<Store, Map<string, Shelf>>();

function shelfOf(store: Store, kind: string): Shelf {
  const ofStore = shelves.get(store) ?? new Map<string, Shelf>();
  shelves.set(store, ofStore);
  const shelf = ofStore.get(kind) ?? { known: undefined, inTurn: createTurns() };
  ofStore.set(kind, shelf);
  return shelf;
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
