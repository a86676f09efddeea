import type { z } from 'zod';
import type { HttpHost } from '../net/http.ts';
import type { UnsignedRequest } from '../net/http-client.ts';
import type { RaybridgeError } from '../errors.ts';
import type { Span } from '../model/index.ts';
import type { Batch, BatchFormat } from './batch.ts';
import type { SamplingService } from './sampling.ts';
import type { Status } from './status.ts';
import type { Store } from './store.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * The kinds of component. A factory stands in the component's `index.ts`, is registered in
 * `components.ts`, and is called once for each id that a pipeline or `service.extensions` names.
 *
 * Life cycle: `create` does no I/O; `start` resolves when the component works or throws
 * RaybridgeError (LISTEN_FAILED, CONFIG_INVALID …); `shutdown` resolves when nothing of it is left
 * running, and is called even if `start` failed. Started: exporters,
 * processors, extensions, receivers, and the stores beside them; shut down in reverse, the stores last. `deadlineMs` is for work under way; what is left then is cut off.
 */
export interface Component {
  start(): Promise<void>;
  shutdown(deadlineMs: number): Promise<void>;
}

interface Factory<Kind extends string, Arguments, Product> {
  readonly kind: Kind;
  /** As in the YAML: `otlp`. */
  readonly type: string;
  /** Strict schema with the defaults; `null` in the YAML means `{}`. */
  readonly configSchema: z.ZodType;
  /** `config` has passed `configSchema`. */
  create(input: Arguments): Product;
}

interface Creation {
  // The register holds factories of many config types; each casts at its own door, after its own schema.
  // oxlint-disable-next-line no-explicit-any
  readonly config: any;
  readonly context: Context;
}

export type ReceiverFactory = Factory<
  'receiver',
  Creation & {
    readonly intake: Intake;
    /** Signals of the pipelines that name this receiver but are ignored: `metrics`, `logs`. Their requests succeed and are dropped, counted. */
    readonly ignoredSignals: ReadonlySet<string>;
  },
  Component
>;
export type ProcessorFactory = Factory<'processor', Creation, Processor> | TraceProcessorFactory;
/** A processor that needs whole traces; it cuts its pipeline in two, see `trace-stage.ts`. */
export type TraceProcessorFactory = Factory<'processor', Creation, TraceProcessor> & { readonly gathersTraces: true };
export type ExporterFactory = Factory<'exporter', Creation, Exporter>;
/** Leads on into the pipelines that name it as a receiver, and then makes nothing; or ends its pipelines as an exporter does. */
export type ConnectorFactory = Factory<'connector', Creation, Exporter | undefined> & {
  readonly endsPipelines: boolean;
};
export type ExtensionFactory = Factory<'extension', Creation & { readonly intake: Intake }, Extension>;
export type StoreFactory = Factory<'store', Creation, StoreComponent>;
export type ComponentFactory =
  | ReceiverFactory
  | ProcessorFactory
  | ExporterFactory
  | ConnectorFactory
  | ExtensionFactory
  | StoreFactory;
export type ComponentKind = ComponentFactory['kind'];

/** Where receivers hand their batches. */
export interface Intake {
  /**
   * Resolves when the batch is durable for every destination; only then may the sender be told so.
   * @throws RaybridgeError QUEUE_FULL, DISK_LOW, SHUTTING_DOWN, QUEUE_WRITE_FAILED (all retryable).
   */
  consume(batch: Batch): Promise<void>;
}

export interface Processor extends Component {
  /** A pure step: the batch itself when nothing changes, a new one otherwise, undefined when all of it was dropped (the processor has counted that). */
  process(batch: Batch): Batch | undefined;
  /** Why new data must not be taken at the moment; a retryable error. */
  refusal?(): RaybridgeError | undefined;
}

