/**
 * The OTel span as OTLP 1.x defines it (opentelemetry/proto/trace/v1/trace.proto), flat and
 * readonly. It points at the resource and scope it shares with its neighbours.
 */

/**
 * An OTLP AnyValue. The JavaScript type is the OTLP type: `bigint` is int64, `number` is double
 * (so 1.0 stays a double), `Uint8Array` is bytes, `undefined` is the empty value.
 */
export type AttributeValue =
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | undefined
  | readonly AttributeValue[]
  | Attributes;

export type Attributes = ReadonlyMap<string, AttributeValue>;

/** Values inside each other, the outermost counted: more than any instrumentation writes, and few enough to walk. */
export const attributeDepthMax = 32;

/** Values of opentelemetry.proto.trace.v1.Span.SpanKind. */
export const SpanKind = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
} as const;

/** Values of opentelemetry.proto.trace.v1.Status.StatusCode. */
export const StatusCode = { unset: 0, ok: 1, error: 2 } as const;

export interface Span {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  /** 16 lower-case hex digits; undefined for a root. */
  readonly parentSpanId: string | undefined;
  readonly traceState: string;
  /** W3C trace flags in bits 0 to 7; 0x100 and 0x200 say whether the parent is remote. */
  readonly flags: number;
  readonly name: string;
  /** 0 to 5; see SpanKind. A number of a later protocol version is kept. */
  readonly kind: number;
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  readonly startTimeNs: bigint;
  /** Nanoseconds since 1970; 0n when the span has not ended (an X-Ray document in progress). */
  readonly endTimeNs: bigint;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly events: readonly SpanEvent[];
  readonly droppedEventsCount: number;
  readonly links: readonly SpanLink[];
  readonly droppedLinksCount: number;
  readonly status: SpanStatus;
  readonly resource: Resource;
  readonly scope: Scope;
}

export interface SpanEvent {
  readonly timeNs: bigint;
  readonly name: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

export interface SpanLink {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

export interface SpanStatus {
  /** 0 to 2; see StatusCode. */
  readonly code: number;
  readonly message: string;
}

/** Shared by identity: spans of one ResourceSpans hold the same object. */
export interface Resource {
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
  readonly entityRefs: readonly EntityRef[];
}

/** opentelemetry.proto.common.v1.EntityRef. */
export interface EntityRef {
  readonly schemaUrl: string;
  readonly type: string;
  readonly idKeys: readonly string[];
  readonly descriptionKeys: readonly string[];
}

/** Shared by identity, like Resource. The schema URL is that of the ScopeSpans. */
export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

export const emptyResource: Resource = {
  attributes: new Map(),
  droppedAttributesCount: 0,
  schemaUrl: '',
  entityRefs: [],
};

export const emptyScope: Scope = {
  name: '',
  version: '',
  attributes: new Map(),
  droppedAttributesCount: 0,
  schemaUrl: '',
};
