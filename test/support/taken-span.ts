/** What a fake backend keeps of a span or segment document that it took. */
export interface TakenSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  /** Attributes, or the annotations of a document. */
  readonly attributes: ReadonlyMap<string, unknown>;
}
