import type { JsonObject } from '../../model/index.ts';
import type { Access } from '../../net/aws-json.ts';
import type { Context, Intake } from '../../pipeline/component.ts';
import type { Store } from '../../pipeline/store.ts';
import type {
  Account,
  GroupRegistry,
  InsightDocuments,
  PolicyRegistry,
  RetrievalRegistry,
  TagRegistry,
  TraceReader,
} from '../../reader/index.ts';

/** What the operations work with. */
export interface Backend {
  readonly context: Context;
  readonly intake: Intake;
  readonly store: Store;
  readonly reader: TraceReader;
  readonly insights: InsightDocuments;
  readonly groups: GroupRegistry;
  readonly tags: TagRegistry;
  readonly policies: PolicyRegistry;
  readonly account: Account;
  readonly retrievals: RetrievalRegistry;
}

/** One call, whose signal aborts when the client is gone. */
export interface Call extends Backend {
  readonly signal: AbortSignal;
}

/** One operation of the X-Ray API (2016-04-12): REST-JSON, POST on a fixed path. */
export interface Operation {
  readonly name: string;
  readonly access: Access;
  /** The answer, ready for JSON.stringify. */
  run(request: JsonObject, call: Call): Promise<object>;
}
