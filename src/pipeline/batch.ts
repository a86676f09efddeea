import type { Span } from '../model/index.ts';

/**
 * What one `consume` call carries: the bytes as they came, and the spans when somebody asks.
 * A batch is immutable; a processor that changes spans makes a new one.
 */
export interface Batch {
  readonly format: BatchFormat;
  /**
   * - `otlp_proto`: an ExportTraceServiceRequest (= TracesData) in protobuf;
   * - `otlp_json`: the same in OTLP/JSON;
   * - `xray_segments`: a JSON array of segment documents, each the sender's bytes.
   * The batch owns the bytes; nobody writes to them.
   */
  readonly body: Uint8Array;
  /** Spans or segment documents in the body, as counted at intake. */
  readonly items: number;
  readonly receivedAtNs: bigint;
  /** Decoded at the first call and kept. What cannot be decoded was counted at intake and is not in it. */
  spans(): readonly Span[];
}

export type BatchFormat = 'otlp_proto' | 'otlp_json' | 'xray_segments';