/** Judges traces as a whole. */
export interface TraceProcessor extends Component {
  readonly gathering: Gathering;
  /** What was decided of a trace whose spans come late; undefined when nobody remembers. */
  remembered(traceId: string): TraceDecision | undefined;
  /** All spans of the trace that came in time, in the order of arrival. What is dropped is counted by the caller. */
  decide(traceId: string, spans: readonly Span[]): TraceDecision;
}

export type TraceDecision = 'keep' | 'drop';

export interface Gathering {
  /** From the first span of a trace. */
  readonly waitMs: number;
  /** From its root, when that is sooner; 0: the root changes nothing. */
  readonly waitAfterRootMs: number;
  /** At one time; the oldest are decided early, or nothing more is read until there is room. */
  readonly tracesMax: number;
  readonly waitsForRoom: boolean;
}

export interface Exporter extends Component {
  /** How much the delivery loop may gather for one `export` call, and how long it may wait for it. */
  readonly gather: { readonly bytesMax: number; readonly lingerMs: number };
  /** Calls of `export` at the same time; two unless told. */
  readonly lanes?: number;
  /** Pauses after failures; full jitter from one second to a minute unless told. */
  readonly backoff?: Backoff | undefined;
  /**
   * Delivers the batches. What the destination does not take of them, while it takes the rest, is in
   * the result. `token` is the same when the same records are sent again, and so is the object within one
   * process. `sequence` rises over restarts.
   * @throws RaybridgeError; a retryable one is tried again for ever, any other moves the batches to the dead letters.
   */
  export(delivery: Delivery): Promise<Losses | void>;
}

/** The pause after failure n: first × multiplier^(n-1), at most `maxMs`, give or take its `jitter` share. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
  /** 0 to 1. */
  readonly jitter: number;
}

/** What a destination did not take of a delivery that it answered. */
export interface Losses {
  /** Each becomes a dead letter. */
  readonly refused?: readonly Refused[];
  /** Spans that it rejected without naming them: there is nothing to keep, so they are counted as dropped. */
  readonly rejected?: number;
}

/** A part of a delivery that the destination will never take. */
export interface Refused {
  readonly format: BatchFormat;
  readonly body: Uint8Array;
  readonly items: number;
  /** The destination's code, for the counters: one of few. */
  readonly code: string;
  /** What it said. */
  readonly message: string;
}

export interface Delivery {
  readonly batches: readonly Batch[];
  readonly token: string;
  readonly sequence: bigint;
  readonly signal: AbortSignal;
}

export interface Extension extends Component {
  /** For extensions that a listener or a client names under `auth.authenticator`. */
  readonly authenticator?: Authenticator;
}

export interface Authenticator {
  /**
   * Who asks? Of a listener's request; names of headers (or gRPC metadata) are in lower case.
   * @throws RaybridgeError CREDENTIALS_MISSING, CREDENTIALS_UNKNOWN.
   */
  verify?(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Promise<void>;
  /** The headers by which a client shows who it is, to add to the request (which is complete otherwise). */
  authorize?(request: UnsignedRequest): Promise<Readonly<Record<string, string>>>;
}

export interface StoreComponent extends Component, Store {}

/** What the program gives each component. */
export interface Context {
  /** `otlp` or `otlp/backup`. */
  readonly id: string;
  readonly log: Logger;
  /** Nanoseconds since 1970. */
  readonly nowNs: () => bigint;
  readonly telemetry: Telemetry;
  readonly status: Status;
  readonly http: HttpHost;
  readonly sampling: SamplingService;
  /** Absolute path; exists, mode 0700. */
  readonly dataDir: string;
  /** The version of Raybridge, for answers and the page. */
  readonly version: string;
  /** The store of this id; the configuration has been checked, so it exists. */
  store(id: string): Store;
  /**
   * What the extension of this id offers under `auth.authenticator`. Called from `start`.
   * @throws RaybridgeError CONFIG_INVALID: no such extension is in service.extensions, or it cannot do that.
   */
  authenticator(id: string): Authenticator;
}

/** The part of pino that components use. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
